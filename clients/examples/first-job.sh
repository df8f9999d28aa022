#!/bin/sh
# A job from a file of rows to a model, by curl alone: upload, submit and watch, download.
# usage: first-job.sh FILE.csv [MODEL.safetensors]     (its column `label` is predicted)
set -eu

url=${OCKHAM_URL:-http://127.0.0.1:8080}
file=${1:?usage: first-job.sh FILE.csv [MODEL.safetensors]}
model=${2:-heart.safetensors}

# curl with the token, if there is one. The answer of an error is shown, and ends the script.
ask() {
    curl -sS --fail-with-body ${OCKHAM_TOKEN:+-H "Authorization: Bearer $OCKHAM_TOKEN"} "$@"
}

# The same bytes under the same name again are no second dataset.
ask -T "$file" "$url/v1/datasets/heart?target=label" -o /dev/null

# The job's events come in the same response, a line each, while it trains.
ask -N "$url/v1/jobs?stream=true" -H 'Accept: application/x-ndjson' -d '{
    "data": {"dataset": "heart"},
    "model": {"hidden": [16]},
    "regularization": {"l2": 1e-3},
    "train": {"epochs": 20}
}' | tee "$model.ndjson" | grep --line-buffered '"type":"epoch"'

job=$(sed -n 's/.*"job":"\(job_[0-9A-Z]*\)".*/\1/p' "$model.ndjson" | head -n 1)
ask "$url/v1/jobs/$job/model" -o "$model"
rm "$model.ndjson"
echo "$job: its best model is in $model"
