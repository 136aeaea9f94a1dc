/** The same handler behind the signature that functions-framework wants. */
import handler from "../handler.mjs";

export async function hello(request, response) {
  const answer = await handler(new Request(`http://${request.headers.host}${request.url}`));
  response.status(answer.status);
  for (const [name, value] of answer.headers) response.set(name, value);
  response.send(Buffer.from(await answer.arrayBuffer()));
}
