#!/bin/sh
# The events of a job once more, from the one behind AFTER on: what a client does when its
# connection broke. An event that was shown is still there after a crash of the server.
# usage: replay.sh JOB [AFTER]
set -eu

url=${OCKHAM_URL:-http://127.0.0.1:8080}
job=${1:?usage: replay.sh JOB [AFTER]}
after=${2:-0}

curl -sS --fail-with-body -N ${OCKHAM_TOKEN:+-H "Authorization: Bearer $OCKHAM_TOKEN"} \
    -H 'Accept: text/event-stream' -H "Last-Event-ID: $after" "$url/v1/jobs/$job/events"
