#!/usr/bin/env python3
"""The server's own time: from POST to the first epoch, tiny jobs a second, and a job of a million
epochs beside them. Standard library only.

    cmake --preset release && cmake --build --preset release
    python3 tests/bench/bench_server.py [--ockham PATH] [--dir DIR] [--seconds 20] [--rounds 3]

The job is iris with 20 epochs. All of a job's time that is not the disk's is the server's and the
worker's; so the disk's own (a write of 4 KiB and fdatasync, in the same directory) is measured in the
same moments and printed beside. A line of JSON a figure:

  first_epoch  POST with ?stream=true, one after the other, on one connection each: milliseconds until
               the 202 and until the first epoch event is read
  rate         8 connections, each sends 25 jobs, every one accepted durably, and waits for the last
               of them: jobs that ended a second, by the server's own count, and the processor time
               that each took, which a busy machine changes least
  million      the same rate with one core for tiny jobs, while the other core is busy: once with a
               process that has nothing to do with the server, once with a job of a million epochs in
               it; and what that job takes of the store
"""

import argparse
import json
import multiprocessing
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONNECTIONS = 8
BATCH = 25
EPOCHS = 20


class Server:
    def __init__(self, program, directory, cores):
        self.directory = tempfile.mkdtemp(prefix="ockham-bench-", dir=directory)
        self.process = subprocess.Popen(
            [program, "serve", "--listen", "127.0.0.1:0", "--data-dir", self.directory, "--cores",
             str(cores)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env={**os.environ, "OCKHAM_TOKEN": ""})
        for line in self.process.stdout:
            found = re.search(r"http://127\.0\.0\.1:(\d+)$", line.strip())
            if found:
                self.port = int(found.group(1))
                break

    def __enter__(self):
        table = (ROOT / "tests" / "data" / "iris.csv").read_bytes()
        status, body = Connection(self.port).call("PUT", "/v1/datasets/iris", table)
        assert status == 201, body
        return self

    def cpu_s(self):
        """Processor time of the server itself and of its workers that have ended."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            ticks = [int(n) for n in file.read().rsplit(")", 1)[1].split()[11:15]]
        return [sum(ticks[i:i + 2]) / os.sysconf("SC_CLK_TCK") for i in (0, 2)]

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)
        shutil.rmtree(self.directory, ignore_errors=True)


class Connection:
    """HTTP/1.1 with as little of Python as possible: its time is in every figure."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=120)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest = b""

    def send(self, method, path, body=b"", accept="application/json"):
        head = (f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\n"
                f"Content-Length: {len(body)}\r\n\r\n")
        self.socket.sendall(head.encode() + body)

    def more(self):
        part = self.socket.recv(65536)
        if not part:
            raise EOFError("the server closed the connection")
        self.rest += part

    def until(self, mark):
        while mark not in self.rest:
            self.more()
        text, _, self.rest = self.rest.partition(mark)
        return text

    def call(self, method, path, body=b""):
        self.send(method, path, body)
        head = self.until(b"\r\n\r\n")
        size = int(re.search(rb"content-length: (\d+)", head, re.I).group(1))
        while len(self.rest) < size:
            self.more()
        answer, self.rest = self.rest[:size], self.rest[size:]
        return int(head[9:12]), answer


def job(epochs=EPOCHS, **train):
    return json.dumps({"data": {"dataset": "iris"}, "optimizer": {"lr": 0.1},
                       "train": {"epochs": epochs, **train}}).encode()


def sync_s(file):
    begin = time.perf_counter()
    os.write(file, b"x" * 4096)
    os.fdatasync(file)
    return time.perf_counter() - begin


def quartiles(seconds):
    low, middle, high = statistics.quantiles(seconds, n=4)
    return {"min_ms": round(1e3 * min(seconds), 2), "quartile_ms": round(1e3 * low, 2),
            "median_ms": round(1e3 * middle, 2), "quartile_3_ms": round(1e3 * high, 2)}


def say(figure, **what):
    print(json.dumps({"figure": figure, **what}), flush=True)


def first_epoch(options):
    accepted, first, disk = [], [], []
    with Server(options.ockham, options.dir, 2) as server:
        file = os.open(server.directory + "/sync", os.O_WRONLY | os.O_CREAT)
        for i in range(options.jobs + 10):
            connection = Connection(server.port)
            disk.append(sync_s(file))
            begin = time.perf_counter()
            connection.send("POST", "/v1/jobs", job(), "application/x-ndjson")
            connection.until(b"\r\n\r\n")
            accepted.append(time.perf_counter() - begin)
            connection.until(b'"type":"epoch"')
            first.append(time.perf_counter() - begin)
            connection.until(b'"type":"end"')
            connection.socket.close()
        os.close(file)
    for name, seconds in (("disk_sync", disk), ("accepted", accepted), ("first_epoch", first)):
        say("first_epoch", what=name, jobs=options.jobs, **quartiles(seconds[10:]))
    say("first_epoch", what="beside_the_disk",
        median_ms=round(1e3 * (statistics.median(first[10:]) - statistics.median(disk[10:])), 2))


def load(port, until):
    """Sends jobs in batches until the moment; then waits for the last."""
    connection, text = Connection(port), job()
    while time.monotonic() < until:
        for _ in range(BATCH):
            status, answer = connection.call("POST", "/v1/jobs", text)
            assert status == 202, answer
        last = json.loads(answer)["id"]
        status, answer = connection.call("GET", f"/v1/jobs/{last}?wait=55")
        assert json.loads(answer)["status"] == "succeeded", answer


def finished(connection):
    _, text = connection.call("GET", "/metrics")
    return int(re.search(rb'^ockham_jobs_finished_total\{outcome="succeeded"\} (\d+)$', text,
                         re.M).group(1))


def rate(server, seconds):
    """Jobs a second over the time, without its first second; the disk's sync time meanwhile."""
    until = time.monotonic() + seconds + 1.5
    loaders = [multiprocessing.Process(target=load, args=(server.port, until))
               for _ in range(CONNECTIONS)]
    [p.start() for p in loaders]
    time.sleep(1)
    connection, disk = Connection(server.port), []
    file = os.open(server.directory + "/sync", os.O_WRONLY | os.O_CREAT)
    begin, before = time.monotonic(), finished(connection)
    while time.monotonic() - begin < seconds:
        disk.append(sync_s(file))
        time.sleep(0.1)
    jobs_s = (finished(connection) - before) / (time.monotonic() - begin)
    os.close(file)
    [p.join() for p in loaders]
    assert all(p.exitcode == 0 for p in loaders)
    return jobs_s, statistics.median(disk)


def plain_rate(options):
    for _ in range(options.rounds):
        with Server(options.ockham, options.dir, 2) as server:
            jobs_s, disk_s = rate(server, options.seconds)
            store = os.path.getsize(server.directory + "/ockham.db")
            count = finished(Connection(server.port))
            server_s, worker_s = server.cpu_s()
        say("rate", jobs_s=round(jobs_s, 1), disk_sync_ms=round(1e3 * disk_s, 2),
            server_cpu_ms_a_job=round(1e3 * server_s / count, 2),
            worker_cpu_ms_a_job=round(1e3 * worker_s / count, 2),
            store_bytes_a_job=store // count)


def burn():
    while True:
        pass


def beside_a_stranger(options):
    with Server(options.ockham, options.dir, 1) as server:
        burner = multiprocessing.Process(target=burn)
        burner.start()
        try:
            return rate(server, options.seconds)[0]
        finally:
            burner.terminate()
            burner.join()


def log_bytes(connection, number):
    """Events of a job and their bytes, as they are read back."""
    count = size = after = 0
    while True:
        _, text = connection.call("GET",
                                  f"/v1/jobs/{number}/events?format=json&limit=1000&after={after}")
        items = json.loads(text)["items"]
        if not items:
            return count, size
        count, size, after = count + len(items), size + len(text), items[-1]["seq"]


def beside_a_million(options):
    with Server(options.ockham, options.dir, 2) as server:
        connection = Connection(server.port)
        _, answer = connection.call("POST", "/v1/jobs", job(1000000, threads=1))
        number = json.loads(answer)["id"]
        time.sleep(1)
        jobs_s = rate(server, options.seconds)[0]
        _, answer = connection.call("GET", f"/v1/jobs/{number}")
        now = json.loads(answer)
        events, size = log_bytes(connection, number)
        epoch = (now.get("latest") or {}).get("epoch")
        whole = now["status"] != "running"
        connection.call("POST", f"/v1/jobs/{number}/cancel")
    return jobs_s, {"epochs_meanwhile": epoch, "ended": whole, "events": events, "bytes": size}


def million(options):
    ratios = []
    for _ in range(options.rounds):
        alone = beside_a_stranger(options)
        beside, what = beside_a_million(options)
        ratios.append(beside / alone)
        say("million", jobs_s_beside_a_stranger=round(alone, 1), jobs_s=round(beside, 1),
            ratio=round(beside / alone, 3), **what)
    say("million", median_ratio=round(statistics.median(ratios), 3))


def million_alone(options):
    """The whole job, for the bytes that it leaves in the store."""
    with Server(options.ockham, options.dir, 2) as server:
        connection = Connection(server.port)
        before = os.path.getsize(server.directory + "/ockham.db")
        begin = time.monotonic()
        _, answer = connection.call("POST", "/v1/jobs", job(1000000, threads=1))
        number, now = json.loads(answer)["id"], {"status": ""}
        while now["status"] not in ("succeeded", "failed"):
            now = json.loads(connection.call("GET", f"/v1/jobs/{number}?wait=55")[1])
        took_s = time.monotonic() - begin
        events, size = log_bytes(connection, number)
        after = sum(os.path.getsize(server.directory + "/" + name)
                    for name in ("ockham.db", "ockham.db-wal"))
    say("million", what="alone", status=now["status"], seconds=round(took_s, 1), events=events,
        event_bytes=size, store_grew_bytes=after - before)


FIGURES = {"first_epoch": first_epoch, "rate": plain_rate, "million": million,
           "million_alone": million_alone}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--ockham", default=str(ROOT / "build" / "release" / "ockham"))
    parser.add_argument("--dir", default=None, help="where the data directories go: the disk")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=200, help="of first_epoch")
    parser.add_argument("--only", choices=FIGURES, action="append")
    options = parser.parse_args()
    for name in options.only or FIGURES:
        FIGURES[name](options)


if __name__ == "__main__":
    main()
