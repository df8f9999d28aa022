#!/usr/bin/env python3
"""Sparse training beside scikit-learn's SGDClassifier and LIBLINEAR, in one run and by turns.

    python3 tests/bench/bench_sparse.py --python PYTHON_WITH_SCIKIT_LEARN [--rounds 5]

Two tables: a9a (32,561 x 123, 14 terms a row; only where ../shared/data has it) and a made one of
20,000 x 20,000 with 20 terms a row. One thread each.

  pass       a pass over the rows of L2 logistic regression. SGDClassifier: log_loss, a row a step.
             Ockham: minibatches of 32, and the update concerns every weight in every step.
  objective  seconds until the objective is within 1e-3 of its least (C = 1, no bias): LIBLINEAR's
             whole fit at that tolerance, Ockham's epochs (full batches, momentum 0.95), which are
             measured on all rows each time.

A round runs both sides; the figures are the least and the median of the rounds, and their ratio.
"""

import argparse
import gzip
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
A9A = ROOT.parent / "shared/data/a9a"
OCKHAM = os.environ.get("OCKHAM", str(ROOT / "build/release/ockham"))
PASSES = 10
BEST_A9A = 10529.5  # LIBLINEAR's objective at C = 1, summed over rows


def make_wide(path):
    rnd = random.Random(5)
    truth = [rnd.gauss(0, 1) for _ in range(20000)]
    with open(path, "w", encoding="ascii") as out:
        for _ in range(20000):
            columns = sorted(rnd.sample(range(20000), 20))
            values = [rnd.gauss(0, 1) for _ in columns]
            label = 1 if sum(v * truth[c] for c, v in zip(columns, values)) > 0 else -1
            out.write(f"{label}" + "".join(f" {c + 1}:{v:.5f}" for c, v in zip(columns, values)))
            out.write("\n")


def make_a9a(path):
    source = next((p for p in A9A.iterdir() if p.name in ("a9a", "a9a.gz")), None)
    data = source.read_bytes()
    path.write_bytes(gzip.decompress(data) if source.suffix == ".gz" else data)


def peer(path):
    """A line of JSON a question on stdin: {"what": "pass" | "objective"} -> seconds."""
    import numpy
    from sklearn.datasets import load_svmlight_file
    from sklearn.linear_model import LogisticRegression, SGDClassifier

    x, y = load_svmlight_file(path)
    x.indices, x.indptr = x.indices.astype("int32"), x.indptr.astype("int32")
    for line in sys.stdin:
        what = json.loads(line)["what"]
        if what == "pass":
            model = SGDClassifier(
                loss="log_loss", alpha=1e-5, max_iter=PASSES, tol=None, fit_intercept=False
            )
            begin = time.perf_counter()
            model.fit(x, y)
            print((time.perf_counter() - begin) / PASSES, flush=True)
            continue
        model = LogisticRegression(solver="liblinear", C=1.0, fit_intercept=False, tol=1e-2)
        begin = time.perf_counter()
        model.fit(x, y)
        seconds = time.perf_counter() - begin
        w = model.coef_[0]
        objective = 0.5 * w @ w + numpy.logaddexp(0, -y * (x @ w)).sum()
        print(json.dumps([seconds, objective]), flush=True)


def epochs(data, spec):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as job:
        json.dump(spec, job)
        job.flush()
        out = subprocess.run(
            [OCKHAM, "train", job.name, "--data", data],
            capture_output=True, text=True, check=False,
        )
    events = [json.loads(line) for line in out.stdout.splitlines() if line.startswith("{")]
    found = [e for e in events if e["type"] == "epoch"]
    if not found:
        sys.exit(out.stderr + out.stdout)
    return found


def spec_of(reg, optimizer, train):
    return {
        "data": {"validation": 0, "scaling": "none"},
        "loss": "binary_cross_entropy",
        "model": {"layers": [{"type": "linear", "bias": False}]},
        "regularization": reg,
        "optimizer": optimizer,
        "train": {"threads": 1, **train},
    }


def our_pass(data):
    spec = spec_of({"l2": 5e-6}, {"lr": 0.1}, {"epochs": PASSES, "batch_size": 32,
                                               "evaluate_train": 1})
    found = epochs(data, spec)
    rows = statistics.median(e["samples_per_s"] for e in found)
    return found[-1]["step"] * 32 / PASSES / rows


def our_objective(data, rows):
    spec = spec_of({"l2": 1 / (2 * rows)}, {"lr": 2.0, "momentum": 0.95},
                   {"epochs": 1500, "batch_size": "all", "shuffle": False})
    for event in epochs(data, spec):
        if event["objective"] * rows < BEST_A9A * (1 + 1e-3):
            return event["elapsed_s"], event["objective"] * rows
    sys.exit("the objective was not reached")


def show(what, ours, theirs, name):
    print(f"{what}: Ockham {min(ours) * 1e3:.2f} ms (median {statistics.median(ours) * 1e3:.2f}), "
          f"{name} {min(theirs) * 1e3:.2f} ms (median {statistics.median(theirs) * 1e3:.2f}); "
          f"ratio {min(theirs) / min(ours):.2f}, of medians "
          f"{statistics.median(theirs) / statistics.median(ours):.2f}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--python")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peer")
    options = parser.parse_args()
    if options.peer:
        peer(options.peer)
        return
    with tempfile.TemporaryDirectory() as folder:
        tables = {"wide": (Path(folder) / "wide", make_wide)}
        if A9A.is_dir():
            tables["a9a"] = (Path(folder) / "a9a", make_a9a)
        else:
            print("a9a is left out: ../shared/data is not there")
        for name, (path, make) in tables.items():
            make(path)
            child = subprocess.Popen(
                [options.python, __file__, "--peer", str(path)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            )

            def ask(what):
                child.stdin.write(json.dumps({"what": what}) + "\n")
                child.stdin.flush()
                return json.loads(child.stdout.readline())

            pairs = [(our_pass(str(path)), ask("pass")) for _ in range(options.rounds)]
            show(f"{name}, a pass", *zip(*pairs), "SGDClassifier")
            if name == "a9a":
                pairs = [(our_objective(str(path), 32561), ask("objective"))
                         for _ in range(options.rounds)]
                show(f"{name}, to the objective", [p[0][0] for p in pairs],
                     [p[1][0] for p in pairs], "LIBLINEAR")
                print(f"  objectives reached: {pairs[0][0][1]:.1f} and {pairs[0][1][1]:.1f}")
            child.stdin.close()
            child.wait()


main()
