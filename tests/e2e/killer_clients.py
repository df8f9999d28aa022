"""The killer's clients: what they ask for, what they were answered, and how they ask again."""

import random
import subprocess
import time
from collections import Counter

import killer_material as material
from killer_records import ENDED, Job, Upload, check_job
from mortal import GONE, Follower, MortalServer
from shim import SERVER_POINTS, WORKER_POINTS

ALIVE_MAX = 4  # jobs that have not ended
CONTENTS = 6   # kinds of tables and of pairs


class Dead(Exception):
    """The server died under a call."""


class Clients:
    def __init__(self, seed, verbose):
        self.seed, self.verbose = seed, verbose
        self.random = random.Random(seed)
        self.server = MortalServer("--cores", "2")
        self.jobs, self.uploads, self.history = [], [], []
        self.counts = Counter()  # kills by kind, and what else is worth telling
        self.hits_seen = 0
        self.begin = time.monotonic()
        self.last_death = 0
        self.parent = None       # the job that others start from
        self.variants = []
        self.wanted = {}         # undisturbed results
        self.disk_is_full = False

    # --- Bookkeeping ---

    def note(self, text):
        self.history.append(f"{time.monotonic() - self.begin:8.3f} {text}")
        if self.verbose:
            print(self.history[-1], flush=True)

    def count(self, kind):
        self.counts[kind] += 1
        self.note("killed: " + kind)

    def kills_done(self):
        return sum(n for kind, n in self.counts.items() if kind.startswith(("server", "worker")))

    def call(self, method, path, body=None, headers=None):
        try:
            return self.server.call(method, path, body, headers, timeout=45)
        except GONE as fault:
            self.lost(f"{method} {path}: {fault!r}")

    def lost(self, why):
        """A call got no answer: the server has to be dead."""
        try:
            self.server.process.wait(5)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"no answer from a living server: {why}") from None
        raise Dead

    def read_hits(self):
        """Deaths at points since the last look."""
        hits = self.server.shim.hits()
        for role, point, place in hits[self.hits_seen:]:
            self.count(f"{role} {point}")
            for job in self.jobs:
                if job.id and place.endswith(job.id):
                    job.deaths += 1
        new = len(hits) - self.hits_seen
        self.hits_seen = len(hits)
        return new

    # --- What clients do ---

    def alive(self):
        return [job for job in self.jobs if job.id and job.status not in ENDED and not job.deleted]

    def refresh(self):
        for job in self.alive():
            answer = self.call("GET", f"/v1/jobs/{job.id}")
            assert answer.status == 200, f"{job} is lost: {answer.data!r}"
            job.status = answer.json["status"]

    def post(self, job):
        headers = {"Idempotency-Key": job.key} if job.key else {}
        answer = self.call("POST", "/v1/jobs", job.body, headers)
        if answer.status == 409 and job.key:  # the one that died is not over yet
            return
        if answer.status == 507 and self.disk_is_full:
            self.counts["refused for want of room"] += 1
            return
        assert answer.status == 202, (job, answer.data)
        id_ = answer.json["id"]
        assert job.id in (None, id_), f"{job}: its key made {id_}"
        if job.id is None:
            self.got(job, id_)

    def got(self, job, id_):
        job.id = id_
        self.note(f"{job} is there")
        if len([j for j in self.alive() if j.follower]) < ALIVE_MAX + 2:
            job.follower = Follower(self.server, id_)

    def submit(self):
        if not self.variants:
            self.variants = sorted(material.specs())
            self.random.shuffle(self.variants)
        variant = self.variants.pop()
        number = len(self.jobs)
        spec = material.with_init(material.specs()[variant], self.parent)
        job = Job(number, variant, spec, f"key-{number}" if self.random.random() < 0.5 else None)
        self.jobs.append(job)
        self.post(job)

    def repeat(self):
        """A client that has not heard the answer asks again."""
        keyed = [job for job in self.jobs if job.key and job.id and not job.deleted]
        if keyed:
            self.post(self.random.choice(keyed))

    def upload(self):
        number = len(self.uploads)
        upload = Upload(number, self.random.choice(("table", "pair")),
                        self.random.randrange(CONTENTS))
        self.uploads.append(upload)
        self.send(upload)

    def send(self, upload):
        for i, (part, body) in enumerate(upload.parts):
            if upload.acknowledged[i]:
                continue
            answer = self.call("PUT", upload.path(part), body)
            if answer.status >= 400:  # its worker was killed: to be sent again
                full = self.disk_is_full and answer.status == 507
                assert full or self.deaths_lately(), (upload.name, part, answer.status, answer.data)
                return
            upload.acknowledged[i] = True
            upload.id = answer.json["id"]
            self.note(f"{upload.name}{part}: {answer.status} {answer.json['status']}")

    def deaths_lately(self):
        return self.read_hits() > 0 or time.monotonic() - self.last_death < 5

    def act(self):
        jobs = self.alive()
        if not jobs:
            return
        job = self.random.choice(jobs)
        paused = job.status == "paused"
        action = self.random.choices(("pause", "resume", "stop", "cancel"),
                                     (1, 8, 1, 1) if paused else (8, 1, 1, 1))[0]
        job.acts.append((action, False))
        answer = self.call("POST", f"/v1/jobs/{job.id}/{action}")
        job.acts.pop()
        assert answer.status in (200, 202, 409), (job, action, answer.data)
        if answer.status != 409:
            job.acts.append((action, True))
            self.note(f"{job}: {action} {answer.status}")

    def patch(self):
        jobs = [job for job in self.jobs if job.id and not job.deleted]
        if not jobs:
            return
        job = self.random.choice(jobs)
        value = str(self.random.randrange(1000000))
        job.values_after(value, False)
        answer = self.call("PATCH", f"/v1/jobs/{job.id}",
                           {"labels": {"n": str(job.number), "v": value},
                            "priority": self.random.randrange(3)})
        assert answer.status == 200, (job, answer.data)
        job.values_after(value, True)

    def delete(self):
        jobs = [job for job in self.jobs if job.status in ENDED and job.id and not job.deleted]
        if not jobs:
            return
        job = self.random.choice(jobs)
        try:
            check_job(self.server, job, self.wanted[job.variant])
        except GONE as fault:
            self.lost(f"checking {job}: {fault!r}")
        job.deleted = "asked"
        answer = self.call("DELETE", f"/v1/jobs/{job.id}")
        assert answer.status == 204, (job, answer.data)
        job.deleted = "acknowledged"
        self.counts["checked and deleted"] += 1
        self.note(f"{job} is deleted")

    def settle(self):
        """After a death: what became of the requests that nobody answered."""
        for job in self.jobs:
            if job.deleted == "asked":
                answer = self.call("DELETE", f"/v1/jobs/{job.id}")
                assert answer.status in (204, 404), (job, answer.data)
                job.deleted = "acknowledged"
            if job.id or job.deleted == "never":
                continue
            if job.key:
                self.post(job)
                continue
            items = self.call("GET", f"/v1/jobs?label.n={job.number}").json["items"]
            assert len(items) < 2, f"{job} twice: {[i['id'] for i in items]}"
            if items:
                self.got(job, items[0]["id"])
            else:
                job.deleted = "never"
        for upload in self.uploads:
            if not upload.is_whole():
                self.send(upload)

    def step(self):
        self.server.check_orphans()
        self.refresh()
        deeds = [(self.act, 4), (self.patch, 1), (self.repeat, 1), (self.upload, 2),
                 (self.delete, 1)]
        if len(self.alive()) < ALIVE_MAX:
            deeds.append((self.submit, 8))
        deed = self.random.choices([d for d, _ in deeds], [w for _, w in deeds])[0]
        deed()
        time.sleep(self.random.random() * 0.02)
