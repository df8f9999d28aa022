"""What tuning is for: a network that can learn its rows by heart, wrong labels and all, and what the
chosen strength makes of it on rows with right ones.

500 rows of digits, of which 100 have a wrong label; the other 1,297 rows, all right, are the test.
"""

import gzip
import json
import random
import subprocess

import pytest
from ockserver import ROOT, program

WIDE = {"data": {"validation": 0}, "model": {"hidden": [128]}, "optimizer": {"lr": 0.1},
        "train": {"epochs": 60}}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    text = gzip.decompress((ROOT / "tests/data/digits.csv.gz").read_bytes()).decode()
    rows = [line.split(",") for line in text.split()]
    rnd = random.Random(1)
    rnd.shuffle(rows)
    for row in rnd.sample(rows[:500], 100):
        row[-1] = str((int(row[-1]) + rnd.randrange(1, 10)) % 10)
    where = tmp_path_factory.mktemp("noise")
    for name, part in (("train.csv", rows[:500]), ("test.csv", rows[500:])):
        (where / name).write_text("".join(",".join(row) + "\n" for row in part))
    return where


def train(files, **more):
    """The `end` event of the job."""
    run = subprocess.run([program(), "train", "-", "--json", "--data", files / "train.csv",
                          "--test-data", files / "test.csv", "--target", "-1", "--header", "false"],
                         input=json.dumps({**WIDE, **more}), capture_output=True, text=True, check=True)
    return json.loads(run.stdout.splitlines()[-1])


def test_the_chosen_strength_beats_learning_by_heart(files):
    plain = train(files)
    tuned = train(files, tune={"l2": {"min": 1e-3, "max": 0.1, "count": 5}})
    by_heart = plain["latest"]["train"]["accuracy"]
    print(f"without a penalty: training {by_heart:.3f}, test {plain['test']['accuracy']:.3f}; "
          f"l2 {tuned['tuning']['chosen']['l2']:g}: training "
          f"{tuned['latest']['train']['accuracy']:.3f}, test {tuned['test']['accuracy']:.3f}")
    assert by_heart >= 0.99
    assert by_heart - plain["test"]["accuracy"] > 0.1
    assert tuned["test"]["accuracy"] >= plain["test"]["accuracy"] + 0.05
    assert tuned["latest"]["train"]["accuracy"] < 0.85  # it has not believed the wrong labels
