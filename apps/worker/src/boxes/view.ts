import type { BoxView } from "@mayfly/contract";
import type { KeptBox } from "./kept-box.ts";

/** A box as users see it. */
export function viewOf(box: KeptBox, host: string): BoxView {
  const { wanted, account: _, stop_signal: __, usage, ...record } = box.record;
  const { image: reference, entrypoint: ___, command: ____, ...settings } = wanted;
  const counted = box.run?.box.sample() ?? (usage as BoxView["usage"]);
  return { ...settings, ...record, reference, host, status: box.status, usage: counted };
}
