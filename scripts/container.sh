#!/bin/sh
# The image's entry point. `serve` listens on every address, which needs a token: on the first start
# one is made, kept in the data directory and told with a URL. Everything else goes to ockham as it is.
set -eu

if [ "${1-}" != serve ]; then
    exec ockham "$@"
fi
shift

data=${OCKHAM_DATA:-/data}
token_file=$data/token
if [ -z "${OCKHAM_TOKEN-}" ]; then
    if [ ! -s "$token_file" ]; then
        umask 077
        # 160 random bits; written under another name first, so that half a token never serves.
        od -An -N20 -tx1 /dev/urandom | tr -d ' \n' >"$token_file.new"
        echo >>"$token_file.new"
        mv "$token_file.new" "$token_file"
        echo "A token was made and is kept in $token_file. To talk to this server:"
        echo
        echo "    export OCKHAM_URL=http://localhost:8080 OCKHAM_TOKEN=$(cat "$token_file")"
        # shellcheck disable=SC2016
        echo '    curl -H "Authorization: Bearer $OCKHAM_TOKEN" $OCKHAM_URL/v1/system'
        echo
        echo "In a browser, signed in:"
        echo
        echo "    http://localhost:8080/#/signin?token=$(cat "$token_file")"
        echo
    fi
    set -- --token-file "$token_file" "$@"
fi
exec ockham serve --listen 0.0.0.0:8080 --data-dir "$data" "$@"
