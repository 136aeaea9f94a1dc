import { describe, expect, it } from "vitest";
import { readMount } from "./mount.ts";
import { readSize } from "./size.ts";

const read = (text: string) => readMount(text, (value) => value.replace("$V", "vee"));

describe("RUN --mount", () => {
  it.each([
    ["target=/a", { type: "bind", target: "/a", read_only: true }],
    ["type=bind,dst=/a,src=b,from=c", { target: "/a", source: "b", from: "c", read_only: true }],
    ["type=bind,destination=/a,rw", { read_only: false }],
    ["type=bind,target=/a,readwrite=false", { read_only: true }],
    ["type=bind,target=/a,ro=0", { read_only: false }],
    ["type=cache,target=/a", { type: "cache", read_only: false, sharing: null }],
    [
      "type=cache,target=/a,id=x,sharing=LOCKED,mode=0700,uid=1,gid=2",
      { id: "x", sharing: "locked", mode: 0o700, uid: 1, gid: 2 },
    ],
    ["type=cache,target=/a,readonly", { read_only: true }],
    ["type=tmpfs,target=/a,size=64m", { type: "tmpfs", size_bytes: 64 * 1024 * 1024, read_only: false }],
    ["type=secret,id=a", { type: "secret", id: "a", required: false, read_only: true }],
    ["type=secret,id=a,required", { required: true }],
    ["type=secret,id=a,required=true,env=A", { required: true, env: "A" }],
    ["type=secret,source=$V", { source: "vee" }],
    ["TYPE=Cache,Target=/a", { type: "cache", target: "/a" }],
    ['type=cache,"target=/a,b"', { target: "/a,b" }],
    ['type=cache,"target=/a""b"', { target: '/a"b' }],
    ["type=ssh", { type: "ssh" }],
  ])("%s", (text, expected) => expect(read(text)).toMatchObject(expected));

  it.each([
    ["type=bnd,target=/a", 'unsupported mount type "bnd" (did you mean bind?)'],
    ["type=bind,traget=/a", "unexpected key 'traget' in 'traget=/a' (did you mean target?)"],
    ["type=bind,target", "invalid field 'target' must be a key=value pair"],
    ["type=bind,target=/a,required", "unexpected key 'required' for mount type 'bind'"],
    ["type=bind,target=/a,size=1", "unexpected key 'size' for mount type 'bind'"],
    ["type=tmpfs,target=/a,size=x", "invalid value for size: x"],
    ["type=bind,target=/a,mode=0755", 'mode not allowed for "bind" type mounts'],
    ["type=tmpfs,target=/a,uid=1", 'uid not allowed for "tmpfs" type mounts'],
    ["type=cache,target=/a,mode=9", "invalid value 9 for mode"],
    ["type=cache,target=/a,uid=-1", "invalid value -1 for uid"],
    ["type=cache,target=/a,gid=4294967296", "invalid value 4294967296 for gid"],
    ["type=cache,target=/a,sharing=share", 'unsupported sharing value "share" (did you mean shared?)'],
    ["type=bind,target=/a,ro=maybe", "invalid value for ro: maybe"],
    ["type=bind,target=/a,sharing=shared", "invalid cache sharing set for bind mount"],
    ["type=secret", "invalid secret mount. one of source, target required"],
    ["type=secret,id=a,source=b", "both source and id can't be set"],
    ["type=secret,id=a,from=b", "secret mount should not have a from"],
    ["type=secret,id=a,sharing=shared", "secret mount should not define sharing"],
    ['type=cache,target="/a"', 'bare " in non-quoted field'],
    ['type=cache,"target=/a', "in quoted-field"],
  ])("%s is refused", (text, message) => expect(() => read(text)).toThrow(message));

  it.each([
    ["0", 0],
    ["32", 32],
    ["32b", 32],
    ["32k", 32768],
    ["32KiB", 32768],
    ["1.5g", 1.5 * 1024 ** 3],
    ["2 MB", 2 * 1024 ** 2],
    ["x", null],
    ["-1", null],
    ["1mm", null],
  ])("the size %s is %s", (text, bytes) => expect(readSize(text)).toBe(bytes));
});
