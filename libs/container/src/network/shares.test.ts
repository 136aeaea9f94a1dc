import { expect, it } from "vitest";
import { Shares } from "./shares.ts";

it("one holder has its share and no more, all together have what there is, and what is given back can be taken", () => {
  const shares = new Shares({ each: 2, all: 3 });
  const take = (holder: string) => shares.take(holder);
  expect([take("a"), take("a"), take("a"), take("b"), take("b"), take("c")]).toEqual([
    true,
    true,
    false,
    true,
    false,
    false,
  ]);
  shares.give("a");
  expect([take("c"), take("a")]).toEqual([true, false]);
  for (const holder of ["a", "b", "c"]) shares.give(holder);
  expect([take("d"), take("d"), take("d")]).toEqual([true, true, false]);
});
