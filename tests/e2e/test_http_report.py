"""What a job tells at its end: layers and evaluation as documents, lambda_hat and the report in `end`.

Method: one server; jobs on iris, and what is told is compared with the job's own events.
"""

import json
import math
from pathlib import Path

import pytest
from cli_tools import run
from ockserver import Server, is_problem

ROOT = Path(__file__).resolve().parents[2]
SPEC = {"data": {"dataset": "iris"}, "model": {"hidden": [6]}, "regularization": {"l2": 1e-3},
        "optimizer": {"lr": 0.1}, "train": {"epochs": 5, "threads": 1}}


@pytest.fixture(scope="module")
def server():
    with Server() as s:
        rows = (ROOT / "tests/data/iris.csv").read_text().splitlines()[1:]
        table = "a,b,c,d,kind\n" + "".join(r[:-1] + "k" + r[-1] + "\n" for r in rows)
        assert s.call("PUT", "/v1/datasets/iris?target=kind", table).status == 201
        yield s


def job(server, spec, wait=50):
    answer = server.call("POST", f"/v1/jobs?wait={wait}", json.dumps(spec))
    assert answer.status in (200, 202), answer.data
    return answer.json


@pytest.fixture(scope="module")
def done(server):
    answer = job(server, SPEC)
    assert answer["status"] == "succeeded", answer
    return answer


def events(server, done):
    lines = server.call("GET", f"/v1/jobs/{done['id']}/events?format=ndjson").data.decode()
    return [json.loads(line) for line in lines.splitlines() if line]


def test_layers(server, done):
    answer = server.call("GET", f"/v1/jobs/{done['id']}/layers")
    assert answer.status == 200 and answer.headers["Content-Type"] == "application/json"
    weights = done["latest"]["weights"]
    layers = answer.json["last"]["layers"]
    assert [layer["name"] for layer in layers] == ["0", "2"]
    assert [layer["count"] for layer in layers] == [4 * 6 + 6, 6 * 3 + 3]
    for layer in layers:
        assert sum(layer["histogram"]["counts"]) == layer["in"] * layer["out"]
        assert 0 < layer["penalty_share"] < 1
    assert math.isclose(sum(layer["l1_norm"] for layer in layers), weights["l1_norm"])
    assert sum(layer["zeros"] for layer in layers) == weights["zeros"]
    assert sum(layer["near_zeros"] for layer in layers) == weights["near_zeros"]


def test_end_has_the_report_and_no_event_is_a_document(server, done):
    told = events(server, done)
    assert [event["seq"] for event in told] == list(range(1, len(told) + 1))
    assert "document" not in {event["type"] for event in told}
    end = told[-1]
    report = end["report"]
    assert end["type"] == "end" and end["lambda_hat"] > 0
    last = [event for event in told if event["type"] == "epoch"][-1]
    assert report["last"]["train"]["data_loss"] == last["train"]["data_loss"]
    assert report["last"]["gap"]["low"] < last["gap"]["loss"] < report["last"]["gap"]["high"]
    assert report["best"]["epoch"] == end["best"]["epoch"]
    assert report["sentence"].startswith(report["verdict"].replace("_", " ")[:4])


def test_documents_of_jobs_that_have_none(server):
    is_problem(server.call("GET", "/v1/jobs/job_nope/layers"), 404)
    slow = job(server, {**SPEC, "train": {"epochs": 1000000, "threads": 1}}, wait=0)
    path = f"/v1/jobs/{slow['id']}"
    problem = is_problem(server.call("GET", path + "/layers"), 409, "not_ended")
    assert "layers" in problem["detail"]
    assert server.call("POST", path + "/cancel").status in (200, 202)
    ended = server.call("GET", path + "?wait=30").json
    assert ended["status"] == "cancelled"
    is_problem(server.call("GET", path + "/layers"), 404)
    end = events(server, slow)[-1]
    assert end["report"] is None and end["lambda_hat"] is None
    assert server.call("DELETE", path).status == 204


def test_documents_go_with_their_job(server):
    gone = job(server, SPEC)
    path = f"/v1/jobs/{gone['id']}"
    assert server.call("GET", path + "/layers").status == 200
    assert server.call("DELETE", path).status == 204
    is_problem(server.call("GET", path + "/layers"), 404)


def test_show_prints_the_report(server, done):
    shown = run("show", done["id"], env={"OCKHAM_URL": f"http://127.0.0.1:{server.port}"})
    lines = [line.split(None, 1) for line in shown.stdout.splitlines()]
    words = {line[0]: line[1] for line in lines if len(line) == 2}
    end = events(server, done)[-1]
    assert words["verdict"] == end["report"]["sentence"]
    assert words["lambda_hat"] == f"{end['lambda_hat']:.2g}"
    assert words["gap"].count("(95%: ") == 1
    assert sum(line[0] == "layer" for line in lines) == 2
