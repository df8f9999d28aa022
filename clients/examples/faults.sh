#!/bin/sh
# All mistakes of a job at once: each with its place in the JSON, the reason, and the right word
# where there is one. The dry run stores nothing.
set -eu

url=${OCKHAM_URL:-http://127.0.0.1:8080}

curl -sS ${OCKHAM_TOKEN:+-H "Authorization: Bearer $OCKHAM_TOKEN"} "$url/v1/jobs/validate" -d '{
    "data": {"dataset": "heart"},
    "regularisation": {"l2": 1e-3},
    "optimizer": {"lr": -0.1},
    "train": {"epochs": 1.5}
}'
echo
