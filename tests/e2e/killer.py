"""The killer: kills server and workers, at random moments and at named points of their I/O, while
jobs and uploads come and go; then checks that nothing acknowledged was lost, doubled or changed.

    python3 tests/e2e/killer.py --kills 1000 --seed 7

The seed decides what is done and where the deaths are; when they come is up to the machine. After a
failure the history is printed, and the data directory and the server's log stay.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import killer_material as material
from killer_clients import CONTENTS, Clients, Dead
from killer_records import (ENDED, Job, Upload, check_backup, check_files, check_job, check_list,
                            check_store, check_upload)
from mortal import workers
from ockserver import Server, program
from shim import SERVER_POINTS, WORKER_POINTS

ROUND_S = 4  # a point that nobody came to by then is tried again later
COUNTS = {"commit": 12, "log": 20, "event": 25, "write": 12, "create": 6, "fsync": 6, "rename": 3,
          "unlink": 4, "spool": 2}  # the n-th time, at most


class Killer(Clients):
    def __init__(self, kills, seed, every_point=False, verbose=False):
        super().__init__(seed, verbose)
        self.kills = kills
        self.every_point = every_point  # goes on until somebody has died at each
        self.plans = []

    # --- Deaths ---

    def start(self):
        """Until it lives: it may be armed to die while it starts."""
        for _ in range(3):
            if self.server.start():
                return
            self.died()
        raise AssertionError("the server does not start")

    def died(self):
        self.last_death = time.monotonic()
        if not self.read_hits():
            self.count("server at random")

    def missing_points(self):
        wanted = [f"server {p}" for p in SERVER_POINTS] + [f"worker {p}" for p in WORKER_POINTS]
        wanted += ["full disks", "backups"]
        return [name for name in wanted if self.counts[name] == 0] if self.every_point else []

    def is_up(self):
        return self.server.process is not None and self.server.process.poll() is None

    def kill_server(self):
        if not self.is_up():
            return
        self.server.shim.disarm()
        self.server.kill()
        self.died()

    def live(self, seconds, until=lambda: False):
        """Clients at work until the server dies, the time is over, or `until`. False: it died."""
        end = time.monotonic() + seconds
        try:
            self.settle()
            while time.monotonic() < end and not until():
                self.step()
        except Dead:
            assert self.server.is_dead()
            self.server.note_orphans()
            self.died()
            return False
        return True

    def at_server_point(self, point):
        """True: somebody died there."""
        name = point.split(".")[0]
        self.kill_server()
        before = self.hits_seen
        self.server.shim.arm("server", point, self.random.randint(1, COUNTS.get(name, 1)))
        if self.server.start():
            if self.live(0.3 if name == "fold" else ROUND_S) and name == "fold":
                self.server.process.send_signal(signal.SIGTERM)
                if self.server.process.wait(15) != 0:
                    self.server.note_orphans()
                    self.died()
        else:
            self.died()
        self.server.shim.disarm()
        return self.hits_seen > before

    def at_worker_point(self, point):
        name = point.split(".")[0]
        self.ensure()
        before = self.hits_seen
        place = "uploads/" if name != "event" and self.random.random() < 0.25 else "jobs/"
        self.server.shim.arm("worker", point, self.random.randint(1, COUNTS.get(name, 1)), place)
        self.live(ROUND_S, lambda: not self.server.shim.is_armed())
        self.server.shim.disarm()
        time.sleep(0.01)  # who took the file away has still to note it
        if self.read_hits():
            self.last_death = time.monotonic()
        return self.hits_seen > before

    def at_random(self):
        self.ensure()
        if self.live(self.random.random() * 0.6):
            self.kill_server()

    def worker_at_random(self):
        self.ensure()
        if not self.live(ROUND_S, lambda: workers(self.server.directory)):
            return
        time.sleep(self.random.random() * 0.1)
        for pid in workers(self.server.directory):
            job = self.job_of(pid)
            if job and job.deaths >= 2:
                continue
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
            self.last_death = time.monotonic()
            if job:
                job.deaths += 1
            self.count("worker at random")
            return

    def job_of(self, pid):
        try:
            with open(f"/proc/{pid}/cmdline") as file:
                place = file.read().rstrip("\0/")
        except OSError:
            return None
        return next((j for j in self.jobs if j.id and place.endswith(j.id)), None)

    def full_disk(self):
        """For a while there is no room: jobs wait for it, new work is refused, and all goes on."""
        self.ensure()
        if not self.live(0.2):
            return False
        self.disk_is_full = True
        self.note("the disk is full")
        self.server.shim.fail("ENOSPC", self.server.directory)
        end = time.monotonic() + self.random.random() * 1.5
        while time.monotonic() < end:
            self.random.choice((self.submit, self.upload, self.refresh))()
            time.sleep(0.02)
        if self.random.random() < 0.5:
            self.kill_server()
            self.start()
        self.server.shim.heal()
        self.disk_is_full = False
        self.counts["full disks"] += 1
        self.note("the disk has room")
        self.wait_until_held_jobs_go_on()

    def wait_until_held_jobs_go_on(self):
        deadline = time.monotonic() + 30
        while True:
            self.settle()
            self.refresh()
            held = [j for j in self.alive() if j.status == "paused" and not j.stays_paused()]
            if not held:
                return
            assert time.monotonic() < deadline, f"{held} do not go on"
            time.sleep(0.05)

    def backup(self):
        """A copy of the living directory has all that was acknowledged and seen before."""
        self.ensure()
        if not self.live(0.2):
            return False
        seen = {job.id: list(job.follower.lines) if job.follower else []
                for job in self.jobs if job.id and job.deleted in (None, "kept")}
        copy = self.server.shim.path("backup")
        with subprocess.Popen([program(), "backup", "--data-dir", self.server.directory, copy],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
            if self.random.random() < 0.5:
                self.kill_server()
            said = process.communicate(timeout=60)[0]
        assert process.returncode == 0, said
        check_backup(copy, seen)
        shutil.rmtree(copy)
        self.counts["backups"] += 1

    def ensure(self):
        if not self.is_up():
            self.start()

    def next_plan(self):
        """Every point once before any comes again; between them deaths at random."""
        if not self.plans:
            self.plans = [(self.at_server_point, p) for p in SERVER_POINTS] + \
                [(self.at_worker_point, p) for p in WORKER_POINTS] + \
                [(self.full_disk,), (self.backup,)]
            self.random.shuffle(self.plans)
        if self.random.random() < 0.2:
            return (self.random.choice((self.at_random, self.worker_at_random)),)
        return self.plans.pop()

    # --- The whole ---

    def prepare(self):
        self.wanted = material.undisturbed()
        self.contents = {}
        with Server("--cores", "2") as calm:
            for content in range(CONTENTS):
                for kind in ("table", "pair"):
                    upload = Upload(content, kind, content)
                    for part, body in upload.parts:
                        answer = calm.call("PUT", upload.path(part), body)
                        assert answer.status == 201, answer.data
                    self.contents[kind, content] = answer.json["sha256"]
        self.start()
        material.upload_digits(self.server)
        parent = Job(0, "plain", material.specs()["plain"], None)
        self.jobs.append(parent)
        self.post(parent)
        self.parent = parent.id
        self.server.ended(parent.id)
        parent.status, parent.deleted = "succeeded", "kept"

    def end(self):
        """Peace: everything that was promised comes to its end."""
        self.server.shim.disarm()
        self.ensure()
        self.settle()
        deadline = time.monotonic() + 120
        while not all(u.is_whole() for u in self.uploads):
            assert time.monotonic() < deadline, "an upload cannot be completed"
            self.settle()
        self.check_paused()
        while self.alive():
            assert time.monotonic() < deadline, f"stuck: {self.alive()}"
            self.refresh()
            for job in self.alive():
                if job.status == "paused":
                    self.call("POST", f"/v1/jobs/{job.id}/resume")
            time.sleep(0.02)
        self.server.check_orphans(wait=True)

    def check_paused(self):
        """What was paused stays so."""
        deadline = time.monotonic() + 20
        for job in [j for j in self.alive() if j.stays_paused()]:
            while job.status not in ("paused", *ENDED):
                assert time.monotonic() < deadline, f"{job} was paused, but is {job.status}"
                job.status = self.call("GET", f"/v1/jobs/{job.id}").json["status"]
                time.sleep(0.01)

    def check(self):
        self.jobs[0].deleted = None
        for job in self.jobs:
            if job.id and not job.deleted:
                attempts = check_job(self.server, job, self.wanted[job.variant])
                self.counts["attempts more"] += attempts - 1
                self.counts["events seen"] += len(job.follower.lines) if job.follower else 0
                self.counts["ended " + job.status] += 1
        check_list(self.server, [j for j in self.jobs])
        datasets = [check_upload(self.server, u, self.contents) for u in self.uploads]
        datasets.append(self.call("GET", "/v1/datasets/digits").json["id"])
        for _ in range(2):  # the second start sweeps what the first end left
            code, _s = self.server.stop()
            assert code == 0, self.server.text()[-4000:]
            if _ == 0:
                self.start()
        check_files(self.server.directory, self.jobs, datasets)
        check_store(self.server.directory, self.jobs)

    def run(self):
        try:
            self.prepare()
            while self.kills_done() < self.kills or self.missing_points():
                method, *point = self.next_plan()
                self.note(f"next: {method.__name__} {' '.join(point)}")
                if method(*point) is False:  # nobody came by: once more, later
                    self.counts["points missed"] += 1
                    assert self.counts["points missed"] < 20 + self.kills, "points are not reached"
                    self.plans.insert(0, (method, *point))
            self.end()
            self.check()
        except BaseException:
            print(f"seed {self.seed}\n" + "\n".join(self.history) +
                  f"\nkept: {self.server.directory} and {self.server.log_path}", file=sys.stderr)
            raise
        finally:
            for job in self.jobs:
                if job.follower:
                    job.follower.stopped = True
            self.server.leave()
        shutil.rmtree(self.server.directory)
        os.unlink(self.server.log_path)
        self.counts["jobs"] = len(self.jobs)
        self.counts["uploads"] = len(self.uploads)
        return self.counts


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--verbose", action="store_true", help="print the history as it happens")
    options = parser.parse_args()
    begin = time.monotonic()
    counts = Killer(options.kills, options.seed, verbose=options.verbose).run()
    print(json.dumps({**dict(sorted(counts.items())), "seconds": round(time.monotonic() - begin)},
                     indent=1))


if __name__ == "__main__":
    main()
