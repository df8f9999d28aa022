#!/bin/sh
# Installs what a bare Debian 12 needs to build and run Ockham. A second run with everything there
# takes a blink and asks for no rights.
set -eu

usage() {
    cat <<TEXT
usage: scripts/bootstrap.sh [EXTRA...]

Installs Debian packages by apt-get (as root, or by sudo). EXTRAs:
  tests       what scripts/test.sh runs: pytest, clang, sanitizers, formatter, Chromium
  bench       OpenBLAS, to compare with
  quickstart  Fashion-MNIST, curl, jq
  --print     say what is missing and install nothing; exit code 1 if anything is
TEXT
}

packages="cmake ninja-build gcc libc6-dev pkg-config libmicrohttpd-dev libcjson-dev libsqlite3-dev
    libcurl4-openssl-dev zlib1g-dev libzstd-dev nettle-dev librandom123-dev
    check"
# For the dashboard. Debian's npm does not go together with a node from elsewhere, which does as well.
command -v node >/dev/null || packages="$packages nodejs"
command -v npm >/dev/null || packages="$packages npm"
print_only=false
for extra in "$@"; do
    case $extra in
    tests)
        packages="$packages python3 python3-pytest clang-14 libomp-14-dev libclang-rt-14-dev
            clang-format-14 clang-tidy-14 curl jq chromium fonts-dejavu-core"
        ;;
    bench) packages="$packages libopenblas-pthread-dev" ;;
    quickstart) packages="$packages dataset-fashion-mnist curl jq" ;;
    --print) print_only=true ;;
    -h | --help) usage && exit 0 ;;
    *) usage >&2 && exit 2 ;;
    esac
done

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "bootstrap.sh knows Debian's packages only; elsewhere install these by their local names:" >&2
    echo $packages >&2
    exit 1
fi

# The packages of the list that are not installed.
missing() {
    for package in $packages; do
        status=$(dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | head -n 1) || true
        [ "$status" = installed ] || printf '%s ' "$package"
    done
}

need=$(missing)
[ -n "$need" ] || exit 0
if $print_only; then
    echo "missing: $need"
    exit 1
fi
if [ "$(id -u)" = 0 ]; then
    as_root=
elif command -v sudo >/dev/null; then
    as_root=sudo
else
    echo "bootstrap.sh must be root (or have sudo) to install: $need" >&2
    exit 1
fi
echo "installing: $need"
install() {
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
        $need </dev/null
}
# Package lists may be absent (a fresh image) or stale: then they are fetched, and only then.
if ! ls /var/lib/apt/lists/*Packages* >/dev/null 2>&1 || ! install; then
    $as_root apt-get update -q </dev/null
    install
fi
