"""A server whose store is damaged: it says so, serves what it can, and neither spins nor lies."""

import os
import sqlite3
import subprocess
import time

import pytest
from ockserver import Server, is_problem, program, spec


def break_table(directory, table):
    path = os.path.join(directory, "ockham.db")
    store = sqlite3.connect(path)
    page, = store.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)).fetchone()
    size, = store.execute("PRAGMA page_size").fetchone()
    store.close()
    with open(path, "r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xee" * 8)


def test_damage_is_told_and_the_rest_goes_on():
    with Server() as server:
        server.upload_table()
        job = server.submit(spec(2))
        assert server.ended(job)["status"] == "succeeded"
        assert "degraded" not in server.call("GET", "/readyz").json
        assert server.call("GET", "/v1/system").json["degraded"] == []
        server.stop()
        break_table(server.directory, "models")
        with server:
            body = is_problem(server.call("GET", f"/v1/jobs/{job}/model"), 500, "damaged")
            assert "ockham.db" not in str(body)
            assert server.call("GET", "/readyz").json == {"status": "ready", "degraded": ["store"]}
            assert server.call("GET", "/v1/system").json["degraded"] == ["store"]
            assert server.call("GET", f"/v1/jobs/{job}").json["status"] == "succeeded"
            # The end of a job needs the damaged table: the job is set aside, once.
            aside = server.submit(spec(2))
            end = time.time() + 60
            while "is set aside" not in server.text() and time.time() < end:
                time.sleep(0.05)
            time.sleep(1.2)  # two rounds of what was tried again for ever
            assert server.text().count("a transaction failed: the store is damaged") <= 2
            assert server.call("GET", f"/v1/jobs/{aside}").json["status"] in ("queued", "running")
            assert server.call("GET", "/v1/system").json["running"] == 0
            files = os.listdir(os.path.join(server.directory, "jobs", aside))
            assert "job.json" in files or "checkpoint" in files


def refuse(directory):
    done = subprocess.run([program(), "serve", "--listen", "127.0.0.1:0", "--data-dir", directory],
                          capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 1 and done.stderr.startswith("ockham: ")
    return done.stderr


@pytest.mark.parametrize("content, why", [
    (b"", "is empty"), (b"x" * 5000, "no store at all"), (b"SQLite format 3\0" + b"\xff" * 5000, "")])
def test_what_is_no_store_is_refused(tmp_path, content, why):
    (tmp_path / "ockham.db").write_bytes(content)
    said = refuse(tmp_path)
    assert why in said and len(said.splitlines()) == 1
    assert (tmp_path / "ockham.db").read_bytes() == content


def test_directory_that_lost_its_store_is_refused(tmp_path):
    (tmp_path / "jobs" / "job_01M88000000000000000000000").mkdir(parents=True)
    model = tmp_path / "jobs" / "job_01M88000000000000000000000" / "best.safetensors"
    model.write_bytes(b"precious")
    assert "its store ockham.db is gone" in refuse(tmp_path)
    assert model.read_bytes() == b"precious" and not (tmp_path / "ockham.db").exists()
