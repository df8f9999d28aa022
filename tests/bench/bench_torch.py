#!/usr/bin/env python3
"""Time per training step beside PyTorch, in one run and by turns.

    python3 tests/bench/bench_torch.py [--python PYTHON_WITH_TORCH] [--rounds 3]

Ockham's side is build/bench/bench_step, which prints a JSON line a case: network, threads, penalty,
us_per_step_min, us_per_step_median. PyTorch's side is this file, run by a Python that has PyTorch,
and prints the same. A round runs both, so that a busy minute of the machine meets both. The least
of all rounds is what a machine can do; the median of the rounds' medians is what one gets.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NETWORKS = [  # sizes, rows of a minibatch
    ("20-2", 32),
    ("64-32-10", 32),
    ("784-256-128-10", 128),
    ("784-1024-1024-10", 128),
    ("3072-2048-2048-10", 256),
]
MEASURE_S = 0.6  # each case of each round, after the warm-up
STEPS_MAX = 2000
BATCHES = 4  # different minibatches, taken in turn


def torch_case(torch, name, batch, penalty):
    """Times of single steps in microseconds."""
    sizes = [int(s) for s in name.split("-")]
    torch.manual_seed(0)
    layers = []
    for i, (a, b) in enumerate(zip(sizes, sizes[1:])):
        layers.append(torch.nn.Linear(a, b))
        if i + 2 < len(sizes):
            layers.append(torch.nn.ReLU())
    net = torch.nn.Sequential(*layers)
    parameters = list(net.parameters())
    l1, l2 = (1e-6, 1e-5) if penalty else (0.0, 0.0)
    settings = dict(lr=0.01, momentum=0.9, weight_decay=2 * l2)
    try:
        optimizer = torch.optim.SGD(parameters, fused=True, **settings)
    except (TypeError, RuntimeError):  # older than the fused update on CPUs
        optimizer = torch.optim.SGD(parameters, **settings)
    data = [
        (torch.randn(batch, sizes[0]), torch.randint(sizes[-1], (batch,))) for _ in range(BATCHES)
    ]
    cross_entropy = torch.nn.functional.cross_entropy

    def step(x, y):
        optimizer.zero_grad(set_to_none=True)
        loss = cross_entropy(net(x), y)
        if penalty:
            loss = loss + l1 * sum(p.abs().sum() for p in parameters)
        loss.backward()
        optimizer.step()

    for i in range(10):
        step(*data[i % BATCHES])
    times, begin = [], time.perf_counter()
    while len(times) < STEPS_MAX and (len(times) < 10 or time.perf_counter() - begin < MEASURE_S):
        x, y = data[len(times) % BATCHES]
        start = time.perf_counter_ns()
        step(x, y)
        times.append((time.perf_counter_ns() - start) / 1000)
    return times


def torch_side(threads):
    import torch

    torch.set_num_threads(threads)
    for name, batch in NETWORKS:
        for penalty in (False, True):
            times = torch_case(torch, name, batch, penalty)
            line = {
                "network": name,
                "threads": threads,
                "penalty": penalty,
                "us_per_step_min": min(times),
                "us_per_step_median": statistics.median(times),
                "version": torch.__version__,
            }
            print(json.dumps(line), flush=True)


def lines_of(command, **environment):
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **environment}, timeout=3600
    )
    if done.returncode:
        sys.exit(f"{command[0]}: exit code {done.returncode}\n{done.stderr[-2000:]}")
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


class Table:
    """Case -> side -> (mins, medians) over the rounds."""

    def __init__(self):
        self.cases = {}

    def add(self, side, lines):
        for line in lines:
            if "us_per_step_min" not in line:
                continue
            network = line["network"].replace("→", "-")
            key = network, line["threads"], bool(line["penalty"])
            mins, medians = self.cases.setdefault(key, {}).setdefault(side, ([], []))
            mins.append(line["us_per_step_min"])
            medians.append(line["us_per_step_median"])

    def show(self):
        print("| network | threads | L1+L2 | Ockham µs: least, median | PyTorch µs | ratio |")
        print("|---|---|---|---|---|---|")
        for (network, threads, penalty), sides in self.cases.items():
            if set(sides) != {"ockham", "torch"}:
                continue
            (a, b), (c, d) = (
                (min(mins), statistics.median(medians))
                for mins, medians in (sides["ockham"], sides["torch"])
            )
            print(
                f"| {network} | {threads} | {'yes' if penalty else 'no'} | {a:.1f}, {b:.1f} "
                f"| {c:.1f}, {d:.1f} | {c / a:.1f}, {d / b:.1f} |"
            )
        self.show_penalty()

    def show_penalty(self):
        """What L1 and L2 together cost, as a share of the step without them."""
        print("\n| network | threads | penalty's cost: Ockham | PyTorch |")
        print("|---|---|---|---|")
        for (network, threads, penalty), sides in self.cases.items():
            plain = self.cases.get((network, threads, False))
            if not penalty or not plain:
                continue
            cost = {}
            for side in ("ockham", "torch"):
                if side in sides and side in plain:
                    cost[side] = f"{100 * (min(sides[side][0]) / min(plain[side][0]) - 1):+.1f} %"
            row = f"{cost.get('ockham', '–')} | {cost.get('torch', '–')}"
            print(f"| {network} | {threads} | {row} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", default=sys.executable, help="a Python that has PyTorch")
    parser.add_argument("--program", default=str(ROOT / "build" / "bench" / "bench_step"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--torch-side", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.torch_side:
        torch_side(options.torch_side)
        return
    table, version = Table(), "?"
    for _ in range(options.rounds):
        table.add("ockham", lines_of([options.program]))
        for threads in options.threads:
            command = [options.python, __file__, "--torch-side", str(threads)]
            lines = lines_of(command, OMP_NUM_THREADS=str(threads))
            table.add("torch", lines)
            version = lines[0]["version"].split("+")[0]
    print(f"PyTorch {version}, {options.rounds} rounds by turns, times of one step\n")
    table.show()


if __name__ == "__main__":
    main()
