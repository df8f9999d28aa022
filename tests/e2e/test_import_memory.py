"""An import needs no more than 64 MiB beside the file it makes, and far less than that, however wide
the table is and however long its rows: what is known of columns lies in nameless files.

Method: a worker imports a table of as many columns as there may be, and one of rows that are almost as
long as they may be; its own (anonymous) memory is looked at all the while. Many looks are needed to
see a peak, so the limit is held well below the promise.
"""

import json
import subprocess
import time
from pathlib import Path

import pytest

from ockserver import program

MOST = 40 << 20


def anonymous(pid):
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return max((int(line.split()[1]) << 10 for line in lines if line.startswith("RssAnon")), default=0)


def make(folder, text):
    """Imports the table; the most memory that the worker had, and how often it was looked at."""
    source = folder / "table.csv"
    source.write_text(text)
    (folder / "import.json").write_text(json.dumps(
        {"source": str(source), "out": str(folder / "out.ockds"), "threads": 2}))
    most = looks = 0
    worker = f"{program()}-worker"
    with subprocess.Popen([worker, "import", str(folder)], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as process:
        while process.poll() is None:
            most = max(most, anonymous(process.pid))
            looks += 1
            time.sleep(0.002)
        assert process.stdout.read().decode().strip() == "ok"
    return most, looks


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("kind", ["numbers", "texts"])
def test_as_many_columns_as_there_may_be(tmp_path, kind, header):
    count = 1 << 20
    fields = (str(i % 1000 / 8) if kind == "numbers" else f"t{i * 7 % 9973}" for i in range(count))
    row = ",".join(fields) + "\n"
    names = ",".join(f"x{i}" for i in range(count)) + "\n"
    most, looks = make(tmp_path, (names if header else "") + 2 * row)
    assert (tmp_path / "out.ockds").stat().st_size > 2 * 4 * count
    assert looks > 50 and most < MOST, (most, looks)


def test_many_columns_of_many_texts(tmp_path):
    """More texts than a column's first arrays hold, so that all of them grow."""
    count = 50000
    rows = "".join(",".join(f"text{i * 31 + k}" for i in range(count)) + "\n" for k in range(20))
    most, looks = make(tmp_path, ",".join(f"x{i}" for i in range(count)) + "\n" + rows)
    assert looks > 50 and most < MOST, (most, looks)


def test_rows_almost_as_long_as_they_may_be(tmp_path):
    text = ",".join(f"{i:030000}" for i in range(1000))  # 30 of 32 MiB
    most, looks = make(tmp_path, ",".join(f"x{i}" for i in range(1000)) + "\n" + f"{text}\n" * 4)
    assert looks > 5 and most < MOST, (most, looks)
