"""What a job tells at its end: layers and evaluation as documents, lambda_hat and the report in `end`.

Method: one server; jobs on iris, and what is told is compared with the job's own events.
"""

import csv
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


def evaluation(server, done):
    answer = server.call("GET", f"/v1/jobs/{done['id']}/evaluation")
    assert answer.status == 200, answer.data
    best = next(event for event in events(server, done) if event["type"] == "epoch"
                and event["epoch"] == done["best"]["epoch"])
    assert answer.json["epoch"] == best["epoch"]
    return answer.json, best["validation"]


def test_evaluation_of_classes(server, done):
    told, validation = evaluation(server, done)
    matrix = told["confusion"]
    assert told["kind"] == "classes" and told["rows"] == sum(map(sum, matrix)) == 30
    assert math.isclose(told["accuracy"], validation["accuracy"])
    assert math.isclose(told["data_loss"], validation["data_loss"])
    for k, one in enumerate(told["classes"]):
        assert one["name"] == f"k{k}"
        assert one["support"] == sum(matrix[k]) and one["recall"] == matrix[k][k] / sum(matrix[k])
        assert one["predicted"] == sum(row[k] for row in matrix)
        assert one["auc"] > 0.5


def test_confusion_as_csv(server, done):
    path = f"/v1/jobs/{done['id']}/evaluation"
    matrix = server.call("GET", path).json["confusion"]
    for table in (server.call("GET", path + "?format=csv"),
                  server.call("GET", path, headers={"Accept": "text/csv"})):
        assert table.status == 200 and table.headers["Content-Type"].startswith("text/csv")
        head, *rows = csv.reader(table.data.decode().splitlines())
        assert head == ["true \\ predicted", "k0", "k1", "k2"]
        assert rows == [[f"k{k}", *map(str, row)] for k, row in enumerate(matrix)]
    is_problem(server.call("GET", path, headers={"Accept": "image/png"}), 406)
    is_problem(server.call("GET", "/v1/jobs/job_nope/evaluation?format=csv"), 404)


def test_evaluation_of_two_classes_by_either_loss(server):
    rows = "".join(f"{x},{'yes' if x * 7 % 10 > 4 else 'no'}\n" for x in range(80))
    assert server.call("PUT", "/v1/datasets/two?target=y", "x,y\n" + rows).status == 201
    for loss in ("cross_entropy", "binary_cross_entropy"):
        two = job(server, {"data": {"dataset": "two"}, "loss": loss, "train": {"epochs": 2}})
        told, validation = evaluation(server, two)
        assert told["binary"]["positive"] == "yes"
        assert math.isclose(told["binary"]["log_loss"], validation["data_loss"])
        assert 0 < told["binary"]["brier"] < 1 and 0 <= told["binary"]["auc"] <= 1
        assert told["binary"]["recall"] == told["classes"][1]["recall"]


def test_evaluation_of_numbers(server):
    spec = {"data": {"dataset": "iris", "target": "d", "features": ["a", "b", "c"]},
            "train": {"epochs": 3}}
    numbers = job(server, spec)
    told, validation = evaluation(server, numbers)
    assert told["kind"] == "numbers"
    for key in ("mse", "rmse", "mae", "r2"):
        assert math.isclose(told[key], validation[key]), key
    residuals = told["residuals"]
    assert sum(residuals["histogram"]["counts"]) == told["rows"]
    worst = residuals["worst"]
    assert len(worst) == 10 and len({row["row"] for row in worst}) == 10
    table = (ROOT / "tests/data/iris.csv").read_text().splitlines()[1:]
    for row in worst:  # its number leads to the row in the file
        assert math.isclose(row["true"], float(table[row["row"]].split(",")[3]), rel_tol=1e-6)
    sizes = [abs(row["residual"]) for row in worst]
    assert sizes == sorted(sizes, reverse=True)
    is_problem(server.call("GET", f"/v1/jobs/{numbers['id']}/evaluation?format=csv"), 406)
    assert sizes[0] in (residuals["quantiles"]["1"], -residuals["quantiles"]["0"])


def test_no_validation_rows_no_evaluation(server):
    spec = {**SPEC, "data": {"dataset": "iris", "validation": 0}}
    without = job(server, spec)
    is_problem(server.call("GET", f"/v1/jobs/{without['id']}/evaluation"), 404)
    assert server.call("GET", f"/v1/jobs/{without['id']}/layers").status == 200
    assert events(server, without)[-1]["report"]["verdict"] == "no_validation"


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
