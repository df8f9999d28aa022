"""Columns as people have them, over HTTP: text, true and false, and holes become features that belong
to the model; the bits depend on no thread and no pause; what can't teach is said before."""

import json
import random
import struct
import time

import pytest
from ockserver import Server, is_problem

KINDS = ("clerk", "smith", "baker")


def table(rows, seed, kinds=KINDS):
    """The price is told by job, member, age and whether the age is known."""
    rnd = random.Random(seed)
    lines = ["id,age,job,member,price"]
    for i in range(rows):
        age = rnd.randint(20, 60) if rnd.random() < 0.8 else None
        job, member = rnd.choice(kinds), rnd.random() < 0.5
        price = 10 * kinds.index(job) + 5 * member + (0.1 * age if age else 9) + rnd.gauss(0, 0.1)
        shown = "" if rnd.random() < 0.05 else job
        lines.append(f"n{seed}-{i},{age or 'NA'},{shown},{'yes' if member else 'no'},{price:.3f}")
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def server():
    with Server() as s:
        for name, text in (("people", table(400, 1)), ("later", table(60, 2)),
                           ("strange", table(60, 3).replace(",baker,", ",,").replace("smith", "pope")),
                           ("lacking", "age,price\n1,2\n"),
                           ("blank", "age,job,member,price\n1,,yes,2\n2,,no,3\n"),
                           ("words", "age,job,member,price\nold,clerk,yes,2\nold,smith,no,3\n"),
                           ("numbers", table(60, 4).replace(",clerk,", ",1,").replace(
                               ",smith,", ",2,").replace(",baker,", ",3,"))):
            answer = s.call("PUT", f"/v1/datasets/{name}?target=price", text)
            assert answer.status == 201, answer.data
        yield s


def people(test="later", epochs=20, threads=1):
    return {"data": {"dataset": "people", "features": ["age", "job", "member"],
                     "test": {"dataset": test}},
            "train": {"epochs": epochs, "threads": threads}}


def metadata(server, job):
    data = server.call("GET", f"/v1/jobs/{job}/model").data
    size = struct.unpack("<Q", data[:8])[0]
    return json.loads(data[8:8 + size])["__metadata__"]


def wait_for(server, job, holds):
    end = time.time() + 30
    while time.time() < end:
        now = server.call("GET", f"/v1/jobs/{job}").json
        if holds(now):
            return now
        time.sleep(0.01)
    raise AssertionError(now)


def test_mixed_columns_train(server):
    ends = []
    for threads in (1, 2):
        job = server.submit(people(threads=threads))
        assert server.ended(job)["status"] == "succeeded"
        ends.append(server.events(job)[-1])
    assert ends[0]["state_sha256"] == ends[1]["state_sha256"]
    assert ends[0]["test"]["r2"] > 0.8, ends[0]["test"]

    parts = metadata(server, job)
    assert json.loads(parts["features"]) == [
        "age", "age=(missing)", "job=baker", "job=clerk", "job=smith", "job=(missing)", "member"]
    encoding = json.loads(parts["encoding"])
    assert 35 < encoding[0].pop("fill") < 45
    assert encoding == [
        {"name": "age", "type": "number", "missing": True},
        {"name": "job", "type": "category", "values": ["baker", "clerk", "smith"], "missing": True},
        {"name": "member", "type": "boolean"}]
    scaler = json.loads(parts["scaler"])
    assert scaler["mean"][1:] == [0] * 6 and scaler["scale"][1:] == [1] * 6
    assert scaler["mean"][0] == json.loads(parts["encoding"])[0]["fill"]


def test_values_that_training_never_saw(server):
    """A test file with an unknown job is taken: that job is no feature's."""
    job = server.submit(people("strange"))
    assert server.ended(job)["status"] == "succeeded"
    assert server.events(job)[-1]["test"]["r2"] < 0.8


@pytest.mark.parametrize("name,says", [
    ("lacking", '"job", "member"'), ("numbers", '"job"; send it with ?types=COLUMN:category'),
    ("blank", '"job"; send it with ?types=COLUMN:category'),
    ("words", '"age"; ?types=COLUMN:number')])
def test_other_columns_are_refused(server, name, says):
    answer = server.call("POST", "/v1/jobs", people(name))
    is_problem(answer, 422, "invalid_spec")
    assert [e["pointer"] for e in answer.json["errors"]] == ["/data/test"]
    assert says in answer.json["errors"][0]["detail"]


def test_a_column_of_names_is_warned_of(server):
    spec = people()
    spec["data"]["features"] = ["id", "age"]
    answer = server.call("POST", "/v1/jobs/validate", spec).json
    assert [w["code"] for w in answer["warnings"]] == ["text_without_features"]
    assert '"id"' in answer["warnings"][0]["message"]
    # id: other; age and its flag: 3 inputs, 64 hidden units, 1 output
    assert answer["parameters"] == 3 * 64 + 64 + 64 + 1
    job = server.submit(spec)
    assert server.ended(job)["status"] == "succeeded"
    assert "text_without_features" in [e.get("code") for e in server.events(job)]


def test_a_pause_changes_no_bit(server):
    """Paused in the midst of its epochs: the resumed worker fits the encoder anew, to the same bits."""
    ends = []
    for pause in (True, False):
        job = server.submit(people(epochs=3000))
        if pause:
            wait_for(server, job, lambda now: now.get("latest"))
            assert server.call("POST", f"/v1/jobs/{job}/pause").status in (200, 202)
            now = wait_for(server, job, lambda now: now["status"] == "paused")
            assert 0 < now["latest"]["epoch"] < 3000
            assert server.call("POST", f"/v1/jobs/{job}/resume").status in (200, 202)
        assert server.ended(job)["status"] == "succeeded"
        ends.append(server.events(job)[-1])
    assert ends[0]["state_sha256"] == ends[1]["state_sha256"]
