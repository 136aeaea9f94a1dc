#!/bin/sh
# Builds the C of this folder into OUT. Needs gcc and libc6-dev, and what `npm ci` brings: the headers of Node.
#   build.sh OUT [--sanitize]     --sanitize: with AddressSanitizer and UBSan, for the tests
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$1
headers=$(ls -d "$here"/../../../node_modules/node-linux-*/include/node)
warn="-std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -Wshadow -Wvla -Wformat=2 -Wstrict-prototypes"
hard="-O2 -fstack-protector-strong -D_FORTIFY_SOURCE=2 -static-pie -Wl,-z,relro,-z,now"
[ "${2:-}" = --sanitize ] && hard="-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all"
mkdir -p "$out"
# Loaded by a Node that has no sanitizers.
# shellcheck disable=SC2086
gcc $warn -O2 -fstack-protector-strong -Wl,-z,relro,-z,now -fPIC -shared -I"$headers" -o "$out/spawn.node" "$here/spawn/spawn.c"
# shellcheck disable=SC2086
gcc $warn $hard -o "$out/layer-tree" "$here"/*.c
# shellcheck disable=SC2086
gcc $warn $hard -o "$out/courier-cage" "$here"/cage/*.c "$here/fail.c" "$here/powers.c" "$here/root.c"
