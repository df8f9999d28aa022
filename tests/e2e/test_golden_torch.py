"""The same runs as PyTorch: tests/golden through `ockham train`, weight by weight.

The golden folder's README says what is in it. Each case starts from the same weights, sees the same
rows in the same order and must end at PyTorch's weights within the case's tolerance; the last epoch
event must report PyTorch's losses, penalties and norms.
"""

import json
import os
import struct
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden"
LONG = sorted(p.stem for p in GOLDEN.glob("*.json") if p.stem != "single-steps")
SINGLE = json.loads((GOLDEN / "single-steps.json").read_text())


def program():
    return os.environ.get("OCKHAM") or str(ROOT / "build" / "release" / "ockham")


def read_safetensors(path):
    """Name -> flat list of floats."""
    data = Path(path).read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + size])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        raw = data[8 + size + begin : 8 + size + end]
        assert entry["dtype"] == "F32", name
        tensors[name] = list(struct.unpack(f"<{len(raw) // 4}f", raw))
    return tensors


def write_safetensors(path, tensors, shapes):
    header, data = {}, b""
    for name, values in tensors.items():
        raw = struct.pack(f"<{len(values)}f", *values)
        offsets = [len(data), len(data) + len(raw)]
        header[name] = {"dtype": "F32", "shape": shapes[name], "data_offsets": offsets}
        data += raw
    text = json.dumps(header).encode()
    Path(path).write_bytes(struct.pack("<Q", len(text)) + text + data)


def train(tmp_path, spec, init):
    """Runs the job; returns its last epoch event and the model's tensors."""
    job, model = tmp_path / "job.json", tmp_path / "model.safetensors"
    job.write_text(json.dumps(spec))
    command = [program(), "train", job, "--data", GOLDEN / "rows.csv", "--init", init]
    command += ["--model", model, "--json"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr or done.stdout
    events = [json.loads(line) for line in done.stdout.splitlines() if line.strip()]
    assert events[-1]["type"] == "end" and events[-1]["status"] == "succeeded", events[-1]
    epochs = [e for e in events if e["type"] == "epoch"]
    assert epochs[-1]["epoch"] == spec["train"]["epochs"]
    return epochs[-1], read_safetensors(model)


def assert_near(got, want, tolerance):
    # The model may carry a scaler too; all that PyTorch has must be there.
    assert set(want) <= set(got)
    for name, values in want.items():
        assert len(got[name]) == len(values), name
        worst = max(range(len(values)), key=lambda i: abs(got[name][i] - values[i]))
        off = abs(got[name][worst] - values[worst])
        assert off <= tolerance, f"{name}[{worst}]: {got[name][worst]} is {off:.1e} from PyTorch's"


def lookup(event, dotted):
    for key in dotted.split("."):
        event = event[key]
    return event


@pytest.mark.parametrize("name", LONG)
def test_weights_after_200_steps(tmp_path, name):
    case = json.loads((GOLDEN / f"{name}.json").read_text())
    epoch, weights = train(tmp_path, case["spec"], GOLDEN / case["init"])
    assert epoch["step"] == case["steps"]
    want = read_safetensors(GOLDEN / case["expect"])
    assert_near(weights, want, case["tolerance"])
    for key, value in case["last_epoch"].items():
        assert lookup(epoch, key) == pytest.approx(value, rel=1e-4, abs=1e-6), key


@pytest.mark.parametrize("case", SINGLE["cases"], ids=lambda case: case["name"])
def test_loss_and_gradient_of_one_step(tmp_path, case):
    init = tmp_path / "init.safetensors"
    write_safetensors(init, SINGLE["inits"][case["init"]], SINGLE["shapes"][case["init"]])
    epoch, weights = train(tmp_path, case["spec"], init)
    assert_near(weights, case["expect"], SINGLE["tolerance"])
    assert epoch["train"]["running_loss"] == pytest.approx(case["loss_before"], rel=1e-6)
    assert epoch["train"]["data_loss"] == pytest.approx(case["loss_after"], rel=1e-5)


def test_weight_decay_is_twice_l2(tmp_path):
    """The two golden runs are one run: PyTorch's weight_decay d is l2 = d/2."""
    same = [read_safetensors(GOLDEN / f"momentum-{n}.safetensors") for n in ("l2", "weight-decay")]
    assert_near(*same, 1e-5)
    found = []
    for name in ("momentum-l2", "momentum-weight-decay"):
        case = json.loads((GOLDEN / f"{name}.json").read_text())
        epoch, _ = train(tmp_path, case["spec"], GOLDEN / case["init"])
        found.append(epoch["weights_sha256"])
    assert found[0] == found[1]
