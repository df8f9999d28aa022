"""The preloaded shim (tests/shim): deaths at named points, and I/O that fails for a while."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

from ockserver import ROOT, program

SERVER_POINTS = [f"{name}.{side}" for name in (
    "commit", "log", "fold", "fsync", "rename", "create", "unlink", "mkdir", "truncate", "spool")
    for side in ("before", "after")]
WORKER_POINTS = [f"{name}.{side}" for name in ("event", "write", "fsync", "rename", "create")
                 for side in ("before", "after")]


def library():
    """The module, beside the program under test or where the unit tests are built."""
    places = [Path(program()).resolve().parent, ROOT / "build" / "test", ROOT / "build" / "dev"]
    for place in places:
        if (place / "ockham-shim.so").is_file():
            return str(place / "ockham-shim.so")
    raise AssertionError("no ockham-shim.so: cmake --preset test && cmake --build --preset test")


class Shim:
    """Its files, in a directory of its own, and the environment that leads to them."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="ockham-shim-")
        self.environment = {
            "LD_PRELOAD": library(),
            **{"SHIM_" + name.upper(): self.path(name) for name in ("arm", "hits", "fault")}}

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, text):
        """At once: nobody may read half of it."""
        with open(self.path(name + ".new"), "w") as file:
            file.write(text)
        os.replace(self.path(name + ".new"), self.path(name))

    def remove(self, name):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path(name))

    def arm(self, role, point, count, text=""):
        self.write("arm", f"{role} {point} {count} {text}\n")

    def disarm(self):
        self.remove("arm")

    def is_armed(self):
        return os.path.exists(self.path("arm"))

    def hits(self):
        """(role, point, last word of the command line) of every death so far."""
        if not os.path.exists(self.path("hits")):
            return []
        with open(self.path("hits")) as file:
            return [(*line.split()[:2], line.split()[4].rstrip("/")) for line in file]

    def fail(self, fault, prefix, kind="any", count=1):
        self.write("fault", f"{fault} {kind} {count} {prefix}\n")

    def heal(self):
        self.remove("fault")

    def close(self):
        shutil.rmtree(self.directory, ignore_errors=True)
