/** A `traceparent` (W3C Trace Context) in the form of X-Ray; null when it is none. */
export function traceId(traceparent: string): string | null {
  const [, trace, parent, flags] = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(traceparent) ?? [];
  if (!trace) return null;
  const sampled = Number.parseInt(flags!, 16) & 1;
  return `Root=1-${trace.slice(0, 8)}-${trace.slice(8)};Parent=${parent};Sampled=${sampled}`;
}
