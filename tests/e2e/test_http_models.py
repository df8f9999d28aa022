"""Model downloads: bytes, ranges, entity tags, file names.

Method: the whole file against pieces of it; the header of safetensors read by hand.
"""

import hashlib
import json
import os
import struct

import pytest
from ockserver import Server, is_problem, slow_spec, spec


@pytest.fixture(scope="module")
def server():
    with Server() as s:
        s.upload_table()
        yield s


@pytest.fixture(scope="module", params=[(8,), (400, 400)], ids=["blob", "file"])
def job(server, request):
    job = server.submit(spec(2, hidden=request.param, name='my "model"/../x'))
    assert server.ended(job)["status"] == "succeeded"
    return job


def test_the_whole(server, job):
    answer = server.call("GET", f"/v1/jobs/{job}/model")
    assert answer.status == 200 and answer.headers["Accept-Ranges"] == "bytes"
    assert int(answer.headers["Content-Length"]) == len(answer.data)
    size = struct.unpack("<Q", answer.data[:8])[0]
    header = json.loads(answer.data[8:8 + size])
    assert header["0.weight"]["shape"][1] == 3 and "__metadata__" in header
    end = server.events(job)[-1]
    assert hashlib.sha256(answer.data).hexdigest() == end["model"]["sha256"]
    assert answer.headers["ETag"] == f'"{end["model"]["sha256"]}"'
    disposition = answer.headers["Content-Disposition"]
    assert disposition.startswith('attachment; filename="') and disposition.endswith(
        '.safetensors"')
    name = disposition.split('"')[1]
    assert "/" not in name and not name.startswith(".") and disposition.count('"') == 2
    head = server.call("HEAD", f"/v1/jobs/{job}/model")
    assert head.status == 200 and int(head.headers["Content-Length"]) == len(answer.data)


def test_ranges(server, job):
    whole = server.call("GET", f"/v1/jobs/{job}/model").data
    n = len(whole)
    for field, first, last in (("bytes=0-0", 0, 0), ("bytes=8-99", 8, 99), ("bytes=100-", 100, n - 1),
                               ("bytes=-7", n - 7, n - 1), (f"bytes=-{n + 5}", 0, n - 1),
                               (f"bytes={n - 1}-{n + 9}", n - 1, n - 1)):
        answer = server.call("GET", f"/v1/jobs/{job}/model", headers={"Range": field})
        assert answer.status == 206 and answer.data == whole[first:last + 1], field
        assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{n}"
    for field in (f"bytes={n}-", "bytes=-0"):
        answer = server.call("GET", f"/v1/jobs/{job}/model", headers={"Range": field})
        is_problem(answer, 416)
        assert answer.headers["Content-Range"] == f"bytes */{n}"
    for field in ("bytes=5-2", "bytes=x-y", "bytes=1-2,4-5", "lines=1-2", "bytes=", "bytes=--1"):
        answer = server.call("GET", f"/v1/jobs/{job}/model", headers={"Range": field})
        assert answer.status == 200 and answer.data == whole, field


def test_conditions(server, job):
    tag = server.call("HEAD", f"/v1/jobs/{job}/model").headers["ETag"]
    path = f"/v1/jobs/{job}/model"
    assert server.call("GET", path, headers={"If-None-Match": tag}).status == 304
    both = {"Range": "bytes=0-3", "If-Range": tag}
    assert server.call("GET", path, headers=both).status == 206
    assert server.call("GET", path, headers={**both, "If-Range": '"other"'}).status == 200


def test_which_format_and_prune(server, job):
    assert server.call("GET", f"/v1/jobs/{job}/model?which=last&format=safetensors").status == 200
    answer = server.call("GET", f"/v1/jobs/{job}/model?prune=maybe")
    is_problem(answer, 400, "invalid_query")
    assert answer.json["detail"] == "query parameter prune must be true or false"
    is_problem(server.call("GET", f"/v1/jobs/{job}/model?format=onnx"), 400)


def test_of_no_job(server):
    answer = server.call("GET", "/v1/jobs/nope/model")
    is_problem(answer, 404, "not_found")
    assert answer.json["detail"] == "there is no job nope"


def test_start_from_a_model_that_is_gone(server):
    """The server's own loss: 500, and no path in the answer."""
    job = server.submit(spec(2, hidden=(400, 400)))
    assert server.ended(job)["status"] == "succeeded"
    os.unlink(f"{server.directory}/jobs/{job}/best.safetensors")
    child = spec(2, hidden=(400, 400))
    child["model"]["init"] = {"job": job}
    answer = server.call("POST", "/v1/jobs", child)
    is_problem(answer, 500, "internal")
    assert server.directory not in json.dumps(answer.json)


def test_no_model_yet(server):
    job = server.submit(slow_spec())
    answer = server.call("GET", f"/v1/jobs/{job}/model")
    is_problem(answer, answer.status)
    assert answer.status in (404, 409)
    server.call("POST", f"/v1/jobs/{job}/cancel")
    server.ended(job)
