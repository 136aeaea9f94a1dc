import { execFileSync } from "node:child_process";
import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openImageStore } from "@mayfly/image";
import { type Fixture, LAYER_TREE } from "./fixture.ts";
import { programs, type StoreProcess, type Work } from "./subjects.ts";

const FORGETTING = 'mkdir -p /var/lib/containers && mount -t tmpfs none /var/lib/containers && exec "$@"';

/** Something to be done, by us first and then by others. */
export interface Task {
  readonly caption: string;
  readonly works: readonly [ours: Work, ...theirs: Work[]];
}

export function tasksOf(dir: string, fixture: Fixture, host: string, ours: StoreProcess): Task[] {
  const { image, trees } = fixture;
  const home = join(dir, "fixture");
  const layout = join(dir, "layout");
  const reference = `${host}/bench:1`;
  execFileSync("skopeo", ["copy", "-q", "--src-tls-verify=false", `docker://${reference}`, `oci:${layout}:1`]);

  const copyIn = (to: string) => ({
    file: "skopeo",
    args: ["copy", "-q", "--src-tls-verify=false", `docker://${reference}`, `oci:${to}:1`],
  });
  /** Without what it remembers of registries below /var/lib/containers: it would have the blobs mounted from another repository, and send nothing. */
  const copyOut = (to: string) => ({
    file: "unshare",
    args: [
      ...["--mount", "--propagation", "private", "sh", "-c", FORGETTING, "sh"],
      ...["skopeo", "copy", "-q", "--dest-tls-verify=false", `oci:${layout}:1`, `docker://${to}`],
    ],
  });
  /** Its store keeps layers as ours does. What it mounts goes with it. */
  const policy = join(dir, "policy.json");
  writeFileSync(policy, '{"default":[{"type":"insecureAcceptAnything"}]}');
  const buildahPull = (fresh: string) => ({
    file: "unshare",
    args: [
      ...["--mount", "--propagation", "private", "buildah", "--storage-driver", "overlay"],
      ...["--root", join(fresh, "storage"), "--runroot", join(fresh, "run")],
      ...["pull", "-q", "--tls-verify=false", "--signature-policy", policy, `docker://${reference}`],
    ],
  });
  const umoci = (...args: string[]) => ({ file: "umoci", args });
  const mayfly = (verb: "pull" | "pull-and-unpack"): Work => ({
    name: "mayfly",
    act: (fresh) => ours.run({ store: join(fresh, "store"), verb, what: reference }),
  });
  const withBlobs = async (fresh: string) => {
    for (const name of ["blobs", "tags"]) cpSync(join(home, name), join(fresh, "store", name), { recursive: true });
  };
  const unpacked = async (fresh: string) => {
    await withBlobs(fresh);
    const store = await openImageStore(join(fresh, "store"), { layerTree: LAYER_TREE });
    await store.rootfs(image);
    await store.synced();
  };
  return [
    {
      caption: "Unpack",
      works: [
        {
          name: "mayfly",
          before: withBlobs,
          act: (fresh) => ours.run({ store: join(fresh, "store"), verb: "unpack", what: image }),
        },
        { name: "umoci", act: programs((fresh) => [umoci("unpack", "--image", `${layout}:1`, join(fresh, "bundle"))]) },
      ],
    },
    {
      caption: "Pull",
      works: [mayfly("pull"), { name: "skopeo", act: programs((fresh) => [copyIn(join(fresh, "oci"))]) }],
    },
    {
      caption: "Pull and unpack",
      works: [
        mayfly("pull-and-unpack"),
        {
          name: "skopeo + umoci",
          act: programs((fresh) => [
            copyIn(join(fresh, "oci")),
            umoci("unpack", "--image", `${fresh}/oci:1`, join(fresh, "bundle")),
          ]),
        },
        { name: "buildah", act: programs((fresh) => [buildahPull(fresh)]) },
      ],
    },
    {
      caption: "Push to a repository that has nothing",
      works: [
        {
          name: "mayfly",
          act: (_, turn) => ours.run({ store: home, verb: "push", what: "bench:1", where: `${host}/ours-${turn}:1` }),
        },
        { name: "skopeo", act: programs((_, turn) => [copyOut(`${host}/theirs-${turn}:1`)]) },
      ],
    },
    {
      caption: "Pack a layer, a tenth of the image",
      works: [
        {
          name: "mayfly",
          before: unpacked,
          act: (fresh) => ours.run({ store: join(fresh, "store"), verb: "pack", what: image, where: trees[0]! }),
        },
        {
          name: "umoci",
          before: async (fresh) => cpSync(layout, join(fresh, "oci"), { recursive: true }),
          act: programs((fresh) => [umoci("insert", "--image", `${fresh}/oci:1`, trees[0]!, "/")]),
        },
      ],
    },
  ];
}
