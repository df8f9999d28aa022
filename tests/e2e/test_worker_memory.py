"""A worker that runs out of memory fails alone: its job ends as `memory` at once, with a sentence,
and the job beside it gets the bits that it always gets. A worker that a person killed is no such
thing: it goes on from its checkpoint.

Method: two jobs run; a process of the test's own joins the first worker's cgroup and takes memory until
the kernel ends the worker. Needs root and a memory cgroup that can be
written; elsewhere it says so and is skipped.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time

import pytest

from ockserver import Server, spec
from test_worker_orphans import shas, wait_for, workers_of

# Takes memory a MiB at a time until the group's count of ended processes is not 0 any more: in a file
# in memory, which is the group's but no process's own, so that the kernel never ends this one for it.
HOG = r"""
import os, sys
group, events = sys.argv[1:3]
with open(group + "/cgroup.procs", "w") as procs:
    procs.write("0")
def ended():
    lines = open(group + "/" + events).read().split("\n")
    return any(line.startswith("oom_kill ") and line != "oom_kill 0" for line in lines)
held = os.memfd_create("held")
while not ended():
    os.write(held, b"x" * (1 << 20))
"""


def group_of(pid):
    """The directory of a worker's own memory cgroup and its file of events; None: it has none."""
    with open(f"/proc/{pid}/cgroup", encoding="ascii") as file:
        lines = [line.strip().split(":", 2) for line in file]
    for _, controllers, path in lines:
        if not path.rsplit("/", 1)[-1].startswith("job_"):
            continue
        if "memory" in controllers.split(","):
            return "/sys/fs/cgroup/memory" + path, "memory.oom_control"
        if controllers == "":
            return "/sys/fs/cgroup" + path, "memory.events"
    return None


def large(epochs, seed=1):
    """Of more memory than goes without a group."""
    return spec(epochs, hidden=[2048, 2048], optimizer={"lr": 0.001},
                train={"epochs": epochs, "batch_size": 16, "seed": seed, "threads": 1,
                       "evaluate_train": 10})


@pytest.fixture(name="server", scope="module")
def a_server():
    with Server("--cores", 2) as s:
        if not s.call("GET", "/v1/system").json["cgroups"]:
            pytest.skip("no memory cgroup can be made here: " + s.text())
        if os.geteuid() != 0:
            pytest.skip("only root may join a worker's cgroup")
        s.upload_table(rows=300)
        yield s


def running(server, job, known=()):
    """The process id of a job's worker, once it trains in its group."""
    pid = wait_for(lambda: [p for p in workers_of(server) if p not in known and group_of(p)])[0]
    assert job in group_of(pid)[0]
    return pid


def test_only_the_worker_without_memory_fails(server):
    whole = server.submit(large(3, seed=2))
    assert server.ended(whole)["status"] == "succeeded"
    victim = server.submit(large(100000))
    pid = running(server, victim)
    group, events = group_of(pid)
    other = server.submit(large(3, seed=2))
    other_group = group_of(running(server, other, known=[pid]))[0]
    assert other_group != group
    hog = subprocess.Popen([sys.executable, "-c", HOG, group, events])
    try:
        job = server.ended(victim)
    finally:
        hog.kill()
        hog.wait()
    assert (job["status"], job["stop_reason"], job["attempt"]) == ("failed", "memory", 1)
    assert job["error"]["code"] == "memory"
    assert "MiB" in job["error"]["detail"] and "batch_size" in job["error"]["detail"]
    assert server.ended(other)["status"] == "succeeded"
    assert shas(server, other) == shas(server, whole)
    wait_for(lambda: not os.path.exists(other_group))


def test_a_kill_by_hand_is_no_want_of_memory(server):
    job = server.submit(large(100000))
    pid = running(server, job)
    time.sleep(0.3)
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: server.call("GET", f"/v1/jobs/{job}").json["attempt"] == 2)
    running(server, job, known=[pid])
    server.call("POST", f"/v1/jobs/{job}/cancel")
    assert server.ended(job)["status"] == "cancelled"


def test_a_small_job_goes_without(server):
    job = server.submit(spec(100000000))
    pid = wait_for(lambda: workers_of(server))[0]
    assert group_of(pid) is None
    server.call("POST", f"/v1/jobs/{job}/cancel")
    assert server.ended(job)["status"] == "cancelled"


def test_groups_are_gone_with_their_server():
    with Server() as s:
        if not s.call("GET", "/v1/system").json["cgroups"]:
            pytest.skip("no memory cgroup can be made here")
        s.upload_table()
        s.submit(large(100000))
        worker = wait_for(lambda: [p for p in workers_of(s) if group_of(p)])[0]
        group = group_of(worker)[0]
        s.process.kill()
        s.process.wait()
        # A group has its process until somebody has waited for it: init, which may be late.
        wait_for(lambda: not os.path.exists(f"/proc/{worker}"))
        with s as again:
            assert not os.path.exists(os.path.dirname(group)), "left by the one that was killed"
            own = wait_for(lambda: [p for p in workers_of(again) if group_of(p)])[0]
            with contextlib.suppress(TypeError):  # it may end at any moment
                group = group_of(own)[0]
        assert not os.path.exists(os.path.dirname(group))
