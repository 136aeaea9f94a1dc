import { Linter } from "eslint";
import fastify from "fastify";

const RULES = { "no-var": "error", "no-unused-vars": "error", eqeqeq: "error" };
const app = fastify();
app.addContentTypeParser("*", { parseAs: "string" }, (_request, body, done) => done(null, body));
app.post("/", (request) => {
  const found = new Linter().verify(request.body, [{ rules: RULES }]);
  return found.map(({ line, column, ruleId, message }) => ({ line, column, rule: ruleId, message }));
});

/** POST JavaScript, and read what eslint says of it. */
export default async (request) => {
  const { pathname } = new URL(request.url);
  const headers = { "content-type": "text/javascript" };
  const answer = await app.inject({ method: request.method, url: pathname, headers, payload: await request.text() });
  return new Response(answer.body, {
    status: answer.statusCode,
    headers: { "content-type": answer.headers["content-type"] },
  });
};
