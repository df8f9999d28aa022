"""Helpers of the HTTP tests: a server of one's own on a free loopback port. Standard library only."""

import contextlib
import http.client
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def program():
    return os.environ.get("OCKHAM") or str(ROOT / "build" / "release" / "ockham")


def free_port():
    """One that is free and that the system gives to nobody who connects."""
    while True:
        port = random.SystemRandom().randrange(15000, 30000)
        with contextlib.suppress(OSError), socket.socket() as s:
            s.bind(("127.0.0.1", port))
            return port


class Server:
    """`ockham serve` with its own data directory; a context manager that ends it by SIGTERM."""

    def __init__(self, *arguments, listen=None, environment=None):
        self.directory = tempfile.mkdtemp(prefix="ockham-http-")
        self.log_path = self.directory + ".log"
        self.listen = listen or "127.0.0.1:{port}"
        self.command = [program(), "serve", "--listen", None, "--data-dir", self.directory,
                        *map(str, arguments)]
        self.take_port()
        self.environment = {**os.environ, **(environment or {})}
        self.environment.setdefault("OCKHAM_TOKEN", "")
        self.process = None

    def take_port(self):
        self.port = free_port()
        self.command[3] = self.listen.format(port=self.port)

    def __enter__(self):
        self.log = open(self.log_path, "ab")
        for _ in range(5):
            if self.launch():
                return self
            self.take_port()  # somebody was faster
        raise AssertionError(f"no port is free: {self.text()}")

    def launch(self):
        """Returns when it is ready; False: the port was taken, by a server that may answer as well."""
        begin, said = time.perf_counter(), len(self.text())
        self.process = subprocess.Popen(self.command, stdout=self.log, stderr=self.log,
                                        stdin=subprocess.DEVNULL, env=self.environment)
        while time.perf_counter() - begin < 60:
            if self.process.poll() is not None:
                if "Address already in use" in self.text()[said:]:
                    return False
                raise AssertionError(f"serve ended with {self.process.returncode}: {self.text()}")
            with contextlib.suppress(OSError):
                if self.listens(said) and self.call("GET", "/readyz").status == 200:
                    self.ready_s = time.perf_counter() - begin
                    return True
            time.sleep(0.003)
        self.process.kill()
        self.process.wait()
        raise AssertionError("serve is not ready after 60 s")

    def listens(self, said):
        return "listens on" in self.text()[said:]

    def __exit__(self, *_):
        try:
            if self.process.poll() is None:
                code, _ = self.stop()
                assert code == 0, f"serve ended with {code}: {self.text()[-4000:]}"
        finally:
            self.log.close()
            shutil.rmtree(self.directory, ignore_errors=True)
            with contextlib.suppress(OSError):
                os.unlink(self.log_path)

    def stop(self):
        """SIGTERM; the exit code and the seconds it took."""
        begin = time.perf_counter()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise AssertionError("serve has not ended 15 s after SIGTERM") from None
        return self.process.returncode, time.perf_counter() - begin

    def text(self):
        return Path(self.log_path).read_text(errors="replace")

    def connect(self, timeout=60):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def call(self, method, path, body=None, headers=None, timeout=60):
        return call(self.connect(timeout), method, path, body, headers)

    def raw(self, request, timeout=15, shut=False):
        """Sends bytes as they are and returns all that comes back until the server closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as s:
            with contextlib.suppress(OSError):  # the server may have had enough of it
                s.sendall(request)
                if shut:
                    s.shutdown(socket.SHUT_WR)
            return drain(s)

    def upload_table(self, name="flowers", rows=150, **query):
        """A small table whose classes can be told apart."""
        rnd = random.Random(7)
        lines = ["a,b,c,species"]
        for i in range(rows):
            k = i % 3
            cells = [f"{rnd.gauss(2.0 * (k == j), 0.5):.4f}" for j in range(3)]
            lines.append(",".join(cells) + "," + ("red", "green", "blue")[k])
        text = "&".join(f"{k}={v}" for k, v in {"target": "species", **query}.items())
        answer = self.call("PUT", f"/v1/datasets/{name}?{text}", "\n".join(lines) + "\n",
                           {"Content-Type": "text/csv"})
        assert answer.status in (200, 201), answer.data
        return answer

    def submit(self, spec):
        answer = self.call("POST", "/v1/jobs", spec)
        assert answer.status == 202, answer.data
        return answer.json["id"]

    def ended(self, job, timeout=300):
        end = time.time() + timeout
        while time.time() < end:
            answer = self.call("GET", f"/v1/jobs/{job}?wait=10")
            assert answer.status == 200, answer.data
            if answer.json["status"] in ("succeeded", "failed", "cancelled"):
                return answer.json
        raise AssertionError(f"{job} has not ended after {timeout} s")

    def events(self, job, **headers):
        answer = self.call("GET", f"/v1/jobs/{job}/events",
                           headers={"Accept": "application/x-ndjson", **headers})
        assert answer.status == 200, answer.data
        return [json.loads(line) for line in answer.data.splitlines() if line.strip()]


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.data = response.read()
        kind = self.headers.get("Content-Type") or ""
        self.json = json.loads(self.data) if self.data and kind.endswith("json") and \
            "ndjson" not in kind else None


def call(connection, method, path, body=None, headers=None):
    headers = dict(headers or {})
    if isinstance(body, (dict, list)):
        body = json.dumps(body)
        headers.setdefault("Content-Type", "application/json")
    with contextlib.closing(connection):
        connection.request(method, path, body=body, headers=headers)
        return Answer(connection.getresponse())


def drain(s):
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while True:
            part = s.recv(65536)
            if not part:
                break
            data += part
    return data


def unchunked(data):
    """The body of a raw answer that came in chunks; what is cut off at its end is left out."""
    rest, body = data.split(b"\r\n\r\n", 1)[1], b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        count = int(size, 16)
        body += rest[:count]
        rest = rest[count + 2:]
        if count == 0:
            break
    return body


def spec(epochs=3, hidden=(8,), **more):
    return {"data": {"dataset": "flowers"}, "model": {"hidden": list(hidden)},
            "optimizer": {"lr": 0.1}, "train": {"epochs": epochs, "batch_size": 16}, **more}


def slow_spec(epochs=100000):
    """A job that is still running when the test has done what it wants."""
    return spec(epochs, hidden=(256, 256))


def sse(data):
    """The events of an SSE text: (id or None, event, object)."""
    out = []
    for block in data.decode().split("\n\n"):
        fields = dict(re.findall(r"^(id|event|data): (.*)$", block, re.M))
        if "data" in fields:
            out.append((int(fields["id"]) if "id" in fields else None, fields["event"],
                        json.loads(fields["data"])))
    return out


def is_problem(answer, status, code=None):
    assert answer.status == status, (answer.status, answer.data)
    assert answer.headers["Content-Type"] == "application/problem+json"
    body = answer.json
    assert body["status"] == status and body["title"] and re.fullmatch(r"[a-z_]+", body["code"])
    assert body["type"] == "/problems/" + body["code"].replace("_", "-")
    assert body["request_id"] == answer.headers["X-Request-Id"]
    if code:
        assert body["code"] == code, body
    return body
