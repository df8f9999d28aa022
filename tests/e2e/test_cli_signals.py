"""Goal: however a job at the terminal ends (Ctrl-C, SIGTERM, a worker that dies, a reader that
leaves), the right things stay and the others go. Method: a job of many epochs, disturbed after its
first ones; a TMPDIR of its own must be empty afterwards."""

import hashlib
import os
import signal
import subprocess

import pytest
from cli_tools import (Running, children, end, environment, epochs, events, program,
                       read_safetensors, run, wait_for, write_blobs, write_job)

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
    """Starts a job and returns it after its first epoch."""
    job = Running(place, "train", place / job, "--data", place / "blobs.csv", *arguments,
                  env={"TMPDIR": str(place / "tmp")})
    wait_for(lambda: '"epoch"' in job.out())
    return job


def gone(pid):
    return not os.path.exists(f"/proc/{pid}")


def test_ctrl_c_stops_and_keeps_the_best(place):
    job = begin(place, "--model", place / "m.safetensors")
    job.signal(signal.SIGINT)
    assert job.wait() == 0 and "best model is kept" in job.err()
    last = end(job.out())
    assert last["status"] == "succeeded" and last["stop_reason"] == "stopped"
    assert [e["seq"] for e in events(job.out())] == list(range(1, last["seq"] + 1))
    assert "0.weight" in read_safetensors(place / "m.safetensors")[1]


def test_second_ctrl_c_aborts(place):
    job = begin(place, "--model", place / "m.safetensors")
    worker = children(job.pid)[0]
    os.kill(worker, signal.SIGSTOP)  # so that the stop is not heard in time
    job.signal(signal.SIGINT)
    wait_for(lambda: "aborts" in job.err())
    job.signal(signal.SIGINT)
    assert job.wait() == -signal.SIGINT
    assert not (place / "m.safetensors").exists() and gone(worker)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_sigterm_without_a_checkpoint_ends_all(place, number):
    job = begin(place)
    worker = children(job.pid)[0]
    job.signal(number)
    assert job.wait() == -number and gone(worker)


def test_paused_and_resumed_is_the_same_run(place):
    """SIGTERM twice on the way, then to the end: the bits of an undisturbed run."""
    spec = {**LONG, "train": {**LONG["train"], "epochs": 400}}
    write_job(place, spec, "short.json")
    checkpoint = place / "c"
    for _ in range(2):
        job = begin(place, "--checkpoint", checkpoint, job="short.json")
        job.signal(signal.SIGTERM)
        assert job.wait() == -signal.SIGTERM and checkpoint.stat().st_size > 0
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
    job = begin(place, "--checkpoint", place / "c", "--model", place / "m.safetensors")
    job.signal(signal.SIGINT)
    assert job.wait() == 0 and end(job.out())["stop_reason"] == "stopped"
    assert (place / "c").stat().st_size > 0 and (place / "m.safetensors").exists()


SEARCH = {**LONG, "train": {"epochs": 250, "batch_size": 8, "seed": 1, "threads": 1},
          "tune": {"l2": [0.1, 0.01, 0.001, 0.0001], "folds": 3}}


def found(text):
    """What a search came to; every event's number is one more than the one before."""
    told = events(text)
    assert [event["seq"] for event in told] == list(range(1, len(told) + 1))
    bare = [{key: event[key] for key in event if key not in ("seq", "time")} for event in told]
    last = told[-1]
    return [sorted((event for event in bare if event["type"] == "trial"), key=lambda e: e["trial"]),
            [event["weights_sha256"] for event in told if event["type"] == "epoch"],
            [last[key] for key in ("status", "stop_reason", "tuning", "state_sha256", "model")]]


def forge(path, old):
    """Another weights_sha256 in what a search remembers: a run that is not trained again has it."""
    content = path.read_bytes()[:-65]
    assert content.count(old.encode()) == 1
    content = content.replace(old.encode(), b"f" * 64)
    path.write_bytes(content + hashlib.sha256(content).hexdigest().encode() + b"\0")


def test_a_search_goes_on_where_it_was(place):
    """Ctrl-C in the middle: the best so far, and FILE.tuning, from which the next run goes on."""
    write_job(place, SEARCH, "search.json")
    kept, model = place / "c.tuning", place / "m.safetensors"
    arguments = ["train", place / "search.json", "--data", place / "blobs.csv", "--model", model]
    settings = {"env": {"TMPDIR": str(place / "tmp")}}
    whole = found(run(*arguments, **settings).stdout)

    def interrupt(number):
        job = Running(place, *arguments, "--checkpoint", place / "c", **settings)
        wait_for(lambda: '"trial"' in job.out())
        job.signal(number)
        job.wait()
        return job

    job = interrupt(signal.SIGINT)
    assert job.process.returncode == 0 and end(job.out())["stop_reason"] == "stopped"
    told = [event for event in events(job.out()) if event["type"] == "trial"]
    assert 0 < len(told) < 4 and model.exists()
    assert kept.exists() and not (place / "c").exists(), "of a refit that is not this search's"
    sound = kept.read_bytes()
    forge(kept, told[0]["weights_sha256"][1])
    forged = found(run(*arguments, "--checkpoint", place / "c", **settings).stdout)
    assert forged[0][told[0]["trial"] - 1]["weights_sha256"][1] == "f" * 64, "it was trained again"
    assert not kept.exists(), "the job is done: nothing to resume"
    kept.write_bytes(sound)
    assert interrupt(signal.SIGTERM).process.returncode == -signal.SIGTERM and kept.exists()
    last = run(*arguments, "--checkpoint", place / "c", **settings)
    assert last.returncode == 0 and found(last.stdout) == whole
    assert not kept.exists() and not (place / "c").exists()


def test_a_search_refuses_what_is_not_its_own(place):
    arguments = ["train", place / "search.json", "--data", place / "blobs.csv", "--checkpoint",
                 place / "c"]
    settings = {"env": {"TMPDIR": str(place / "tmp")}}
    write_job(place, SEARCH, "search.json")
    for name, said in (("c", "it is not of this job, which searches"),
                       ("c.tuning", f"--checkpoint {place}/c.tuning: the state of a search is "
                                    "damaged or another job's: it is not used; remove it")):
        (place / name).write_text("something else")
        done = run(*arguments, **settings)
        assert done.returncode == 2 and done.stdout == "" and said in done.stderr
        assert (place / name).read_text() == "something else"
        (place / name).unlink()


def test_a_file_that_is_no_checkpoint_of_this_job_is_left_alone(place):
    arguments = ["train", place / "job.json", "--data", place / "blobs.csv", "--checkpoint"]
    settings = {"env": {"TMPDIR": str(place / "tmp")}}
    job = begin(place, "--checkpoint", place / "c")
    job.signal(signal.SIGTERM)
    job.wait()
    write_job(place, {**LONG, "optimizer": {"lr": 0.01}})  # now it is another job
    (place / "rows").write_bytes((place / "blobs.csv").read_bytes())
    for name in ("c", "rows"):
        before = (place / name).read_bytes()
        done = run(*arguments, place / name, **settings)
        assert done.returncode == 2 and done.stdout == ""
        assert f"--checkpoint {place / name}: " in done.stderr and "it is not used" in done.stderr
        assert (place / name).read_bytes() == before


def test_a_worker_that_dies_is_told(place):
    job = begin(place, "--model", place / "m.safetensors")
    os.kill(children(job.pid)[0], signal.SIGKILL)
    assert job.wait() == 1 and "signal 9" in job.err()
    last = end(job.out())
    assert last["status"] == "failed" and last["stop_reason"] == "crash"
    assert "signal 9" in last["error"]["detail"]
    assert [e["seq"] for e in events(job.out())] == list(range(1, last["seq"] + 1))
    assert not (place / "m.safetensors").exists()


def test_the_parents_death_ends_the_worker(place):
    job = begin(place)
    worker = children(job.pid)[0]
    job.process.kill()
    job.wait()
    wait_for(lambda: gone(worker))
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
    assert job.wait(60) == -signal.SIGPIPE


@pytest.mark.parametrize("arguments", [["--version"], ["train", "job.json", "--data", "blobs.csv"]])
def test_a_full_disk_is_no_reader_that_left(place, arguments):
    with open("/dev/full", "w") as full:
        done = subprocess.run([program(), *arguments], stdout=full, stderr=subprocess.PIPE, text=True,
                              cwd=place, env=environment(TMPDIR=str(place / "tmp")))
    assert done.returncode == 1 and "No space left" in done.stderr
