/** An event of a function URL (payload 2.0), as Lambda gives it. */
export const handler = async (event, context) => ({
  statusCode: 200,
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ path: event.rawPath, request: context.awsRequestId, memory_mb: context.memoryLimitInMB }),
});
