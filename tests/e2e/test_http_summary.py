"""Summaries: right, made once however many ask, kept, and gone with their dataset; what a kill or a
full disk does to one that is being made.

Method: what the server says is compared with plain Python over the same rows; workers are looked for
among the server's children.
"""

import array
import http.client
import json
import math
import os
import random
import signal
import struct
import threading
from pathlib import Path

import pytest
from cli_tools import run
from ockserver import Server, is_problem
from test_worker_orphans import wait_for


@pytest.fixture(scope="module")
def server():
    with Server() as s:
        yield s


def npy(rows, width, kind="<f4"):
    """The bytes of an NPY file of random numbers."""
    header = str({"descr": kind, "fortran_order": False, "shape": (rows, width)})
    header = header.ljust(117).encode() + b"\n"
    rnd = random.Random(3)
    some = array.array("f", (rnd.gauss(0, 1) for _ in range(5000)))
    values = (some * (rows * width // len(some) + 1))[:rows * width]
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + values.tobytes()


def put(server, name, body, query=""):
    answer = server.call("PUT", f"/v1/datasets/{name}{query}", body)
    assert answer.status in (200, 201), answer.data
    return answer.json["id"]


def summary(server, name, query="", **headers):
    answer = server.call("GET", f"/v1/datasets/{name}/summary{query}", headers=headers)
    assert answer.status == 200, answer.data
    return answer.json


def files_of(server, dataset):
    folder = Path(server.directory) / "summaries" / dataset
    return sorted(p.name for p in folder.iterdir()) if folder.is_dir() else []


def summary_workers(server):
    children = Path(f"/proc/{server.process.pid}/task").glob("*/children")
    found = []
    for pid in " ".join(c.read_text() for c in children).split():
        try:
            if b"\0summary\0" in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(int(pid))
        except OSError:
            pass
    return found


def test_a_table_is_described(server):
    rnd = random.Random(5)
    ages = [rnd.randrange(160) / 4 if rnd.random() < 0.9 else None for _ in range(400)]
    jobs = [rnd.choice("abbccc") for _ in range(400)]
    lines = [f"{'' if age is None else age},{job},1,{'yes' if i % 4 else 'no'}"
             for i, (age, job) in enumerate(zip(ages, jobs))]
    dataset = put(server, "people", "age,job,one,ok\n" + "\n".join(lines) + "\n", "?target=ok")
    told = summary(server, "people")
    assert (told["dataset"], told["rows"], told["columns_count"]) == (dataset, 400, 4)
    assert told["constant_columns"] == ["one"] and told["constant_count"] == 1
    assert [c["count"] for c in told["target"]["classes"]] == [100, 300]
    age, job, one, ok = told["columns"]
    known = sorted(a for a in ages if a is not None)
    assert (age["name"], age["missing"], age["min"], age["max"]) == \
        ("age", ages.count(None), known[0], known[-1])
    mean = math.fsum(known) / len(known)
    assert age["mean"] == pytest.approx(mean, rel=1e-12)
    assert age["std"] == pytest.approx(
        math.sqrt(math.fsum((a - mean) ** 2 for a in known) / len(known)), rel=1e-12)
    for q in (0, 1, 5, 25, 50, 75, 95, 99, 100):
        at = q / 100 * (len(known) - 1)
        below = known[int(at)]
        above = known[min(int(at) + 1, len(known) - 1)]
        assert age["quantiles"][f"p{q}"] == pytest.approx(below + (above - below) * (at % 1))
    edges, counts = age["histogram"]["edges"], age["histogram"]["counts"]
    assert len(edges) == 33 and edges[0] == known[0] and edges[-1] == known[-1]
    assert counts == [sum(low <= a < high or (i == 31 and a == high) for a in known)
                      for i, (low, high) in enumerate(zip(edges, edges[1:]))]
    assert job["top"] == [{"value": v, "count": jobs.count(v)} for v in "cba"]
    assert one["constant"] and one["histogram"] == {"edges": [1, 1], "counts": [400]}
    assert {c["value"]: c["count"] for c in ok["top"]} == {"yes": 300, "no": 100}
    # Chosen columns are the same objects, in the order of the choice.
    assert summary(server, dataset, "?columns=ok,0")["columns"] == [ok, age]
    assert summary(server, dataset, "?columns=1-2,-1")["columns"] == [job, one, ok]
    # A client that has it is told so.
    tag = server.call("GET", "/v1/datasets/people/summary").headers["ETag"]
    again = server.call("GET", "/v1/datasets/people/summary", headers={"If-None-Match": tag})
    assert (again.status, again.data) == (304, b"")


def test_what_cannot_be_described(server):
    put(server, "few", "a,b\n1,2\n3,4\n")
    is_problem(server.call("GET", "/v1/datasets/none/summary"), 404)
    is_problem(server.call("GET", "/v1/datasets/few/summary?columns=c"), 422, "unknown_column")
    is_problem(server.call("GET", "/v1/datasets/few/summary?columns=a,,b"), 422, "unknown_column")
    is_problem(server.call("GET", "/v1/datasets/few/summary?columns=0-2"), 422, "unknown_column")
    is_problem(server.call("GET", "/v1/datasets/few/summary?column=a"), 400)
    half = server.call("PUT", "/v1/datasets/half/x", npy(2, 2))
    assert half.json["status"] == "incomplete"
    is_problem(server.call("GET", "/v1/datasets/half/summary"), 409, "dataset_not_ready")


def test_wide_data_are_described_by_pages(server):
    wide = put(server, "wide", npy(3, 2100))
    told = summary(server, "wide")
    assert told["columns_count"] == 2100 and len(told["columns"]) == 1000
    told = summary(server, "wide", "?columns=2099,999-1000")
    assert [c["name"] for c in told["columns"]] == ["c2099", "c999", "c1000"]
    assert files_of(server, wide) == ["0", "1000", "2000"]
    is_problem(server.call("GET", "/v1/datasets/wide/summary?columns=0-1000"), 422,
               "too_many_columns")


def test_many_clients_make_it_once(server):
    dataset = put(server, "large", npy(60000, 100))
    answers, seen = [], set()
    threads = [threading.Thread(target=lambda: answers.append(summary(server, "large")))
               for _ in range(16)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        seen.update(summary_workers(server))
        assert server.call("GET", "/livez").status == 200
    assert len(answers) == 16 and all(a == answers[0] for a in answers)
    assert len(seen) == 1, "one worker, and the test has seen it"
    assert files_of(server, dataset) == ["0"]
    # It is kept: nothing is made for the next one; what is not as it was left is made again.
    file = Path(server.directory) / "summaries" / dataset / "0"
    kept = file.read_bytes()
    file.write_bytes(kept.replace(b'"missing":0', b'"missing":1', 1))
    assert summary(server, "large") == answers[0] and file.read_bytes() == kept
    # It goes with its dataset.
    assert server.call("DELETE", f"/v1/datasets/{dataset}").status == 204
    assert not file.parent.exists()
    is_problem(server.call("GET", f"/v1/datasets/{dataset}/summary"), 404)


def test_a_disk_that_takes_nothing_is_no_hindrance(server):
    dataset = put(server, "stuck", "a,b\n1,2\n3,4\n")
    folder = Path(server.directory) / "summaries" / dataset
    folder.write_text("a file where a directory should be")
    told = summary(server, "stuck")
    assert told["columns"][0]["mean"] == 2
    assert summary(server, "stuck") == told and folder.is_file()
    folder.unlink()


def ask_in_vain(server):
    def ask():
        try:
            server.call("GET", "/v1/datasets/large/summary")
        except (OSError, http.client.HTTPException):
            pass
    thread = threading.Thread(target=ask)
    thread.start()
    return thread


def test_kills_leave_nothing_partial():
    with Server() as s:
        dataset = put(s, "large", npy(60000, 100))
        thread = ask_in_vain(s)
        worker = wait_for(lambda: summary_workers(s))[0]
        os.kill(worker, signal.SIGKILL)
        thread.join()
        assert files_of(s, dataset) == []
        wait_for(lambda: s.call("GET", "/v1/datasets/large/summary").status == 200)
        (Path(s.directory) / "summaries" / dataset / "0").unlink()
        thread = ask_in_vain(s)
        worker = wait_for(lambda: summary_workers(s))[0]
        s.process.kill()
        s.process.wait()
        thread.join()
        left = Path(s.directory) / "summaries" / dataset
        (left / "0.tmp").write_text("half")
        gone = Path(s.directory) / "summaries" / "ds_01ARZ3NDEKTSV4RRFFQ69G5FAV"
        gone.mkdir()
        (gone / "0").write_text("of a dataset that is gone")
        with s as again:
            assert not gone.exists() and files_of(again, dataset) == []
            assert summary(again, "large")["rows"] == 60000
            wait_for(lambda: not Path(f"/proc/{worker}").exists())


def test_the_command_line(server):
    put(server, "things", "size,colour,kind\n1.5,red,a\n2.5,red,b\n,blue,b\n", "?target=kind")
    environment = {"OCKHAM_URL": f"http://127.0.0.1:{server.port}"}
    done = run("summary", "things", env=environment)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "3 rows, 3 columns; target kind: a 1, b 2"
    assert lines[2].split() == ["COLUMN", "TYPE", "MISSING", "DISTINCT", "MIN", "MEDIAN", "MAX",
                                "MEAN", "STD", "VALUES"]
    assert lines[3].split() == ["size", "number", "1", "2", "1.5", "2", "2.5", "2", "0.5"]
    assert lines[4].endswith("red 2, blue 1")
    done = run("summary", "things", "--columns", "colour", "--json", env=environment)
    assert json.loads(done.stdout)["columns"][0]["distinct"] == 2
    assert run("summary", "nothing", env=environment).returncode == 1
    assert run("summary", env=environment).returncode == 2
