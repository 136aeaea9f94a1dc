import { expect, it } from "vitest";
import { parseRegistries } from "./registries.ts";

it("registries are hosts, each with a path or none, in the order in which they are written", () => {
  expect(parseRegistries("docker.io")).toEqual(["docker.io"]);
  const several = "localhost, 127.0.0.1:5000/a,[::1]:5000 ,registry:5000/team/b_c,Registry.Example";
  expect(parseRegistries(several)).toEqual(several.split(",").map((one) => one.trim()));
});

it.each([
  ["nothing", ""],
  ["a name that is no host", "registry"],
  ["an address with a scheme", "https://registry.example"],
  ["a path in capitals", "registry.example/Team"],
  ["a tag", "registry.example/team/app:1"],
  ["an end that is none", "registry.example/"],
  ["a port that is none", "registry.example:70000"],
  ["a gap", "registry.example,,docker.io"],
  ["one of them twice", "docker.io,registry.example,docker.io"],
  ["a space", "registry.example docker.io"],
])("%s is no list of registries", (_, text) => expect(parseRegistries(text)).toBeNull());
