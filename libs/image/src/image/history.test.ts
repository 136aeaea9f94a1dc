import { expect, it } from "vitest";
import { sha256 } from "../digest.ts";
import type { HistoryEntry, Image } from "../oci.ts";
import { historyOf } from "./history.ts";

const digest = (name: string) => sha256(Buffer.from(name));

function image(layers: readonly string[], history: readonly HistoryEntry[]): Image {
  const part = (name: string) => ({ mediaType: "x", digest: digest(name), size: name.length });
  return {
    digest: digest("manifest"),
    manifest: { schemaVersion: 2, config: part("config"), layers: layers.map(part) },
    config: {
      created: "",
      os: "linux",
      architecture: "amd64",
      config: {},
      rootfs: { type: "layers", diff_ids: layers.map((name) => digest(`diff ${name}`)) },
      history,
    },
  };
}

it("tells the latest step first, each with its layer", () => {
  const steps = historyOf(
    image(["a", "bb"], [{ created_by: "A" }, { created_by: "ENV", empty_layer: true }, { created_by: "B" }]),
  );
  expect(steps).toEqual([
    { created_by: "B", layer: { digest: digest("bb"), diff_id: digest("diff bb"), size_bytes: 2 } },
    { created_by: "ENV", empty_layer: true, layer: null },
    { created_by: "A", layer: { digest: digest("a"), diff_id: digest("diff a"), size_bytes: 1 } },
  ]);
});

it("tells of layers that no history tells of", () => {
  expect(
    historyOf(image(["a", "bb"], [{ created_by: "B" }])).map(({ created_by, layer }) => [created_by, layer!.digest]),
  ).toEqual([
    ["B", digest("bb")],
    [undefined, digest("a")],
  ]);
});

it("tells of steps that have no layer left", () => {
  expect(historyOf(image([], [{ created_by: "A" }]))).toEqual([{ created_by: "A", layer: null }]);
});
