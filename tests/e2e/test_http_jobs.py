"""Jobs over HTTP: submit, validate, list, wait, entity tags, actions, idempotency keys.

Method: tiny jobs on a small table; each status code of API.md provoked once.
"""

import json
import os
import threading
import time

import pytest
from ockserver import Server, is_problem, slow_spec, spec

ENDED = ("succeeded", "failed", "cancelled")


@pytest.fixture(scope="module")
def server():
    with Server() as s:
        s.upload_table()
        yield s


def cancel(server, job):
    assert server.call("POST", f"/v1/jobs/{job}/cancel").status in (200, 202)
    assert server.ended(job)["status"] == "cancelled"


def until(server, job, *states):
    end = time.time() + 60
    while time.time() < end:
        got = server.call("GET", f"/v1/jobs/{job}").json
        if got["status"] in states:
            return got
        time.sleep(0.01)
    raise AssertionError(f"{job} is {got['status']}, not {states}")


def test_submit_and_get(server):
    answer = server.call("POST", "/v1/jobs", spec(name="first", labels={"team": "a"}))
    assert answer.status == 202 and answer.headers["Location"] == f"/v1/jobs/{answer.json['id']}"
    done = server.ended(answer.json["id"])
    assert done["status"] == "succeeded" and done["name"] == "first"
    assert done["labels"] == {"team": "a"} and done["latest"]["epoch"] == 3
    assert done["spec"]["train"]["epochs"] == 3 and done["resolved"]["loss"] == "cross_entropy"
    assert done["error"] is None and done["stop_reason"] == "epochs"


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded",
                                  "application/merge-patch+json", "text/plain", None])
def test_json_whatever_the_type_says(server, kind):
    headers = {"Content-Type": kind} if kind else {}
    assert server.call("POST", "/v1/jobs/validate", json.dumps(spec()), headers).status == 200


@pytest.mark.parametrize("body,status", [
    (b"", 400), (b"{", 400), (b"null x", 400), (b"{'data':1}", 400), (b'{"a":01}', 400),
    (b"\xff\xfe", 400), (b'{"a":"\xc3("}', 400), (b"[" * 100000, None), (b'{"a":NaN}', 400),
    (b"[]", 422), (b"null", 422), (b'"x"', 422), (b"{}", 422),
    (b'{"data":{"dataset":"flowers"},"train":{"epochs":1,"epochs":2}}', 422),
    (b'{"data":{"dataset":"flowers"},"optimizer":{"lr":1e999}}', 422),
    (b'{"data":{"dataset":"nope"}}', 422),
])
def test_bodies_that_are_no_spec(server, body, status):
    for path in ("/v1/jobs", "/v1/jobs/validate"):
        answer = server.call("POST", path, body)
        is_problem(answer, status or answer.status)
        assert answer.status in (400, 413, 422)


def test_not_json_has_line_and_column(server):
    body = is_problem(server.call("POST", "/v1/jobs", b'{"data":\n  {"dataset" 1}}'), 400,
                      "invalid_json")
    assert "line 2" in body["detail"]


@pytest.mark.parametrize("path", ["/v1/jobs", "/v1/jobs/validate"])
def test_json_too_deep_is_400_too(server, path):
    body = b'{"data":' + b"[" * 32 + b"]" * 32 + b"}"
    answer = server.call("POST", path, body)
    assert "column 40: more than 32 arrays" in is_problem(answer, 400, "invalid_json")["detail"]


def test_all_faults_of_a_spec_at_once(server):
    bad = {"data": {"dataset": "nope"}, "regularisation": {"l2": 1}, "optimizer": {"lr": -1},
           "train": {"epochs": 1.5}}
    for path in ("/v1/jobs", "/v1/jobs/validate"):
        errors = is_problem(server.call("POST", path, bad), 422, "invalid_spec")["errors"]
        pointers = {e["pointer"]: e for e in errors}
        assert {"/regularisation", "/optimizer/lr", "/train/epochs"} <= set(pointers)
        assert pointers["/regularisation"]["suggestion"] == "regularization"


def test_validate(server):
    answer = server.call("POST", "/v1/jobs/validate", spec())
    assert answer.status == 200
    assert {"resolved", "parameters", "memory_bytes", "steps_per_epoch", "warnings"} <= set(
        answer.json)
    assert answer.json["resolved"]["regularization"]["l1_method"] == "subgradient"


def test_list_filters_and_pages(server):
    jobs = [server.submit(spec(1, labels={"page": "yes", "n": str(i)})) for i in range(7)]
    [server.ended(job) for job in jobs]
    seen, path = [], "/v1/jobs?label.page=yes&limit=3&status=succeeded"
    for size in (3, 3, 1):
        answer = server.call("GET", path)
        assert len(answer.json["items"]) == size, answer.data
        seen += [item["id"] for item in answer.json["items"]]
        if answer.json["next"] is None:
            assert "Link" not in answer.headers
            break
        link = answer.headers["Link"]
        assert link.endswith('>; rel="next"')
        path = link[1:link.index(">")]
        assert "label.page=yes" in path and answer.json["next"] in path
    assert seen == sorted(jobs, reverse=True)
    assert answer.json["next"] is None
    assert server.call("GET", "/v1/jobs?label.page=yes&label.n=4").json["items"][0]["id"] == jobs[4]
    assert server.call("GET", "/v1/jobs?label.page=no").json["items"] == []


def test_a_cursor_is_a_jobs_id(server):
    for after in ("foo", "job_x", "", "ds_01M83ATZZ6B0VHEFN62XBVT5J1"):
        answer = server.call("GET", f"/v1/jobs?after={after}")
        is_problem(answer, 400, "invalid_query")
        assert answer.json["errors"][0]["code"] == "invalid_parameter"


def test_no_path_of_the_server_in_an_error(server):
    """A worker's last words may name files; what a client sees may not."""
    dataset = server.upload_table("doomed", rows=60).json["id"]
    path = f"{server.directory}/datasets/{dataset}.ockds"
    os.rename(path, path + ".gone")
    answer = server.call("POST", "/v1/jobs", {"data": {"dataset": "doomed"}})
    is_problem(answer, 500, "damaged")
    assert server.directory.encode() not in answer.data
    os.rename(path + ".gone", path)
    answer = server.call("POST", "/v1/jobs/validate", {"data": {"dataset": "doomed"}})
    assert answer.status == 200  # and now the server has the file open, but a worker has not
    os.unlink(path)
    job = server.submit({"data": {"dataset": "doomed"}})
    ended = server.ended(job)
    assert ended["status"] == "failed" and ended["stop_reason"] == "crash"
    assert f"datasets/{dataset}" in ended["error"]["detail"]
    events = server.call("GET", f"/v1/jobs/{job}/events?format=json").data
    assert server.directory.encode() not in events
    assert server.directory not in json.dumps(ended)


def test_wait_on_submit(server):
    begin = time.time()
    answer = server.call("POST", "/v1/jobs?wait=30", spec(2))
    assert answer.status == 200 and answer.json["status"] == "succeeded"
    assert time.time() - begin < 25
    answer = server.call("POST", "/v1/jobs?wait=1", slow_spec())
    assert answer.status == 202 and answer.json["status"] in ("queued", "running")
    cancel(server, answer.json["id"])


def test_wait_on_get(server):
    job = server.submit(slow_spec())
    until(server, job, "running")
    begin = time.time()
    answer = server.call("GET", f"/v1/jobs/{job}?wait=1")
    assert answer.status == 200 and answer.json["status"] == "running"
    assert 0.9 < time.time() - begin < 15
    got = []
    waiter = threading.Thread(
        target=lambda: got.append((server.call("GET", f"/v1/jobs/{job}?wait=30"), time.time())))
    waiter.start()
    time.sleep(0.3)
    begin = time.time()
    cancel(server, job)
    waiter.join(40)
    assert got[0][0].json["status"] == "cancelled" and got[0][1] - begin < 20


def test_many_waits_hold_no_thread(server):
    job = server.submit(slow_spec())
    got = []
    threads = [threading.Thread(target=lambda: got.append(
        server.call("GET", f"/v1/jobs/{job}?wait=30").json["status"])) for _ in range(60)]
    [t.start() for t in threads]
    time.sleep(0.5)
    begin = time.time()
    assert server.call("GET", "/v1/jobs").status == 200
    assert time.time() - begin < 15, "others wait behind the waiting"
    cancel(server, job)
    [t.join(60) for t in threads]
    assert got == ["cancelled"] * 60


def test_entity_tags(server):
    job = server.submit(spec(1))
    server.ended(job)
    first = server.call("GET", f"/v1/jobs/{job}")
    tag = first.headers["ETag"]
    for field in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        again = server.call("GET", f"/v1/jobs/{job}", headers={"If-None-Match": field})
        assert again.status == 304 and again.data == b"" and again.headers["ETag"] == tag, field
    assert server.call("GET", f"/v1/jobs/{job}", headers={"If-None-Match": '"x"'}).status == 200
    begin = time.time()
    unchanged = server.call("GET", f"/v1/jobs/{job}?wait=1", headers={"If-None-Match": tag})
    assert unchanged.status == 304 and 0.9 < time.time() - begin < 15
    changed = []
    waiter = threading.Thread(target=lambda: changed.append(server.call(
        "GET", f"/v1/jobs/{job}?wait=20", headers={"If-None-Match": tag})))
    waiter.start()
    time.sleep(0.3)
    assert server.call("PATCH", f"/v1/jobs/{job}", {"name": "new"}).json["name"] == "new"
    waiter.join(40)
    assert changed[0].status == 200 and changed[0].json["name"] == "new"
    assert changed[0].headers["ETag"] != tag


def test_patch(server):
    job = server.submit(spec(1))
    answer = server.call("PATCH", f"/v1/jobs/{job}", {"labels": {"a": "b"}, "priority": 3})
    assert answer.status == 200 and answer.json["labels"] == {"a": "b"}
    assert answer.json["priority"] == 3
    for bad in ({"status": "succeeded"}, {"priority": "high"}, [], {"nmae": "x"}):
        is_problem(server.call("PATCH", f"/v1/jobs/{job}", bad), 422)
    is_problem(server.call("PATCH", f"/v1/jobs/{job}", b'{"name":"a","name":"b"}'), 422)
    is_problem(server.call("PATCH", "/v1/jobs/job_nope", {"name": "x"}), 404)


def test_actions(server):
    job = server.submit(slow_spec())
    until(server, job, "running")
    is_problem(server.call("DELETE", f"/v1/jobs/{job}"), 409)
    assert server.call("POST", f"/v1/jobs/{job}/pause").status == 202
    until(server, job, "paused")
    assert server.call("POST", f"/v1/jobs/{job}/pause").status == 200
    assert server.call("POST", f"/v1/jobs/{job}/resume").status == 202
    until(server, job, "running")
    assert server.call("POST", f"/v1/jobs/{job}/stop").status == 202
    done = server.ended(job)
    assert (done["status"], done["stop_reason"]) == ("succeeded", "stopped")
    for action in ("pause", "resume", "cancel"):
        is_problem(server.call("POST", f"/v1/jobs/{job}/{action}"), 409)
    assert server.call("DELETE", f"/v1/jobs/{job}").status == 204
    is_problem(server.call("GET", f"/v1/jobs/{job}"), 404)
    is_problem(server.call("POST", f"/v1/jobs/{job}/cancel"), 404)
    is_problem(server.call("POST", f"/v1/jobs/{job}/explode"), 404)


def test_idempotency_keys(server):
    body = json.dumps(spec(1, name="once"))
    first = server.call("POST", "/v1/jobs", body, {"Idempotency-Key": "k1"})
    again = server.call("POST", "/v1/jobs", body, {"Idempotency-Key": "k1"})
    assert first.status == again.status == 202 and first.json["id"] == again.json["id"]
    assert again.headers["Location"] == first.headers["Location"]
    is_problem(server.call("POST", "/v1/jobs", json.dumps(spec(2)), {"Idempotency-Key": "k1"}), 422)
    stream = server.call("POST", "/v1/jobs?stream=true", body,
                         {"Idempotency-Key": "k1", "Accept": "application/x-ndjson"})
    lines = [json.loads(line) for line in stream.data.splitlines() if line.strip()]
    assert {line["job"] for line in lines} == {first.json["id"]} and lines[0]["seq"] == 1
    # What failed is not kept: the same key may be used for what is right.
    is_problem(server.call("POST", "/v1/jobs", b'{"data":{"dataset":"nope"}}',
                           {"Idempotency-Key": "k2"}), 422)
    assert server.call("POST", "/v1/jobs", body, {"Idempotency-Key": "k2"}).status == 202
    for key in ("", "x" * 256):
        is_problem(server.call("POST", "/v1/jobs", body, {"Idempotency-Key": key}), 400)


def test_one_key_from_many_clients_makes_one_job(server):
    body = json.dumps(spec(1, labels={"race": "yes"}))
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(
        server.call("POST", "/v1/jobs", body, {"Idempotency-Key": "race"}))) for _ in range(16)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert {a.status for a in answers} <= {202, 409} and 202 in {a.status for a in answers}
    assert len({a.json["id"] for a in answers if a.status == 202}) == 1
    assert len(server.call("GET", "/v1/jobs?label.race=yes").json["items"]) == 1


def test_starting_weights_of_another_shape_are_refused_at_once(server):
    first = server.submit(spec(1, hidden=(5,)))
    assert server.ended(first)["status"] == "succeeded"
    other = spec(1, hidden=(6,))
    other["model"]["init"] = {"job": first}
    body = is_problem(server.call("POST", "/v1/jobs", other), 422, "invalid_spec")
    assert body["errors"][0]["pointer"] == "/model/init"
    assert "0.weight" in body["errors"][0]["detail"]
    other["model"]["hidden"] = [5]
    assert server.ended(server.submit(other))["status"] == "succeeded"
