"""The image's entry point, without an image: a token on the first start, and never again.

A stand-in for `ockham` on the PATH writes down how it was called.
"""

import os
import re
import stat
import subprocess
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "container.sh"


def start(tmp_path, *arguments, **environment):
    """Runs the entry point; returns what it printed and how it called the program."""
    programs = tmp_path / "bin"
    programs.mkdir(exist_ok=True)
    fake = programs / "ockham"
    fake.write_text('#!/bin/sh\nprintf "%s\\n" "$@" >"$CALLED"\n')
    fake.chmod(0o755)
    data = tmp_path / "data"
    data.mkdir(exist_ok=True)
    environment = {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "OCKHAM_DATA": str(data),
        "CALLED": str(tmp_path / "called"),
        **environment,
    }
    done = subprocess.run(
        ["sh", SCRIPT, *arguments], env=environment, capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, (tmp_path / "called").read_text().split("\n")[:-1]


def test_first_start_makes_and_tells_a_token(tmp_path):
    said, called = start(tmp_path, "serve")
    token_file = tmp_path / "data" / "token"
    token = token_file.read_text().strip()
    assert re.fullmatch("[0-9a-f]{40}", token)
    assert stat.S_IMODE(token_file.stat().st_mode) == 0o600
    assert token in said and "http://localhost:8080" in said
    # Behind the #: a browser sends it to no server.
    assert f"    http://localhost:8080/#/signin?token={token}\n" in said
    listen = ["serve", "--listen", "0.0.0.0:8080", "--data-dir", str(tmp_path / "data")]
    assert called == [*listen, "--token-file", str(token_file)]


def test_later_starts_keep_it_and_say_nothing(tmp_path):
    start(tmp_path, "serve")
    token = (tmp_path / "data" / "token").read_text()
    said, called = start(tmp_path, "serve", "--cores", "2")
    assert said == ""
    assert (tmp_path / "data" / "token").read_text() == token
    assert called[-2:] == ["--cores", "2"]


def test_two_volumes_have_two_tokens(tmp_path):
    tokens = set()
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        start(tmp_path / name, "serve")
        tokens.add((tmp_path / name / "data" / "token").read_text())
    assert len(tokens) == 2


def test_a_given_token_is_not_written_down(tmp_path):
    said, called = start(tmp_path, "serve", OCKHAM_TOKEN="secret")
    assert said == "" and not (tmp_path / "data" / "token").exists()
    assert "--token-file" not in called and "secret" not in called


def test_other_commands_pass_through(tmp_path):
    said, called = start(tmp_path, "validate", "my job.json")
    assert called == ["validate", "my job.json"]
