"""Limits on ended jobs, applied while the server runs: what goes, what stays, and what never goes."""

import contextlib
import os
import sqlite3
import subprocess
import time

import pytest
from ockserver import Server, program, slow_spec, spec


def ids(server, query=""):
    """The ended jobs, oldest first."""
    answer = server.call("GET", f"/v1/jobs?limit=100&status=succeeded,failed,cancelled{query}")
    return [item["id"] for item in reversed(answer.json["items"])]


def until(condition, timeout=60):
    end = time.time() + timeout
    while time.time() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def test_everything_is_kept_unless_told_otherwise():
    with Server() as server:
        limits = server.call("GET", "/v1/system").json["limits"]
        assert [limits["keep_" + x] for x in ("jobs", "days", "bytes", "events")] == [None] * 4


def test_oldest_go_and_what_has_not_ended_stays():
    with Server("--keep-jobs", 3, "--cores", 2) as server:
        assert server.call("GET", "/v1/system").json["limits"]["keep_jobs"] == 3
        server.upload_table()
        oldest = server.submit(slow_spec())  # runs all the time
        paused = server.submit(slow_spec())
        assert server.call("POST", f"/v1/jobs/{paused}/pause").status in (200, 202)
        done = []
        for _ in range(6):
            done.append(server.submit(spec(2, hidden=[300, 300])))  # its model is a file
            assert server.ended(done[-1])["status"] == "succeeded"
        assert until(lambda: ids(server) == done[-3:]), ids(server)
        for gone in done[:3]:
            assert server.call("GET", f"/v1/jobs/{gone}").status == 404
            assert server.call("GET", f"/v1/jobs/{gone}/events").status == 404
        jobs = os.path.join(server.directory, "jobs")
        assert until(lambda: not set(done[:3]) & set(os.listdir(jobs)))
        for kept in done[3:]:
            assert server.call("GET", f"/v1/jobs/{kept}/model").status == 200
            assert server.events(kept)[-1]["type"] == "end"
        assert server.call("GET", f"/v1/jobs/{oldest}").json["status"] == "running"
        assert server.call("GET", f"/v1/jobs/{paused}").json["status"] == "paused"


def test_age_counts_from_the_end():
    with Server("--keep-days", 2.5 / 86400) as server:
        server.upload_table()
        job = server.submit(spec(2))
        server.ended(job)
        assert ids(server) == [job]
        assert until(lambda: ids(server) == [])


def test_limits_hold_after_a_restart_with_new_ones():
    with Server() as server:
        server.upload_table()
        done = [server.submit(spec(2)) for _ in range(5)]
        for job in done:
            server.ended(job)
        order = sorted(done, key=lambda job: server.call("GET", f"/v1/jobs/{job}").json["finished_at"])
        server.stop()
        server.command += ["--keep-jobs", "2"]
        with server:
            assert until(lambda: set(ids(server)) == set(order[-2:])), (ids(server), order)


def test_bytes_hold_and_the_file_shrinks():
    """Jobs of 20,000 events each: their rows go in small steps, then the pages."""
    with Server("--keep-bytes", "20MB") as server:
        server.upload_table()
        path = os.path.join(server.directory, "ockham.db")
        done = []
        for _ in range(3):
            done.append(server.submit(spec(hidden=[], train={
                "epochs": 20000, "batch_size": 150, "report_every": 1})))
            assert server.ended(done[-1], 120)["status"] == "succeeded"
        assert until(lambda: ids(server) == done[-1:]), ids(server)
        largest = os.path.getsize(path)
        assert largest > 30e6
        assert server.call("DELETE", f"/v1/jobs/{done[-1]}").status == 204
        assert until(lambda: os.path.getsize(path) < 3e6, 60), os.path.getsize(path)
        server.stop()
        with contextlib.closing(sqlite3.connect(path)) as store:
            assert store.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert store.execute("SELECT count(*) FROM events WHERE job > 0").fetchone() == (0,)


def open_grave(path, events):
    """As the deletion of a job of so many events leaves it."""
    with contextlib.closing(sqlite3.connect(path)) as store, store:
        store.execute("INSERT INTO graves(job) VALUES (1000000000)")
        store.executemany("INSERT INTO events(job, seq, body) VALUES (1000000000, ?, ?)",
                          ((seq, "x" * 200) for seq in range(1, events + 1)))


def graves(path):
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as store:
        return store.execute("SELECT count(*) FROM graves").fetchone()[0]


def test_limits_hold_while_a_large_job_is_removed():
    with Server() as server:
        server.upload_table()
        path = os.path.join(server.directory, "ockham.db")
        server.stop()
        open_grave(path, 500000)  # a thousand steps
        server.command += ["--keep-jobs", "1"]
        with server:
            done = [server.submit(spec(2)) for _ in range(3)]
            for job in done:
                assert server.ended(job)["status"] == "succeeded"
            assert until(lambda: len(ids(server)) == 1), ids(server)
            assert graves(path) == 1  # or nothing was tested
            assert until(lambda: graves(path) == 0, 60)


@pytest.mark.parametrize("option, value", [
    ("--keep-jobs", "-1"), ("--keep-jobs", "many"), ("--keep-days", "nan"),
    ("--keep-days", "-0.5"), ("--keep-days", "1d"), ("--keep-bytes", "20 apples")])
def test_wrong_limits_are_told(option, value, tmp_path):
    done = subprocess.run([program(), "serve", "--data-dir", tmp_path / "d", option, value],
                          capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 2 and option in done.stderr
