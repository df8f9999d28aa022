"""The table of a search over HTTP: three forms of it, by Accept or by ?format=.

Method: a small job's spec and events are made a search's in the store of a server that is down, so
that every figure is known; what it answers is read by other people's parsers of CSV and XML. And the
guide's own search, whose picture is in the guide.
"""

import contextlib
import csv
import io
import json
import re
import sqlite3
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from cli_tools import on_terminal, run
from killer_material import DIGITS, upload_digits
from ockserver import ROOT, Server, is_problem, slow_spec, spec

NAME = "<b>&\"']]> name"
SVG = "{http://www.w3.org/2000/svg}"


def trial(n, l2, mean, status="succeeded"):
    figures = {"mean_data_loss": mean, "standard_error": 0.02, "mean_accuracy": 0.9,
               "train_data_loss": 0.3, "zeros": n, "count": 35, "l2_norm": 1.5,
               "folds": [mean, mean]}
    if status == "failed":
        figures = {**dict.fromkeys(figures), "folds": [], "error": "not finite"}
    return {"trial": n, "trials": 4, "l1": 0, "l2": l2, **figures, "status": status}


TRIALS = [trial(1, 0.1, 0.5), trial(2, 0.01, None, "failed"), trial(3, 0.001, 0.4)]


def make_search(server, job):
    """Gives a job a tune section and three of its four trials. The server is down."""
    with contextlib.closing(sqlite3.connect(Path(server.directory) / "ockham.db")) as db, db:
        number, seq = db.execute("SELECT number, seq FROM jobs WHERE id = ?", [job]).fetchone()
        tune = '{"l2": [0.1, 0.01, 0.001, 0], "folds": 2, "rule": "1se"}'
        db.execute("UPDATE specs SET resolved = json_set(resolved, '$.tune', json(?)) WHERE job = ?",
                   [tune, number])
        for n, row in enumerate(TRIALS, 1):
            head = {"type": "trial", "job": job, "seq": seq + n, "time": "2026-01-31T09:12:44.120Z"}
            db.execute("INSERT INTO events(job, seq, key, body) VALUES (?, ?, ?, ?)",
                       [number, seq + n, f"trial:{row['trial']}", json.dumps({**head, **row})])
        db.execute("UPDATE jobs SET seq = seq + 3 WHERE number = ?", [number])


@pytest.fixture(scope="module")
def place():
    with Server() as server:
        server.upload_table()
        job, plain = server.submit(spec(1, name=NAME)), server.submit(spec(1))
        for one in (job, plain):
            server.ended(one)
        server.stop()
        make_search(server, job)
        with server:
            yield server, f"/v1/jobs/{job}/tuning", f"/v1/jobs/{plain}/tuning"


def test_the_table(place):
    server, path, _ = place
    answer = server.call("GET", path)
    assert answer.status == 200 and answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Vary"] == "Accept"
    table = answer.json
    assert table["status"] == "succeeded" and table["rule"] == "1se" and table["folds"] == 2
    assert table["trials_total"] == 4 and table["chosen"] is None
    assert table["trials"] == TRIALS


@pytest.mark.parametrize("query, headers", [("", {"Accept": "text/csv"}), ("?format=csv", {})])
def test_csv(place, query, headers):
    server, path, _ = place
    answer = server.call("GET", path + query, headers=headers)
    assert answer.status == 200 and answer.headers["Content-Type"] == "text/csv"
    rows = list(csv.DictReader(io.StringIO(answer.data.decode())))
    assert [row["l2"] for row in rows] == ["0.1", "0.01", "0.001"]
    assert [row["status"] for row in rows] == ["succeeded", "failed", "succeeded"]
    assert rows[2]["mean_data_loss"] == rows[2]["fold_2"] == "0.4" and rows[1]["fold_1"] == ""


@pytest.mark.parametrize("query, headers", [("", {"Accept": "image/svg+xml"}), ("?format=svg", {}),
                                            ("?format=svg", {"Accept": "text/csv"})])
def test_svg(place, query, headers):
    server, path, _ = place
    answer = server.call("GET", path + query, headers=headers)
    assert answer.status == 200 and answer.headers["Content-Type"] == "image/svg+xml"
    tree = ElementTree.fromstring(answer.data)
    assert tree.tag == SVG + "svg" and tree.get("role") == "img"
    assert tree.find(SVG + "title").text == "How strong? " + NAME
    texts = ["".join(text.itertext()) for text in tree.iter(SVG + "text")]
    assert NAME in texts and "failed (1)" in texts and "l2 (lambda)" in texts
    assert "2-fold cross-validation · 3 of 4 strengths" in texts
    assert {element.tag for element in tree.iter()} <= {
        SVG + name for name in ("svg", "title", "desc", "style", "rect", "text", "tspan", "path",
                                "circle", "g", "clipPath")}


def test_entity_tags(place):
    server, path, _ = place
    tags = set()
    for form in ("json", "csv", "svg"):
        answer = server.call("GET", f"{path}?format={form}")
        tags.add(answer.headers["ETag"])
        again = server.call("GET", f"{path}?format={form}",
                            headers={"If-None-Match": answer.headers["ETag"]})
        assert again.status == 304 and again.data == b"" and again.headers["Vary"] == "Accept"
    assert len(tags) == 3
    head = server.call("HEAD", path)
    assert head.status == 200 and head.headers["ETag"] in tags


def test_problems(place):
    server, path, plain = place
    is_problem(server.call("GET", plain), 404, "not_tuning")
    is_problem(server.call("GET", plain + "?format=svg"), 404, "not_tuning")
    is_problem(server.call("GET", "/v1/jobs/job_none/tuning"), 404, "not_found")
    is_problem(server.call("GET", path, headers={"Accept": "image/png"}), 406, "not_acceptable")
    is_problem(server.call("GET", path + "?format=png"), 400)
    is_problem(server.call("POST", path), 405)


# --- Real searches -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def heart():
    """The second request of docs/tuning.md, word by word."""
    guide = (ROOT / "docs" / "tuning.md").read_text()
    body = re.search(r"stream=true' -d '(\{\"name\": \"heart.*?)'\n```", guide, re.S)[1]
    with Server() as server:
        data = (ROOT / "tests" / "data" / "heart_scale").read_bytes()
        assert server.call("PUT", "/v1/datasets/heart", data).status == 201
        job = server.submit(json.loads(body))
        assert server.ended(job)["status"] == "succeeded"
        yield server, job


def test_table_and_events_say_the_same(heart):
    server, job = heart
    table = server.call("GET", f"/v1/jobs/{job}/tuning").json
    events = server.events(job)
    told = [{k: v for k, v in event.items() if k not in ("type", "job", "seq", "time")}
            for event in events if event["type"] == "trial"]
    assert sorted(told, key=lambda row: row["trial"]) == table["trials"]
    assert [row["trial"] for row in table["trials"]] == list(range(1, 25))
    end = events[-1]["tuning"]
    assert end == {key: table[key] for key in end} and table["chosen"] == table["one_se"]
    assert table["job"] == job and table["status"] == "succeeded" and table["rows"] == 270
    assert sorted(set(table["fold_ids"])) == [0, 1, 2, 3, 4] and len(table["fold_ids"]) == 270
    types = [event["type"] for event in events]
    assert types.index("epoch") > max(i for i, kind in enumerate(types) if kind == "trial")
    rows = csv.DictReader(io.StringIO(
        server.call("GET", f"/v1/jobs/{job}/tuning?format=csv").data.decode()))
    assert [float(row["mean_data_loss"]) for row in rows] == \
        [row["mean_data_loss"] for row in table["trials"]]


def test_the_picture_of_the_guide_is_real(heart):
    server, job = heart
    if not server.call("GET", f"/v1/jobs/{job}").json["latest"]["numerics"].endswith("-fma"):
        pytest.skip("a processor without fused multiply-add has bits of its own")
    drawn = server.call("GET", f"/v1/jobs/{job}/tuning?format=svg").data
    assert drawn == (ROOT / "docs" / "tuning-heart.svg").read_bytes()
    for path in (ROOT / "docs").glob("*.svg"):
        assert ElementTree.parse(path).getroot().tag == SVG + "svg"


@pytest.mark.parametrize("tune, trials, runs, said", [
    ({"l2": {"min": 1e-6, "max": 1e-1, "count": 16}}, 16, 81, "16 strengths in 5 folds: 80 runs, and the refit"),
    ({"l2": [0.1, 0], "folds": 0, "rule": "min", "refit": False}, 2, 2,
     "2 strengths on the validation rows: 2 runs\n"),
])
def test_validate_tells_the_runs(heart, tmp_path, tune, trials, runs, said):
    """Server and command line say the same: the steps are the refit's, which takes all 1797 rows."""
    server, _ = heart
    upload_digits(server)
    job = tmp_path / "job.json"
    spec = {"data": {"dataset": "digits"}, "model": {"hidden": [64]}, "tune": tune}
    answer = server.call("POST", "/v1/jobs/validate", spec).json
    job.write_text(json.dumps({**spec, "data": {}}))
    arguments = ["validate", job, "--data", DIGITS, "--target", "-1"]
    here = json.loads(run(*arguments, "--json").stdout)
    assert answer["trials"] == trials and answer["runs"] == runs
    assert answer["steps_per_epoch"] == 57  # 1797 / 32, rounded up
    for key in ("trials", "runs", "steps_per_epoch", "parameters", "memory_bytes", "conversions"):
        assert here[key] == answer[key], key
    shown = on_terminal(*arguments)[1].replace("\r", "")
    assert said in shown and "1,797 rows, 57 steps" in shown and "validation       0" not in shown


def test_a_search_that_goes_on(heart):
    """The first trials of halving come long before the others: then the table has a part."""
    server, _ = heart
    server.upload_table()
    search = {"l2": [0.5, 0.4, 0.3, 1e-6], "folds": 2, "halving": {"min_epochs": 10}}
    job = server.submit({**slow_spec(20000), "tune": search})
    until = time.monotonic() + 60
    table = {"trials": []}
    while not table["trials"] and time.monotonic() < until:
        time.sleep(0.02)
        table = server.call("GET", f"/v1/jobs/{job}/tuning").json
    assert table["status"] == "running" and table["chosen"] is None and table["rows"] is None
    assert table["trials_total"] == 4 and len(table["trials"]) < 4
    assert table["rule"] == "1se" and table["folds"] == 2
    picture = server.call("GET", f"/v1/jobs/{job}/tuning?format=svg").data.decode()
    drawn = int(re.search(r"(\d) of 4 strengths so far", picture)[1])
    assert len(table["trials"]) <= drawn < 4  # one more may have come in between
    assert server.call("POST", f"/v1/jobs/{job}/cancel").status in (200, 202)
    assert server.ended(job)["status"] == "cancelled"
    table = server.call("GET", f"/v1/jobs/{job}/tuning").json
    assert table["status"] == "cancelled" and table["trials"]
