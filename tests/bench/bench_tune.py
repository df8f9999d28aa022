#!/usr/bin/env python3
"""A search of 16 strengths x 5 folds on digits (64-32-10, 30 epochs) beside its 80 runs one after the
other, and beside scikit-learn's GridSearchCV over MLPClassifier with n_jobs=2; in one run, by turns.

    python3 tests/bench/bench_tune.py [--python PYTHON_WITH_SCIKIT_LEARN] [--rounds 5]

  search   one job with tune (refit false), from its POST to its end
  runs     the same strengths on the same folds, each a job of its own on the server: one POST with
           ?wait= after the other. Each fold's rows are datasets that were uploaded before. Every
           trial's weights have to be those of its run
  at once  the same 80 jobs, all submitted at once
  peer     GridSearchCV(MLPClassifier(hidden (32,), sgd, batch 32, 30 epochs, no early stopping)), the
           rows in memory already, refit=False

The figures are seconds, the least and the median of the rounds, and their ratio to search's.
"""

import argparse
import csv
import gzip
import io
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))
from ockserver import Server  # noqa: E402

DIGITS = ROOT / "tests/data/digits.csv.gz"
STRENGTHS = [10 ** (-1 - i / 3) for i in range(16)]
FOLDS = 5
COMMON = {"model": {"hidden": [32]}, "optimizer": {"lr": 0.1}, "train": {"epochs": 30}}
PEER = """
import sys, gzip, time, warnings, os
warnings.filterwarnings("ignore")
os.environ["PYTHONWARNINGS"] = "ignore"
import numpy
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier
rows = numpy.loadtxt(gzip.open(sys.argv[1]), delimiter=",")
x, y = rows[:, :-1], rows[:, -1]
x = (x - x.mean(0)) / numpy.where(x.std(0) > 0, x.std(0), 1)
grid = {"alpha": [10 ** (-1 - i / 3) * 2 * 32 for i in range(16)]}
net = MLPClassifier((32,), solver="sgd", batch_size=32, learning_rate_init=0.1, momentum=0,
                    max_iter=30, n_iter_no_change=1000, random_state=1)
for line in sys.stdin:
    begin = time.perf_counter()
    GridSearchCV(net, grid, cv=5, n_jobs=2, refit=False, scoring="neg_log_loss").fit(x, y)
    print(time.perf_counter() - begin, flush=True)
"""


def upload(server, name, rows):
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    answer = server.call("PUT", f"/v1/datasets/{name}?target=-1&header=false", text.getvalue().encode())
    assert answer.status == 201, answer.json


def search(server):
    begin = time.perf_counter()
    job = server.submit({"data": {"dataset": "digits"}, **COMMON,
                         "tune": {"l2": STRENGTHS, "folds": FOLDS, "refit": False}})
    done = server.ended(job)
    seconds = time.perf_counter() - begin
    assert done["status"] == "succeeded", done["error"]
    return seconds, server.call("GET", f"/v1/jobs/{job}/tuning").json


def spec_of(fold, strength):
    return {"data": {"dataset": f"train-{fold}", "validation": {"dataset": f"validation-{fold}"}},
            **COMMON, "regularization": {"l2": strength}}


def one_after_another(server, table):
    begin = time.perf_counter()
    runs = [(fold, trial) for fold in range(FOLDS) for trial in range(len(STRENGTHS))]
    sums = []
    for fold, trial in runs:
        answer = server.call("POST", "/v1/jobs?wait=30", spec_of(fold, STRENGTHS[trial]))
        sums.append(answer.json["latest"]["weights_sha256"])
    seconds = time.perf_counter() - begin
    for (fold, trial), got in zip(runs, sums):
        assert got == table["trials"][trial]["weights_sha256"][fold], (fold, trial)
    return seconds


def at_once(server):
    begin = time.perf_counter()
    jobs = [server.submit(spec_of(fold, strength)) for fold in range(FOLDS) for strength in STRENGTHS]
    for job in jobs:
        assert server.ended(job)["status"] == "succeeded"
    return time.perf_counter() - begin


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--python", help="one with scikit-learn, for the peer")
    options.add_argument("--rounds", type=int, default=5)
    options = options.parse_args()
    rows = list(csv.reader(io.StringIO(gzip.decompress(DIGITS.read_bytes()).decode())))
    times = {"search": [], "runs": [], "at once": [], "peer": []}
    peer = None
    if options.python:
        peer = subprocess.Popen([options.python, "-c", PEER, str(DIGITS)], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, text=True)
    with Server() as server:
        upload(server, "digits", rows)
        _, table = search(server)
        for fold in range(FOLDS):
            inside = [i == fold for i in table["fold_ids"]]
            upload(server, f"train-{fold}", [row for row, here in zip(rows, inside) if not here])
            upload(server, f"validation-{fold}", [row for row, here in zip(rows, inside) if here])
        for _ in range(options.rounds):
            times["search"].append(search(server)[0])
            times["runs"].append(one_after_another(server, table))
            times["at once"].append(at_once(server))
            if peer:
                peer.stdin.write("go\n")
                peer.stdin.flush()
                times["peer"].append(float(peer.stdout.readline()))
    if peer:
        peer.stdin.close()
        peer.wait()
    print("| | least, s | median, s | of search's: least | median |\n|-|-|-|-|-|")
    for name, seconds in times.items():
        if seconds:
            least, median = min(seconds), statistics.median(seconds)
            print(f"| {name} | {least:.3f} | {median:.3f} | {least / min(times['search']):.2f} | "
                  f"{median / statistics.median(times['search']):.2f} |")
    print(json.dumps({"chosen": table["chosen"], "min": table["min"]}))


if __name__ == "__main__":
    main()
