"""What the killer was promised: jobs and uploads, and the checks that the promises were kept."""

import contextlib
import hashlib
import json
import os
import sqlite3

import killer_material as material

ENDED = ("succeeded", "failed", "cancelled")
DEATHS_MAX = 3  # a job whose workers died so often may have given up


class Job:
    """One POST, acknowledged or not, and all that was asked of it."""

    def __init__(self, number, variant, spec, key):
        self.number, self.variant, self.key = number, variant, key
        self.body = json.dumps({**spec, "labels": {"n": str(number)}})
        self.id = None
        self.follower = None
        self.acts = []        # (action, acknowledged), in order
        self.values = ["0"]   # of label v, since the last acknowledged PATCH; any may stand there
        self.deaths = 0       # of its workers, by the killer
        self.status = "queued"
        self.deleted = None   # None, "asked", "acknowledged"

    def __repr__(self):
        return f"job {self.number} ({self.variant}, {self.id})"

    def asked(self, action, acknowledged=(True, False)):
        return any(a == action and known in acknowledged for a, known in self.acts)

    def stays_paused(self):
        last = [a for a, _ in self.acts if a != "patch"][-1:]
        return bool(self.acts) and last == ["pause"] and ("pause", True) in self.acts[-2:]

    def values_after(self, value, acknowledged):
        self.values = [value] if acknowledged else [*self.values, value]


class Upload:
    """A table, or two arrays: parts are sent until each is acknowledged."""

    def __init__(self, number, kind, content):
        self.kind, self.content, self.id = kind, content, None
        self.name = f"{kind}-{number}"
        if kind == "table":
            self.parts = [("", material.table(content))]
        else:
            x, y = material.pair(content)
            self.parts = [("/x", x), ("/y", y)]
            if number % 2:
                self.parts.reverse()
        self.acknowledged = [False] * len(self.parts)

    def path(self, part):
        query = "?target=kind" if self.kind == "table" else ""
        return f"/v1/datasets/{self.name}{part}{query}"

    def is_whole(self):
        return all(self.acknowledged)


def check_log(server, job):
    """The whole log: seq, epochs once, `end` last, and every line as its subscriber saw it."""
    answer = server.call("GET", f"/v1/jobs/{job.id}/events",
                         headers={"Accept": "application/x-ndjson"})
    assert answer.status == 200, (job, answer.data)
    lines = [line for line in answer.data.splitlines() if line]
    events = [json.loads(line) for line in lines]
    assert [e["seq"] for e in events] == list(range(1, len(events) + 1)), job
    assert [e["type"] for e in events].index("end") == len(events) - 1, job
    seen = job.follower.lines if job.follower else []
    assert not (job.follower and job.follower.fault), job.follower.fault
    for i, line in enumerate(seen):
        assert i < len(lines) and lines[i] == line, \
            f"{job}: event {i + 1} was {line!r}, is {lines[i] if i < len(lines) else None!r}"
    epochs = [e["epoch"] for e in events if e["type"] == "epoch"]
    assert len(set(epochs)) == len(epochs), f"{job}: an epoch twice"
    trials = [e["trial"] for e in events if e["type"] == "trial"]
    assert len(set(trials)) == len(trials), f"{job}: a trial twice"
    return events


def check_bits(server, job, events, wanted):
    """A job that came to its end has the undisturbed run's bits."""
    end = events[-1]
    trials = material.trials_of(events)
    for number, trial in trials.items():
        assert trial == wanted["trials"][number], f"{job}: {trial}, undisturbed " \
            f"{wanted['trials'][number]}"
    if len(trials) < len(wanted["trials"]) and end.get("stop_reason") == "stopped":
        return  # what was chosen among these is trained, or nothing
    got = material.epochs_of(events)
    for i, (epoch, step, sha256) in enumerate(got):
        calm = wanted["epochs"][i]
        was_cut = i == len(got) - 1 and step < calm[1] and job.asked("stop") and \
            end["status"] != "failed"
        assert (epoch, step, sha256) == calm or (was_cut and epoch == calm[0]), \
            f"{job}: epoch {epoch}, step {step}, {sha256} is {calm} undisturbed"
    if end["status"] != "succeeded":
        return
    files, models = zip(*(material.fetch_model(server, job.id, w) for w in ("best", "last")))
    assert files[0] == end["model"]["sha256"], f"{job}: another model than `end` says"
    if end["stop_reason"] == "stopped":
        return
    assert got == wanted["epochs"], f"{job}: {len(got)} epochs, undisturbed {len(wanted['epochs'])}"
    assert trials == wanted["trials"], f"{job}: only trials {sorted(trials)}"
    assert list(models) == wanted["models"], f"{job}: models {models}, undisturbed {wanted['models']}"
    for key in ("stop_reason", "state_sha256"):
        assert end[key] == wanted[key], f"{job}: {key} is {end[key]}, undisturbed {wanted[key]}"
    assert json.dumps(end["best"]) == wanted["best"], job


def check_status(job, shown, end):
    """What was acknowledged has been done."""
    status = shown["status"]
    assert status == end["status"], f"{job}: {status}, but `end` says {end['status']}"
    if status == "cancelled":
        assert job.asked("cancel"), f"{job} was cancelled by nobody"
    elif status == "failed":
        assert job.deaths >= DEATHS_MAX and end["stop_reason"] == "crash", \
            f"{job} failed after {job.deaths} deaths: {end['error']}"
    elif end["stop_reason"] == "stopped":
        assert job.asked("stop"), f"{job} was stopped by nobody"
    if job.asked("cancel", (True,)):
        assert status in ("cancelled", "failed"), f"{job}: cancel was acknowledged, but it {status}"
    assert shown["labels"].get("v", "0") in job.values, \
        f"{job}: label v is {shown['labels'].get('v')}, not one of {job.values}"


def check_job(server, job, wanted):
    """Everything that was promised of an ended job. Its attempts."""
    answer = server.call("GET", f"/v1/jobs/{job.id}")
    assert answer.status == 200, f"{job} is lost: {answer.data!r}"
    assert answer.json["status"] in ENDED, (job, answer.json["status"])
    events = check_log(server, job)
    check_bits(server, job, events, wanted)
    check_status(job, answer.json, events[-1])
    return answer.json["attempt"]


def check_list(server, jobs):
    """Every job once, and none that nobody has sent."""
    found, after = {}, ""
    while after is not None:
        page = server.call("GET", "/v1/jobs?limit=100" + (f"&after={after}" if after else "")).json
        for item in page["items"]:
            number = int(item["labels"]["n"])
            assert number not in found, f"job {number} is there twice: {item['id']}, {found[number]}"
            found[number] = item["id"]
        after = page["next"]
    for job in jobs:
        there = found.pop(job.number, None)
        if job.deleted == "acknowledged" or (job.id is None):
            assert there is None, f"{job} should not be there, but {there} is"
        elif job.deleted is None:
            assert there == job.id, f"{job} is lost or another: {there}"
    assert not found, f"jobs of nobody: {found}"


def check_upload(server, upload, contents):
    answer = server.call("GET", f"/v1/datasets/{upload.name}")
    assert answer.status == 200, f"{upload.name} is lost: {answer.data!r}"
    shown = answer.json
    assert shown["status"] == "ready", (upload.name, shown)
    wanted = contents[upload.kind, upload.content]
    assert shown["sha256"] == wanted, f"{upload.name} has other content"
    assert upload.id in (None, shown["id"]), f"{upload.name} is another dataset now"
    return shown["id"]


def check_files(directory, jobs, datasets):
    """After a clean end: only what somebody needs."""
    assert set(os.listdir(directory)) <= \
        {"ockham.db", "ockham.db.room", "lock", "jobs", "datasets", "uploads", "predictions",
         "summaries"}, os.listdir(directory)
    assert os.listdir(directory + "/uploads") == os.listdir(directory + "/predictions") == []
    files = {name.removesuffix(".ockds") for name in os.listdir(directory + "/datasets")}
    assert files == set(datasets), files ^ set(datasets)
    known = {job.id for job in jobs if job.deleted != "acknowledged"}
    for name in os.listdir(directory + "/jobs"):
        assert name in known, f"jobs/{name} is nobody's"
        left = [f for f in os.listdir(f"{directory}/jobs/{name}") if not f.endswith(".safetensors")]
        assert left == [], f"jobs/{name} still has {left}"


def check_backup(directory, seen):
    """seen: the lines that were shown of each job before the copy was begun."""
    with contextlib.closing(sqlite3.connect(directory + "/ockham.db")) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        for job, lines in seen.items():
            rows = db.execute("SELECT body FROM events WHERE job = (SELECT number FROM jobs"
                              " WHERE id = ?) ORDER BY seq", (job,)).fetchall()
            assert rows, f"{job} is not in the copy"
            copied = [body.encode() for (body,) in rows[:len(lines)]]
            assert copied == lines, f"the copy has other events of {job}"


def check_store(directory, jobs):
    path = directory + "/ockham.db"
    with contextlib.closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        # What no interface shows: rows of jobs that are gone.
        for table in ("events", "models", "specs", "documents"):
            orphans = db.execute(f"SELECT count(*) FROM {table} WHERE job > 0 AND job NOT IN"
                                 " (SELECT number FROM jobs)").fetchone()[0]
            assert orphans == 0, f"{orphans} rows of {table} belong to no job"
        notices = [json.loads(body) for (body,) in
                   db.execute("SELECT body FROM events WHERE job = 0")]
        # Deletions stand in the log of all jobs, once each.
        told = [notice["job"] for notice in notices if notice["type"] == "deleted"]
        assert sorted(told) == sorted(job.id for job in jobs
                                      if job.deleted == "acknowledged" and job.id)
        for sha, blob in db.execute("SELECT sha256, blob FROM models WHERE blob IS NOT NULL"):
            assert hashlib.sha256(blob).hexdigest() == sha
