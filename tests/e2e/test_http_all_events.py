"""GET /v1/events: every job's events over one connection.

Method: what the stream of all jobs tells is compared with each job's own stream, by bytes but for the
id line; ids have to grow, and no event but an epoch that a later one supersedes may be missing.
"""

import http.client
import json
import re
import socket
import sqlite3
import threading
import time

import pytest
from ockserver import Server, is_problem, slow_spec, spec


@pytest.fixture(scope="module")
def server():
    with Server() as s:
        s.upload_table()
        yield s


class Stream:
    """The stream of all jobs, read by a thread: blocks of (id or None, event, data) as they came."""

    def __init__(self, server, query="", **headers):
        self.connection = server.connect()
        self.connection.request("GET", "/v1/events" + query,
                                headers={k.replace("_", "-"): v for k, v in headers.items()})
        self.socket = self.connection.sock  # the answer takes it over
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200
        self.blocks, self.times = [], []
        self.first = self.answer.readline() + self.answer.readline()
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        block = b""
        try:
            for line in self.answer:
                block += line
                if line == b"\n":
                    self.take(block.decode())
                    block = b""
        except (OSError, ValueError, http.client.HTTPException, AttributeError):
            pass

    def take(self, block):
        fields = dict(re.findall(r"^(id|event|data): (.*)$", block, re.M))
        if "data" in fields:
            self.times.append(time.time())
            self.blocks.append((int(fields["id"]) if "id" in fields else None, fields["event"],
                                fields["data"]))

    def wait(self, told, timeout=120):
        """Until told(event, object) was true of an event."""
        end, at = time.time() + timeout, 0
        while time.time() < end:
            while at < len(self.blocks):
                _, event, data = self.blocks[at]
                at += 1
                if told(event, json.loads(data)):
                    return
            time.sleep(0.01)
        raise AssertionError(f"not told within {timeout} s: {self.blocks[-3:]}")

    def wait_ends(self, *jobs, timeout=120):
        for job in jobs:
            self.wait(lambda event, body: event == "end" and body["job"] == job, timeout)

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)  # wakes the thread up
        self.thread.join()
        self.connection.close()


def own_blocks(server, job):
    """The same of a job's own stream, without ids."""
    text = server.call("GET", f"/v1/jobs/{job}/events").data.decode()
    return [re.search(r"event: (.*)\ndata: (.*)$", block).groups()
            for block in text.split("\n\n") if "data: " in block]


def check_against_own(server, blocks, jobs):
    """All that the jobs have told is in blocks, in their order, but for superseded epochs."""
    ids = [b[0] for b in blocks if b[0] is not None]
    assert ids == sorted(set(ids)), "ids grow"
    for job in jobs:
        mine = [(event, data) for number, event, data in blocks
                if number is not None and json.loads(data).get("job") == job]
        want = own_blocks(server, job)
        left = iter(want)
        assert all(block in left for block in mine), "same bytes in the same order"
        missing = [json.loads(d) for e, d in want if (e, d) not in mine]
        assert {e["type"] for e in missing} <= {"epoch"}
        told = [json.loads(d)["epoch"] for e, d in mine if e == "epoch"]
        epochs = [json.loads(d)["epoch"] for e, d in want if e == "epoch"]
        assert not epochs or told[-1] == epochs[-1], "the latest wins"


def newest(server):
    return server.call("GET", "/v1/jobs?limit=1").json["events_after"]


def test_many_jobs_at_once(server):
    stream = Stream(server)
    assert stream.first == b"retry: 3000\n\n"
    assert stream.answer.headers["Content-Type"] == "text/event-stream"
    assert stream.answer.headers["X-Accel-Buffering"] == "no"
    assert stream.answer.headers["Cache-Control"] == "no-store"
    assert stream.answer.headers["Vary"] == "Accept"
    jobs = [server.submit(spec(5)) for _ in range(20)]
    stream.wait_ends(*jobs)
    stream.close()
    check_against_own(server, stream.blocks, jobs)
    # From now: nothing of before.
    assert {json.loads(data)["job"] for _, _, data in stream.blocks} == set(jobs)


def test_list_leads_into_the_stream_without_gap_or_double(server):
    """Some jobs have ended when the list is taken, some run, some wait."""
    jobs = [server.submit(spec(1500)) for _ in range(6)]
    server.ended(jobs[0])
    listed = server.call("GET", "/v1/jobs?limit=100").json
    seqs = {}
    with sqlite3.connect(f"file:{server.directory}/ockham.db?mode=ro", uri=True) as store:
        for job in jobs:
            seqs[job] = store.execute(
                "SELECT count(*) FROM events WHERE id <= ? AND job = (SELECT number FROM jobs"
                " WHERE id = ?)", (listed["events_after"], job)).fetchone()[0]
    stream = Stream(server, f"?after={listed['events_after']}")
    states = {j["id"]: j["status"] for j in listed["items"]}
    stream.wait_ends(*(job for job in jobs if states[job] in ("queued", "running")))
    stream.close()
    assert {states[job] for job in jobs} >= {"succeeded", "queued"}
    for job in jobs:
        told = [json.loads(d) for _, _, d in stream.blocks if json.loads(d)["job"] == job]
        stored = [e for e in told if "seq" in e]
        if states[job] == "succeeded":
            assert not told
        elif states[job] == "queued":
            assert stored[0]["seq"] == seqs[job] + 1 == 2 and stored[0]["status"] == "running"
        else: # superseded epochs may be left out
            assert stored[0]["seq"] == seqs[job] + 1 or stored[0]["type"] == "epoch"


def test_replay_and_precedence(server):
    begin = newest(server)
    job = server.submit(spec(3))
    server.ended(job)
    for query, headers in ((f"?after={begin}", {}), ("", {"Last_Event_ID": str(begin)}),
                           ("?after=1", {"Last_Event_ID": str(begin)})):
        stream = Stream(server, query, **headers)
        stream.wait_ends(job)
        stream.close()
        check_against_own(server, stream.blocks, [job])
        assert stream.blocks[0][0] == begin + 1
        assert {json.loads(d)["job"] for _, _, d in stream.blocks} == {job}
    middle = stream.blocks[2][0]
    stream = Stream(server, Last_Event_ID=str(middle))
    stream.wait_ends(job)
    stream.close()
    assert stream.blocks[0][0] > middle


def test_ndjson_tells_the_same(server):
    begin = newest(server)
    connection = server.connect()
    connection.request("GET", f"/v1/events?format=ndjson&after={begin}")
    answer = connection.getresponse()
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    stream = Stream(server, f"?after={begin}")
    job = server.submit(spec(3))
    lines = []
    while not lines or json.loads(lines[-1])["type"] != "end":
        line = answer.readline().strip()
        if line:
            lines.append(line.decode())
    stream.wait_ends(job)
    stream.close()
    connection.close()
    own = [data for _, data in own_blocks(server, job)]
    left = iter(own)
    assert all(line in left for line in lines if '"seq":' in line)
    assert [d for _, _, d in stream.blocks if '"seq":' in d][-1] == lines[-1]


def test_epochs_are_paced_and_the_latest_wins(server):
    """Thousands of epochs a second: four a second are told, and the last one."""
    stream = Stream(server)
    job = server.submit(spec(20000, hidden=(4,)))
    stream.wait_ends(job)
    stream.close()
    stored = [json.loads(d)["epoch"] for e, d in own_blocks(server, job) if e == "epoch"]
    told = [(t, json.loads(d)["epoch"]) for t, (_, e, d) in zip(stream.times, stream.blocks)
            if e == "epoch"]
    seconds = told[-1][0] - told[0][0]
    assert len(stored) > 500 and told[-1][1] == stored[-1]
    assert len(told) <= 4 * seconds + 2, (len(told), seconds)
    check_against_own(server, stream.blocks, [job])


def test_deletions_are_told(server):
    job = server.submit(spec(1))
    server.ended(job)
    begin = newest(server)
    stream = Stream(server)
    assert server.call("DELETE", f"/v1/jobs/{job}").status == 204
    assert newest(server) == begin + 1, "a deletion has an id of its own"
    stream.wait(lambda event, body: event == "deleted")
    stream.close()
    number, event, data = stream.blocks[-1]
    assert number == begin + 1 and event == "deleted"
    assert json.loads(data).keys() == {"type", "job", "time"} and json.loads(data)["job"] == job
    # It is replayed, and the deleted job's own events are not.
    again = Stream(server, f"?after={begin - 2}")
    again.wait(lambda event, body: event == "deleted")
    again.close()
    assert again.blocks == [stream.blocks[-1]]
    # One that cannot be deleted is not told.
    running = server.submit(slow_spec())
    is_problem(server.call("DELETE", f"/v1/jobs/{running}"), 409)
    server.call("POST", f"/v1/jobs/{running}/cancel")
    server.ended(running)


def test_other_names_and_labels_are_told(server):
    """Not among the job's own events, which are about its training."""
    job = server.submit(spec(1))
    server.ended(job)
    begin = newest(server)
    stream = Stream(server)
    own = server.events(job)
    assert server.call("PATCH", f"/v1/jobs/{job}", {"name": "rose", "labels": {"team": "a"}}).status == 200
    stream.wait(lambda event, body: event == "changed")
    is_problem(server.call("PATCH", f"/v1/jobs/{job}", {"name": 7}), 422)
    is_problem(server.call("PATCH", "/v1/jobs/job_none", {"name": "x"}), 404)
    assert newest(server) == begin + 1, "what is refused is not told"
    stream.close()
    number, event, data = stream.blocks[-1]
    assert number == begin + 1 and event == "changed"
    assert json.loads(data).keys() == {"type", "job", "time"} and json.loads(data)["job"] == job
    assert server.events(job) == own


def test_progress_comes_without_an_id(server):
    """Epochs of a minute and more, so that progress comes whatever the machine; then enough is seen."""
    stream = Stream(server)
    long_epochs = spec(1, hidden=(2048, 2048))
    long_epochs["data"] = {"dataset": "long"}
    long_epochs["train"]["batch_size"] = 1
    long_epochs["optimizer"]["lr"] = 1e-4
    server.upload_table("long", rows=20000)
    job = server.submit(long_epochs)
    stream.wait(lambda event, body: event == "progress", timeout=120)
    server.call("POST", f"/v1/jobs/{job}/cancel")
    stream.wait_ends(job, timeout=120)
    stream.close()
    assert stream.blocks[-1][1] == "end"
    for number, event, data in stream.blocks:
        assert (number is None) == (event == "progress") == ("seq" not in json.loads(data))


def test_questions_that_are_wrong(server):
    assert server.call("HEAD", "/v1/events", timeout=30).status == 200
    is_problem(server.call("GET", "/v1/events?after=x"), 400)
    is_problem(server.call("GET", "/v1/events?format=json"), 400)
    is_problem(server.call("GET", "/v1/events?limit=3"), 400)
    for bad in ("x", "-1", "1.5", "9" * 30):
        is_problem(server.call("GET", "/v1/events", headers={"Last-Event-ID": bad}), 400)
    is_problem(server.call("GET", "/v1/events", headers={"Accept": "application/json"}), 406)
    answer = server.call("POST", "/v1/events", "{}")
    is_problem(answer, 405)
    assert answer.headers["Allow"] == "GET, HEAD"


def test_reset_beyond_the_replay_and_beyond_the_store(server):
    """Ids are counted, so a store with a gap of 10,001 numbers stands for as many events."""
    with Server() as own:
        own.upload_table()
        job = own.submit(spec(1))
        own.ended(job)
        own.stop()
        with sqlite3.connect(f"{own.directory}/ockham.db") as store:
            last = store.execute("SELECT max(id) FROM events").fetchone()[0]
            store.execute("UPDATE events SET id = id + 10001 WHERE id = ?", (last,))
        with own:
            now = newest(own)
            assert now == last + 10001
            for distance in (-now + 1, -10001, 1, 10**17):
                stream = Stream(own, Last_Event_ID=str(now + distance))
                stream.wait(lambda event, body: event == "reset")
                reset = {"type": "reset", "events_after": now}
                assert (stream.blocks[0][0], json.loads(stream.blocks[0][2])) == (now, reset)
                later = own.submit(spec(1))
                stream.wait_ends(later)
                stream.close()
                assert stream.blocks[1][0] == now + 1
                check_against_own(own, stream.blocks[1:], [later])
                now = newest(own)
            stream = Stream(own, f"?after={now - 10000}")
            stream.wait_ends(later)
            stream.close()
            assert "reset" not in {event for _, event, _ in stream.blocks}


def test_goes_on_behind_a_restart(server):
    """The server ends under the stream, which closes; the next one has the rest, and nothing twice."""
    with Server() as own:
        own.upload_table()
        first = own.submit(spec(2))
        stream = Stream(own, "?after=0")
        stream.wait_ends(first)
        slow = own.submit(slow_spec())
        stream.wait(lambda event, body: event == "state" and body["job"] == slow)
        code, seconds = own.stop()
        assert code == 0 and seconds < 10
        stream.thread.join(30)
        assert not stream.thread.is_alive(), "the stream closes"
        said = json.loads(stream.blocks[-1][2])
        assert (said["status"], said["reason"]) == ("queued", "server_stopped"), said
        last = max(number for number, _, _ in stream.blocks if number)
        with own:
            again = Stream(own, Last_Event_ID=str(last))
            own.call("POST", f"/v1/jobs/{slow}/cancel")
            again.wait_ends(slow)
            again.close()
            check_against_own(own, stream.blocks + again.blocks, [first, slow])
