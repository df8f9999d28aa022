"""Events: SSE, NDJSON and pages; replay, live, slow and many readers, heartbeats, the end.

Method: one job's events read in every way must be the same objects; times are judged against the
job's own.
"""

import json
import socket
import threading
import time

import pytest
from ockserver import Server, drain, is_problem, slow_spec, spec, sse, unchunked


@pytest.fixture(scope="module")
def server():
    with Server() as s:
        s.upload_table()
        yield s


@pytest.fixture(scope="module")
def job(server):
    job = server.submit(spec(12))
    server.ended(job)
    return job


def get(server, job, accept=None, query="", **headers):
    if accept:
        headers["Accept"] = accept
    return server.call("GET", f"/v1/jobs/{job}/events{query}",
                       headers={k.replace("_", "-"): v for k, v in headers.items()})


def test_all_formats_tell_the_same(server, job):
    lines = server.events(job)
    assert [e["seq"] for e in lines] == list(range(1, len(lines) + 1))
    assert [e["epoch"] for e in lines if e["type"] == "epoch"] == list(range(1, 13))
    assert lines[-1]["type"] == "end" and {e["job"] for e in lines} == {job}
    stream = sse(get(server, job, "text/event-stream").data)
    assert [e[2] for e in stream] == lines
    assert [e[0] for e in stream] == [e["seq"] for e in lines]
    assert [e[1] for e in stream] == [e["type"] for e in lines]
    pages, after = [], 0
    while after is not None:
        page = get(server, job, "application/json", f"?limit=4&after={after}").json
        pages += page["items"]
        after = page["next"]
    assert pages == lines and page["ended"] is True


def test_formats_and_fields(server, job):
    for accept, query, kind in ((None, "", "text/event-stream"), ("*/*", "", "text/event-stream"),
                                ("text/*", "", "text/event-stream"),
                                ("application/x-ndjson", "", "application/x-ndjson"),
                                ("application/json", "", "application/json"),
                                ("application/json;q=0.5, application/x-ndjson", "",
                                 "application/x-ndjson"),
                                ("text/html", "?format=ndjson", "application/x-ndjson"),
                                ("text/event-stream", "?format=json", "application/json"),
                                (None, "?format=sse", "text/event-stream")):
        answer = get(server, job, accept, query)
        assert (answer.status, answer.headers["Content-Type"]) == (200, kind), (accept, query)
        assert answer.headers["Vary"] == "Accept"
        assert answer.headers["Cache-Control"] == "no-store"
        if kind != "application/json":
            assert answer.headers["X-Accel-Buffering"] == "no"
    assert get(server, job, "text/event-stream").data.startswith(b"retry: 3000\n\n")
    is_problem(get(server, job, "image/png"), 406)


def test_replay(server, job):
    lines = server.events(job)
    last = lines[-1]["seq"]
    for after in (1, 5, last - 1):
        ids = [e[0] for e in sse(get(server, job, Last_Event_ID=str(after)).data)]
        assert ids == list(range(after + 1, last + 1))
        assert ids == [e[0] for e in sse(get(server, job, query=f"?after={after}").data)]
    # An EventSource comes back with its old query and a newer field: the field counts.
    ids = [e[0] for e in sse(get(server, job, query="?after=1", Last_Event_ID="7").data)]
    assert ids[0] == 8
    for after in (last, last + 1, 10**17):
        assert get(server, job, Last_Event_ID=str(after)).status == 204
        assert get(server, job, "application/x-ndjson", f"?after={after}").status == 204
    for bad in ("x", "-1", "1.5", "0x1", " ", "9" * 30):
        answer = get(server, job, Last_Event_ID=bad)
        assert answer.status == (200 if not bad.strip() else 400), bad
    is_problem(get(server, job, query="?after=x"), 400)


def test_head_does_not_hang(server):
    job = server.submit(slow_spec())
    answer = server.call("HEAD", f"/v1/jobs/{job}/events", timeout=30)
    assert answer.status == 200 and answer.headers["Content-Type"] == "text/event-stream"
    server.call("POST", f"/v1/jobs/{job}/cancel")
    server.ended(job)


def test_a_stream_is_live(server):
    """An epoch is read while the job, which would take minutes, goes on."""
    body = json.dumps(slow_spec())
    connection = server.connect()
    connection.request("POST", "/v1/jobs?stream=true", body, {"Accept": "text/event-stream"})
    answer = connection.getresponse()
    assert answer.status == 200 and answer.headers["Location"].startswith("/v1/jobs/job_")
    path = answer.headers["Location"]
    while not answer.readline().startswith(b"event: epoch"):
        assert not answer.isclosed()
    assert server.call("GET", path).json["status"] == "running"
    assert server.call("POST", path + "/stop").status == 202
    assert b"event: end" in answer.read()
    assert server.call("GET", path).json["status"] == "succeeded"


@pytest.mark.parametrize("accept,query,kind", [
    ("application/x-ndjson", "", "application/x-ndjson"),
    ("text/event-stream", "", "text/event-stream"),
    (None, "?stream=true", "text/event-stream"),
    ("*/*", "?stream=1", "text/event-stream"),
])
def test_submit_and_stream(server, accept, query, kind):
    answer = server.call("POST", "/v1/jobs" + query, spec(2),
                         {"Accept": accept} if accept else {})
    assert (answer.status, answer.headers["Content-Type"]) == (200, kind)
    if kind.endswith("ndjson"):
        events = [json.loads(line) for line in answer.data.splitlines() if line.strip()]
    else:
        events = [e[2] for e in sse(answer.data)]
    stored = [e for e in events if e["type"] != "progress"]
    assert [e["seq"] for e in stored] == list(range(1, len(stored) + 1))
    assert sum(e["type"] == "epoch" for e in stored) == 2 and stored[-1]["type"] == "end"


def test_progress_has_no_id_and_is_not_stored(server):
    answer = server.call("POST", "/v1/jobs?stream=true", spec(200, hidden=(256, 256)),
                         {"Accept": "text/event-stream"})
    stream = sse(answer.data)
    for number, kind, body in stream:
        assert (number is None) == (kind == "progress") == ("seq" not in body)
    lines = server.events(stream[0][2]["job"])
    assert [e[2] for e in stream if e[0]] == lines


def test_a_client_that_leaves_ends_nothing(server):
    connection = server.connect()
    connection.request("POST", "/v1/jobs?stream=true", json.dumps(spec(30, hidden=(256, 256))))
    answer = connection.getresponse()
    path = answer.headers["Location"]
    answer.fp.readline()
    connection.close()
    done = server.call("GET", path + "?wait=50").json
    assert done["status"] == "succeeded" and done["latest"]["epoch"] == 30


def test_many_readers_of_one_job(server):
    """200 clients from its start; each gets everything, and nobody waits for them."""
    job = server.submit(slow_spec())
    request = (f"GET /v1/jobs/{job}/events HTTP/1.1\r\nHost: localhost\r\n"
               "Accept: text/event-stream\r\nConnection: close\r\n\r\n").encode()
    clients = [socket.create_connection(("127.0.0.1", server.port), timeout=60) for _ in range(200)]
    [s.sendall(request) for s in clients]
    texts = [None] * len(clients)

    def read(i):
        texts[i] = drain(clients[i])

    threads = [threading.Thread(target=read, args=(i,)) for i in range(len(clients))]
    [t.start() for t in threads]
    end = time.time() + 60
    while (server.call("GET", f"/v1/jobs/{job}").json["latest"] or {"epoch": 0})["epoch"] < 150:
        assert time.time() < end, "150 epochs"
        time.sleep(0.05)
    assert server.call("POST", f"/v1/jobs/{job}/stop").status == 202
    [t.join(60) for t in threads]
    [s.close() for s in clients]
    want = [str(e["seq"]).encode() for e in server.events(job)]
    for text in texts:
        ids = [line[4:] for line in unchunked(text).split(b"\n") if line.startswith(b"id: ")]
        assert ids == want


def test_a_slow_reader_slows_nobody(server):
    """It reads nothing while thousands of epochs go by; then it gets them all."""
    job = server.submit(spec(4000, hidden=(4,)))
    request = (f"GET /v1/jobs/{job}/events?format=ndjson HTTP/1.1\r\nHost: localhost\r\n"
               "Connection: close\r\n\r\n").encode()
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.settimeout(60)
        s.connect(("127.0.0.1", server.port))
        s.sendall(request)
        fast = server.events(job)
        assert fast[-1]["type"] == "end"
        body = unchunked(drain(s))
    assert body.count(b'"type":"epoch"') == sum(e["type"] == "epoch" for e in fast) > 1000


def test_deleting_a_job_ends_its_readers(server, job):
    doomed = server.submit(spec(1))
    server.ended(doomed)
    assert server.call("DELETE", f"/v1/jobs/{doomed}").status == 204
    is_problem(get(server, doomed), 404)


def test_heartbeats(server):
    """A paused job tells nothing for 15 s and more; comments keep the stream alive."""
    job = server.submit(slow_spec())
    server.call("POST", f"/v1/jobs/{job}/pause")
    end = time.time() + 60
    while server.call("GET", f"/v1/jobs/{job}").json["status"] != "paused":
        assert time.time() < end, "a paused job"
        time.sleep(0.05)
    connection = server.connect(timeout=40)
    connection.request("GET", f"/v1/jobs/{job}/events")
    answer = connection.getresponse()
    begin, found = time.time(), False
    while not found and time.time() - begin < 25:
        found = answer.readline() == b": heartbeat\n"
    assert found and time.time() - begin < 25
    connection.close()
    server.call("POST", f"/v1/jobs/{job}/cancel")
    server.ended(job)


def test_metrics_history(server, job):
    answer = server.call("GET", f"/v1/jobs/{job}/metrics?names=train.data_loss&max_points=1000")
    assert answer.status == 200 and set(answer.json) == {"epoch", "train.data_loss"}
    assert answer.json["epoch"] == list(range(1, 13))
    losses = [e["train"]["data_loss"] for e in server.events(job) if e["type"] == "epoch"]
    assert answer.json["train.data_loss"] == losses
    for accept, query in (("text/csv", "?"), (None, "?format=csv&")):
        table = server.call("GET", f"/v1/jobs/{job}/metrics{query}names=train.data_loss",
                            headers={"Accept": accept} if accept else {})
        assert table.headers["Content-Type"].startswith("text/csv")
        rows = table.data.decode().split()
        assert rows[0] == "epoch,train.data_loss" and len(rows) == 13


def test_thinned_metrics_keep_first_last_and_best(server):
    """Never more points than asked for; the best takes its nearest neighbour's place."""
    overfits = spec(60, hidden=(64,))
    overfits["optimizer"]["lr"] = 2.0  # so that the best epoch is somewhere in the middle
    job = server.submit(overfits)
    best = server.ended(job)["best"]["epoch"]
    assert 1 < best < 60
    for points in (3, 4, 5, 7, 10, 30, 58, 59):
        thin = server.call("GET", f"/v1/jobs/{job}/metrics?max_points={points}").json["epoch"]
        assert len(thin) == points and thin == sorted(set(thin)), (points, thin)
        assert thin[0] == 1 and thin[-1] == 60 and best in thin, (points, best, thin)
    for points in (60, 61, 1000):
        thin = server.call("GET", f"/v1/jobs/{job}/metrics?max_points={points}").json["epoch"]
        assert thin == list(range(1, 61))
    assert server.call("GET", f"/v1/jobs/{job}/metrics?max_points=2").json["epoch"] == [1, 60]
