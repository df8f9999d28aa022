#!/usr/bin/env python3
"""How good is `lr: auto`? On each data set, for linear models and networks, SGD with and without
momentum, and adam: the validation loss with the rate that auto finds, beside the best of a grid of
fixed rates. Prints a Markdown table row a case.

    OCKHAM=build/release/ockham tests/bench/lr_auto.py NAME=TABLE.csv:TARGET[:number] …
    OCKHAM=build/release/ockham tests/bench/lr_auto.py fashion=IMAGES.gz,LABELS.gz
"""
import json
import os
import subprocess
import sys
import tempfile

OCKHAM = os.environ.get("OCKHAM", "build/release/ockham")
OPTIMIZERS = {"sgd": {"name": "sgd"}, "momentum 0.9": {"name": "sgd", "momentum": 0.9}, "adam": {"name": "adam"}}
GRID = {"sgd": [0.0016, 0.0064, 0.0256, 0.1, 0.4, 1.6], "adam": [0.0001, 0.0004, 0.0016, 0.0064, 0.0256, 0.1]}


def train(data, target, number, hidden, optimizer, lr):
    """Returns (rate, validation loss of the last epoch, warnings' codes) of a job of ten epochs."""
    spec = {"data": {}, "model": {"hidden": hidden}, "optimizer": {**optimizer, "lr": lr},
            "train": {"epochs": 10, "seed": 1, "evaluate_train": 2000}}
    if target:
        spec["data"]["target"] = target
    if number:
        spec["data"]["target_type"] = "number"
    with tempfile.NamedTemporaryFile("w", suffix=".json") as job:
        json.dump(spec, job)
        job.flush()
        run = subprocess.run([OCKHAM, "train", job.name, "--json", "--data", data], capture_output=True, text=True)
    events = [json.loads(line) for line in run.stdout.splitlines()]
    epochs = [e for e in events if e["type"] == "epoch"]
    warnings = [e["code"] for e in events if e["type"] == "warning"]
    if not epochs or events[-1]["status"] != "succeeded":
        return lr, float("inf"), warnings
    found = [e["lr"] for e in events if e["type"] == "log" and "lr" in e]
    return (found or [lr])[0], epochs[-1]["validation"]["data_loss"], warnings


def main():
    print("| data | model | optimizer | auto: rate | loss | best of the grid: rate | loss |")
    print("|-|-|-|-|-|-|-|")
    for argument in sys.argv[1:]:
        name, rest = argument.split("=", 1)
        data, target, number = (rest.split(":") + ["", ""])[:3]
        for hidden in ([], [64], [128, 64]):
            for label, optimizer in OPTIMIZERS.items():
                rate, loss, warnings = train(data, target, number, hidden, optimizer, "auto")
                grid = [train(data, target, number, hidden, optimizer, lr)[:2]
                        for lr in GRID["adam" if label == "adam" else "sgd"]]
                best_rate, best = min(grid, key=lambda pair: pair[1])
                note = f" ({', '.join(warnings)})" if warnings else ""
                print(f"| {name} | {hidden} | {label} | {rate:g}{note} | {loss:.4f} | {best_rate:g} | {best:.4f} |", flush=True)


if __name__ == "__main__":
    main()
