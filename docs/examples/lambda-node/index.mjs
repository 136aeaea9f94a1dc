let calls = 0;

export const handler = async (event, context) => ({
  statusCode: 200,
  headers: { "content-type": "application/json" },
  body: JSON.stringify({
    calls: ++calls,
    path: event.rawPath,
    request: context.awsRequestId,
    left: context.getRemainingTimeInMillis(),
  }),
});
