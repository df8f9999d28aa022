"""Orphans: after `kill -9` of the server its workers are gone within 2 s, whatever they do, and the
next server brings every job to the end that an undisturbed run has.

Method: jobs whose time goes into one thing (minibatches, the evaluation after an epoch), workers
found by process id, one server killed, another started in the same directory.
"""

import os
import random
import signal
import time

import pytest

from mortal import waited_s
from ockserver import Server, spec

WAIT_S = 60


def table(rows, seed):
    rnd = random.Random(seed)
    lines = ["a,b,c,species"]
    for i in range(rows):
        cells = [f"{rnd.gauss(2.0 * (i % 3 == j), 1):.3f}" for j in range(3)]
        lines.append(",".join(cells) + "," + ("red", "green", "blue")[i % 3])
    return "\n".join(lines) + "\n"


def upload(server, name, rows, seed):
    answer = server.call("PUT", f"/v1/datasets/{name}?target=species", table(rows, seed),
                         {"Content-Type": "text/csv"})
    assert answer.status in (200, 201), answer.data


def workers_of(server):
    """Process ids of the server's workers."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/cmdline", "rb") as file:
                words = file.read().split(b"\0")
        except OSError:
            continue
        if words[0] == b"ockham-worker" and words[2].startswith(server.directory.encode()):
            found.append(int(name))
    return found


def wait_for(what, timeout=WAIT_S):
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError(f"{what} not within {timeout} s")


def cpu_s(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def kill_server(server):
    server.process.send_signal(signal.SIGKILL)
    server.process.wait()


def seconds_until(what, pid):
    """What the process takes until what() is true, without its waits for a core."""
    begin, before, waits = time.monotonic(), waited_s(pid), [0.0]

    def look():
        waits.append(waited_s(pid) - before)
        return what()

    wait_for(look)
    return time.monotonic() - begin - max(waits)


def of_evaluation():
    """A few minibatches, then five seconds of measuring on a core of 2025."""
    return spec(1, hidden=[4096, 1024], data={"dataset": "few", "validation": {"dataset": "many"}},
                optimizer={"lr": 0.01})


def of_minibatches():
    return spec(1, hidden=[512, 512], data={"dataset": "many"})


def shas(server, job):
    events = server.events(job)
    assert [e["seq"] for e in events] == list(range(1, len(events) + 1))
    epochs = [(e["epoch"], e["weights_sha256"]) for e in events if e["type"] == "epoch"]
    return epochs, events[-1].get("state_sha256")


@pytest.mark.parametrize("make", [of_evaluation, of_minibatches])
def test_an_orphan_is_gone_within_two_seconds(make):
    with Server() as s:
        upload(s, "few", 60, 1)
        upload(s, "many", 120000, 2)
        whole = s.submit(make())
        assert s.ended(whole)["status"] == "succeeded"
        job = s.submit(make())
        pid = wait_for(lambda: workers_of(s))[0]
        wait_for(lambda: cpu_s(pid) > 1)
        kill_server(s)
        gone_s = seconds_until(lambda: not workers_of(s), pid)
        assert gone_s < 2.0, gone_s
        assert os.path.exists(f"{s.directory}/jobs/{job}/checkpoint")
        with s as again:
            answer = again.ended(job)
            assert answer["status"] == "succeeded" and answer["attempt"] == 2
            assert shas(again, job) == shas(again, whole)


def test_a_pause_in_an_evaluation_is_prompt():
    with Server() as s:
        upload(s, "few", 60, 1)
        upload(s, "many", 120000, 2)
        whole = s.submit(of_evaluation())
        begin = time.monotonic()
        assert s.ended(whole)["status"] == "succeeded"
        undisturbed_s = time.monotonic() - begin
        job = s.submit(of_evaluation())
        pid = wait_for(lambda: workers_of(s))[0]
        wait_for(lambda: cpu_s(pid) > 1)
        s.call("POST", f"/v1/jobs/{job}/pause")
        paused_s = seconds_until(
            lambda: s.call("GET", f"/v1/jobs/{job}").json["status"] == "paused", pid)
        assert paused_s < undisturbed_s / 4, (paused_s, undisturbed_s)
        s.call("POST", f"/v1/jobs/{job}/resume")
        assert s.ended(job)["status"] == "succeeded"
        assert shas(s, job) == shas(s, whole)
