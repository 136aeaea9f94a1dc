/**
 * Every Debian package that Mayfly uses, with the reason. `npm start` needs the first list, `npm test` the second as well.
 * What Debian 12 calls essential (apt, dpkg, util-linux, passwd, coreutils, tar) is not listed.
 */
export const RUN_PACKAGES = {
  "redis-server": "queue; started by us as a private child on a Unix socket",
  gcc: "builds the launcher, its addon and layer-tree",
  "libc6-dev": "headers and the static C library for launcher and layer-tree",
  "ca-certificates": "certificates for fetching packages",
  nftables: "rules of the network that boxes have with network=egress",
  iproute2: "makes the bridge of that network",
};

export const TEST_PACKAGES = {
  "clang-format": "style of the C code",
  "user-mode-linux": "the second kernel, with cgroup v2",
  kmod: "loads overlay into the second kernel",
  curl: "the client that the documentation promises works",
  bzip2: "packs archives that ADD unpacks in tests",
  git: "serves the repositories that builds fetch in tests",
  "xz-utils": "packs archives that ADD unpacks in tests",
  attr: "writes and reads extended attributes in tests of layers",
  strace: "kills and fails single system calls in fault tests",
  bubblewrap: "peer in `npm run bench`",
  runc: "peer in `npm run bench`",
  crun: "peer in `npm run bench`",
  skopeo: "reads what our image store writes",
  "docker-registry": "takes what we push and gives what we pull",
  umoci: "unpacks what our image store writes",
  buildah:
    "pulls an image from us, changes it and pushes the result; beside skopeo it takes two packages more, 21 MB in all",
  "busybox-static": "a root file system for Dockerfiles of tests",
  mmdebstrap: "makes a Debian, to be imported, changed and moved in a test, and the base image debian of conformance",
};

/** What `npm run conformance` and `npm run bench` need besides: no test does. */
export const PEER_PACKAGES = {
  "docker.io": "builds the same Dockerfiles; started privately",
};
