"""A thousand subscribers of one job beside some that do not behave, and one connection too many.

Method: one thread reads them all as they become ready, takes the streams apart as they come, and
keeps of each only a hash of its stored events. Correctness is asserted, times only where a stream
that waited for a bad neighbour would show; tests/bench/subscribers.py measures them.
"""

import contextlib
import hashlib
import re
import selectors
import socket
import struct
import time

from ockserver import Server, is_problem, slow_spec, spec

OTHERS = 1000
TCP_REPAIR = 19  # linux/tcp.h: a socket in repair mode closes without a word


def connect(server, job, receive_bytes=None):
    client = socket.socket()
    if receive_bytes:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    client.settimeout(60)
    client.connect(("127.0.0.1", server.port))
    client.sendall((f"GET /v1/jobs/{job}/events HTTP/1.1\r\nHost: localhost\r\n"
                    "Accept: text/event-stream\r\nConnection: close\r\n\r\n").encode())
    return client


def subscribe(server, job):
    """One that is served; the server may still count a connection that has just been closed."""
    for _ in range(100):
        client = connect(server, job)
        if client.recv(12) == b"HTTP/1.1 200":
            return client
        client.close()
        time.sleep(0.05)
    raise AssertionError("not served")


class Subscriber:
    def __init__(self, client):
        self.client = client
        self.raw, self.text, self.in_body = b"", b"", False
        self.last, self.hash, self.whole = 0, hashlib.sha256(), False

    def take(self, data):
        self.raw += data
        if not self.in_body and b"\r\n\r\n" in self.raw:
            head, self.raw = self.raw.split(b"\r\n\r\n", 1)
            assert head.startswith(b"HTTP/1.1 200 "), head
            self.in_body = True
        while self.in_body and b"\r\n" in self.raw:
            size, rest = self.raw.split(b"\r\n", 1)
            count = int(size, 16)
            if len(rest) < count + 2:
                break
            self.whole = self.whole or count == 0
            self.text += rest[:count]
            self.raw = rest[count + 2:]
        *blocks, self.text = self.text.split(b"\n\n")
        for block in blocks:
            number = re.match(rb"id: (\d+)\n", block)
            if number:  # neither a heartbeat nor progress
                assert int(number[1]) == self.last + 1
                self.last += 1
                self.hash.update(block)


def read_all(subscribers):
    """Until every stream has ended; the time when the last one did."""
    ready = selectors.DefaultSelector()
    for subscriber in subscribers:
        subscriber.client.setblocking(False)
        ready.register(subscriber.client, selectors.EVENT_READ, subscriber)
    left, end = len(subscribers), time.time() + 120
    while left:
        assert time.time() < end, f"{left} streams have not ended"
        for key, _ in ready.select(1):
            data = key.data.client.recv(1 << 18)
            key.data.take(data)
            if key.data.whole or not data:
                ready.unregister(key.data.client)
                left -= 1
    return time.time()


def vanish(client):
    """Closes without telling the server; without the right to do so, by a reset."""
    try:
        client.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    except OSError:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def subscribers_of(server):
    text = server.call("GET", "/metrics").data.decode()
    return int(re.search(r"^ockham_event_subscribers (\d+)$", text, re.M)[1])


def wait_until(condition, seconds):
    end = time.time() + seconds
    while not condition():
        assert time.time() < end, f"not within {seconds} s"
        time.sleep(0.2)


def test_a_thousand_get_everything_whatever_the_others_do():
    with Server() as server:
        server.upload_table()
        job = server.submit(spec(600, hidden=(256, 256)))
        bad = [connect(server, job, receive_bytes=4096) for _ in range(10)]
        subscribers = [Subscriber(connect(server, job)) for _ in range(OTHERS)]
        [vanish(client) for client in bad[:5]]
        begin = time.time()
        read_all(subscribers)
        events = server.events(job)
        assert events[-1]["type"] == "end" and len(events) > 600
        assert {s.last for s in subscribers} == {len(events)}
        assert len({s.hash.digest() for s in subscribers}) == 1
        assert all(s.whole for s in subscribers)
        [s.client.close() for s in subscribers]
        # Five have never read a byte. They are let go 30 s after the last one that they took.
        wait_until(lambda: subscribers_of(server) <= 5, 30)
        there = subscribers_of(server)
        assert there == 5 or time.time() - begin > 30, "let go too early"
        wait_until(lambda: subscribers_of(server) == 0, 60)
        [client.close() for client in bad[5:]]


def test_those_who_vanish_from_a_quiet_stream_are_noticed():
    """The first heartbeat meets nobody, the second one (30 s at most) finds that out."""
    with Server() as server:
        server.upload_table()
        job = server.submit(slow_spec())
        server.call("POST", f"/v1/jobs/{job}/pause")
        wait_until(lambda: server.call("GET", f"/v1/jobs/{job}").json["status"] == "paused", 60)
        clients = [subscribe(server, job) for _ in range(20)]
        wait_until(lambda: subscribers_of(server) == 20, 20)
        [vanish(client) for client in clients]
        wait_until(lambda: subscribers_of(server) == 0, 60)


def test_one_connection_too_many_is_told_so():
    with Server("--connections", 20) as server:
        server.upload_table()
        job = server.submit(slow_spec())
        clients = [subscribe(server, job) for _ in range(20)]
        for _ in range(200):  # more than the few that are kept free for this answer
            answer = server.call("GET", "/v1/jobs", timeout=30)
            is_problem(answer, 503, "too_many_connections")
            assert answer.headers["Retry-After"] == "5"
            assert answer.headers["Connection"] == "close"
        probe = server.call("GET", "/readyz")
        assert probe.status == 200 and probe.headers["Connection"] == "close"
        # Those who say nothing do not keep the place for long, so that nobody waits without an end.
        silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(100)]
        is_problem(server.call("GET", "/v1/jobs", timeout=40), 503)
        [client.close() for client in silent]
        clients.pop().close()

        def is_free():
            with contextlib.suppress(OSError):
                return server.call("GET", "/v1/jobs").status == 200

        wait_until(is_free, 60)  # the server sees it when it sends
        [client.close() for client in clients]
