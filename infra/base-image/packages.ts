/** The Debian packages of `mayfly/node:24`, each with what needs it. No maintainer script of them runs. */
export const BASE_PACKAGES = {
  "base-files": "os-release, licences",
  "ca-certificates": "programs that read /etc/ssl/certs; Node has certificates of its own",
  libc6: "node links to it",
  "libgcc-s1": "node links to it",
  "libstdc++6": "node links to it",
  netbase: "/etc/services and /etc/protocols, which getaddrinfo and getservbyname read",
  tzdata: "zones for programs other than node, whose ICU has its own",
} as const;

/** Those of `mayfly/builder` besides. */
export const BUILDER_PACKAGES = {
  coreutils: "scripts of packages call mkdir, cp, rm and their like",
  dash: "npm runs scripts of packages with /bin/sh",
  libacl1: "cp and mv of coreutils link to it",
  libattr1: "cp and mv of coreutils link to it",
  libgmp10: "expr and factor of coreutils link to it",
  "libpcre2-8-0": "libselinux1 links to it",
  libselinux1: "cp, ls, mkdir and others of coreutils link to it",
} as const;
