/** An image in a path of the API: one segment, whatever is in its name. */
export const imagePath = (reference: string): string => `/v1/images/${encodeURIComponent(reference)}`;

export const withJson = (method: string, value: object): RequestInit => ({
  method,
  body: JSON.stringify(value),
  headers: { "content-type": "application/json" },
});

/** A digest as people read it. */
export const short = (digest: string): string => digest.slice("sha256:".length, "sha256:".length + 12);
