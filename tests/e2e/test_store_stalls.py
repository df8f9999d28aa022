"""A store that does not commit for seconds: nothing is told before it is stored, no worker starts
on top of what is not, and readers go on.

Method: the test holds SQLite's write lock on the server's store, as a stalled disk would.
"""

import contextlib
import sqlite3
import subprocess
import threading
import time

import pytest

from ockserver import Server, spec


@pytest.fixture
def server():
    with Server("--cores", "1") as s:
        s.upload_table()
        yield s


@contextlib.contextmanager
def stalled(server):
    """Shorter than the 5 s after which the server's own transaction is tried again."""
    with contextlib.closing(sqlite3.connect(server.directory + "/ockham.db",
                                            isolation_level=None)) as store:
        store.execute("PRAGMA busy_timeout=5000")
        store.execute("BEGIN IMMEDIATE")
        yield
        store.execute("ROLLBACK")


def workers(server):
    listing = subprocess.run(["ps", "-o", "args=", "--ppid", str(server.process.pid)],
                             capture_output=True, text=True, check=False).stdout
    return [line for line in listing.splitlines() if " train " in line]


def wait_until(look, what, seconds=60):
    end = time.time() + seconds
    while not look():
        assert time.time() < end, what
        time.sleep(0.01)


def act(server, job, action, answers):
    """In a thread of its own: the status goes to answers."""
    def call():
        answers.append(server.call("POST", f"/v1/jobs/{job}/{action}").status)

    thread = threading.Thread(target=call)
    thread.start()
    return thread


def running_job(server):
    """Tells hundreds of epochs a second."""
    endless = spec(1000000, hidden=(64, 64))
    endless["train"]["report_every"] = 1
    job = server.submit(endless)
    wait_until(lambda: server.call("GET", f"/v1/jobs/{job}").json["latest"], "an epoch")
    return job


def test_no_worker_starts_before_the_last_ones_events_are_stored(server):
    """It would be confirmed lines that are not its own, and a crash would lose those of its own."""
    job = running_job(server)
    answers = []
    with stalled(server):
        threads = [act(server, job, "pause", answers)]
        wait_until(lambda: not workers(server), "the worker has not left")
        threads.append(act(server, job, "resume", answers))
        time.sleep(1)
        assert not workers(server)
    [thread.join() for thread in threads]
    assert answers == [202, 202]
    wait_until(lambda: workers(server), "the job does not go on")
    server.process.kill()
    server.process.wait()
    with server:
        server.call("POST", f"/v1/jobs/{job}/stop")
        wait_until(lambda: server.call("POST", f"/v1/jobs/{job}/stop").status in (202, 409), "stop")
        assert server.ended(job)["status"] == "succeeded"
        events = server.events(job)
        assert [e["seq"] for e in events] == list(range(1, len(events) + 1))
        told = [e["epoch"] for e in events if e["type"] == "epoch"]
        assert told == list(range(1, len(told) + 1))


def test_what_is_so_already_is_not_told_before_it_is_stored(server):
    """Else a client that asks twice is told of a pause that a crash forgets."""
    running_job(server)  # has the only core
    waiting = server.submit(spec(2))
    answers = []
    with stalled(server):
        threads = [act(server, waiting, action, answers) for action in ("pause", "pause")]
        time.sleep(2)
        assert not answers
    [thread.join() for thread in threads]
    assert sorted(answers) in ([200, 202], [202, 202])


def test_readers_go_on(server):
    jobs = [server.submit(spec(1000000, hidden=(64, 64))) for _ in range(20)]
    answers = []
    with stalled(server):
        threads = [act(server, job, "pause", answers) for job in jobs]
        time.sleep(0.3)
        for path in ("/v1/jobs", f"/v1/jobs/{jobs[0]}", "/v1/system",
                     f"/v1/jobs/{jobs[0]}/events?format=json"):
            assert server.call("GET", path, timeout=30).status == 200, path
        assert not answers
    [thread.join() for thread in threads]
    assert set(answers) == {202}
