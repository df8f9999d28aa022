"""The table of a search over HTTP: three forms of it, by Accept or by ?format=.

Method: a small job's spec and events are made a search's in the store of a server that is down, so
that every figure is known; what it answers is read by other people's parsers of CSV and XML.
"""

import contextlib
import csv
import io
import json
import sqlite3
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from ockserver import Server, is_problem, spec

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
