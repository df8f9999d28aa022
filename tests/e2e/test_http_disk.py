"""A full disk: what takes room is refused with 507, and what makes room goes on working.

Method: the data directory is a tmpfs of 128 MiB, filled up to the last page by a file beside the
store. Where nothing may be mounted, the tests are skipped.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import time

import pytest
from ockserver import Server, is_problem, slow_spec, spec


@pytest.fixture
def server():
    s = Server()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128m", "none", s.directory],
                             capture_output=True, check=False).returncode == 0
    if not mounted:
        os.rmdir(s.directory)
        pytest.skip("no tmpfs may be mounted here")
    try:
        with s:
            s.upload_table()
            yield s
    finally:
        subprocess.run(["umount", "-l", s.directory], check=True)
        with contextlib.suppress(OSError):
            os.rmdir(s.directory)


def fill(server):
    """Takes all the room there is, before the jobs that train meanwhile have ended."""
    with open(server.directory + "/filling", "wb", buffering=0) as file:
        for size in (1 << 20, 4096):
            with contextlib.suppress(OSError):
                while True:
                    file.write(b"x" * size)


def test_deletions_make_room(server):
    server.upload_table("plants", rows=90)
    job = server.submit(spec(2, hidden=[400, 400]))
    assert server.ended(job)["status"] == "succeeded"
    fill(server)
    is_problem(server.call("POST", "/v1/jobs", spec(2)), 507, "no_space")
    assert server.call("GET", "/readyz").json["degraded"] == ["disk"]
    assert server.call("DELETE", f"/v1/jobs/{job}").status == 204
    assert server.call("DELETE", "/v1/datasets/plants").status == 204
    os.unlink(server.directory + "/filling")
    assert server.ended(server.submit(spec(2)))["status"] == "succeeded"


def test_a_pruned_model_needs_room(server):
    job = server.submit(spec(2, hidden=[700, 700], regularization={
        "l1_method": "proximal", "layers": {"0": {"l1": 5}}}))
    assert server.ended(job)["model"]["pruned"]["bytes"] > 1 << 20
    fill(server)
    is_problem(server.call("GET", f"/v1/jobs/{job}/model?prune=true"), 507, "no_space")
    os.unlink(server.directory + "/filling")
    assert server.call("GET", f"/v1/jobs/{job}/model?prune=true").status == 200
    assert os.listdir(server.directory + "/predictions") == []


def test_a_person_can_pause_a_job_that_tells_quickly(server):
    """More news than one transaction takes would wait for room before the pause."""
    job = server.submit(spec(hidden=[], train={"epochs": 1000000, "report_every": 1}))
    wait_until(lambda: (status_of(server, job)["latest"] or {}).get("epoch", 0) >= 100, "epochs")
    fill(server)
    wait_until(lambda: "degraded" in server.call("GET", "/readyz").json, "a full disk")
    time.sleep(1)
    assert server.call("POST", f"/v1/jobs/{job}/pause").status == 202
    os.unlink(server.directory + "/filling")
    wait_until(lambda: status_of(server, job)["status"] == "paused", "the paused job")


def test_deletions_work_while_jobs_tell_epochs(server):
    """What running jobs tell gathers in the store's queue for want of room: deletions pass it by."""
    done = [server.submit(spec(2)) for _ in range(6)]
    for job in done:
        assert server.ended(job)["status"] == "succeeded"
    jobs = [server.submit(spec(hidden=[], train={"epochs": 1000000, "report_every": 1}))
            for _ in range(3)]
    wait_until(lambda: (status_of(server, jobs[0])["latest"] or {}).get("epoch", 0) >= 100, "epochs")
    fill(server)
    wait_until(lambda: "degraded" in server.call("GET", "/readyz").json, "a full disk")
    for job in done:
        time.sleep(0.3)  # whoever takes what the one before left has the time to
        assert server.call("DELETE", f"/v1/jobs/{job}").status == 204
    os.unlink(server.directory + "/filling")
    for job in jobs:
        assert server.call("POST", f"/v1/jobs/{job}/cancel").status in (200, 202)
    assert server.ended(server.submit(spec(2)))["status"] == "succeeded"
    room = server.directory + "/ockham.db.room"
    wait_until(lambda: os.path.exists(room) and os.path.getsize(room) == 4 << 20, "kept room again")


def test_deletions_make_room_after_a_restart(server):
    job = server.submit(spec(2))
    assert server.ended(job)["status"] == "succeeded"
    fill(server)
    server.process.kill()
    server.process.wait()
    with server:
        assert server.call("DELETE", f"/v1/jobs/{job}").status == 204


def status_of(server, job):
    return server.call("GET", f"/v1/jobs/{job}").json


def wait_until(look, what, seconds=60):
    end = time.time() + seconds
    while time.time() < end:
        got = look()
        if got:
            return got
        time.sleep(0.05)
    raise AssertionError(f"{what}: not after {seconds} s")


def hashes(events):
    return [e["weights_sha256"] for e in events if e["type"] == "epoch"]


def long_spec():
    """Long enough for a full disk in its middle; a checkpoint of 2 MB after every fifth epoch."""
    out = spec(150, hidden=(300, 300))
    out["train"]["checkpoint_every"] = 5
    out["train"]["early_stopping"] = None
    return out


def test_jobs_pause_themselves_and_go_on(server):
    truth = server.submit(long_spec())
    assert server.ended(truth)["status"] == "succeeded"
    jobs = [server.submit(long_spec()) for _ in range(2)]
    wait_until(lambda: (status_of(server, jobs[0])["latest"] or {}).get("epoch", 0) >= 15,
               "fifteen epochs")
    fill(server)
    held = wait_until(lambda: [j for j in jobs if status_of(server, j)["status"] == "paused"],
                      "a job that pauses itself")
    for job in held:
        assert "disk_full" in [w["code"] for w in status_of(server, job)["warnings"]]
    ready = server.call("GET", "/readyz")
    assert ready.status == 200 and ready.json["degraded"] == ["disk"]
    assert server.call("GET", "/v1/system").json["degraded"] == ["disk"]
    is_problem(server.call("PUT", "/v1/datasets/more?target=0", "a,b\n" + 1000 * "1,2\n",
                           {"Content-Type": "text/csv"}), 507, "no_space")
    wait_until(lambda: not [j for j in jobs if status_of(server, j)["status"] == "running"], "rest")
    os.unlink(server.directory + "/filling")
    for job in jobs:
        assert server.ended(job)["status"] == "succeeded"
        events = server.events(job)
        assert [e["seq"] for e in events] == list(range(1, len(events) + 1))
        assert hashes(events) == hashes(server.events(truth))
        assert events[-1]["state_sha256"] == server.events(truth)[-1]["state_sha256"]
    states = [(e["status"], e["reason"]) for e in server.events(held[0]) if e["type"] == "state"]
    assert ("paused", "disk_full") in states and ("queued", "disk_has_room") in states, states
    assert "degraded" not in server.call("GET", "/readyz").json


def test_a_person_can_act_on_a_full_disk(server):
    jobs = [server.submit(long_spec()) for _ in range(2)]
    wait_until(lambda: (status_of(server, jobs[0])["latest"] or {}).get("epoch", 0) >= 12, "epochs")
    fill(server)
    begin = time.time()
    for job, action in zip(jobs, ("pause", "cancel")):
        answer = server.call("POST", f"/v1/jobs/{job}/{action}")
        assert answer.status in (200, 202, 507), answer.data
    assert time.time() - begin < 40
    os.unlink(server.directory + "/filling")
    wait_until(lambda: status_of(server, jobs[1])["status"] == "cancelled", "the cancelled job")
    wait_until(lambda: status_of(server, jobs[0])["status"] == "paused", "the paused job")
    time.sleep(3)
    assert status_of(server, jobs[0])["status"] == "paused"  # a person's pause stays
    assert server.call("POST", f"/v1/jobs/{jobs[0]}/resume").status == 202
    assert server.ended(jobs[0])["status"] == "succeeded"


def test_a_pause_after_a_death_on_a_low_disk_stays(server):
    """A worker that dies before it could be set aside leaves nothing that would go on by itself."""
    job = server.submit(long_spec())
    wait_until(lambda: (status_of(server, job)["latest"] or {}).get("epoch", 0) >= 2, "epochs")
    worker = int(subprocess.run(["ps", "-o", "pid=", "--ppid", str(server.process.pid)],
                                capture_output=True, text=True, check=True).stdout.split()[0])
    os.kill(worker, signal.SIGSTOP)
    free = shutil.disk_usage(server.directory).free
    with open(server.directory + "/filling", "wb") as file:  # below 8 MiB, but not to the wall
        file.write(b"x" * (free - (6 << 20)))
    wait_until(lambda: server.call("GET", "/readyz").json.get("degraded") == ["disk"], "low")
    time.sleep(1.5)  # the runner has asked the worker to leave
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: status_of(server, job)["status"] == "queued", "the death")
    assert server.call("POST", f"/v1/jobs/{job}/pause").status == 202
    os.unlink(server.directory + "/filling")
    wait_until(lambda: "degraded" not in server.call("GET", "/readyz").json, "room")
    time.sleep(4)
    assert status_of(server, job)["status"] == "paused"
    assert server.call("POST", f"/v1/jobs/{job}/cancel").status == 202


def test_a_low_disk_is_looked_at_without_jobs(server):
    job = server.submit(slow_spec())
    free = shutil.disk_usage(server.directory).free
    with open(server.directory + "/filling", "wb") as file:
        file.write(b"x" * (free - (6 << 20)))
    wait_until(lambda: server.call("GET", "/v1/system").json["degraded"] == ["disk"], "low")
    assert server.call("POST", f"/v1/jobs/{job}/cancel").status == 202
    wait_until(lambda: status_of(server, job)["status"] == "cancelled", "the end")
    is_problem(server.call("PUT", "/v1/datasets/more?target=0", "a,b\n1,2\n2,3\n",
                           {"Content-Type": "text/csv"}), 507, "no_space")
    os.unlink(server.directory + "/filling")
    wait_until(lambda: "degraded" not in server.call("GET", "/readyz").json, "room")
    with open(server.directory + "/filling", "wb") as file:  # between the bound and its double
        file.write(b"x" * (shutil.disk_usage(server.directory).free - (12 << 20)))
    assert "degraded" not in server.call("GET", "/readyz").json
    assert server.ended(server.submit(spec(2)))["status"] == "succeeded"


def test_a_job_without_room_goes_on_after_a_restart(server):
    job = server.submit(long_spec())
    wait_until(lambda: (status_of(server, job)["latest"] or {}).get("epoch", 0) >= 12, "epochs")
    fill(server)
    wait_until(lambda: status_of(server, job)["status"] == "paused", "a job that pauses itself")
    server.process.kill()
    server.process.wait()
    with server:
        time.sleep(1.5)
        assert status_of(server, job)["status"] == "paused"
        os.unlink(server.directory + "/filling")
        assert server.ended(job)["status"] == "succeeded"
