"""What the tests of the command line share: the program, a terminal, a server, small data."""

import contextlib
import fcntl
import json
import os
import pty
import random
import re
import select
import signal
import struct
import subprocess
import termios
import time
import urllib.request
from pathlib import Path

from ockserver import free_port

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "tests" / "data"
COMMANDS = ["train", "validate", "serve", "backup", "upload", "summary", "submit", "watch", "list",
            "show", "cancel", "stop", "pause", "resume", "model", "predict", "health", "tuning"]

for ignored in (signal.SIGINT, signal.SIGHUP):  # as in the background and under nohup
    if signal.getsignal(ignored) is signal.SIG_IGN:
        signal.signal(ignored, lambda *_: None)  # a program that is started has the default again


def program():
    return os.environ.get("OCKHAM") or str(ROOT / "build" / "release" / "ockham")


def environment(**more):
    """The tests' own, without what would lead a client elsewhere."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("OCKHAM") and k != "NO_COLOR"}
    return {**clean, **more}


def run(*arguments, env=None, **settings):
    return subprocess.run([program(), *map(str, arguments)], capture_output=True, text=True,
                          timeout=120, env=environment(**(env or {})), **settings)


class Running:
    """The program on its way, with its output in files, so that it can be read at any time."""

    def __init__(self, place, *arguments, env=None):
        self.paths = [Path(place) / name for name in ("stdout", "stderr")]
        with open(self.paths[0], "w") as out, open(self.paths[1], "w") as err:
            self.process = subprocess.Popen([program(), *map(str, arguments)], stdout=out,
                                            stderr=err, env=environment(**(env or {})))
        self.pid = self.process.pid

    def out(self):
        return self.paths[0].read_text()

    def err(self):
        return self.paths[1].read_text()

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self):
        return self.process.wait(60)


def events(text):
    return [json.loads(line) for line in text.splitlines()]


def epochs(text):
    return [event for event in events(text) if event["type"] == "epoch"]


def end(text):
    last = events(text)[-1]
    assert last["type"] == "end"
    return last


def write_job(directory, spec, name="job.json"):
    path = Path(directory) / name
    path.write_text(json.dumps(spec))
    return path


def write_blobs(path, rows=240, columns=4, seed=1):
    """Three clouds of points with some noise, the class in words, as CSV."""
    rnd = random.Random(seed)
    names = ["amber", "birch", "cedar"]
    lines = [",".join([*(f"x{i}" for i in range(columns)), "kind"])]
    for i in range(rows):
        k = i % 3
        point = [rnd.gauss(1.5 * (k == c % 3), 0.8) for c in range(columns)]
        lines.append(",".join([*(f"{v:.4f}" for v in point), names[k]]))
    Path(path).write_text("\n".join(lines) + "\n")
    return Path(path)


def read_safetensors(path):
    data = Path(path).read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + size])
    meta = header.pop("__metadata__", {})
    return meta, {name: entry["shape"] for name, entry in header.items()}


def wait_for(what, timeout=60):
    """Polls until what() is true, and returns it."""
    until = time.monotonic() + timeout
    while time.monotonic() < until:
        value = what()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"not within {timeout} s")


def children(pid):
    out = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, IndexError):
            if int(stat.read_text().rsplit(")", 1)[1].split()[1]) == pid:
                out.append(int(stat.parent.name))
    return out


def on_terminal(*arguments, columns=80, keys=(), env=None, timeout=60):
    """Runs the program on a pseudo-terminal. keys: (pattern, bytes) typed once the pattern was
    shown, or (pattern, what to do with the terminal's fd). Returns the exit code (negative: a signal) and all that was shown."""
    pid, fd = pty.fork()
    if pid == 0:
        try:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # also where the tests run in the background
            settings = environment(**{"TERM": "xterm", **(env or {})})
            # The width must stand before the program asks for it.
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
            os.execve(program(), [program(), *map(str, arguments)], settings)
        finally:
            os._exit(127)
    shown, keys, until = b"", list(keys), time.monotonic() + timeout
    while time.monotonic() < until:
        if keys and re.search(keys[0][0], shown.decode(errors="replace")):
            key = keys.pop(0)[1]
            key(fd) if callable(key) else os.write(fd, key)
        if not select.select([fd], [], [], 0.02)[0]:
            continue
        try:
            more = os.read(fd, 65536)
        except OSError:  # the other side has closed
            break
        if not more:
            break
        shown += more
    else:
        os.kill(pid, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(fd)
    return code, shown.decode()


def final_lines(shown):
    """What is left to see: rewritten lines as they were in the end, without colours."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", shown).replace("\r\n", "\n")
    return [line.rsplit("\r\x1b[K", 1)[-1] for line in text.split("\n")]


class Server:
    """`ockham serve` on a free port of loopback."""

    def __init__(self, directory, *arguments, env=None):
        self.log_path = Path(directory) / "server.log"
        self.log = open(self.log_path, "ab")
        self.arguments = ["--data-dir", str(Path(directory) / "store"), *arguments]
        self.environment = environment(**(env or {}))
        self.launch()
        wait_for(self.ready)

    def launch(self):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.env = {"OCKHAM_URL": self.url}
        self.said = self.log_path.stat().st_size
        self.process = subprocess.Popen(
            [program(), "serve", "--listen", f"127.0.0.1:{self.port}", *self.arguments],
            stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL, env=self.environment)

    def ready(self):
        said = self.log_path.read_bytes()[self.said:].decode(errors="replace")
        if self.process.poll() is not None:
            assert "Address already in use" in said, f"the server ended: {said}"
            self.launch()  # somebody was faster
        if "listens on" not in said:
            return False  # who answers would be another one
        with contextlib.suppress(OSError):
            return urllib.request.urlopen(self.url + "/readyz", timeout=5).status == 200
        return False

    def ockham(self, *arguments, **settings):
        return run(*arguments, env={**self.env, **settings.pop("env", {})}, **settings)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
