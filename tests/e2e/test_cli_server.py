"""Goal: the client commands and a real server understand each other. Method: one server for the
module, one road through it: upload, submit, watch, list, show, pause, resume, stop, cancel, model."""

import hashlib
import json
import re
import subprocess

import pytest
from cli_tools import (Running, Server, end, environment, epochs, events, final_lines,
                       on_terminal, program, read_safetensors, run, wait_for, write_blobs,
                       write_job)

SPEC = {"name": "blobs-l2", "labels": {"team": "e2e"}, "data": {"dataset": "blobs"},
        "model": {"hidden": [8]}, "regularization": {"l2": 1e-3}, "optimizer": {"lr": 0.1},
        "train": {"epochs": 5, "batch_size": 32, "seed": 3}}
LONG = {**SPEC, "name": "long", "train": {"epochs": 50000000, "batch_size": 8}}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    place = tmp_path_factory.mktemp("server")
    server = Server(place)
    server.blobs = write_blobs(place / "blobs.csv")
    done = server.ockham("upload", "blobs", server.blobs, "--target", "kind")
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"blobs ds_\w+: 240 rows, target kind \(classes\)\n", done.stdout)
    yield server
    server.stop()


def submit(server, place, spec):
    done = server.ockham("submit", write_job(place, spec))
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"job_\w+\n", done.stdout)
    return done.stdout.strip()


def job_of(server, job):
    return json.loads(server.ockham("show", job, "--json").stdout)


def reaches(server, job, *states):
    return wait_for(lambda: job_of(server, job)["status"] in states and job_of(server, job))


def test_health(server):
    assert server.ockham("health").stdout == "ready\n"


def test_submit_and_watch_is_what_train_says(server, tmp_path):
    path = write_job(tmp_path, SPEC)
    there = server.ockham("submit", path, "--watch")
    assert there.returncode == 0, there.stderr
    told = events(there.stdout)
    assert [e["seq"] for e in told] == list(range(1, len(told) + 1))
    here = run("train", path, "--data", server.blobs, "--target", "kind")
    clock = {"time", "job", "seq", "samples_per_s", "elapsed_s", "eta_s"}

    def timeless(event):
        return {k: timeless(v) if isinstance(v, dict) else v for k, v in event.items()
                if k not in clock}
    assert [timeless(e) for e in told if e["type"] != "state"] == \
        [timeless(e) for e in events(here.stdout)]


def test_watch_again_shows_all_of_it(server, tmp_path):
    job = submit(server, tmp_path, SPEC)
    first, second = server.ockham("watch", job), server.ockham("watch", job)
    assert first.returncode == second.returncode == 0
    assert first.stdout == second.stdout and end(first.stdout)["status"] == "succeeded"


def test_watch_at_a_terminal(server, tmp_path):
    job = submit(server, tmp_path, SPEC)
    code, shown = on_terminal("watch", job, env=server.env)
    lines = final_lines(shown)
    assert code == 0 and sum(bool(re.match(r" +\d/5 ", line)) for line in lines) == 5
    assert any("exactly zero" in line for line in lines)
    assert f"ockham model {job} downloads the model." in " ".join(l.strip() for l in lines)


def test_model_is_the_one_that_end_tells(server, tmp_path):
    job = submit(server, tmp_path, SPEC)
    told = end(server.ockham("watch", job).stdout)["model"]
    done = server.ockham("model", job, cwd=tmp_path)
    assert done.returncode == 0 and done.stdout == "blobs-l2.safetensors\n", done.stderr
    data = (tmp_path / "blobs-l2.safetensors").read_bytes()
    assert told == {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(),
                    "parameters": 67}  # 8 units of 4 columns, 3 outputs: 8 * 5 + 3 * 9
    assert server.ockham("model", job, "--which", "last", "-o", tmp_path / "last").returncode == 0
    assert read_safetensors(tmp_path / "last")[1]["0.weight"] == [8, 4]


def test_list_and_show(server, tmp_path):
    job = submit(server, tmp_path, {**SPEC, "labels": {"team": "only-this"}})
    server.ockham("watch", job)
    head, row = server.ockham("list", "--label", "team=only-this").stdout.splitlines()
    assert row.split()[:3] == [job, "succeeded", "5/5"] and "blobs-l2" in row and "blobs" in row
    assert job not in server.ockham("list", "--status", "failed").stdout
    shown = server.ockham("show", job).stdout
    assert "status       succeeded" in shown and re.search(r"^best +epoch \d", shown, re.M)


def test_pause_resume_stop_and_cancel(server, tmp_path):
    job = submit(server, tmp_path, LONG)
    wait_for(lambda: job_of(server, job).get("latest"))
    assert server.ockham("pause", job).returncode == 0
    reaches(server, job, "paused")
    assert server.ockham("resume", job).returncode == 0
    reaches(server, job, "running")
    assert server.ockham("stop", job).returncode == 0
    assert reaches(server, job, "succeeded")["stop_reason"] == "stopped"
    late = server.ockham("cancel", job)
    assert late.returncode == 1 and late.stderr.startswith("ockham: ")

    other = submit(server, tmp_path, LONG)
    assert server.ockham("cancel", other).returncode == 0
    reaches(server, other, "cancelled")
    watched = server.ockham("watch", other)
    assert watched.returncode == 1 and end(watched.stdout)["status"] == "cancelled"


def test_delete(server, tmp_path):
    job = submit(server, tmp_path, LONG)
    early = server.ockham("delete", job)
    assert early.returncode == 1 and "cancel it" in early.stderr
    assert server.ockham("cancel", job).returncode == 0
    reaches(server, job, "cancelled")
    done = server.ockham("delete", job)
    assert done.returncode == 0 and done.stdout == f"{job} deleted\n"
    assert server.ockham("show", job).returncode == 1
    table = tmp_path / "t.csv"
    table.write_text("a,b\n1,2\n3,4\n")
    assert server.ockham("upload", "gone-soon", table).returncode == 0
    assert server.ockham("delete", "gone-soon").returncode == 0
    assert server.ockham("delete", "gone-soon").returncode == 1


def test_faults_are_told_with_their_places(server, tmp_path):
    bad = {"data": {"dataset": "blob"}, "regularisation": {}, "optimizer": {"lr": -1}}
    done = server.ockham("submit", write_job(tmp_path, bad))
    assert done.returncode == 2 and done.stdout == ""
    assert '  /regularisation: unknown key; did you mean "regularization"?' in done.stderr
    assert "  /optimizer/lr: " in done.stderr
    unknown = server.ockham("submit", write_job(tmp_path, {"data": {"dataset": "blob"}}))
    assert unknown.returncode == 2 and "/data/dataset" in unknown.stderr


@pytest.mark.parametrize("words", [["show"], ["watch"], ["cancel"], ["model", "-o", "m"]])
def test_a_job_that_is_not_there(server, words, tmp_path):
    done = server.ockham(words[0], "job_nope", *words[1:], cwd=tmp_path)
    assert done.returncode == 1 and done.stdout == "" and done.stderr.startswith("ockham: ")
    assert list(tmp_path.iterdir()) == []


def test_uploads_that_are_refused(server, tmp_path):
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n3\n")
    done = server.ockham("upload", "bad", tmp_path / "bad.csv")
    assert done.returncode == 2 and "line 3" in done.stderr
    write_blobs(tmp_path / "other.csv", seed=9)
    taken = server.ockham("upload", "blobs", tmp_path / "other.csv", "--target", "kind")
    assert taken.returncode == 1 and taken.stdout == ""
    again = server.ockham("upload", "blobs", server.blobs, "--target", "kind")
    assert again.returncode == 0
    assert server.ockham("upload", "../evil", server.blobs).returncode in (1, 2)


def test_a_server_with_a_token(tmp_path):
    (tmp_path / "token").write_text("open-sesame-of-forty-thieves\n")
    server = Server(tmp_path, "--token-file", str(tmp_path / "token"))
    try:
        assert server.ockham("health").returncode == 0
        without = server.ockham("list")
        assert without.returncode == 1 and "OCKHAM_TOKEN" in without.stderr
        wrong = server.ockham("list", env={"OCKHAM_TOKEN": "open-sesame-of-forty-thieve"})
        assert wrong.returncode == 1
        right = server.ockham("list", env={"OCKHAM_TOKEN": "open-sesame-of-forty-thieves"})
        assert right.returncode == 0, right.stderr
    finally:
        server.stop()


def test_watch_outlives_the_server(tmp_path):
    """kill -9 of the server while a job is watched: the watching goes on with the next one."""
    server = Server(tmp_path)
    write_blobs(tmp_path / "blobs.csv")
    server.ockham("upload", "blobs", tmp_path / "blobs.csv", "--target", "kind")
    spec = {**SPEC, "model": {"hidden": [64, 64]}, "train": {"epochs": 2500, "batch_size": 8}}
    job = submit(server, tmp_path, spec)
    watch = Running(tmp_path, "watch", job, env=server.env)
    wait_for(lambda: '"epoch"' in watch.out())
    server.process.kill()
    server.process.wait()
    url = server.url
    server.process = subprocess.Popen(
        [program(), "serve", "--listen", url[7:], "--data-dir", str(tmp_path / "store")],
        stdout=server.log, stderr=server.log, stdin=subprocess.DEVNULL, env=environment())
    try:
        assert watch.wait() == 0, watch.err()
        out = watch.out()
        told = events(out)
        assert [e["seq"] for e in told] == list(range(1, len(told) + 1))
        assert [e["epoch"] for e in epochs(out)] == list(range(1, 2501))
    finally:
        server.stop()
