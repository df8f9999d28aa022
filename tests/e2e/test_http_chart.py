"""The curves of a job as a picture, over HTTP.

Method: small jobs on a server of one's own; what it answers is read by another's XML parser. Where the
numbers stand in the picture is tests/unit/test_chart.c's."""

import re
import xml.etree.ElementTree as ElementTree

import pytest
from ockserver import Server, is_problem, slow_spec, spec

NAME = "<b>&\"']]> name"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def place():
    with Server() as server:
        server.upload_table()
        job = server.submit({**spec(7, name=NAME), "regularization": {"l2": 0.01}})
        assert server.ended(job)["status"] == "succeeded"
        yield server, f"/v1/jobs/{job}/chart.svg"


def texts(answer):
    assert answer.status == 200 and answer.headers["Content-Type"] == "image/svg+xml"
    tree = ElementTree.fromstring(answer.data)
    assert tree.tag == SVG + "svg" and tree.get("role") == "img"
    return ["".join(text.itertext()) for text in tree.iter(SVG + "text")]


def test_the_picture(place):
    server, path = place
    answer = server.call("GET", path)
    shown = texts(answer)
    assert shown[0] == NAME and shown[1].startswith("succeeded · epoch 7 of 7 · best: epoch ")
    assert {"data_loss", "penalty", "training", "validation", "epoch"} <= set(shown)
    assert {"accuracy", "rmse"} & set(shown)
    tree = ElementTree.fromstring(answer.data)
    assert tree.find(SVG + "title").text == "Learning curves: " + NAME
    told = [mark.text for mark in tree.iter(SVG + "title")][1:]
    losses = server.call("GET", path.replace("chart.svg", "metrics")).json["train.data_loss"]
    assert told[:7] == [f"epoch {i}: {loss:.4g}" for i, loss in enumerate(losses, 1)]


def test_thinned_out(place):
    server, path = place
    svg = server.call("GET", path + "?max_points=3").data.decode()
    best = re.search(r"best: epoch (\d)", svg)[1]
    first_curve = re.findall(r"<title>epoch (\d): ", svg)[:3]
    assert first_curve[0] == "1" and first_curve[2] == "7"
    assert best in first_curve
    for wrong in ("1", "10001", "x"):
        is_problem(server.call("GET", f"{path}?max_points={wrong}"), 400)


def test_entity_tag(place):
    server, path = place
    answer = server.call("GET", path)
    assert answer.headers["Cache-Control"] == "private, no-cache"
    same = server.call("GET", path, headers={"If-None-Match": answer.headers["ETag"]})
    assert same.status == 304 and same.data == b""
    assert server.call("GET", path + "?max_points=2").headers["ETag"] != answer.headers["ETag"]
    assert server.call("HEAD", path).status == 200


def test_problems(place):
    server, path = place
    is_problem(server.call("GET", "/v1/jobs/job_none/chart.svg"), 404, "not_found")
    is_problem(server.call("GET", path + "?theme=dark"), 400)
    is_problem(server.call("POST", path), 405)


def test_a_search_at_work(place):
    server, _ = place
    job = server.submit({**slow_spec(20000), "tune": {"l2": [0.5, 0.1], "folds": 2}})
    shown = texts(server.call("GET", f"/v1/jobs/{job}/chart.svg"))
    assert "the search for the strength comes first" in shown
    assert f"its picture: /v1/jobs/{job}/tuning?format=svg" in shown
    assert server.call("POST", f"/v1/jobs/{job}/cancel").status in (200, 202)
    assert server.ended(job)["status"] == "cancelled"
    shown = texts(server.call("GET", f"/v1/jobs/{job}/chart.svg"))
    assert "no model was trained with the strength that was chosen" in shown
