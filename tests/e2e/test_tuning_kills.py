"""A search under fire: its worker and its server die at random moments, it is paused, stopped and
cancelled, the disk is full, a backup is taken. What it finds is what it finds undisturbed.

Method: one search of some seconds, with a seed for what is done to it and when. An undisturbed run of
the same job on the same server is the truth.
"""

import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import time

import pytest
from killer_material import upload_digits
from mortal import workers
from ockserver import Server
from test_backup import backup, check_store, serve_copy
from test_http_disk import fill
from test_worker_orphans import cpu_s

EPOCHS = 200
STRENGTHS = [0.1, 0.01, 0.001, 0.0001, 0.00001, 0]


def search(epochs=EPOCHS, **tune):
    """6 x 3 runs and the refit, on one core."""
    return {"data": {"dataset": "digits"}, "model": {"hidden": [32]}, "optimizer": {"lr": "auto"},
            "train": {"epochs": epochs, "seed": 5, "threads": 1},
            "tune": {"l2": STRENGTHS, "folds": 3, **tune}}


def status_of(server, job):
    return server.call("GET", f"/v1/jobs/{job}").json


def wait_until(look, what, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        got = look()
        if got:
            return got
        time.sleep(0.01)
    raise AssertionError(f"{what}: not after {seconds} s")


def wait_status(server, job, *names):
    return wait_until(lambda: status_of(server, job)["status"] in names, " or ".join(names))


def trials_of(server, job):
    return server.call("GET", f"/v1/jobs/{job}/tuning").json["trials"]


def files_of(server, job):
    with contextlib.suppress(FileNotFoundError):
        return sorted(os.listdir(f"{server.directory}/jobs/{job}"))
    return []


def bare(event):
    return {key: value for key, value in event.items() if key not in ("job", "seq", "time")}


def result(server, job):
    """What has to be the same whatever happened; every event is told once, and none is missing."""
    events = server.events(job)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    trials = [bare(event) for event in events if event["type"] == "trial"]
    assert sorted(event["trial"] for event in trials) == list(range(1, len(STRENGTHS) + 1))
    end = events[-1]
    assert end["type"] == "end" and end["status"] == "succeeded", end
    table = server.call("GET", f"/v1/jobs/{job}/tuning").json
    return {"trials": sorted(trials, key=lambda event: event["trial"]),
            "table": {key: value for key, value in table.items() if key != "job"},
            "log": [event["message"] for event in events if event["type"] == "log"],
            "epochs": [(event["epoch"], event["weights_sha256"]) for event in events
                       if event["type"] == "epoch"],
            "end": {key: end[key] for key in ("stop_reason", "tuning", "state_sha256", "model")}}


@pytest.fixture(scope="module")
def server():
    with Server("--cores", 1) as one:
        upload_digits(one)
        yield one


@pytest.fixture(scope="module")
def truth(server):
    begin = time.monotonic()
    job = server.submit(search())
    assert server.ended(job)["status"] == "succeeded"
    server.calm_s = time.monotonic() - begin
    found = result(server, job)
    assert len(found["epochs"]) > 1
    assert all(len(trial["weights_sha256"]) == 3 for trial in found["table"]["trials"])
    return found


# --- What is done to it --------------------------------------------------------------------------


def kill_worker(server, job):
    for pid in workers(server.directory):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def kill_server(server, job):
    server.process.kill()
    server.process.wait()
    wait_until(lambda: not workers(server.directory), "the orphan's end")
    server.log.close()
    server.__enter__()


def pause(server, job):
    if server.call("POST", f"/v1/jobs/{job}/pause").status != 202:
        return  # it has ended
    wait_status(server, job, "paused", "succeeded")
    server.call("POST", f"/v1/jobs/{job}/resume")


# The third death without news would be the job's end: deaths of the worker stand apart.
DEEDS = [kill_worker, pause, kill_server, kill_worker, pause, kill_server, pause]


def test_deaths_and_pauses_change_nothing(server, truth):
    rnd = random.Random(1)
    job = server.submit(search())
    seen = []  # how far it was
    done = 0

    def look():
        found = status_of(server, job)
        seen.append(found["progress"])
        return found["status"]

    for k, deed in enumerate(DEEDS):  # by how far it is: how fast it is may change at any time
        at = (k + rnd.random()) / (len(DEEDS) + 1)
        wait_until(lambda: look() == "succeeded" or (seen[-1]["fraction"] >= at
                                                     and status_of(server, job)["status"] == "running"),
                   "a worker that is so far", 300)
        time.sleep(rnd.random() * 0.02 * server.calm_s)
        done += look() == "running"
        deed(server, job)
    wait_until(lambda: look() == "succeeded", "the end", 300)
    assert done >= 4, "the job is too short for all this"
    fractions = [progress["fraction"] for progress in seen]
    assert fractions == sorted(fractions) and fractions[0] == 0 and fractions[-1] == 1
    assert len(set(fractions)) > 2
    assert {progress["trials"]["total"] for progress in seen} == {6}
    assert seen[-1]["trials"]["done"] == 6 and seen[-1]["epoch"] == EPOCHS
    listed = server.call("GET", "/v1/jobs?limit=1").json["items"][0]
    assert listed["id"] == job and listed["progress"] == seen[-1]
    assert status_of(server, job)["attempt"] >= 2
    assert result(server, job) == truth
    wait_until(lambda: files_of(server, job) == [], "an empty directory")


# --- Ends and other disturbances -----------------------------------------------------------------


def test_stop_before_any_trial(server):
    job = server.submit(search(20000))
    wait_status(server, job, "running")
    time.sleep(0.3)
    assert server.call("POST", f"/v1/jobs/{job}/stop").status == 202
    ended = server.ended(job)
    assert ended["status"] == "succeeded" and ended["stop_reason"] == "stopped"
    end = server.events(job)[-1]
    assert end["model"] is None and end["tuning"]["chosen"] is None
    assert server.call("GET", f"/v1/jobs/{job}/model").status == 404
    assert trials_of(server, job) == []
    wait_until(lambda: files_of(server, job) == [], "an empty directory")


def test_stop_after_a_trial_then_delete(server, truth):
    job = server.submit(search())
    wait_until(lambda: trials_of(server, job), "a trial")
    assert server.call("POST", f"/v1/jobs/{job}/stop").status == 202
    ended = server.ended(job)
    assert ended["status"] == "succeeded" and ended["stop_reason"] == "stopped"
    told = trials_of(server, job)
    assert 1 <= len(told) < len(STRENGTHS)
    assert all(trial in truth["table"]["trials"] for trial in told)
    chosen = server.events(job)[-1]["tuning"]["chosen"]
    assert chosen["trial"] in [trial["trial"] for trial in told]
    assert server.call("GET", f"/v1/jobs/{job}/model").status == 200
    assert server.call("DELETE", f"/v1/jobs/{job}").status == 204
    assert server.call("GET", f"/v1/jobs/{job}/tuning").status == 404
    with contextlib.closing(sqlite3.connect(f"{server.directory}/ockham.db")) as db:
        assert db.execute("SELECT count(*) FROM documents WHERE job NOT IN"
                          " (SELECT number FROM jobs)").fetchone() == (0,)
    wait_until(lambda: files_of(server, job) == [], "an empty directory")


def test_cancel_leaves_nothing(server):
    job = server.submit(search(20000))
    # What a run has trained for a second is kept at a pause.
    wait_until(lambda: any(cpu_s(pid) > 2 for pid in workers(server.directory)), "it trains")
    pause(server, job)
    wait_status(server, job, "running")
    kept = files_of(server, job)
    assert "checkpoint.tuning" in kept and any(name[-1].isdigit() for name in kept), kept
    assert server.call("POST", f"/v1/jobs/{job}/cancel").status in (200, 202)
    assert server.ended(job)["status"] == "cancelled"
    wait_until(lambda: files_of(server, job) == [], "an empty directory")


def test_backup_of_a_search(server, truth, tmp_path):
    dest = tmp_path / "copy"
    job = server.submit(search())
    wait_until(lambda: trials_of(server, job), "a trial")
    pause(server, job)
    done = backup(server.directory, dest)
    assert done.returncode == 0 and (dest / "jobs" / job / "checkpoint.tuning").exists()
    assert server.ended(job)["status"] == "succeeded" and result(server, job) == truth
    check_store(dest / "ockham.db")
    with serve_copy(dest, "--cores", 1) as copy:
        assert copy.ended(job)["status"] == "succeeded"
        assert result(copy, job) == truth


@pytest.fixture
def small_disk():
    one = Server("--cores", 1)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128m", "none", one.directory],
                      capture_output=True, check=False).returncode != 0:
        os.rmdir(one.directory)
        pytest.skip("no tmpfs may be mounted here")
    try:
        with one:
            upload_digits(one)
            yield one
    finally:
        subprocess.run(["umount", "-l", one.directory], check=True)
        with contextlib.suppress(OSError):
            os.rmdir(one.directory)


def test_full_disk(small_disk, truth):
    spec = search()
    spec["train"]["checkpoint_every"] = 10
    job = small_disk.submit(spec)
    wait_status(small_disk, job, "running")
    time.sleep(0.3)
    fill(small_disk)
    wait_status(small_disk, job, "paused")
    assert "disk_full" in [warning["code"] for warning in status_of(small_disk, job)["warnings"]]
    os.unlink(small_disk.directory + "/filling")
    assert small_disk.ended(job)["status"] == "succeeded"
    found = result(small_disk, job)
    found["end"]["model"] = truth["end"]["model"]  # the file tells the spec, which is another here
    assert found == truth
