"""The end: SIGTERM with everything under way ends in 0 within 10 s, and nothing is lost.

Method: streams, long polls, idle and half-sent requests are open when the signal comes; then the
same data directory again.
"""

import json
import signal
import socket
import threading
import time

from ockserver import Server, slow_spec, spec


def test_sigterm_with_everything_open():
    with Server() as s:
        s.upload_table()
        job = s.submit(slow_spec())
        streams = []
        for accept in ("text/event-stream", "application/x-ndjson"):
            for _ in range(20):
                connection = s.connect()
                connection.request("GET", f"/v1/jobs/{job}/events", headers={"Accept": accept})
                streams.append(connection.getresponse())
        polls = []
        threads = [threading.Thread(target=lambda: polls.append(
            s.call("GET", f"/v1/jobs/{job}?wait=50"))) for _ in range(5)]
        [t.start() for t in threads]
        idle = socket.create_connection(("127.0.0.1", s.port))
        half = socket.create_connection(("127.0.0.1", s.port))
        half.sendall(b"PUT /v1/datasets/half HTTP/1.1\r\nHost: localhost\r\n"
                     b"Content-Length: 1000\r\n\r\na,b\n")
        time.sleep(0.3)
        ends = []
        readers = [threading.Thread(target=lambda r=r: ends.append(r.read())) for r in streams]
        [t.start() for t in readers]
        code, seconds = s.stop()
        [t.join(30) for t in threads + readers]
        assert code == 0 and seconds < 10, (code, seconds, s.text()[-2000:])
        assert len(polls) == 5 and {p.status for p in polls} == {200}
        assert len(ends) == 40
        idle.close()
        half.close()
        with s as again:
            got = again.call("GET", f"/v1/jobs/{job}").json
            assert got["status"] in ("queued", "running"), got
            assert again.call("GET", "/v1/datasets/half").status == 404
            again.call("POST", f"/v1/jobs/{job}/cancel")
            again.ended(job)


def test_streams_go_on_after_a_restart():
    with Server() as s:
        s.upload_table()
        job = s.submit(spec(400, hidden=(256, 256)))
        connection = s.connect()
        connection.request("GET", f"/v1/jobs/{job}/events?format=ndjson")
        answer = connection.getresponse()
        first = [json.loads(answer.readline()) for _ in range(5)]
        assert s.stop()[0] == 0
        first += [json.loads(line) for line in answer.read().splitlines() if line.strip()]
        first = [e for e in first if "seq" in e]
        with s as again:
            rest = again.events(job, **{"Last-Event-ID": str(first[-1]["seq"])})
        rest = [e for e in rest if "seq" in e]
        assert [e["seq"] for e in first + rest] == list(range(1, rest[-1]["seq"] + 1))
        assert [e["epoch"] for e in first + rest if e["type"] == "epoch"] == list(range(1, 401))


def test_jobs_are_requeued_whatever_else_is_under_way():
    """An import that takes long must not keep the jobs from their checkpoints; streams hear of it."""
    lines = "".join(f"{i},{i % 7},{i % 11}.5,{i * 3},{i % 3}\n" for i in range(200000))
    body = "a,b,c,d,label\n" + 30 * lines
    with Server() as s:
        s.upload_table()
        job = s.submit(slow_spec())
        connection = s.connect()
        connection.request("GET", f"/v1/jobs/{job}/events?format=ndjson")
        stream = connection.getresponse()
        while json.loads(stream.readline() or "{}").get("type") != "epoch":
            pass
        answers = []

        def put():
            try:
                answers.append(s.call("PUT", "/v1/datasets/big?target=label", body,
                                      {"Content-Type": "text/csv"}).status)
            except Exception as error:  # it may be cut off while it is sent
                answers.append(type(error).__name__)

        putter = threading.Thread(target=put)
        putter.start()
        time.sleep(1.5)
        code, seconds = s.stop()
        putter.join(60)
        assert code == 0 and seconds < 10, (code, seconds, s.text()[-2000:])
        assert answers != [202], answers
        told = [json.loads(line) for line in stream.read().splitlines() if line.strip()]
        states = [e for e in told if e["type"] == "state"]
        assert [(e["status"], e["reason"]) for e in states] == [("queued", "server_stopped")], told[-3:]
        with s as again:
            got = again.call("GET", f"/v1/jobs/{job}").json
            assert got["status"] in ("queued", "running") and got["attempt"] == 1, got
            again.call("POST", f"/v1/jobs/{job}/cancel")
            again.ended(job)


def test_a_second_signal_ends_at_once():
    with Server() as s:
        s.process.send_signal(signal.SIGINT)
        s.process.send_signal(signal.SIGTERM)
        assert s.process.wait(15) in (0, 130)


def test_idle_server_stops_at_once():
    """What else the machine does only adds to it, so the best of a few counts."""
    took = []
    while len(took) < 5 and not (took and min(took) < 2):
        with Server() as s:
            code, seconds = s.stop()
            assert code == 0
            took.append(seconds)
    assert min(took) < 2, took


def test_nobody_gets_in_while_it_ends():
    """A half-sent request holds the end up; whoever comes then is refused, not left waiting."""
    with Server() as s:
        half = socket.create_connection(("127.0.0.1", s.port), 10)
        half.sendall(b"PUT /v1/datasets/half HTTP/1.1\r\nHost: localhost\r\n"
                     b"Expect: 100-continue\r\nContent-Length: 1000\r\n\r\n")
        assert half.recv(100).startswith(b"HTTP/1.1 100"), "the request is under way"
        s.process.send_signal(signal.SIGTERM)
        refused = False
        while not refused and s.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", s.port), 10).close()
            except ConnectionResetError:
                pass  # it was in the queue of the socket that was just closed
            except ConnectionRefusedError:
                refused = s.process.poll() is None
        assert refused and s.process.wait(15) == 0, s.text()[-2000:]
        half.close()


def test_sigterm_while_a_large_file_is_imported():
    """Whatever moment it hits: the end comes in time, and what was answered with 201 is there."""
    lines = "".join(f"{i},{i % 7},{i % 11}.5,{i * 3},{i % 3}\n" for i in range(100000))
    body = "a,b,c,d,label\n" + 20 * lines
    with Server() as s:
        answers = []

        def put():
            try:
                answers.append(s.call("PUT", "/v1/datasets/big?target=label", body,
                                      {"Content-Type": "text/csv"}).status)
            except OSError:
                answers.append(None)
            except Exception as error:  # http.client's own, for an answer that was cut off
                answers.append(type(error).__name__)

        putter = threading.Thread(target=put)
        putter.start()
        time.sleep(0.6)
        code, seconds = s.stop()
        putter.join(60)
        assert code == 0 and seconds < 10, (code, seconds, s.text()[-2000:])
        with s as again:
            answer = again.call("GET", "/v1/datasets/big")
            if answers == [201]:
                assert answer.status == 200 and answer.json["status"] == "ready"
            else:
                assert answer.status == 404 or answer.json["status"] in ("ready", "preparing")
