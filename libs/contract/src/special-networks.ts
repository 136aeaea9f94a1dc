/**
 * Networks that are no part of the public internet (IANA's special-purpose registries), what IPv6 can hide an IPv4 address in, and the
 * metadata services of clouds, most of which lie in these networks anyway. No box goes there, and no registry sends us there.
 */
export const SPECIAL_V4 = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10", // carrier-grade NAT; Alibaba's metadata
  "127.0.0.0/8",
  "168.63.129.16", // Azure's host
  "169.254.0.0/16", // link-local; the metadata of AWS, Google, Azure and others
  "172.16.0.0/12",
  "192.0.0.0/24", // Oracle's metadata
  "192.168.0.0/16",
  "198.18.0.0/15", // benchmarks; our own boxes
  "224.0.0.0/4",
  "240.0.0.0/4",
] as const;

export const SPECIAL_V6 = [
  "::/96", // unspecified, loopback, IPv4-compatible
  "::ffff:0:0/96",
  "64:ff9b::/96",
  "64:ff9b:1::/48",
  "100::/64",
  "2001::/32", // Teredo
  "2002::/16", // 6to4
  "fc00::/7", // private; AWS' metadata
  "fe80::/10",
  "fec0::/10",
  "ff00::/8",
] as const;
