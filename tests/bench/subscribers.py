"""Many subscribers of one job: delay, memory and CPU of a real server.

    python3 tests/bench/subscribers.py [--subscribers 10000] [--epochs 20] [--pace-ms 1000]

Starts build/release/ockham (OCKHAM names another) on a free loopback port, with bench_worker as its
worker: it tells epochs at a set pace and leaves the cores alone. --train trains in earnest instead,
with one thread. Connects bench_subscribers (build/bench), lets the job begin when all are there, and
prints one line of JSON: what they saw, and what the server took.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
from ockserver import Server, program, spec  # noqa: E402


def memory_mib(pid):
    text = Path(f"/proc/{pid}/status").read_text()
    return round(int(text.split("VmRSS:")[1].split()[0]) / 1024, 1)


def cpu_s(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def train_spec(epochs):
    """About an epoch a second on one thread."""
    made = spec(epochs, hidden=(512, 512))
    made["train"]["threads"] = 1
    return made


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--subscribers", type=int, default=10000)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--pace-ms", type=int, default=1000)
    parser.add_argument("--train", action="store_true", help="a real job, on one thread")
    parser.add_argument("--connections", type=int, help="the server's limit")
    parser.add_argument("--build", default=str(ROOT / "build" / "bench"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        go = Path(directory) / "go"
        environment = {"OCK_BENCH_GO": str(go), "OCK_BENCH_EPOCHS": str(options.epochs),
                       "OCK_BENCH_EPOCH_MS": str(options.pace_ms),
                       "OCK_BENCH_IMPORT": str(Path(program()).parent / "ockham-worker")}
        arguments = [] if options.train else ["--worker", f"{options.build}/bench_worker"]
        if options.connections:
            arguments += ["--connections", options.connections]
        with Server(*arguments, environment=environment) as server:
            server.upload_table(rows=3000)
            job = server.submit(train_spec(options.epochs) if options.train else spec(4))
            if options.train:
                server.call("POST", f"/v1/jobs/{job}/pause")
            measure(server, job, go, options)


def measure(server, job, go, options):
    pid = server.process.pid
    time.sleep(1)
    before = memory_mib(pid), cpu_s(pid)
    client = subprocess.Popen([f"{options.build}/bench_subscribers", str(server.port), job,
                               str(options.subscribers)], stdout=subprocess.PIPE, text=True)
    assert client.stdout.readline() == "ready\n"
    time.sleep(1)
    connected = memory_mib(pid), cpu_s(pid)
    begin = time.time()
    go.touch()
    if options.train:
        server.call("POST", f"/v1/jobs/{job}/resume")
    time.sleep(options.pace_ms * (options.epochs - 2) / 1000 if not options.train else 2)
    told = memory_mib(pid)
    result = json.loads(client.stdout.readline())
    client.wait()
    result.update(rss_mib={"idle": before[0], "connected": connected[0], "told": told},
                  kib_a_subscriber=round((told - before[0]) * 1024 / options.subscribers, 2),
                  cpu_s={"connect": round(connected[1] - before[1], 2),
                         "events": round(cpu_s(pid) - connected[1], 2)},
                  events_s=round(time.time() - begin, 1))
    print(json.dumps(result))
    assert result["wrong"] == 0 and result["different"] == 0


if __name__ == "__main__":
    main()
