#!/bin/sh
# From a bare Debian 12 to two trained networks: installs, builds, starts a server, uploads
# Fashion-MNIST and trains one MLP twice, without and with regularization. Only curl talks to the
# server, so every step can be repeated by hand.
set -eu
cd "$(dirname "$0")/.."

usage() {
    cat <<TEXT
usage: scripts/quickstart.sh [--once] [--port PORT]

  --once        end after the two jobs; else the server serves until Ctrl-C
  --port PORT   listen there (default: 8080, or the next one that is free)

The data directory is build/quickstart-data.
TEXT
}

once=false
port=
while [ $# -gt 0 ]; do
    case $1 in
    --once) once=true ;;
    --port) port=${2:?--port needs a number} && shift ;;
    -h | --help) usage && exit 0 ;;
    *) usage >&2 && exit 2 ;;
    esac
    shift
done

images=/usr/share/datasets/fashion-mnist
data=build/quickstart-data
log=$data/server.log
server=

# Ends what this script started, and nothing else.
clean_up() {
    trap - EXIT INT TERM
    if [ -n "$server" ] && kill "$server" 2>/dev/null; then
        wait "$server" 2>/dev/null || true
    fi
}
trap 'clean_up' EXIT
trap 'echo; clean_up; exit 0' INT TERM

say() {
    printf '\n== %s\n' "$*"
}

# The first port from 8080 on that nobody answers on (curl's 7: connection refused).
free_port() {
    for each in $(seq 8080 8180); do
        code=0
        curl -s -o /dev/null --max-time 1 "http://127.0.0.1:$each/" || code=$?
        if [ $code = 7 ]; then
            echo "$each"
            return
        fi
    done
    echo "no free port from 8080 to 8180" >&2
    exit 1
}

start_server() {
    mkdir -p "$data/store"
    build/release/ockham serve --listen "127.0.0.1:$port" --data-dir "$data/store" >"$log" 2>&1 &
    server=$!
    tries=0
    until curl -sf -o /dev/null "$url/readyz"; do
        tries=$((tries + 1))
        if [ $tries -gt 200 ] || ! kill -0 "$server" 2>/dev/null; then
            echo "the server did not start:" >&2
            tail -n 20 "$log" >&2
            exit 1
        fi
        sleep 0.05
    done
}

# upload NAME IMAGES LABELS: two files become one dataset. The same bytes again are no second one.
upload() {
    curl -sS --fail-with-body -o /dev/null -T "$images/$2" "$url/v1/datasets/$1/x"
    curl -sS --fail-with-body -T "$images/$3" "$url/v1/datasets/$1/y" |
        jq -r '"\(.name): \(.rows) images of \(.shape | map(tostring) | join("×")), \(.status)"'
}

# job NAME REGULARIZATION DROPOUT: the spec of one of the two jobs; all else is the same.
job() {
    cat <<JSON
{"name": "$1",
 "data": {"dataset": "fashion", "validation": 0.1, "test": {"dataset": "fashion-test"}},
 "model": {"hidden": [256, 128], "dropout": $3},
 "regularization": $2,
 "optimizer": {"lr": 0.1, "momentum": 0.9, "schedule": {"name": "cosine", "min": 0}},
 "train": {"epochs": 30, "batch_size": 128, "seed": 1}}
JSON
}

# train NAME: submits the job and follows it in the same response, a line an epoch.
train() {
    curl -sSN --fail-with-body "$url/v1/jobs?stream=true" -H 'Accept: application/x-ndjson' \
        -d "@$data/$1.json" | tee "$data/$1.ndjson" | jq --unbuffered -r '
        def pct: . * 1000 | round / 10 | tostring | if contains(".") then . else . + ".0" end;
        def short: . * 10000 | round / 10000 | tostring;
        if .type == "epoch" then
            "epoch \(.epoch)/\(.epochs)   train \(.train.accuracy | pct) %" +
            "   validation \(.validation.accuracy | pct) %   gap \(.gap.loss | short)" +
            "   penalty \(.penalty.l2 | short)   \(.samples_per_s | round) images/s"
        elif .type == "warning" or .type == "log" then "(\(.message))"
        elif .type == "end" and .status != "succeeded" then "\(.status): \(.error.detail // "")"
        else empty end'
    jq -es 'last.status == "succeeded"' "$data/$1.ndjson" >/dev/null
}

# Both jobs' best models side by side (least validation loss). Test rows are measured once, at the
# end, with that model.
compare() {
    jq -ers --slurpfile a "$data/plain.ndjson" --slurpfile b "$data/regularized.ndjson" -n '
        def pct: (. * 10000 | round / 100 | tostring) + " %";
        def fixed: . * 100 | round / 100 | tostring;
        def facts: last as $final |
            (map(select(.type == "epoch" and .epoch == $final.best.epoch)) | last) as $best |
            {train: $best.train.accuracy, test: $final.test.accuracy,
             gap: ($best.train.accuracy - $final.test.accuracy), norm: $best.weights.l2_norm,
             epoch: "\($best.epoch) of \($best.epochs)"};
        def pad($n): tostring | (" " * ([$n - length, 0] | max)) + .;
        def row($name; $x; $y): ($name + " " * (18 - ($name | length))) + ($x | pad(14)) +
            ($y | pad(18));
        ($a | facts) as $p | ($b | facts) as $r |
        row(""; "no penalty"; "L2 and dropout"),
        row("best epoch"; $p.epoch; $r.epoch),
        row("train accuracy"; $p.train | pct; $r.train | pct),
        row("test accuracy"; $p.test | pct; $r.test | pct),
        row("gap"; $p.gap | pct; $r.gap | pct),
        row("weight norm"; $p.norm | fixed; $r.norm | fixed),
        "",
        if $r.test >= 0.883 and $r.gap < $p.gap then
            "The regularized network has smaller weights and loses less on images it has not seen."
        else "The regularized network fell short (88.3 % on the test set, and the smaller gap)." end,
        if $r.test >= 0.883 and $r.gap < $p.gap then empty else halt_error(1) end' </dev/null
}

say "Install and build"
scripts/bootstrap.sh quickstart
cmake --preset release >/dev/null
cmake --build --preset release | tail -n 1

[ -n "$port" ] || port=$(free_port)
url=http://127.0.0.1:$port
say "Start the server: ockham serve --listen 127.0.0.1:$port"
start_server
echo "ready, log in $log"

say "Upload Fashion-MNIST: curl -T FILE $url/v1/datasets/fashion/x"
upload fashion train-images-idx3-ubyte.gz train-labels-idx1-ubyte.gz
upload fashion-test t10k-images-idx3-ubyte.gz t10k-labels-idx1-ubyte.gz

job plain '{}' 0 >"$data/plain.json"
job regularized '{"l2": 2e-4, "biases": false}' 0.1 >"$data/regularized.json"

say "Train without a penalty: curl -N $url/v1/jobs?stream=true -d @$data/plain.json"
train plain
say "The same network with L2 and dropout: … -d @$data/regularized.json"
train regularized

say "Side by side"
compare

if $once; then
    exit 0
fi
say "Serving until Ctrl-C"
echo "In a browser, both jobs and their curves: $url/"
echo "By curl: curl '$url/v1/jobs?limit=2'"
wait "$server"
