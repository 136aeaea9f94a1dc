/** A box in a path of the API. */
export const boxPath = (which: string): string => `/v1/boxes/${encodeURIComponent(which)}`;

/** An id as people read it: `box_` and when it was made. */
export const shortId = (id: string): string => id.slice(0, "box_".length + 12);
