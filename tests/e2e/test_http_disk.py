"""A full disk: what takes room is refused with 507, and what makes room goes on working.

Method: the data directory is a tmpfs of 128 MiB, filled up to the last page by a file beside the
store. Where nothing may be mounted, the tests are skipped.
"""

import contextlib
import os
import subprocess

import pytest
from ockserver import Server, is_problem, spec


@pytest.fixture
def server():
    s = Server()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128m", "none", s.directory],
                             capture_output=True, check=False).returncode == 0
    if not mounted:
        os.rmdir(s.directory)
        pytest.skip("no tmpfs may be mounted here")
    try:
        with s:
            s.upload_table()
            yield s
    finally:
        subprocess.run(["umount", "-l", s.directory], check=True)
        with contextlib.suppress(OSError):
            os.rmdir(s.directory)


def fill(server):
    """Takes all the room there is."""
    with open(server.directory + "/filling", "wb", buffering=0) as file, \
            contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 4096)


def test_deletions_make_room(server):
    server.upload_table("plants", rows=90)
    job = server.submit(spec(2, hidden=[400, 400]))
    assert server.ended(job)["status"] == "succeeded"
    fill(server)
    is_problem(server.call("POST", "/v1/jobs", spec(2)), 507, "no_space")
    assert server.call("GET", "/readyz").json["degraded"] == ["disk"]
    assert server.call("DELETE", f"/v1/jobs/{job}").status == 204
    assert server.call("DELETE", "/v1/datasets/plants").status == 204
    os.unlink(server.directory + "/filling")
    assert server.ended(server.submit(spec(2)))["status"] == "succeeded"


def test_deletions_make_room_after_a_restart(server):
    job = server.submit(spec(2))
    assert server.ended(job)["status"] == "succeeded"
    fill(server)
    server.process.kill()
    server.process.wait()
    with server:
        assert server.call("DELETE", f"/v1/jobs/{job}").status == 204
