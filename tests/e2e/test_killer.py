"""Thirty deaths and more, at every named point of server and workers: nothing acknowledged is lost.
OCKHAM_KILLS sets another number, for a slow build; then not every point has its turn.

By hand: python3 tests/e2e/killer.py --kills 1000 --seed 7
"""

import os
import re
import subprocess

from killer import Killer
from ockserver import program
from shim import SERVER_POINTS, WORKER_POINTS, library

KILLS = int(os.environ.get("OCKHAM_KILLS", 30))
SEED = 20251


def test_nothing_is_lost():
    counts = Killer(KILLS, SEED, every_point=KILLS >= 30).run()
    deaths = {name: n for name, n in counts.items() if name.startswith(("server ", "worker "))}
    assert sum(deaths.values()) >= KILLS
    assert counts["attempts more"] > 0 and counts["events seen"] > 0
    assert counts["ended succeeded"] > 0
    if KILLS < 30:
        return
    for point in SERVER_POINTS:
        assert deaths[f"server {point}"] > 0
    for point in WORKER_POINTS:
        assert deaths[f"worker {point}"] > 0
    assert counts["full disks"] > 0 and counts["backups"] > 0


def symbols(path, kind):
    listing = subprocess.run(["nm", "-D", kind, path], capture_output=True, text=True, check=True)
    return {line.split()[-1].split("@")[0] for line in listing.stdout.splitlines()}


def test_shim_sees_what_is_called():
    """Every call of ours or of SQLite's that changes a disk is one that the shim looks at."""
    changes = re.compile(r"(f?truncate|p?write(v2?)?|f(data)?sync|sync(fs)?|sync_file_range|rename(at2?)?"
                         r"|unlink(at)?|rmdir|mkdir(at)?|open(at)?|creat|(posix_)?fallocate"
                         r"|link(at)?|symlink(at)?|sendfile|copy_file_range|splice)(64)?")
    linked = subprocess.run(["ldd", program()], capture_output=True, text=True, check=True).stdout
    sqlite = re.search(r"libsqlite3\S* => (\S+)", linked)[1]
    called = set().union(*(symbols(path, "--undefined-only")
                           for path in (program(), program() + "-worker", sqlite)))
    called = {name for name in called if changes.fullmatch(name)}
    assert "write" in called and "fdatasync" in called
    assert called <= symbols(library(), "--defined-only"), "the shim does not see all of it"
