"""Goal: whoever types something wrong is told what would be right, on stderr, with exit code 2; and
what is asked for comes on stdout. Method: the texts and exit codes of every command."""

import re

import pytest
from cli_tools import COMMANDS, run


def test_help_lists_every_command_with_a_line_and_an_example():
    done = run("--help")
    assert done.returncode == 0 and done.stderr == ""
    for name in COMMANDS:
        assert re.search(rf"^  {name} +\w.*$", done.stdout, re.M), name
    assert "Example:" in done.stdout and "ockham train job.json" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 90


def test_no_command_is_bad_usage():
    done = run()
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("Usage: ockham COMMAND")


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_help(name):
    done = run(name, "--help")
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout.startswith(f"Usage: ockham {name} ")
    assert run("help", name).stdout == done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_unknown_option_is_bad_usage(name):
    done = run(name, "--no-such-option")
    assert done.returncode == 2 and done.stdout == ""
    assert "--no-such-option" in done.stderr and f"ockham {name}" in done.stderr


def test_serve_help_tells_every_limit():
    text = run("serve", "--help").stdout
    for word in ("--listen", "--data-dir", "--cores", "--memory", "--queue", "--upload-max",
                 "--keep-jobs", "--keep-days", "--keep-bytes", "--keep-events", "--token-file",
                 "--allowed-host", "--public-url", "--connections", "Fixed limits"):
        assert word in text, word


def test_version_tells_the_numerics():
    done = run("--version")
    assert done.returncode == 0
    assert re.fullmatch(r"ockham \d+\.\d+\.\d+ \(numerics \S+, \S+ kernels\)\n", done.stdout)


@pytest.mark.parametrize("word, right", [("tran", "train"), ("sumbit", "submit"),
                                         ("Watch", "watch"), ("validat", "validate")])
def test_misspelt_command_gets_a_suggestion(word, right):
    done = run(word)
    assert done.returncode == 2
    assert f'did you mean "{right}"?' in done.stderr


def test_a_word_that_is_near_to_nothing():
    done = run("photosynthesis")
    assert done.returncode == 2 and "ockham --help" in done.stderr


BAD = [
    (["train"], "which job"),
    (["train", "a.json", "b.json"], "one job file"),
    (["train", "a.json", "--threads", "0"], "--threads 0"),
    (["train", "a.json", "--threads", "2x"], "--threads 2x"),
    (["train", "a.json", "--threads", "1025"], "from 1 to 1024"),
    (["train", "a.json", "--model", "/no/such/dir/m"], "--model /no/such/dir/m"),
    (["train", "a.json", "--checkpoint", "/no/such/dir/c"], "--checkpoint"),
    (["train", "a.json", "--model", "/tmp"], "no ordinary file"),
    (["train", "a.json", "--init", "/no/such/file"], "--init /no/such/file"),
    (["train", "/no/such/job.json"], "/no/such/job.json"),
    (["validate"], "which job"),
    (["serve", "something"], "something"),
    (["serve", "--cores", "-1"], "--cores -1"),
    (["serve", "--memory", "much"], "--memory"),
    (["serve", "--log-level", "loud"], "--log-level"),
    (["upload", "name"], "NAME and a FILE"),
    (["upload", "name", "/no/such/file"], "/no/such/file"),
    (["upload", "a", "b", "c"], "too many"),
    (["submit"], "which job"),
    (["watch"], "which JOB"),
    (["list", "something"], "something"),
    (["list", "--label", "novalue"], "KEY=VALUE"),
    (["show"], "which JOB"),
    (["cancel", "a", "b"], "one JOB"),
    (["delete"], "which JOB|DATASET"),
    (["model"], "which job"),
    (["model", "job_x", "--which", "worst"], "best or last"),
    (["health", "now"], "now"),
    (["--color", "train"], "--color"),
    (["help", "trian"], '"train"'),
]


@pytest.mark.parametrize("arguments, says", BAD, ids=lambda v: " ".join(v) if type(v) is list else v)
def test_bad_usage(arguments, says):
    done = run(*arguments)
    assert done.returncode == 2, done.stderr
    assert done.stdout == "" and says in done.stderr
