"""A server that dies and comes back on the same data directory, and those who watch it."""

import contextlib
import http.client
import os
import subprocess
import threading
import time

from ockserver import Server, program
from shim import Shim

GONE = (OSError, http.client.HTTPException)


def workers(directory):
    """{pid: start time} of the worker processes on a data directory."""
    out = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError, IndexError):
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                command = file.read()
            if command.startswith(b"ockham-worker\0") and directory.encode() in command:
                with open(f"/proc/{pid}/stat", "rb") as file:
                    fields = file.read().rsplit(b")", 1)[1].split()
                if fields[0] not in (b"Z", b"X"):
                    out[int(pid)] = fields[19]
    return out


def waited_s(pid):
    """How long the process, whose slowest thread counts, has been kept from a core by others."""
    waits = [0.0]
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{thread}/schedstat",
                                                    encoding="ascii") as file:
                waits.append(int(file.read().split()[1]) / 1e9)
    return max(waits)


def orphan_s():
    """What workers have after their server's death. The sanitizers take long to exit."""
    with open(program(), "rb") as file:
        content = file.read()
    return 10 if b"__tsan_init" in content or b"__asan_init" in content else 2


class MortalServer(Server):
    """Started and killed by hand; `leave` removes its directory."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.shim = Shim()
        self.environment.update(self.shim.environment)
        self.orphan_s = orphan_s()
        self.orphans = []  # (deadline, {pid: start time}, {pid: seconds without a core})

    def start(self):
        """False: it died on the way. The old port may be somebody's by now."""
        self.take_port()
        said = len(self.text()) if os.path.exists(self.log_path) else 0
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL, env=self.environment)
        end = time.monotonic() + 60
        while time.monotonic() < end:
            code = self.process.poll()
            if code == 1 and "Address already in use" in self.text()[said:]:
                return self.start()
            if code is not None:
                assert code == -9, f"serve ended with {code}: {self.text()[-4000:]}"
                self.note_orphans()
                return False
            with contextlib.suppress(*GONE):
                if self.listens(said) and self.call("GET", "/readyz", timeout=5).status == 200:
                    return True
            time.sleep(0.003)
        raise AssertionError("serve is not ready after 60 s")

    def is_dead(self):
        if self.process.poll() is None:
            return False
        assert self.process.returncode == -9, \
            f"serve ended with {self.process.returncode}: {self.text()[-4000:]}"
        return True

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.note_orphans()

    def note_orphans(self):
        old = workers(self.directory)
        self.orphans.append((time.monotonic() + self.orphan_s, old,
                             {pid: waited_s(pid) for pid in old}))

    def check_orphans(self, wait=False):
        """None is left after its time, in which a wait for a core does not count."""
        while self.orphans:
            deadline, old, waited = self.orphans[0]
            now = workers(self.directory)
            left = {pid: start for pid, start in old.items() if now.get(pid) == start}
            if not left:
                self.orphans.pop(0)
            elif time.monotonic() > deadline + max(waited_s(pid) - waited[pid] for pid in left):
                raise AssertionError(f"workers {sorted(left)} live {self.orphan_s} s after their "
                                     "server's death")
            elif not wait:
                self.orphans[0] = (deadline, left, waited)
                return
            else:
                time.sleep(0.02)

    def leave(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.shim.close()


class Follower(threading.Thread):
    """Keeps every event that a job's subscriber was shown, across restarts, by Last-Event-ID."""

    def __init__(self, server, job):
        super().__init__(daemon=True)
        self.server, self.job = server, job
        self.lines = []     # lines[i] is seq i + 1, as it came
        self.fault = None   # a sentence
        self.is_over = False
        self.stopped = False
        self.start()

    def run(self):
        while not (self.is_over or self.stopped or self.fault):
            with contextlib.suppress(*GONE):
                self.follow()
            time.sleep(0.02)

    def follow(self):
        connection = self.server.connect(timeout=20)
        with contextlib.closing(connection):
            headers = {"Accept": "application/x-ndjson", "Last-Event-ID": str(len(self.lines))}
            connection.request("GET", f"/v1/jobs/{self.job}/events", headers=headers)
            response = connection.getresponse()
            if response.status in (204, 404):  # told to its end, or deleted
                self.is_over = True
            elif response.status == 200:
                self.read(response)

    def read(self, response):
        while not (self.stopped or self.fault):
            line = response.readline()
            if not line.endswith(b"\n"):
                return  # half a line was shown to nobody
            self.take(line.rstrip(b"\n"))

    def take(self, line):
        if not line or line.startswith(b'{"type":"progress"'):
            return
        wanted = b'"seq":%d,' % (len(self.lines) + 1)
        if wanted not in line[:160]:
            self.fault = f"{self.job}: {wanted!r} expected, not {line[:160]!r}"
            return
        self.lines.append(line)
        self.is_over = line.startswith(b'{"type":"end"')


