const MiB = 1024 * 1024;
/** Clients of AWS's services refuse to start without one. */
const DEFAULT_REGION = "us-east-1";

/** Code reads parts of it; there is no account. */
export const functionArn = (name: string, region = DEFAULT_REGION): string =>
  `arn:aws:lambda:${region}:000000000000:function:${name}`;

/** What Lambda tells a function of itself in its environment. No credentials: there are none. */
export function lambdaEnvironment(of: {
  readonly function: string;
  readonly version: number;
  readonly memory_bytes: number;
}): Record<string, string> {
  return {
    AWS_LAMBDA_FUNCTION_NAME: of.function,
    AWS_LAMBDA_FUNCTION_VERSION: String(of.version),
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(Math.floor(of.memory_bytes / MiB)),
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${of.function}`,
    AWS_LAMBDA_LOG_STREAM_NAME: String(of.version),
    AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
    AWS_REGION: DEFAULT_REGION,
    AWS_DEFAULT_REGION: DEFAULT_REGION,
    TZ: "UTC",
  };
}
