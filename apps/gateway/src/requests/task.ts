import { Fault } from "@mayfly/contract";
import type { ZodType } from "zod";

/** What a request says it wants, as a task. @throws Fault bad_request naming the member that is wrong */
export function taskOf<T>(schema: ZodType<T>, value: Record<string, unknown>): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.join(".");
  throw new Fault("bad_request", { detail: `${where ? `${where}: ` : ""}${issue?.message}` });
}
