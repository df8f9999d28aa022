#!/usr/bin/env python3
"""Reading a CSV beside pandas.read_csv (its C engine), the same file, in one run and by turns.

    python3 tests/bench/bench_csv.py [--python PYTHON_WITH_PANDAS] [--mib 1024] [--rounds 5]
                                     [--table numbers|mixed|long]

Ockham's side is the whole import by a worker process, which ends with a checksummed file on the
disk; pandas ends with a frame in memory. Both read the file from the page cache. RSS is the worker's
anonymous memory at its peak, and the server's growth while the file is uploaded to it.
"""

import argparse
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
PANDAS = """
import sys, time, pandas
begin = time.perf_counter()
pandas.read_csv(sys.argv[1], engine="c")
print(time.perf_counter() - begin)
"""


def numbers(draw):
    """16 columns of fractions, 3 of whole numbers, one of text."""
    fields = [f"{draw.gauss(0, 1):.6g}" for _ in range(16)]
    fields += [str(draw.randrange(100000)) for _ in range(3)]
    return [*fields, draw.choice(("red", "green", "blue"))]


def long(draw):
    """16 columns of fractions to the last digit, as programs write them."""
    return [*(repr(draw.gauss(0, 1)) for _ in range(16)), draw.choice("01")]


def mixed(draw):
    """Texts with and without quotes, categories, dates, amounts, a tenth of them missing."""
    fields = [str(draw.randrange(10**7)), f"\"{draw.choice(NAMES)}, {draw.choice(NAMES)}\"",
              draw.choice(("red", "green", "blue")), draw.choice(NAMES),
              f"{draw.randrange(2000, 2030)}-{draw.randrange(1, 13):02}-{draw.randrange(1, 29):02}",
              f"{draw.expovariate(.01):.2f}", f"{draw.gauss(0, 1):.6g}", repr(draw.gauss(0, 1)),
              str(draw.randrange(100)), draw.choice(("yes", "no"))]
    return ["" if draw.random() < .1 else field for field in fields]


NAMES = [f"{a}{b}{c}" for a in "BCDFG" for b in ("al", "er", "in", "os") for c in ("a", "do", "ten")]
TABLES = {"numbers": numbers, "mixed": mixed, "long": long}


def write_table(path, size, table):
    draw = random.Random(1)
    columns = len(TABLES[table](draw))
    rows = [",".join(TABLES[table](draw)) for _ in range(20000)]
    with open(path, "w", encoding="ascii") as file:
        file.write(",".join([f"x{i}" for i in range(columns)]) + "\n")
        while file.tell() < size:
            draw.shuffle(rows)
            file.write("\n".join(rows) + "\n")


def anonymous_kib(pid):
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("RssAnon"):
                return int(line.split()[1])
    except OSError:
        pass
    return 0


def import_once(worker, folder, source, threads):
    request = {"source": str(source), "out": f"{folder}/out.ockds", "threads": threads}
    (folder / "import.json").write_text(json.dumps(request))
    peak = 0
    begin = time.perf_counter()
    with subprocess.Popen([worker, "import", str(folder)], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as process:
        while process.poll() is None:
            peak = max(peak, anonymous_kib(process.pid))
            time.sleep(0.005)
        taken = time.perf_counter() - begin
        answer = process.stdout.read().decode().strip()
    if answer != "ok":
        sys.exit(f"the import failed: {answer}")
    return taken, peak


def upload(program, folder, source):
    """The server's growth in KiB while it takes the file."""
    sys.path.insert(0, str(ROOT / "tests/e2e"))
    os.environ["OCKHAM"] = str(program)
    import ockserver
    with ockserver.Server() as server:
        before = peak = anonymous_kib(server.process.pid)
        with subprocess.Popen(["curl", "-s", "-o", f"{folder}/answer", "-T", str(source),
                               f"http://127.0.0.1:{server.port}/v1/datasets/bench"]) as curl:
            while curl.poll() is None:
                peak = max(peak, anonymous_kib(server.process.pid))
                time.sleep(0.02)
        return peak - before


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--build", default=str(ROOT / "build/release"))
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--table", choices=TABLES, default="numbers")
    parser.add_argument("--threads", type=int, default=min(4, len(os.sched_getaffinity(0))))
    args = parser.parse_args()
    os.environ.setdefault("GOMP_SPINCOUNT", "2000")  # as workers are given it
    ours, theirs, peaks = [], [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "table.csv"
        write_table(source, args.mib << 20, args.table)
        for _ in range(args.rounds):
            taken, peak = import_once(f"{args.build}/ockham-worker", folder, source, args.threads)
            ours.append(taken)
            peaks.append(peak)
            theirs.append(float(subprocess.run([args.python, "-c", PANDAS, source], check=True,
                                               capture_output=True, text=True).stdout))
        grown = upload(f"{args.build}/ockham", folder, source)
    for who, times in (("ockham", ours), ("pandas", theirs)):
        print(f"{who}: min {min(times):.3f} s, median {statistics.median(times):.3f} s")
    print(f"pandas / ockham: min {min(theirs) / min(ours):.2f}, "
          f"median {statistics.median(theirs) / statistics.median(ours):.2f}")
    print(f"worker: {max(peaks) / 1024:.1f} MiB anonymous; server: {grown / 1024:.1f} MiB more")


if __name__ == "__main__":
    main()
