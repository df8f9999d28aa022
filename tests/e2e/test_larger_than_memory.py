"""Data larger than the memory that jobs may take: they are let in, trained on within the limit, and to
the same bits as with all the memory there is.

Method: an array of bytes of more than three times `--memory` is uploaded and trained on by a server
with that limit and by one without; the worker's own (anonymous) memory is looked at all the while.
"""

import random
import struct
import threading
from pathlib import Path

from ockserver import Server
from test_worker_orphans import shas, workers_of

LIMIT = 20 << 20
ROWS, WIDTH = 84000, 784
SPEC = {"data": {"dataset": "large", "validation": 0.01},
        "model": {"hidden": [32]},
        "train": {"epochs": 2, "max_steps": 1500, "batch_size": 64, "seed": 5, "threads": 1,
                  "evaluate_train": 100}, "optimizer": {"lr": 0.05}}


def npy(kind, shape, pieces):
    header = str({"descr": kind, "fortran_order": False, "shape": shape}).ljust(117).encode()
    yield b"\x93NUMPY\x01\x00" + struct.pack("<H", 118) + header + b"\n"
    yield from pieces


def images():
    """Rows of noise that is brighter where the row's class says so; no two thousands alike."""
    rnd = random.Random(9)
    for thousand in range(ROWS // 1000):
        piece = bytearray(rnd.randbytes(1000 * WIDTH))
        for row in range(1000):
            at = row * WIDTH + (thousand + row) % 4 * 196
            piece[at:at + 196] = b"\xc8" * 196
        yield bytes(piece)


def labels():
    return (bytes((thousand + row) % 4 for row in range(1000)) for thousand in range(ROWS // 1000))


def put(server, part, pieces):
    answer = server.call("PUT", f"/v1/datasets/large/{part}", pieces)
    assert answer.status == 201, answer.data
    return answer.json


class Watch(threading.Thread):
    """The most anonymous memory that a worker of the server has had."""

    def __init__(self, server):
        super().__init__()
        self.server, self.most, self.over = server, 0, threading.Event()

    def run(self):
        while not self.over.wait(0.005):
            for pid in workers_of(self.server):
                try:
                    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
                except OSError:
                    continue
                kib = [int(line.split()[1]) for line in lines if line.startswith("RssAnon")]
                self.most = max([self.most, *(k << 10 for k in kib)])


def train(server):
    watch = Watch(server)
    watch.start()
    try:
        job = server.submit(SPEC)
        ended = server.ended(job)
    finally:
        watch.over.set()
        watch.join()
    assert ended["status"] == "succeeded", ended["error"]
    return shas(server, job), ended["latest"]["validation"]["accuracy"], watch.most


def test_it_trains_within_the_limit_to_the_same_bits():
    with Server("--cores", 1, "--memory", f"{LIMIT >> 20}MiB") as server:
        put(server, "x", npy("|u1", (ROWS, WIDTH), images()))
        made = put(server, "y", npy("|u1", (ROWS,), labels()))
        assert made["bytes"] > 3 * LIMIT
        plan = server.call("POST", "/v1/jobs/validate", SPEC)
        assert plan.status == 200, plan.data
        needed = plan.json["memory_bytes"]
        limited, accuracy, most = train(server)
        assert needed < LIMIT and most < LIMIT, (needed, most)
        # Honest: what the plan says, and the program's own pages; the end's peak may be missed.
        assert needed / 3 < most < needed + (8 << 20), (needed, most)
        assert accuracy > 0.9 and len(limited) == 2
        assert server.stop()[0] == 0
        server.command = server.command[:-2]
        with server as free:
            assert free.call("GET", "/v1/system").json["memory_bytes"] > 3 * LIMIT
            assert train(free)[0] == limited
