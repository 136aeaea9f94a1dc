import type { BoxHead } from "@mayfly/contract";
import { functionArn } from "./environment.ts";

/** What a Lambda handler gets beside its event. */
export interface LambdaContext {
  readonly awsRequestId: string;
  readonly functionName: string;
  readonly functionVersion: string;
  readonly invokedFunctionArn: string;
  readonly memoryLimitInMB: string;
  readonly logGroupName: string;
  readonly logStreamName: string;
  /** Taken, and without effect: what still runs after the answer ends with the box. */
  callbackWaitsForEmptyEventLoop: boolean;
  getRemainingTimeInMillis(): number;
}

/** @param env as `lambdaEnvironment` (index.ts) made it */
export function lambdaContext(head: BoxHead, env: Readonly<Record<string, string | undefined>>): LambdaContext {
  const name = env.AWS_LAMBDA_FUNCTION_NAME ?? "";
  return {
    awsRequestId: head.invocation,
    functionName: name,
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION ?? "",
    invokedFunctionArn: functionArn(name, env.AWS_REGION),
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE ?? "",
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME ?? "",
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME ?? "",
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, head.deadline_ms - Date.now()),
  };
}
