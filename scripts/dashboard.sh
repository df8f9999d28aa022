#!/bin/sh
# From clients/dashboard to one C file, which the server is linked with. CMake calls it when something
# that the file is made of has changed.
set -eu

[ $# = 1 ] || {
    echo "usage: scripts/dashboard.sh DIR    writes the bundle to DIR/files and DIR/dashboard.c" >&2
    exit 2
}
mkdir -p "$1"
out=$(cd "$1" && pwd)
scripts=$(cd "$(dirname "$0")" && pwd)
cd "$scripts/../clients/dashboard"

"$scripts/packages.sh" . || {
    echo "npm could not install what the dashboard is built with (see above): it needs the" >&2
    echo "network once; or build without the dashboard: cmake … -DOCK_DASHBOARD=OFF" >&2
    exit 1
}
rm -rf "$out/files"
node build.mjs --out "$out/files"
node "$scripts/embed.mjs" "$out/files" "$out/dashboard.c"
