"""Goal: whoever watches a search sees the curve grow, and in the end what was chosen and why; and
`ockham tuning` prints the table in every form. Method: a server of a few lines that tells trials
made by hand, a terminal that knows how lines are gone over, and small searches without a server."""

import json
import re

import pytest
from cli_tools import on_terminal, run, write_blobs, write_job
from screen import screen
from test_cli_remote import END, Play, event, problem, reply, stream

UNICODE, ASCII = {"LC_ALL": "C.UTF-8"}, {"LC_ALL": "C"}


def trial(n, l2, mean, error=0.02, zeros=0, status="succeeded", total=4, **more):
    figures = {"mean_data_loss": mean, "standard_error": error, "mean_accuracy": 0.9,
               "train_data_loss": 0.3, "zeros": zeros, "count": 14, "l2_norm": 1.0}
    if status == "failed":
        figures = dict.fromkeys(figures)
    return {"type": "trial", "job": "job_1", "seq": n, "trial": n, "trials": total, "l1": 0,
            "l2": l2, **figures, "status": status, **more}


TRIALS = [trial(1, 0.1, 0.50), trial(2, 0.01, 0.41, zeros=3), trial(3, 0.001, 0.40),
          trial(4, 0.0001, None, status="failed")]
LOG = {"type": "log", "job": "job_1", "seq": 5, "level": "info",
       "message": "rule 1se chooses l2 0.01 (mean validation loss 0.41 ± 0.02)"}
CHOICE = ["1se chose l2 = 0.01: the strongest within one standard error (0.0200)",
          "  of the least mean loss, 0.4000 at l2 = 0.001."]


def watch(*lines, columns=80, env=UNICODE):
    with Play(stream(*lines)) as play:
        code, shown = on_terminal("watch", "job_1", columns=columns, env={**play.env, **env})
    return code, shown, play


def epochs(first):
    return [{**event(1), "seq": first, "best": {"epoch": 1}}, {**END, "seq": first + 1}]


def rows(lines):
    """The table's lines as lists of words, the plot left out."""
    plot = set("─●○-o.")
    head = next(i for i, line in enumerate(lines) if "valid loss" in line)
    return [[w for w in line.split() if not set(w) <= plot] for line in lines[head + 1:] if line]


def test_the_table_grows_in_place_and_the_choice_is_told():
    code, shown, play = watch(*TRIALS, LOG, *epochs(6))
    lines = screen(shown)
    assert code == 0, shown
    assert sum("valid loss" in line for line in lines) == 1, "drawn over, not again"
    table = rows(lines)
    assert table[0] == ["0.1", "0.5000", "±", "0.0200", "90.00%", "14"]
    assert table[1] == ["0.01", "0.4100", "±", "0.0200", "90.00%", "11", "1se"]
    assert table[2] == ["0.001", "0.4000", "±", "0.0200", "90.00%", "14", "min"]
    assert table[3] == ["0.0001", "failed"]
    place = lines.index(LOG["message"])
    assert "failed" in lines[place - 1] and lines[place + 1].split()[:2] == ["epoch", "train"]
    assert "trial 4 of 4" not in "\n".join(lines)
    assert [path for _, path, _, _ in play.requests] == ["/v1/jobs/job_1/events"]


def test_a_trial_that_comes_late_goes_to_its_place():
    _, shown, _ = watch(TRIALS[2], {**TRIALS[0], "seq": 4}, {**END, "seq": 5})
    assert [row[0] for row in rows(screen(shown))[:2]] == ["0.1", "0.001"]
    assert "2 of 4 strengths have been tried." in screen(shown)


def test_the_plot_is_to_scale():
    _, shown, _ = watch(trial(1, 0.1, 0.5, 0.1, total=3), trial(2, 0.01, 0.3, 0.1, total=3),
                        trial(3, 0.001, 0.4, None, total=3), *epochs(4))
    lines = [line for line in screen(shown) if "%" in line][:3]
    dots = [line.index("●") for line in lines]
    ends = [(line.index("─"), line.rindex("─")) for line in lines[:2]]
    # 0.2 to 0.6 over the width: the means are at three, one and two quarters.
    left, width = ends[1][0], ends[0][1] - ends[1][0]
    assert [round(4 * (dot - left) / width) for dot in dots] == [3, 1, 2]
    assert all(abs((a + b) / 2 - dot) <= 1 for (a, b), dot in zip(ends, dots))
    assert "─" not in lines[2]


def test_a_line_between_trials_stands_above_the_table():
    words = {"type": "warning", "job": "job_1", "seq": 3, "code": "x", "message": "look here"}
    _, shown, _ = watch(*TRIALS[:2], words, {**TRIALS[2], "seq": 4}, {**TRIALS[3], "seq": 5},
                        *epochs(6))
    lines = screen(shown)
    assert lines[0] == "warning: look here" and "valid loss" in lines[1]
    assert sum("valid loss" in line for line in lines) == 1


def test_progress_within_a_trial_is_rewritten():
    progress = {"type": "progress", "epoch": 0, "fraction": 0.5, "trials_done": 1, "trials": 4}
    _, shown, _ = watch(TRIALS[0], progress, TRIALS[1], progress, *TRIALS[2:], *epochs(5))
    assert "search 1 of 4 [##########----------]  50%" in shown
    assert not any("50%" in line for line in screen(shown))
    assert sum("valid loss" in line for line in screen(shown)) == 1


def test_more_trials_than_lines():
    many = [trial(n, 10 ** -(n / 10), 0.4 + n / 1000, total=60) for n in range(1, 61)]
    _, shown, _ = watch(*many, *epochs(61))
    ups = [int(n) for n in re.findall(r"\x1b\[(\d+)A", shown)]
    assert max(ups) < 24, "the cursor never leaves a screen of 24 lines"
    assert len([line for line in screen(shown) if "±" in line]) == 60


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
def test_rows_fit(columns):
    _, shown, _ = watch(*TRIALS, *epochs(5), columns=columns)
    table = [line for line in screen(shown) if "±" in line]
    assert len(table) == 3 and max(map(len, table)) <= columns, table
    assert ("●" in table[0]) == (columns > 50)


def test_plain_ascii_where_the_locale_has_no_more():
    _, shown, _ = watch(*TRIALS, *epochs(5), env=ASCII)
    assert shown.isascii() and "+-" in shown and "--o--" in shown


def test_all_failed():
    failed = [trial(n, 10 ** -n, None, status="failed") for n in range(1, 5)]
    code, shown, _ = watch(*failed, {**END, "seq": 5, "status": "failed", "best": None})
    assert code == 1 and "No strength has succeeded." in screen(shown)


def test_without_a_terminal_events_are_lines():
    with Play(stream(*TRIALS, *epochs(5))) as play:
        done = run("watch", "job_1", env=play.env)
    assert [json.loads(line)["type"] for line in done.stdout.splitlines()] == \
        ["trial"] * 4 + ["epoch", "end"]
    assert len(play.requests) == 1


def table(trials=TRIALS, **more):
    return {"job": "job_1", "rule": "1se", "folds": 5, "trials_total": 4, "trials": trials, **more}


def test_tuning_prints_the_table():
    with Play(reply(200, table())) as play:
        done = run("tuning", "job_1", env={**play.env, **UNICODE})
    assert done.returncode == 0 and "\x1b" not in done.stdout
    lines = done.stdout.splitlines()
    assert [row[0] for row in rows(lines)[:4]] == ["0.1", "0.01", "0.001", "0.0001"]
    assert lines[-2:] == CHOICE


def test_tuning_by_the_rule_min():
    with Play(reply(200, table(rule="min"))) as play:
        done = run("tuning", "job_1", env=play.env)
    assert done.stdout.endswith("min chose l2 = 0.001: the least mean loss, 0.4000.\n")


def test_tuning_of_a_search_that_goes_on():
    with Play(reply(200, table(TRIALS[:2]))) as play:
        done = run("tuning", "job_1", env=play.env)
    assert done.stdout.endswith("\n2 of 4 strengths have been tried.\n")


@pytest.mark.parametrize("option, accept, body", [
    ("--csv", "text/csv", b"l1,l2\r\n"), ("--svg", "image/svg+xml", b"<svg/>\n"),
    ("--json", "application/json", b'{"trials":[]}')])
def test_tuning_prints_what_the_server_sends(option, accept, body):
    with Play(reply(200, body, accept)) as play:
        done = run("tuning", "job_1", option, env=play.env)
    assert done.returncode == 0 and done.stdout.encode().rstrip() == body.replace(b"\r", b"").rstrip()
    assert play.requests[0][1] == "/v1/jobs/job_1/tuning"
    assert play.requests[0][2]["Accept"] == accept


def test_tuning_of_a_search_that_has_just_begun():
    with Play(reply(200, table([]))) as play:
        done = run("tuning", "job_1", env=play.env)
    assert done.returncode == 0 and done.stdout == "No strength has been tried yet.\n"


@pytest.mark.parametrize("epoch, total, said", [
    (0, 16, "search 7 of 16"), (3, 16, "3 of 40 epochs"), (0, None, "0 of 40 epochs")])
def test_list_and_show_tell_how_far_a_search_is(epoch, total, said):
    progress = {"fraction": 0.4, "epoch": epoch, "epochs": 40, "eta_s": None}
    if total:
        progress["trials"] = {"done": 7, "total": total}
    job = {"id": "job_1", "status": "running", "progress": progress}
    with Play(reply(200, job)) as play:
        shown = run("show", "job_1", env=play.env).stdout
    assert f"progress     {said}\n" in shown
    with Play(reply(200, {"items": [job], "next": None})) as play:
        listed = run("list", env=play.env).stdout
    assert (said if "search" in said else f"{epoch}/40") in listed


@pytest.mark.parametrize("words", [["tuning"], ["tuning", "a", "b"], ["tuning", "a", "--csv", "--svg"]])
def test_tuning_bad_usage(words):
    assert run(*words).returncode == 2


def test_tuning_of_a_job_that_searches_nothing():
    with Play(problem(404, "not_tuning", "The job searches no strength")) as play:
        done = run("tuning", "job_1", env=play.env)
    assert done.returncode == 1 and "searches no strength" in done.stderr


# --- Real searches -------------------------------------------------------------------------------

SPEC = {"data": {"target": "kind"}, "model": {"hidden": [8]}, "optimizer": {"lr": 0.1},
        "train": {"epochs": 3, "batch_size": 32, "seed": 3},
        "tune": {"l2": [0.1, 0.01, 0.001], "folds": 3}}


@pytest.fixture
def place(tmp_path, monkeypatch):
    write_blobs(tmp_path / "blobs.csv")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_train_searches_and_then_trains(place):
    write_job(place, SPEC)
    code, shown = on_terminal("train", "job.json", "--data", "blobs.csv", "--model", "m", env=UNICODE)
    lines = screen(shown)
    assert code == 0, shown
    assert [row[0] for row in rows(lines)[:3]] == ["0.1", "0.01", "0.001"]
    assert sum(line.startswith("rule 1se chooses l2 ") for line in lines) == 1
    assert [line.split()[0] for line in lines if "/3 " in line] == ["1/3", "2/3", "3/3"]
    assert any(line.startswith("Model: m (") for line in lines)


def test_train_without_a_refit(place):
    write_job(place, {**SPEC, "tune": {**SPEC["tune"], "refit": False}})
    code, shown = on_terminal("train", "job.json", "--data", "blobs.csv", env=UNICODE)
    lines = screen(shown)
    assert code == 0 and "3 strengths tried, no model trained: all epochs done." in lines
    assert not any("model was not kept" in line for line in lines)
    done = run("train", "job.json", "--data", "blobs.csv", "--model", "m")
    assert done.returncode == 2 and "tune.refit is false" in done.stderr and not done.stdout


def test_train_prints_trials_as_lines(place):
    write_job(place, SPEC)
    done = run("train", "job.json", "--data", "blobs.csv", "--json")
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert sorted(e["trial"] for e in told if e["type"] == "trial") == [1, 2, 3]
    assert [event["seq"] for event in told] == list(range(1, len(told) + 1))
