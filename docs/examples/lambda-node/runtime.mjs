// What a Lambda runtime is: it asks for a request, calls the handler, replies, and asks again. AWS's own clients speak the same API.
const [file, name] = process.env._HANDLER.split(".");
const api = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime`;
const post = (path, value) => fetch(`${api}/${path}`, { method: "POST", body: JSON.stringify(value) });
const told = (error) => ({ errorType: error.name, errorMessage: error.message, stackTrace: error.stack.split("\n") });

const { [name]: handler } = await import(`./${file}.mjs`).catch(async (error) => {
  await post("init/error", told(error));
  process.exit(1);
});
for (;;) {
  const next = await fetch(`${api}/invocation/next`);
  const id = next.headers.get("lambda-runtime-aws-request-id");
  const deadline = Number(next.headers.get("lambda-runtime-deadline-ms"));
  const context = { awsRequestId: id, getRemainingTimeInMillis: () => deadline - Date.now() };
  try {
    await post(`invocation/${id}/response`, (await handler(await next.json(), context)) ?? null);
  } catch (error) {
    await post(`invocation/${id}/error`, told(error));
  }
}
