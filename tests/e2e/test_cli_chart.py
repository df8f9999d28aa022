"""Goal: the curves of a job in the terminal: drawn over themselves, fitting, at rest in the end. Method: a
real server, a pseudo-terminal that is resized. Where the dots stand is tests/unit/test_cli_chart.c's."""

import fcntl
import re
import struct
import termios

import pytest
from cli_tools import Server, on_terminal, wait_for, write_blobs, write_job
from screen import screen

SPEC = {"name": "blobs-l2", "data": {"dataset": "blobs"}, "model": {"hidden": [8]},
        "optimizer": {"lr": 0.1}, "train": {"epochs": 12, "batch_size": 32, "seed": 3}}
UTF8 = {"LC_ALL": "C.UTF-8"}
CLEAR = "\x1b[H\x1b[J"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    place = tmp_path_factory.mktemp("server")
    server = Server(place)
    server.place = place
    blobs = write_blobs(place / "blobs.csv")
    assert server.ockham("upload", "blobs", blobs, "--target", "kind").returncode == 0
    server.job = submit(server, SPEC)
    yield server
    server.stop()


def submit(server, spec):
    done = server.ockham("submit", write_job(server.place, spec))
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def plain(shown):
    return re.sub(r"\x1b\[[\d;]*m", "", shown).replace("\r\n", "\n")


@pytest.mark.parametrize("columns", [60, 80])
def test_a_chart_at_rest(server, columns):
    code, shown = on_terminal("watch", server.job, "--chart", columns=columns,
                              env={**server.env, **UTF8})
    lines = [line for line in screen(shown) if line]
    at = lines.index("data loss over epochs")
    chart = lines[at:next(i for i, line in enumerate(lines) if line.startswith("12 epochs in"))]
    assert code == 0 and lines[:2] == ["queued", "running"] and len(chart) == 20
    assert max(map(len, chart)) < columns
    assert any(re.search("[\u2801-\u28ff]{3}", line) for line in chart)
    assert sum(line.count("◆") for line in chart) == 2 and "━ train 0." in chart[-1]
    assert chart[-2].split()[-1] == "12" and "┬" in chart[-3]
    assert not any("left" in line for line in chart)
    closing = " ".join(line.strip() for line in lines)
    assert re.search(r"Best is epoch \d+ \(◆\): validation", closing)
    assert "downloads the model" in closing
    assert "\x1b[33m" in shown and "\x1b[36m" in shown


def test_without_colours_or_unicode(server):
    _, shown = on_terminal("watch", server.job, "--chart", env={**server.env, **UTF8, "NO_COLOR": "1"})
    assert not re.search(r"\x1b\[\d*m", shown) and "•••" in shown and "\u28c0" not in shown
    _, shown = on_terminal("watch", server.job, "--chart", env={**server.env, "LC_ALL": "C"})
    assert shown.isascii() and "ooo" in plain(shown) and "@ best: epoch" in plain(shown)


def test_show(server):
    code, shown = on_terminal("show", server.job, "--chart", columns=60, env={**server.env, **UTF8})
    assert code == 0 and "blobs-l2" in shown and "◆ best: epoch" in plain(shown)
    assert max(map(len, plain(shown).split("\n"))) < 60 and "\x1b[H" not in shown
    for command in ("show", "watch"):  # and into a pipe
        done = server.ockham(command, server.job, "--chart", env={"LC_ALL": "C"})
        assert done.returncode == 0 and "\x1b" not in done.stdout and "o valid 0." in done.stdout
        done = server.ockham(command, server.job, "--chart", "--json")
        assert done.returncode == 2 and "not both" in done.stderr
    done = server.ockham("show", "job_none", "--chart")
    assert done.returncode == 1 and "no job" in done.stderr


def test_drawn_over_itself_and_resized(server):
    """A job at work is drawn again and again; one at rest when the terminal's size is another one."""
    job = submit(server, {**SPEC, "train": {"epochs": 50000000, "batch_size": 8}})

    def pause(fd):
        assert server.ockham("pause", job).returncode == 0

    def resize(fd):
        fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 16, 50, 0, 0))

    code, shown = on_terminal(
        "watch", job, "--chart", env={**server.env, **UTF8},
        keys=[(r"(?s)(A\x1b\[J.*){3}\nepoch \d", pause), (r"paused(?s:.*)\nepoch [^\n]*\n$", resize),
              (r"\x1b\[H\x1b\[J(?s:.*)\nepoch [^\n]*\n", b"\x03")])
    assert code == -2
    before, after = shown.split(CLEAR)
    drawn = [line for line in screen(before) if line.startswith("data loss")]
    assert len(drawn) == 1 and before.count("data loss") > 3
    lines = plain(after).split("\n")
    assert lines[0].startswith("data loss") and max(map(len, lines)) < 50 and len(lines) <= 17
    assert server.ockham("cancel", job).returncode == 0
    wait_for(lambda: '"cancelled"' in server.ockham("show", job, "--json").stdout)


def test_before_the_first_epoch(server):
    job = submit(server, {**SPEC, "tune": {"l2": [0.1, 0.01], "folds": 2},
                          "train": {"epochs": 50000000, "batch_size": 8}})
    done = server.ockham("show", job, "--chart")
    assert done.returncode == 0 and "no epoch yet" in done.stdout
    assert f"ockham tuning {job} shows the search" in done.stdout
    assert server.ockham("cancel", job).returncode == 0
