"""Uploads: tables and arrays, with a length or in chunks, gzipped; the same again; names; faults.

Method: small files made here, checked against what the server says of them.
"""

import gzip
import struct
import threading

import pytest
from ockserver import Server, is_problem, spec

CSV = "a,b,label\n" + "".join(f"{i},{i * i % 7},{'yes' if i % 2 else 'no'}\n" for i in range(40))


@pytest.fixture(scope="module")
def server():
    with Server() as s:
        yield s


def put(server, path, body=CSV, **headers):
    return server.call("PUT", f"/v1/datasets/{path}", body,
                       {"Content-Type": "text/csv", **headers})


def test_a_table(server):
    answer = put(server, "table?target=label")
    assert answer.status == 201, answer.data
    made = answer.json
    assert made["name"] == "table" and made["id"].startswith("ds_")
    assert answer.headers["Location"] == f"/v1/datasets/{made['id']}"
    assert made["target"]["name"] == "label" and made["target"]["kind"] == "classes"
    for key in (made["id"], "table"):
        assert server.call("GET", f"/v1/datasets/{key}").json["id"] == made["id"]
    items = server.call("GET", "/v1/datasets").json["items"]
    assert made["id"] in [item["id"] for item in items]


def test_the_same_again_is_harmless(server):
    first = put(server, "again?target=label")
    second = put(server, "again?target=label")
    assert (first.status, second.status) == (201, 200)
    assert first.json["id"] == second.json["id"]


def test_a_taken_name(server):
    first = put(server, "taken?target=label")
    assert first.status == 201
    is_problem(put(server, "taken?target=label", CSV + "1,2,no\n"), 409)
    third = put(server, "taken?target=label&replace=true", CSV + "1,2,no\n")
    assert third.status == 201 and third.json["id"] != first.json["id"]


def test_gzip_chunks_and_length_are_the_same_data(server):
    packed = gzip.compress(CSV.encode())
    chunks = (packed[i:i + 100] for i in range(0, len(packed), 100))
    answers = [put(server, "one?target=label"),
               put(server, "two?target=label", packed, **{"Content-Encoding": "gzip"}),
               put(server, "three?target=label", packed),
               put(server, "four?target=label", chunks)]
    assert [a.status for a in answers] == [201] * 4, [a.data for a in answers]
    assert len({a.json["rows"] for a in answers}) == 1


def idx(shape, values, kind=0x08):
    return struct.pack(">HBB", 0, kind, len(shape)) + struct.pack(f">{len(shape)}I", *shape) + \
        bytes(values)


def test_arrays_in_two_parts(server):
    rows, labels = idx((6, 2, 2), range(24)), idx((6,), [0, 1, 2, 0, 1, 2])
    first = put(server, "images/x", rows, **{"Content-Type": "application/octet-stream"})
    assert first.status in (200, 201, 202) and first.json["status"] == "incomplete", first.data
    second = put(server, "images/y", gzip.compress(labels),
                 **{"Content-Type": "application/octet-stream"})
    assert second.status == 201, second.data
    got = server.call("GET", "/v1/datasets/images").json
    assert got["rows"] == 6 and got["status"] == "ready"


def npy(shape, values, descr="<f8"):
    """What numpy.save writes."""
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"
    text += " " * (-(len(text) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + \
        b"".join(struct.pack("<" + {"<f8": "d", "<i8": "q"}[descr], v) for v in values)


BLOBS = [(3.0 * (i % 3 == j) + (i * 37 % 11) / 20, j) for i in range(150) for j in range(3)]


def test_numpy_arrays_in_two_parts(server):
    """As curl -T sends them, without a type."""
    x = npy((150, 3), [v for v, _ in BLOBS])
    y = npy((150,), [i % 3 for i in range(150)], "<i8")
    assert server.call("PUT", "/v1/datasets/arrays/y", y).json["status"] == "incomplete"
    answer = server.call("PUT", "/v1/datasets/arrays/x", gzip.compress(x))
    assert answer.status == 201, answer.data
    got = server.call("GET", "/v1/datasets/arrays").json
    assert (got["rows"], got["format"], got["status"]) == (150, "npy", "ready")
    job = server.submit(spec(20, data={"dataset": "arrays"}))
    done = server.ended(job)
    assert done["status"] == "succeeded"
    assert done["latest"]["validation"]["accuracy"] == 1


def test_a_numpy_table(server):
    rows = [v for i in range(150) for v in (BLOBS[3 * i][0], BLOBS[3 * i + 1][0], i % 3)]
    answer = server.call("PUT", "/v1/datasets/square", npy((150, 3), rows))
    assert answer.status == 201, answer.data
    assert answer.json["target"]["name"] == "c2", answer.data
    named = server.call("PUT", "/v1/datasets/square2?target=0&format=npy", npy((150, 3), rows))
    assert named.status == 201, named.data
    assert named.json["target"]["name"] == "c0"
    for body in (npy((150,), [0.0] * 150), npy((150, 1), [0.0] * 150), npy((150, 3), rows)[:-1],
                 b"\x93NUMPY\x01\x00"):
        is_problem(server.call("PUT", "/v1/datasets/round", body), 422, "invalid_data")
        assert server.call("GET", "/v1/datasets/round").status == 404


def test_zstd(server):
    """A frame of one raw block, as RFC 8878 has it; found by content, with or without a word of it."""
    body = CSV.encode()
    frame = b"\x28\xb5\x2f\xfd" + struct.pack("<BH", 0x60, len(body) - 256) + \
        struct.pack("<I", len(body) << 3 | 1)[:3] + body
    plain = put(server, "zstd0?target=label").json
    for i, headers in enumerate(({}, {"Content-Encoding": "zstd"}, {"Content-Type": "text/csv"})):
        answer = server.call("PUT", f"/v1/datasets/zstd{i + 1}?target=label", frame, headers)
        assert answer.status == 201, answer.data
        assert answer.json["columns"] == plain["columns"]
    half = server.call("PUT", "/v1/datasets/zstd8/x", frame)  # what is in it is seen with the other
    assert half.json["status"] == "incomplete"
    cut = server.call("PUT", "/v1/datasets/zstd9", frame[:-1])
    is_problem(cut, 422, "invalid_data")
    assert "cut off" in cut.json["detail"]


@pytest.mark.parametrize("body", [CSV, b"\x93nope", b"\x07"])
@pytest.mark.parametrize("part", ["x", "y"])
def test_what_is_no_half_of_a_pair(server, part, body):
    """It is told at once, and does not take the name."""
    answer = put(server, f"halves/{part}", body)
    is_problem(answer, 422, "invalid_data")
    assert answer.json["detail"].startswith(part)
    assert server.call("GET", "/v1/datasets/halves").status == 404


@pytest.mark.parametrize("name", ["ds_x", "job_x", ".hidden", "-x", "a" * 65, "a%20b", "a%2Fb",
                                  "..%2f..%2fetc", "%C3%A4", "_x"])
def test_bad_names(server, name):
    answer = put(server, name)
    is_problem(answer, answer.status)
    assert answer.status in (400, 422)


@pytest.mark.parametrize("path,body", [
    ("bad1?target=nothere", CSV), ("bad2", "only\n1\n2\n"), ("bad3", ""), ("bad4", "a,b\n1\n"),
    ("bad5", "\x00\x01\x02"), ("bad6?delimiter=ab", CSV), ("bad7", "a,b\n"),
])
def test_files_that_are_no_tables(server, path, body):
    answer = put(server, path, body)
    is_problem(answer, 422)
    assert server.directory not in answer.data.decode()
    assert server.call("GET", f"/v1/datasets/{path.split('?')[0]}").status == 404


def test_delete(server):
    made = put(server, "doomed?target=label").json
    assert server.call("DELETE", f"/v1/datasets/{made['id']}").status == 204
    is_problem(server.call("GET", f"/v1/datasets/{made['id']}"), 404)
    is_problem(server.call("DELETE", "/v1/datasets/doomed"), 404)


def test_delete_while_a_job_uses_it(server):
    server.upload_table("flowers")
    job = server.submit(spec(1000000, hidden=(64,)))
    is_problem(server.call("DELETE", "/v1/datasets/flowers"), 409)
    assert server.call("POST", f"/v1/jobs/{job}/cancel").status in (200, 202)
    server.ended(job)
    assert server.call("DELETE", "/v1/datasets/flowers").status == 204


def test_many_uploads_at_once_leave_others_alone(server):
    body = "a,b,label\n" + "".join(f"{i},{i % 13},{i % 3}\n" for i in range(20000))
    answers = {}

    def go(i):
        answers[i] = put(server, f"many{i}?target=label", body)

    threads = [threading.Thread(target=go, args=(i,)) for i in range(12)]
    [t.start() for t in threads]
    for _ in range(20):
        assert server.call("GET", "/v1/jobs", timeout=30).status == 200
    [t.join() for t in threads]
    assert [answers[i].status for i in range(12)] == [201] * 12


OPTIONS = "zip,member,age,label\n0101,1,40,a\n0102,0,none,b\n"


def columns(answer):
    return {column["name"]: column for column in answer.json["columns"]}


def test_types_and_missing_words(server):
    """Told types hold, and are part of what makes an upload the same one."""
    path = "told?types=zip:category,member:boolean,2:number&missing=none"
    made = put(server, path, OPTIONS)
    assert made.status == 201, made.data
    told = columns(made)
    assert [told[name]["type"] for name in ("zip", "member", "age")] == [
        "category", "boolean", "number"]
    assert told["age"]["missing"] == 1
    assert put(server, path, OPTIONS).status == 200
    is_problem(put(server, "told?types=zip:category", OPTIONS), 409, "name_taken")
    is_problem(put(server, path.replace("none", "nil"), OPTIONS), 409, "name_taken")
    found = columns(put(server, "found", OPTIONS))
    assert [found[name]["type"] for name in ("zip", "member", "age")] == [
        "number", "number", "category"]
    escaped = put(server, "escaped?types=%7B%22a%2C%20b%22%3A%22category%22%7D",
                  '"a, b",y\n1,2\n3,4\n')
    assert columns(escaped)["a, b"]["type"] == "category"


@pytest.mark.parametrize("query,code,words", [
    ("types=nothere:number", "invalid_data", "nothere"),
    ("types=zip:text", "invalid_types", "number, category, boolean"),
    ("types=zip", "invalid_types", "column:type"),
    ("types=age:number", "invalid_data", 'line 3, column 3 ("age"): expected a number'),
    ("types=age:boolean", "invalid_data", 'line 2, column 3 ("age"): expected a boolean'),
    ("missing=" + "x" * 2000, "invalid_missing", "1023 bytes"),
    ("delimiter=%22", "invalid_delimiter", "one character"),
    ("delimiter=%C3%A4", "invalid_delimiter", "one character"),
])
def test_options_that_cannot_be(server, query, code, words):
    answer = put(server, f"cannot?{query}", OPTIONS)
    is_problem(answer, 422, code)
    assert words in answer.json["detail"]
    assert server.call("GET", "/v1/datasets/cannot").status == 404


@pytest.mark.parametrize("query,between,type", [
    ("delimiter=tab", "\t", None), ("delimiter=%09", "\t", None), ("format=tsv", "\t", None),
    ("", "\t", "text/tab-separated-values"), ("delimiter=space", " ", None),
    ("delimiter=%3B", ";", None), ("delimiter=%7C", "|", None), ("delimiter=~", "~", None),
    ("header=auto&delimiter=,", ",", "text/csv"),
])
def test_any_delimiter(server, query, between, type):
    body = "\n".join(between.join(row) for row in (("a", "b"), ("1", "2"), ("3", "4")))
    headers = {"Content-Type": type} if type else {}
    answer = server.call("PUT", f"/v1/datasets/delimited?replace=true&{query}", body.encode(),
                         headers=headers)
    assert answer.status in (200, 201), answer.data
    assert sorted(columns(answer)) == ["a", "b"]
