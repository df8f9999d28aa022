"""Goal: `ockham train` keeps its word: events as a server would tell them, the model where it was
asked for, all faults at once, and nothing left behind. Method: small jobs on small data, each run
in a TMPDIR of its own that must be empty afterwards."""

import gzip
import hashlib
import json
import re
import struct

import pytest
from cli_tools import (DATA, end, epochs, events, read_safetensors, run, write_blobs, write_job)

SPEC = {"data": {"target": "kind"}, "model": {"hidden": [8]}, "regularization": {"l2": 1e-3},
        "optimizer": {"lr": 0.1}, "train": {"epochs": 5, "batch_size": 32, "seed": 3}}


@pytest.fixture
def place(tmp_path):
    (tmp_path / "tmp").mkdir()
    write_blobs(tmp_path / "blobs.csv")
    yield tmp_path
    assert list((tmp_path / "tmp").iterdir()) == [], "a temporary directory was left behind"


def train(place, spec, *arguments, **settings):
    job = write_job(place, spec)
    env = {"TMPDIR": str(place / "tmp")}
    return run("train", job, *arguments, env=env, cwd=place, **settings)


def test_events_are_whole(place):
    done = train(place, SPEC, "--data", "blobs.csv")
    assert done.returncode == 0 and done.stderr == ""
    told = events(done.stdout)
    assert [event["seq"] for event in told] == list(range(1, len(told) + 1))
    assert {event["job"] for event in told} == {"local"}
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", e["time"]) for e in told)
    assert [event["epoch"] for event in epochs(done.stdout)] == [1, 2, 3, 4, 5]
    assert not {"progress", "checkpoint", "resolved"} & {event["type"] for event in told}
    last = end(done.stdout)
    assert last["status"] == "succeeded" and last["stop_reason"] == "epochs"
    assert last["error"] is None


def test_epochs_learn_and_tell_the_penalty_apart(place):
    rows = epochs(train(place, SPEC, "--data", "blobs.csv").stdout)
    assert rows[-1]["train"]["data_loss"] < rows[0]["train"]["data_loss"]
    for row in rows:
        objective = row["train"]["data_loss"] + row["penalty"]["l1"] + row["penalty"]["l2"]
        assert row["objective"] == pytest.approx(objective, rel=1e-12)
        assert row["gap"]["loss"] == pytest.approx(
            row["validation"]["data_loss"] - row["train"]["data_loss"], abs=1e-12)


def test_model_file_is_the_one_that_end_tells(place):
    done = train(place, SPEC, "--data", "blobs.csv", "--model", "m.safetensors")
    told = end(done.stdout)["model"]
    data = (place / "m.safetensors").read_bytes()
    assert told == {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(),
                    "parameters": 67}
    _, shapes = read_safetensors(place / "m.safetensors")
    layers = {k: v for k, v in shapes.items() if k[0].isdigit()}
    assert layers == {"0.weight": [8, 4], "0.bias": [8], "2.weight": [3, 8], "2.bias": [3]}


def test_init_goes_on_from_a_models_weights(place):
    done = train(place, SPEC, "--data", "blobs.csv", "--model", "m.safetensors")
    best = end(done.stdout)["best"]["value"]
    still = {**SPEC, "optimizer": {"lr": 1e-12}, "train": {"epochs": 1}}
    again = epochs(train(place, still, "--data", "blobs.csv", "--init", "m.safetensors").stdout)
    assert again[0]["validation"]["data_loss"] == pytest.approx(best, rel=1e-6)
    fresh = epochs(train(place, still, "--data", "blobs.csv").stdout)
    assert abs(fresh[0]["validation"]["data_loss"] - best) > 0.05


def test_init_that_does_not_fit(place):
    train(place, SPEC, "--data", "blobs.csv", "--model", "m.safetensors")
    wider = {**SPEC, "model": {"hidden": [9]}}
    done = train(place, wider, "--data", "blobs.csv", "--init", "m.safetensors")
    assert done.returncode == 1
    (place / "junk").write_bytes(b"not a model at all")
    done = train(place, SPEC, "--data", "blobs.csv", "--init", "junk")
    assert done.returncode == 1


def test_target_by_name_or_position(place):
    spec = {**SPEC, "data": {}}
    shas = {epochs(train(place, s, "--data", "blobs.csv", *more).stdout)[-1]["weights_sha256"]
            for s, more in [(SPEC, []), (spec, ["--target", "kind"]), (spec, ["--target", "-1"]),
                            (spec, ["--target", "4"]), (spec, [])]}
    assert len(shas) == 1
    # The command line's word is the last one.
    done = train(place, SPEC, "--data", "blobs.csv", "--target", "x0")
    assert done.returncode == 0 and "rmse" in epochs(done.stdout)[-1]["train"]  # "kind" is a feature


@pytest.mark.parametrize("target, says", [("knid", 'did you mean "kind"?'), ("5", "5 columns"),
                                          ("-6", "5 columns"), ("1.5", "no such column")])
def test_target_that_is_not_there(place, target, says):
    done = train(place, {**SPEC, "data": {}}, "--data", "blobs.csv", "--target", target)
    assert done.returncode == 2 and says in done.stderr and done.stdout == ""


def test_validation_and_test_files(place):
    write_blobs(place / "v.csv", rows=90, seed=2)
    write_blobs(place / "t.csv", rows=60, seed=3)
    done = train(place, SPEC, "--data", "blobs.csv", "--validation-data", "v.csv", "--test-data",
                 "t.csv")
    assert done.returncode == 0, done.stderr
    test = end(done.stdout)["test"]
    # 60 rows: every accuracy is a whole number of sixtieths, of 90 one of ninetieths.
    assert test["accuracy"] * 60 == pytest.approx(round(test["accuracy"] * 60))
    accuracy = epochs(done.stdout)[-1]["validation"]["accuracy"] * 90
    assert accuracy == pytest.approx(round(accuracy))


def test_validation_file_with_other_columns(place):
    write_blobs(place / "v.csv", columns=5)
    (place / "v.csv").write_text((place / "v.csv").read_text().replace("x1", "y1", 1))
    done = train(place, SPEC, "--data", "blobs.csv", "--validation-data", "v.csv")
    assert done.returncode == 2 and "x1" in done.stderr and "/data/validation" in done.stderr


def idx(path, dims, values):
    kind = struct.pack(">BBBB", 0, 0, 8, len(dims))
    path.write_bytes(gzip.compress(kind + struct.pack(f">{len(dims)}I", *dims) + bytes(values)))


def test_idx_images_with_labels(place):
    """Images of 4 × 4 whose brighter half is the class."""
    rows = 80
    pixels = [(200 if (p < 8) == (i % 2 == 0) else 20) + i % 7 for i in range(rows) for p in range(16)]
    idx(place / "x.gz", [rows, 4, 4], pixels)
    idx(place / "y.gz", [rows], [i % 2 for i in range(rows)])
    spec = {k: v for k, v in SPEC.items() if k != "data"}
    done = train(place, spec, "--data", "x.gz,y.gz")
    assert done.returncode == 0, done.stderr
    assert epochs(done.stdout)[-1]["validation"]["accuracy"] == 1.0


def test_a_comma_in_a_files_name(place):
    (place / "a,b.csv").write_bytes((place / "blobs.csv").read_bytes())
    assert train(place, SPEC, "--data", "a,b.csv").returncode == 0
    done = train(place, SPEC, "--data", "a,c.csv")
    assert done.returncode == 2 and done.stderr.startswith("ockham: a: ")


def test_inline_data_and_standard_input(place):
    x = [[i / 20, (i * 7 % 20) / 20] for i in range(40)]
    spec = {"data": {"inline": {"x": x, "y": [2 * a - b for a, b in x]}},
            "model": {"hidden": []}, "train": {"epochs": 2}}
    done = train(place, spec)
    assert done.returncode == 0, done.stderr
    assert "rmse" in epochs(done.stdout)[-1]["train"]
    piped = run("train", "-", input=json.dumps(spec), env={"TMPDIR": str(place / "tmp")})
    shas = {epochs(text)[-1]["weights_sha256"] for text in (done.stdout, piped.stdout)}
    assert len(shas) == 1


def test_heart_scale_meets_the_exact_answer(place):
    """L1 by the proximal method on 270 rows: the optimum's objective, and true zeros."""
    spec = {"data": {"target": "label", "validation": 0, "scaling": "none"},
            "model": {"hidden": []}, "loss": "binary_cross_entropy",
            "regularization": {"l1": 0.05, "l1_method": "proximal", "biases": False},
            "optimizer": {"lr": 1.0, "momentum": 0.9},
            "train": {"epochs": 3000, "batch_size": "all", "shuffle": False}}
    done = train(place, spec, "--data", DATA / "heart_scale.csv")
    last = epochs(done.stdout)[-1]
    assert last["objective"] == pytest.approx(0.5510229068, rel=1e-5)
    assert last["weights"]["count"] - last["weights"]["zeros"] - 1 == 7
    assert "validation" not in last and "gap" not in last


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_are_obeyed_and_change_no_bit(place, threads):
    one = epochs(train(place, SPEC, "--data", "blobs.csv", "--threads", 1).stdout)
    rows = epochs(train(place, SPEC, "--data", "blobs.csv", "--threads", threads).stdout)
    assert {row["threads"] for row in rows} == {threads}
    assert [r["weights_sha256"] for r in rows] == [r["weights_sha256"] for r in one]


FAULTY = {"data": {"target": "kind"}, "regularisation": {"l2": 1},
          "optimizer": {"lr": -0.1, "momentun": 0.9}, "train": {"epochs": 1.5}}


def test_all_faults_at_once(place):
    done = train(place, FAULTY, "--data", "blobs.csv")
    assert done.returncode == 2 and done.stdout == ""
    lines = done.stderr.splitlines()
    assert lines[0].endswith("job.json has 4 faults")
    assert '  /regularisation: unknown key; did you mean "regularization"?' in lines
    assert any(re.match(r"  /optimizer/lr: .*-0\.1", line) for line in lines)
    assert any('/optimizer/momentun' in line and '"momentum"' in line for line in lines)
    assert any(line.startswith("  /train/epochs: ") for line in lines)


@pytest.mark.parametrize("text, says", [
    ("{", "not JSON: line 1"),
    ("", "not JSON"),
    ("[]", "whole document"),
    ('{"data": {"target": "kind"}} x', "not JSON"),
    ('{"data": {}, "train": {"epochs": 1, "epochs": 2}}', "/train/epochs"),
    ('{"data": {}, "optimizer": {"lr": 1e999}}', "/optimizer/lr"),
    ('{"data": {"inline": {"x": [[1]], "y": [1]}}}', "/data/inline"),
    ('{"data": {"target": "knid"}}', 'did you mean "kind"?'),
    ('{"data": {"validation": {"dataset": "v"}}}', "--validation-data"),
    ('{"data": {"test": {"dataset": "t"}}}', "--test-data"),
    ('{"data": {}, "model": {"init": {"job": "job_1"}}}', "--init"),
    ('{"data": {"features": ["x0", "x9"]}}', "x9"),
    ('{"data": {"validation": 0}, "train": {"early_stopping": {"patience": 2}}}', "early"),
])
def test_bad_specs(place, text, says):
    (place / "bad.json").write_text(text)
    done = run("train", "bad.json", "--data", "blobs.csv", cwd=place,
               env={"TMPDIR": str(place / "tmp")})
    assert done.returncode == 2, done.stderr
    assert says in done.stderr and done.stdout == ""


def test_no_data(place):
    done = train(place, SPEC)
    assert done.returncode == 2 and "--data FILE" in done.stderr


@pytest.mark.parametrize("content, says", [
    ("a,b\n1,2\n3\n", "line 3"),
    ("", ""),
    ("a\n1\n2\n", ""),
    ("a,b\n1,\"2\n", ""),
])
def test_bad_data(place, content, says):
    (place / "bad.csv").write_text(content)
    done = train(place, {}, "--data", "bad.csv")
    assert done.returncode in (1, 2) and done.stdout == ""
    assert "bad.csv" in done.stderr and says in done.stderr


def test_what_a_terminal_could_be_tricked_by(place):
    """Keys of a job file are shown without their control characters."""
    (place / "bad.json").write_text('{"data": {}, "\\u001b[31mred": 1}')
    done = run("train", "bad.json", "--data", "blobs.csv", cwd=place,
               env={"TMPDIR": str(place / "tmp")})
    assert done.returncode == 2 and "\x1b" not in done.stderr


def test_no_room_for_the_temporary_directory(place):
    job = write_job(place, SPEC)
    done = run("train", job, "--data", place / "blobs.csv", env={"TMPDIR": "/no/such/dir"})
    assert done.returncode == 1 and "TMPDIR" in done.stderr


def test_a_pipe_is_no_data_file(place):
    done = train(place, SPEC, "--data", "/dev/stdin", input="a,kind\n1,x\n2,y\n")
    assert done.returncode == 2 and "is a pipe, not a file" in done.stderr
