"""Goal: clients/examples work as they stand. Method: every job file is validated and trained on the
data that its README names; every script runs against a real server."""

import json
import os
import subprocess

import pytest
from cli_tools import (DATA, ROOT, Server, end, environment, epochs, events, read_safetensors, run)

EXAMPLES = ROOT / "clients" / "examples"
JOBS = sorted(EXAMPLES.glob("*.json"))
# The only warnings that an example may give: it says that it has no validation rows.
WARNS = {"heart-sparse.json": {"no_validation"}}
FILES = {"heart": DATA / "heart_scale.csv", "digits": DATA / "digits.csv.gz"}


def data_of(path):
    name = json.loads(path.read_text())["data"].get("dataset")
    return ["--data", FILES[name]] if name else []


def test_the_readme_names_every_example():
    text = (EXAMPLES / "README.md").read_text()
    for path in EXAMPLES.iterdir():
        assert path.name == "README.md" or f"]({path.name})" in text, path.name


@pytest.mark.parametrize("path", JOBS, ids=lambda p: p.name)
def test_a_job_is_valid(path):
    done = run("validate", path, *data_of(path))
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert {w["code"] for w in told["warnings"]} == WARNS.get(path.name, set())
    assert told["parameters"] > 0


@pytest.mark.parametrize("path", JOBS, ids=lambda p: p.name)
def test_a_job_learns(path):
    done = run("train", path, *data_of(path))
    assert done.returncode == 0, done.stderr
    assert end(done.stdout)["status"] == "succeeded"
    warned = {e["code"] for e in events(done.stdout) if e["type"] == "warning"}
    assert warned == WARNS.get(path.name, set())
    last = epochs(done.stdout)[-1]
    if "rmse" in last["train"]:
        assert last["train"]["r2"] > 0.95
    else:
        assert last["train"]["accuracy"] > (0.97 if "digits" in path.name else 0.82)


def test_sparse_is_sparse():
    done = run("train", EXAMPLES / "heart-sparse.json", "--data", FILES["heart"])
    weights = epochs(done.stdout)[-1]["weights"]
    assert weights["zeros"] == 6 and weights["count"] == 14


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("server"))
    yield server
    server.stop()


def script(name, *arguments, server, cwd):
    return subprocess.run(["sh", str(EXAMPLES / name), *map(str, arguments)], text=True, cwd=cwd,
                          capture_output=True, timeout=60, env=environment(**server.env))


def test_first_job_replay_and_faults(server, tmp_path):
    done = script("first-job.sh", FILES["heart"], server=server, cwd=tmp_path)
    assert done.returncode == 0, done.stderr + done.stdout
    *rows, closing = done.stdout.splitlines()
    assert [json.loads(row)["epoch"] for row in rows] == list(range(1, 21))
    job = closing.split(":")[0]
    assert read_safetensors(tmp_path / "heart.safetensors")[1]["0.weight"] == [16, 13]
    assert os.listdir(tmp_path) == ["heart.safetensors"]

    seqs = [json.loads(line[6:])["seq"] for line in
            script("replay.sh", job, 4, server=server, cwd=tmp_path).stdout.splitlines()
            if line.startswith("data: ")]
    assert seqs[0] == 5 and seqs == list(range(5, seqs[-1] + 1)) and len(seqs) > 15

    faults = json.loads(script("faults.sh", server=server, cwd=tmp_path).stdout)["errors"]
    pointers = {fault["pointer"]: fault.get("suggestion") for fault in faults}
    assert pointers["/regularisation"] == "regularization"
    assert {"/optimizer/lr", "/train/epochs"} <= set(pointers)


def test_jobs_run_on_a_server_to_the_same_bits(server):
    assert server.ockham("upload", "digits", FILES["digits"]).returncode == 0
    path = EXAMPLES / "digits-regularized.json"
    there = server.ockham("submit", path, "--watch")
    assert there.returncode == 0, there.stderr
    here = run("train", path, "--data", FILES["digits"])
    assert [e["weights_sha256"] for e in epochs(there.stdout)] == \
        [e["weights_sha256"] for e in epochs(here.stdout)]
