#!/bin/sh
# Installs what a folder's package-lock.json names into its node_modules, unless it is there: in a blink
# then, and without the network.
set -eu

[ $# = 1 ] || {
    echo "usage: scripts/packages.sh DIR" >&2
    exit 2
}
cd "$1"

# Builds side by side share the folder: one at a time, and who comes second finds it installed. Some
# packages are programs: those of another kind of machine are of no use here.
exec 9<.
flock 9
state() {
    uname -sm
    cat package-lock.json
}
state | cmp -s - node_modules/.installed && exit
npm ci --ignore-scripts --no-audit --no-fund
state >node_modules/.installed # npm ci begins by deleting node_modules
