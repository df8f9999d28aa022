"""Goal: at a terminal a job is a table that fits, and closes with words on regularization. Method: a
pseudo-terminal of 60, 80 and 120 columns."""

import re
import signal

import pytest
from cli_tools import final_lines, on_terminal, write_blobs, write_job

SPEC = {"data": {"target": "kind"}, "model": {"hidden": [8]},
        "regularization": {"l1": 1e-3, "l2": 1e-3, "l1_method": "proximal"},
        "optimizer": {"lr": 0.1}, "train": {"epochs": 12, "batch_size": 32, "seed": 3}}
ROW = re.compile(r"^ +(\d+)/12 .*$")


@pytest.fixture
def place(tmp_path, monkeypatch):
    write_blobs(tmp_path / "blobs.csv")
    write_job(tmp_path, SPEC)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def show(*more, **settings):
    return on_terminal("train", "job.json", "--data", "blobs.csv", *more, **settings)


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_a_row_an_epoch_that_fits(place, columns):
    code, shown = show(columns=columns)
    assert code == 0
    lines = final_lines(shown)
    assert max(map(len, lines)) <= columns, max(lines, key=len)
    assert [int(m[1]) for m in map(ROW.match, lines) if m] == list(range(1, 13))
    header = next(line for line in lines if line.lstrip().startswith("epoch"))
    for title in ("train loss", "valid loss", "penalty", "valid acc", "gap"):
        assert title in header
    assert ("samples/s" in header) == (columns >= 80) and ("train acc" in header) == (columns > 80)


def test_columns_are_aligned(place):
    lines = final_lines(show(columns=120)[1])
    header = next(line for line in lines if "train loss" in line)
    ends = {m.end() for m in re.finditer(r"\S+( loss| acc)?", header)}
    for row in filter(ROW.match, lines):
        assert {m.end() for m in re.finditer(r"[^ *]+", row)} == ends, row


def test_the_best_is_marked_and_told(place):
    lines = final_lines(show()[1])
    marked = [int(ROW.match(line)[1]) for line in lines if ROW.match(line) and line.endswith("*")]
    assert marked and marked[0] == 1
    closing = " ".join(line.strip() for line in lines)
    assert f"Best is epoch {marked[-1]} (*): validation data loss" in closing


def test_closing_words(place):
    closing = " ".join(line.strip() for line in final_lines(show("--model", "m")[1]))
    assert re.search(r"12 epochs in [\d.]+ m?s: all epochs done\.", closing)
    assert re.search(r"the penalty \(L1 [\d.e-]+, L2 [\d.e-]+\) is [\d.]+% of the objective", closing)
    assert re.search(r"validation loss lies [\d.e-]+ (above|below) training loss", closing)
    assert re.search(r"\d+ of 67 weights are exactly zero, their L2 norm is [\d.]+\.", closing)
    assert "Model: m (" in closing
    assert re.search(r"(Fits|Overfits|Underfits|Unstable|Still improving|Too early to say): .*[^ ]\.$",
                     closing.rstrip())


def test_without_a_penalty_and_without_validation(place):
    spec = {**SPEC, "regularization": {}, "data": {"target": "kind", "validation": 0}}
    write_job(place, spec)
    code, shown = show()
    lines = final_lines(shown)
    closing = " ".join(line.strip() for line in lines)
    assert code == 0 and "valid" not in next(line for line in lines if "train loss" in line)
    assert "no penalty is in the objective" in closing and "--model FILE" in closing
    assert closing.rstrip().endswith("No validation rows, so nothing can be said.")
    assert not any(line.endswith("*") for line in lines)


def test_numbers_have_rmse(place):
    write_job(place, {**SPEC, "data": {"target": "x0", "features": ["x1", "x2"]}})
    code, shown = show()
    assert code == 0 and "valid rmse" in shown and "acc" not in shown


def test_long_numbers_of_epochs_keep_the_columns(place):
    write_job(place, {**SPEC, "train": {"epochs": 120000, "batch_size": 240, "max_steps": 2000}})
    lines = final_lines(show(columns=60)[1])
    rows = [line for line in lines if re.match(r"^ *\d+/120000 ", line)]
    assert rows and max(map(len, lines)) <= 60
    assert len({len(row.rstrip(" *")) for row in rows}) == 1


def test_colours_and_no_color(place):
    assert "\x1b[32m" in show()[1]
    plain = show(env={"NO_COLOR": "1"})[1]
    assert "\x1b[" not in plain.replace("\r\x1b[K", "")
    assert "\x1b" not in show(env={"TERM": "dumb"})[1]


def test_json_on_a_terminal(place):
    _, shown = show("--json")
    assert shown.startswith('{"type":') and "\x1b" not in shown


def test_many_fast_epochs_do_not_flood(place):
    write_job(place, {**SPEC, "train": {"epochs": 3000, "batch_size": 240}})
    code, shown = show()
    rows = [line for line in final_lines(shown) if re.match(r"^ *\d+/3000 ", line)]
    assert code == 0 and 2 <= len(rows) < 1500
    assert rows[0].split()[0] == "1/3000" and rows[-1].split()[0] == "3000/3000"


def test_progress_within_an_epoch(place):
    write_blobs("blobs.csv", rows=6000)
    write_job(place, {**SPEC, "model": {"hidden": [256, 256]}, "train": {"epochs": 3, "batch_size": 4}})
    code, shown = show("--threads", "1")
    assert code == 0 and re.search(r"epoch \d/3 \[#*-*\] +\d+%  loss", shown)
    assert not any("[#" in line for line in final_lines(shown)), "progress lines are rewritten"


def test_ctrl_c_at_the_terminal(place):
    write_job(place, {**SPEC, "train": {"epochs": 1000000, "batch_size": 8}})
    code, shown = show("--model", "m", keys=[(r"\d+/1000000 ", b"\x03")])
    lines = final_lines(shown)
    assert code == 0 and any("stopped on request" in line for line in lines)
    assert any(line.startswith("Model: m") for line in lines)
    code, _ = show(keys=[(r"\d+/1000000 ", b"\x03\x03")])
    assert code in (0, -signal.SIGINT)  # the stop may win the race


def test_validate_reads_well(place):
    code, shown = on_terminal("validate", "job.json", "--data", "blobs.csv")
    assert code == 0
    for words in ("The job is valid.", "192 rows, 6 steps an epoch", "48 rows", "kind, 3 classes",
                  "parameters       67", "72 in 12 epochs", "weight_decay 0.002", '"hidden"',):
        assert words in shown or words == '"hidden"', words
