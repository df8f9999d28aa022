"""`ockham backup` of a directory that a busy server uses, and a server on the copy.

Method: clients submit jobs (on a dataset and with inline data), delete what has ended and replace
datasets without a pause, and long jobs run, while the backup is made. The original goes on
undisturbed; the copy is served beside it and has to come to the same bits.
"""

import contextlib
import os
import random
import shutil
import sqlite3
import subprocess
import threading
import time

import pytest
from ockserver import Server, program, spec


def backup(directory, dest):
    return subprocess.run([program(), "backup", "--data-dir", directory, dest],
                          capture_output=True, text=True, timeout=120, check=False)


def serve_copy(dest, *arguments):
    server = Server(*arguments)
    os.rmdir(server.directory)
    server.directory = str(dest)
    server.command[server.command.index("--data-dir") + 1] = str(dest)
    return server


def inline_spec(rnd):
    rows = [[round(rnd.gauss(k, 0.5), 3), round(rnd.gauss(-k, 0.5), 3)] for k in (0, 1) * 20]
    return {"data": {"inline": {"x": rows, "y": ["a", "b"] * 20}}, "model": {"hidden": [4]},
            "optimizer": {"lr": 0.1}, "train": {"epochs": 20, "batch_size": 10}}


class Load:
    """Clients that never pause. What was answered is known: accepted, then perhaps deleted."""

    def __init__(self, server):
        self.server, self.stopping = server, threading.Event()
        self.accepted, self.deleting = [], set()
        self.failed = []
        self.threads = [threading.Thread(target=self.run, args=(work, seed))
                        for seed, work in enumerate([self.submit, self.submit_inline, self.delete,
                                                     self.replace])]

    def run(self, work, seed):
        rnd = random.Random(seed)
        try:
            while not self.stopping.is_set():
                work(rnd)
        except Exception as error:  # noqa: BLE001: told by the test's own thread
            self.failed.append(repr(error))

    def submit(self, rnd):
        self.accepted.append(self.server.submit(spec(rnd.choice([2, 5, 30]))))

    def submit_inline(self, rnd):
        self.accepted.append(self.server.submit(inline_spec(rnd)))

    def delete(self, rnd):
        answer = self.server.call("GET", "/v1/jobs?status=succeeded&limit=50")
        for item in rnd.sample(answer.json["items"], min(4, len(answer.json["items"]))):
            self.deleting.add(item["id"])
            assert self.server.call("DELETE", f"/v1/jobs/{item['id']}").status == 204
        time.sleep(0.01)

    def replace(self, rnd):
        self.server.upload_table("changing", rows=rnd.randrange(30, 300), replace="true")
        time.sleep(0.02)

    def wait_until_busy(self, long):
        end = time.monotonic() + 60
        while not (len(self.accepted) > 30 and len(self.deleting) > 10
                   and all(self.server.call("GET", f"/v1/jobs/{job}").json["latest"] for job in long)):
            assert time.monotonic() < end and not self.failed, (len(self.accepted), self.failed)
            time.sleep(0.05)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()


def hashes(server, job):
    events = server.events(job)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1)), job
    assert events[-1]["type"] == "end"
    return [(e["epoch"], e["weights_sha256"]) for e in events if e["type"] == "epoch"]


def check_store(path):
    with contextlib.closing(sqlite3.connect(path)) as store:
        assert store.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert store.execute("SELECT count(*) FROM events WHERE job > 0"
                             " AND job NOT IN (SELECT number FROM jobs)"
                             " AND job NOT IN (SELECT job FROM graves)").fetchone() == (0,)


def test_backup_under_load(tmp_path):
    dest = tmp_path / "copy"
    with Server("--cores", 3) as server:
        server.upload_table()
        server.upload_table("large", rows=3000)
        long = [server.submit({**spec(1200, hidden=[64, 64]), "data": {"dataset": "large"}})
                for _ in range(2)]
        with Load(server) as load:
            load.wait_until_busy(long)
            before = list(load.accepted)
            done = backup(server.directory, dest)
            time.sleep(0.3)
        assert not load.failed, load.failed
        assert done.returncode == 0, done.stderr
        assert "jobs," in done.stderr and "absent" not in done.stderr
        check_store(dest / "ockham.db")
        assert len(before) > 20 and len(load.deleting) > 5
        with serve_copy(dest, "--cores", 3) as copy:
            kept = [job for job in before if job not in load.deleting] + long
            for job in kept:
                assert copy.ended(job)["status"] == "succeeded"
            # The long ones were in the middle, or the test shows nothing.
            assert any(copy.call("GET", f"/v1/jobs/{job}").json["attempt"] > 1 for job in long)
            for job in kept:
                assert server.ended(job)["status"] == "succeeded"
                assert hashes(copy, job) == hashes(server, job), job
            listed = copy.call("GET", "/v1/jobs?limit=100").json["items"]
            for item in listed:  # what came with the backup's own moment ends as well
                assert copy.ended(item["id"])["status"] == "succeeded"
            assert copy.ended(copy.submit(spec(2)))["status"] == "succeeded"
            copy.stop()
            check_store(dest / "ockham.db")
        shutil.rmtree(dest, ignore_errors=True)


def test_a_directory_that_nobody_serves(tmp_path):
    with Server() as server:
        server.upload_table()
        job = server.submit(spec(2, hidden=[300, 300]))
        server.ended(job)
        model = server.call("GET", f"/v1/jobs/{job}/model").data
        server.process.kill()  # its log stays
        server.process.wait()
        done = backup(server.directory, tmp_path / "copy")
        assert done.returncode == 0, done.stderr
        with serve_copy(tmp_path / "copy") as copy:
            assert copy.call("GET", f"/v1/jobs/{job}/model").data == model
            assert copy.call("GET", "/v1/datasets/flowers").json["status"] == "ready"


@pytest.mark.parametrize("arguments, code, why", [
    (["backup"], 2, "where to"),
    (["backup", "--data-dir", "nowhere", "copy"], 1, "nowhere is no data directory"),
    (["backup", "--data-dir", ".", "copy"], 1, "no data directory"),
    (["backup", "one", "two"], 2, "two")])
def test_refused(tmp_path, arguments, code, why):
    done = subprocess.run([program(), *arguments], capture_output=True, text=True, cwd=tmp_path,
                          timeout=60, check=False)
    assert done.returncode == code and why in done.stderr
    assert os.listdir(tmp_path) == []


def test_full_disk_leaves_nothing(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", disk],
                      capture_output=True, check=False).returncode != 0:
        pytest.skip("no tmpfs may be mounted here")
    try:
        with Server() as server:
            server.upload_table(rows=20000)
            server.ended(server.submit(spec(2, hidden=[400, 400])))
            done = backup(server.directory, disk / "copy")
        assert done.returncode == 1 and "disk is full" in done.stderr.lower() \
            or "no space" in done.stderr.lower(), done.stderr
        assert os.listdir(disk) == []
    finally:
        subprocess.run(["umount", "-l", disk], check=True)
