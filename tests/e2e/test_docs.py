"""The documents are true: keys, examples, numbers and commands of README.md and docs/.

Goal: what a reader copies works, and what the program knows is in the guide. Method: pull the
examples out of the pages and hand them to the program; compare lists of names with the sources
that define them.
"""

import json
import os
import re
import subprocess
import urllib.request
from pathlib import Path

import cli_tools
import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def program():
    return os.environ.get("OCKHAM") or str(ROOT / "build" / "release" / "ockham")


def run(*arguments, **settings):
    command = [program(), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **settings)


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.M | re.S)


def keys_of(page, heading):
    """The names in the first column of the tables below a heading."""
    text = page.read_text().split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    cells = re.findall(r"^\| (`[^|]*) \|", text, re.M)
    return {name for cell in cells for name in re.findall(r"`([a-z0-9_]+)`", cell)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_json_examples_are_json(page):
    for text in blocks(page, "json"):
        # "…" stands for what was left out, in strings only.
        json.loads(text)


def test_first_spec_is_valid(tmp_path):
    spec = json.loads(blocks(ROOT / "docs" / "spec.md", "json")[0])
    job = tmp_path / "job.json"
    job.write_text(json.dumps(spec))
    done = run("validate", job)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("part", ["data", "model", "regularization", "optimizer", "train"])
def test_every_documented_key_is_known(tmp_path, part):
    """A key of the tables with a value of no type at all: never an unknown key."""
    names = keys_of(ROOT / "docs" / "spec.md", part)
    assert len(names) > 4
    for name in sorted(names):
        job = tmp_path / "job.json"
        job.write_text(json.dumps({"data": {"dataset": "d"}, part: {name: [[None]]}}))
        done = run("validate", job)
        said = done.stdout + done.stderr
        assert "unknown key" not in said and "unknown_key" not in said, f"{part}.{name}: {said}"


def test_unknown_key_is_told(tmp_path):
    """The test above would notice."""
    job = tmp_path / "job.json"
    job.write_text(json.dumps({"data": {"dataset": "d"}, "train": {"epoch": 3}}))
    done = run("validate", job)
    assert done.returncode == 2
    assert "epochs" in done.stdout + done.stderr


def test_every_key_of_the_program_is_documented():
    """The table in the source that parser, writer and schema share, against the page."""
    source = "".join(p.read_text() for p in sorted(ROOT.glob("core/train/spec_table*.c")))
    known = set(re.findall(r'\.name = "([a-z0-9_]+)"|^    \{"([a-z0-9_]+)",', source, re.M))
    known = {a or b for a, b in known}
    assert len(known) > 40
    page = (ROOT / "docs" / "spec.md").read_text()
    missing = [name for name in sorted(known) if not re.search(rf"\b{name}\b", page)]
    assert not missing, f"docs/spec.md does not mention {missing}"


def test_limits_are_those_of_the_source():
    page = (ROOT / "docs" / "operations.md").read_text()
    source = (ROOT / "core" / "base" / "limits.h").read_text()

    def limit(name):
        text = re.search(rf"#define {name}\s+(.*?)(?:/\*|$)", source, re.M).group(1)
        text = re.sub(r"\(size_t\)|u\b", "", text).replace("UINT32_MAX", str(2**32 - 1))
        return eval(text, {"OCK_MIB": 2**20, "OCK_GIB": 2**30, "OCK_KIB": 2**10})

    for name in ("ROWS", "COLUMNS", "CLASSES", "UNITS", "LAYERS", "PARAMETERS", "EPOCHS", "LABELS"):
        assert f"{limit(f'OCK_{name}_MAX'):,}" in page, name
    assert f"{limit('OCK_JSON_BYTES_MAX') >> 20} MiB" in page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_exist(page):
    """Every `ockham COMMAND` and every script that a page names is there."""
    text = page.read_text()
    help_text = run("--help").stdout
    for command in set(re.findall(r"\bockham ([a-z]+)(?=[ `\n])", text)):
        if f"`ockham {command}" in text or f"\nockham {command}" in text:
            assert re.search(rf"\b{command}\b", help_text), f"{page.name}: ockham {command}"
    for script in set(re.findall(r"\bscripts/[a-z-]+\.sh", text)):
        assert (ROOT / script).exists(), script


def test_documented_defaults_are_the_programs(tmp_path):
    """The second column of docs/spec.md against /v1/schema/job. Words ("true for classes", "none")
    stand where the default depends on the data or is that there is none: null in the schema."""
    parts = answer_of(tmp_path, "/v1/schema/job")["properties"]
    page, compared = (ROOT / "docs" / "spec.md").read_text(), 0
    for part in ("data", "model", "regularization", "optimizer", "train"):
        text = page.split(f"\n## {part}\n", 1)[1].split("\n## ", 1)[0]
        for names, cell in re.findall(r"^\| (`[a-z0-9_`, ]+) \| ([^|]+) \|", text, re.M):
            names = re.findall(r"`([a-z0-9_]+)`", names)
            defaults = [parts[part]["properties"][name].get("default") for name in names]
            try:
                said = json.loads(cell.replace("`", "") if len(names) == 1 else f"[{cell}]")
            except ValueError:
                said = None
            assert (said if len(names) > 1 else [said]) == defaults, f"{part}.{names}: {cell}"
            compared += said is not None
    assert compared > 25


def answer_of(tmp_path, path):
    server = cli_tools.Server(tmp_path)
    try:
        with urllib.request.urlopen(server.url + path, timeout=30) as answer:
            return json.load(answer)
    finally:
        server.stop()


def test_every_path_is_documented(tmp_path):
    """What /openapi.json lists stands in docs/http.md, and the page names no path beyond it."""
    paths = answer_of(tmp_path, "/openapi.json")["paths"]
    assert len(paths) > 15
    page = (ROOT / "docs" / "http.md").read_text()
    named = set(re.findall(r"(?:GET |PUT |POST |PATCH |DELETE |`)(/[a-z0-9_./{}]*)`", page))

    def bare(path):
        return re.sub(r"{[a-z]+}", "{}", path)

    assert {bare(p) for p in named} == {bare(p) for p in paths}


def test_first_job_by_curl(tmp_path):
    """README's curl lines, word by word, at a server on another port."""
    text = (ROOT / "README.md").read_text().split("## A first job by curl", 1)[1]
    lines = re.search(r"```sh\n(.*?)```", text, re.S).group(1).split("\n", 1)
    assert lines[0].startswith("build/release/ockham serve")
    server = cli_tools.Server(tmp_path)
    try:
        script = "set -e\n" + lines[1].replace("localhost:8080", f"localhost:{server.port}")
        done = subprocess.run(
            ["sh", "-c", script.replace("curl ", "curl -sS --fail-with-body ")],
            cwd=ROOT, capture_output=True, text=True, timeout=120,
        )
    finally:
        server.stop()
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count('"type":"epoch"') >= 10
    assert '"status":"succeeded"' in done.stdout


def test_terminal_run_of_the_readme(tmp_path):
    """The same command prints the same losses today: the picture is a real one, and current."""
    text = (ROOT / "README.md").read_text()
    command, picture = re.search(r"^\$ (ockham train .*?)\n(.*?)```", text, re.M | re.S).groups()
    words = command.split()[1:]
    words[words.index("--model") + 1] = str(tmp_path / "model.safetensors")
    done = run(*words, "--json", cwd=ROOT)
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    if not events[-1]["numerics"].endswith("-fma"):
        pytest.skip("a processor without fused multiply-add has bits of its own")
    found = [e["train"]["data_loss"] for e in events if e["type"] == "epoch"]
    shown = re.findall(r"^ +\d+/\d+ +([0-9.]+)", picture, re.M)
    assert len(shown) == len(found) > 5
    for loss, text in zip(found, shown):
        assert f"{loss:.4f}" == text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_named_files_exist(page):
    """`core/model/loss.c`, `tests/e2e`, `spec_*.c` with a folder in front: all are there."""
    named = re.findall(r"`((?:core|server|clients|tests|scripts|docs)/[^` ]*)`", page.read_text())
    gone = [name for name in named if not list(ROOT.glob(name.rstrip("/")))]
    assert not gone
