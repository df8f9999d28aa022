"""Goal: however a job at the terminal ends (Ctrl-C, SIGTERM, a worker that dies, a reader that
leaves), the right things stay and the others go. Method: a job of many epochs, disturbed after its
first ones; a TMPDIR of its own must be empty afterwards."""

import os
import signal

import pytest
from cli_tools import (children, end, epochs, events, program, environment, read_safetensors, run,
                       start, wait_for, write_blobs, write_job)
import subprocess

LONG = {"data": {"target": "kind"}, "model": {"hidden": [48, 32], "dropout": 0.2},
        "optimizer": {"lr": 0.05, "momentum": 0.9}, "regularization": {"l1": 1e-4},
        "train": {"epochs": 100000, "batch_size": 8, "seed": 1}}


@pytest.fixture
def place(tmp_path):
    (tmp_path / "tmp").mkdir()
    write_blobs(tmp_path / "blobs.csv")
    write_job(tmp_path, LONG)
    yield tmp_path
    assert list((tmp_path / "tmp").iterdir()) == [], "a temporary directory was left behind"


def begin(place, *arguments, job="job.json"):
    """Starts a job and returns it after its first epoch, with what it has said."""
    job = start("train", place / job, "--data", place / "blobs.csv", *arguments,
                env={"TMPDIR": str(place / "tmp")})
    said = ""
    while '"epoch"' not in said:
        line = job.stdout.readline()
        assert line, job.stderr.read()
        said += line
    return job, said


def test_ctrl_c_stops_and_keeps_the_best(place):
    job, said = begin(place, "--model", place / "m.safetensors")
    job.send_signal(signal.SIGINT)
    rest, err = job.communicate(timeout=20)
    assert job.returncode == 0 and "best model is kept" in err
    last = end(said + rest)
    assert last["status"] == "succeeded" and last["stop_reason"] == "stopped"
    assert [e["seq"] for e in events(said + rest)][-1] == len(events(said + rest))
    assert "0.weight" in read_safetensors(place / "m.safetensors")[1]


def test_second_ctrl_c_aborts(place):
    job, _ = begin(place, "--model", place / "m.safetensors")
    worker = children(job.pid)[0]
    os.kill(worker, signal.SIGSTOP)  # so that the stop is not heard in time
    job.send_signal(signal.SIGINT)
    wait_for(lambda: "aborts" in job.stderr.readline())
    job.send_signal(signal.SIGINT)
    job.communicate(timeout=20)
    assert job.returncode == -signal.SIGINT
    assert not (place / "m.safetensors").exists() and not os.path.exists(f"/proc/{worker}")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_sigterm_without_a_checkpoint_ends_all(place, number):
    job, _ = begin(place)
    worker = children(job.pid)[0]
    job.send_signal(number)
    job.communicate(timeout=20)
    assert job.returncode == -number and not os.path.exists(f"/proc/{worker}")


def test_paused_and_resumed_is_the_same_run(place):
    """SIGTERM twice on the way, then to the end: the bits of an undisturbed run."""
    spec = {**LONG, "train": {**LONG["train"], "epochs": 400}}
    write_job(place, spec, "short.json")
    checkpoint = place / "c"
    for _ in range(2):
        job, _ = begin(place, "--checkpoint", checkpoint, job="short.json")
        job.send_signal(signal.SIGTERM)
        job.communicate(timeout=20)
        assert job.returncode == -signal.SIGTERM and checkpoint.stat().st_size > 0
    settings = {"env": {"TMPDIR": str(place / "tmp")}}
    arguments = ["train", place / "short.json", "--data", place / "blobs.csv"]
    resumed = run(*arguments, "--checkpoint", checkpoint, **settings)
    whole = run(*arguments, **settings)
    assert resumed.returncode == 0, resumed.stderr
    assert epochs(resumed.stdout)[0]["epoch"] > 1, "it began anew"
    for key in ("best", "state_sha256", "model"):
        assert end(resumed.stdout)[key] == end(whole.stdout)[key], key
    last = epochs(resumed.stdout)[-1]["weights_sha256"]
    assert last == epochs(whole.stdout)[-1]["weights_sha256"]
    assert not checkpoint.exists(), "the job is done: nothing to resume"


def test_ctrl_c_with_a_checkpoint_keeps_both(place):
    job, said = begin(place, "--checkpoint", place / "c", "--model", place / "m.safetensors")
    job.send_signal(signal.SIGINT)
    rest, _ = job.communicate(timeout=20)
    assert job.returncode == 0 and end(said + rest)["stop_reason"] == "stopped"
    assert (place / "c").stat().st_size > 0 and (place / "m.safetensors").exists()


def test_a_worker_that_dies_is_told(place):
    job, said = begin(place, "--model", place / "m.safetensors")
    os.kill(children(job.pid)[0], signal.SIGKILL)
    rest, err = job.communicate(timeout=20)
    assert job.returncode == 1 and "signal 9" in err
    last = end(said + rest)
    assert last["status"] == "failed" and last["stop_reason"] == "crash"
    assert "signal 9" in last["error"]["detail"]
    assert [e["seq"] for e in events(said + rest)] == list(range(1, last["seq"] + 1))
    assert not (place / "m.safetensors").exists()


def test_the_parents_death_ends_the_worker(place):
    job, _ = begin(place)
    worker = children(job.pid)[0]
    job.kill()
    job.communicate()
    wait_for(lambda: not os.path.exists(f"/proc/{worker}"), timeout=5)
    for left in (place / "tmp").iterdir():  # kill -9 leaves no time to clean up
        for file in left.iterdir():
            file.unlink()
        left.rmdir()


@pytest.mark.parametrize("arguments", [["train", "job.json", "--data", "blobs.csv"]])
def test_a_reader_that_leaves_ends_it_quietly(place, arguments):
    job = subprocess.Popen([program(), *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           cwd=place, env=environment(TMPDIR=str(place / "tmp")))
    job.stdout.readline()
    job.stdout.close()
    assert job.stderr.read() == b""
    assert job.wait(20) == -signal.SIGPIPE


def test_a_full_disk_is_no_reader_that_left(place):
    with open("/dev/full", "w") as full:
        done = subprocess.run([program(), "--version"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode != 0 and "No space left" in done.stderr
