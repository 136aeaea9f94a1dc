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
  dash: "npm runs scripts of packages with /bin/sh",
} as const;
