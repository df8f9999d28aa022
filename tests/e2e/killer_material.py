"""What the killer sends: specs of many kinds, tables, arrays; and what becomes of them undisturbed."""

import copy
import gzip
import hashlib
import json
import random
import struct

from ockserver import ROOT, Server

DIGITS = ROOT / "tests" / "data" / "digits.csv.gz"


def inline(rows=120):
    rnd = random.Random(11)
    x = [[round(rnd.gauss(0, 1), 3) for _ in range(4)] for _ in range(rows)]
    return {"x": x, "y": [round(2 * a - b + 0.1 * c * d, 4) for a, b, c, d in x]}


def base(epochs, **train):
    return {"data": {"dataset": "digits"}, "model": {"hidden": [128, 64]},
            "optimizer": {"lr": 0.02},
            "train": {"epochs": epochs, "batch_size": 16, "seed": 5, "threads": 1,
                      "report_every": 1, **train}}


def specs():
    """By name. `init` starts from the job whose id replaces INIT."""
    out = {
        "plain": base(40, checkpoint_every=1),
        "nesterov": base(90),
        "adam_dropout": base(50, checkpoint_every=2),
        "adamw": base(60, seed=9),
        "subgradient": base(80, checkpoint_every=5),
        "proximal": base(60, checkpoint_every=1),
        "cumulative": base(70),
        "auto_stopping": base(90, checkpoint_every=3,
                              early_stopping={"patience": 4, "min_delta": 0.001}),
        "wide": base(25, checkpoint_every=1),
        "inline": base(500, checkpoint_every=20),
        "init": base(50, checkpoint_every=1),
        "two_threads": base(60, threads=2),
        "search": base(20, checkpoint_every=5),
    }
    out["nesterov"]["optimizer"].update(momentum=0.9, nesterov=True,
                                        schedule={"name": "cosine", "min": 0.001})
    out["adam_dropout"]["optimizer"] = {"name": "adam", "lr": 0.003}
    out["adam_dropout"]["model"].update(dropout=0.2, input_dropout=0.1)
    out["adamw"]["optimizer"] = {"name": "adamw", "lr": 0.003, "weight_decay": 0.01}
    out["subgradient"]["regularization"] = {"l1": 1e-4, "l2": 1e-4}
    out["proximal"]["regularization"] = {"l1": 3e-4, "l1_method": "proximal"}
    out["proximal"]["optimizer"]["momentum"] = 0.8
    out["cumulative"]["regularization"] = {"l1": 1e-4, "l1_method": "cumulative"}
    out["auto_stopping"]["optimizer"] = {"lr": "auto", "momentum": 0.5}
    out["wide"]["model"]["hidden"] = [300, 100]  # a model that is a file, not a blob
    out["inline"]["data"] = {"inline": inline()}
    out["init"]["model"] = {"hidden": [128, 64], "init": {"job": "INIT", "which": "best"}}
    out["search"]["model"] = {"hidden": [32]}
    out["search"]["optimizer"] = {"lr": "auto"}
    out["search"]["tune"] = {"l2": [0.1, 0.01, 0.001, 0], "folds": 2}
    return out


def with_init(spec, job):
    spec = copy.deepcopy(spec)
    if "init" in spec["model"]:
        spec["model"]["init"]["job"] = job
    return spec


def table(number):
    """A CSV of its own for every number."""
    rnd = random.Random(number)
    lines = ["a,b,c,kind"]
    for i in range(300):
        lines.append(",".join(f"{rnd.gauss(i % 3 == j, 0.4):.4f}" for j in range(3)) +
                     "," + "xyz"[i % 3])
    return ("\n".join(lines) + "\n").encode()


def pair(number):
    """Two IDX files, images of bytes and labels."""
    rnd = random.Random(number)
    count = 200
    pixels = bytes(rnd.randrange(256) for _ in range(count * 16))
    x = struct.pack(">BBBBIII", 0, 0, 8, 3, count, 4, 4) + pixels
    y = struct.pack(">BBBBI", 0, 0, 8, 1, count) + bytes(i % 4 for i in range(count))
    return gzip.compress(x, mtime=0), y


def upload_digits(server):
    answer = server.call("PUT", "/v1/datasets/digits?target=-1", DIGITS.read_bytes())
    assert answer.status in (200, 201), answer.data
    return answer.json["sha256"]


def fetch_model(server, job, which):
    """The hashes of the file and of its tensors: the header has the job's own labels."""
    answer = server.call("GET", f"/v1/jobs/{job}/model?which={which}")
    assert answer.status == 200, (job, which, answer.data)
    whole = hashlib.sha256(answer.data).hexdigest()
    assert whole in answer.headers["ETag"], (job, which, answer.headers["ETag"])
    begin = 8 + struct.unpack("<Q", answer.data[:8])[0]
    return whole, hashlib.sha256(answer.data[begin:]).hexdigest()


def epochs_of(events):
    return [(e["epoch"], e["step"], e["weights_sha256"]) for e in events if e["type"] == "epoch"]


def trials_of(events):
    """A search's, by number."""
    return {e["trial"]: {key: e[key] for key in e if key not in ("job", "seq", "time")}
            for e in events if e["type"] == "trial"}


def result(server, job):
    """What has to be the same whatever happened: every epoch's weights, the end, the models."""
    events = server.events(job)
    end = events[-1]
    assert end["type"] == "end" and end["status"] == "succeeded", (job, end)
    return {"epochs": epochs_of(events), "trials": trials_of(events),
            "stop_reason": end["stop_reason"], "state_sha256": end["state_sha256"],
            "best": json.dumps(end["best"]),
            "models": [fetch_model(server, job, which)[1] for which in ("best", "last")]}


def undisturbed():
    """Every spec's result in a server that nobody kills."""
    out = {}
    with Server("--cores", "2") as server:
        upload_digits(server)
        jobs = {"plain": server.submit(specs()["plain"])}
        server.ended(jobs["plain"], 180)
        for name, spec in specs().items():
            if name not in jobs:
                jobs[name] = server.submit(with_init(spec, jobs["plain"]))
        for name, job in jobs.items():
            server.ended(job, 180)
            out[name] = result(server, job)
    return out
