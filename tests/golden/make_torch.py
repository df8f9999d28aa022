#!/usr/bin/env python3
"""Makes the golden numbers that tests compare Ockham with, by PyTorch.

    python3 make_torch.py [DIRECTORY]      writes into this folder unless told otherwise

Needs PyTorch; running the tests does not. What is written, see README.md beside this file.

The golden weights are those of a float32 run. Each run is repeated in float64, and in float32 from
starting weights that are shaken in their last bit; a run whose results are further apart than a
quarter of its tolerance is refused, because then the order of the sums, and not the formula, would
decide the test.
"""

import csv
import json
import random
import struct
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

FEATURES = 12
ROWS = 150  # four batches of 32 and one of 22: the last one is smaller and counts
CLASSES = 4
STEPS = 200
TOLERANCE = 1e-5
JITTERS = 3

ACTIVATIONS = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "gelu": nn.GELU,
    "leaky_relu": nn.LeakyReLU,
    "identity": nn.Identity,
}

LOSSES = {
    "cross_entropy": lambda z, y, s: F.cross_entropy(z, y, reduction="none"),
    "binary_cross_entropy": lambda z, y, s: F.binary_cross_entropy_with_logits(
        z[:, 0], y.to(z.dtype), reduction="none"
    ),
    "mse": lambda z, y, s: F.mse_loss(z[:, 0], y, reduction="none"),
    "huber": lambda z, y, s: F.huber_loss(z[:, 0], y, reduction="none"),
    "mae": lambda z, y, s: F.l1_loss(z[:, 0], y, reduction="none"),
}
TARGET = {"cross_entropy": "class", "binary_cross_entropy": "binary"}


def make_rows():
    """Rows of a noisy teacher. All features are multiples of 1/64 and so exact in every format."""
    rng = random.Random(20)
    teacher = [[rng.gauss(0, 1) for _ in range(FEATURES)] for _ in range(CLASSES)]
    rows = []
    for _ in range(ROWS):
        x = [round(rng.gauss(0, 1) * 64) / 64 for _ in range(FEATURES)]
        score = [sum(a * b for a, b in zip(x, t)) + rng.gauss(0, 1) for t in teacher]
        rows.append(
            {
                **{f"x{i}": v for i, v in enumerate(x)},
                "weight": rng.randrange(1, 9) / 4,
                "class": score.index(max(score)),
                "binary": int(score[0] > score[1]),
                "number": round(score[2] * 64) / 64,
            }
        )
    return rows


def network(hidden, activation, outputs):
    sizes = [FEATURES, *hidden, outputs]
    layers = []
    for i, (a, b) in enumerate(zip(sizes, sizes[1:])):
        layers.append(nn.Linear(a, b))
        if i + 2 < len(sizes):
            layers.append(ACTIVATIONS[activation]())
    return nn.Sequential(*layers)


def start(hidden, activation, outputs, seed):
    """Starting weights in float32: normal, fan-in scaled, biases not zero either."""
    net = network(hidden, activation, outputs)
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in net.parameters():
            scale = p.shape[1] ** -0.5 if p.dim() == 2 else 0.1
            p.copy_(torch.randn(p.shape, generator=rng) * scale)
    return {k: v.clone() for k, v in net.state_dict().items()}


def penalty(net, spec):
    """alpha * sum |w| + lambda * sum w^2, per layer; (l1, l2) apart."""
    reg = spec.get("regularization", {})
    l1 = l2 = 0.0
    for name, p in net.named_parameters():
        if not reg.get("biases", True) and p.dim() == 1:
            continue
        own = reg.get("layers", {}).get(name.split(".")[0], {})
        l1 = l1 + own.get("l1", reg.get("l1", 0)) * p.abs().sum()
        l2 = l2 + own.get("l2", reg.get("l2", 0)) * (p * p).sum()
    return l1, l2


def optimizer_of(net, opt):
    kind = opt.get("name", "sgd")
    if kind == "sgd":
        decay = 0 if opt.get("decoupled") else opt.get("weight_decay", 0)
        return torch.optim.SGD(
            net.parameters(),
            lr=opt["lr"],
            momentum=opt.get("momentum", 0),
            nesterov=opt.get("nesterov", False),
            weight_decay=decay,
        )
    maker = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[kind]
    return maker(
        net.parameters(),
        lr=opt["lr"],
        betas=tuple(opt.get("betas", (0.9, 0.999))),
        eps=opt.get("eps", 1e-8),
        weight_decay=opt.get("weight_decay", 0),
    )


def scheduler_of(optimizer, schedule, steps_per_epoch, epochs):
    """PyTorch's own schedulers, stepped once a minibatch or once an epoch: (per step, per epoch)."""
    name = schedule.get("name", "constant") if isinstance(schedule, dict) else schedule
    sched = torch.optim.lr_scheduler
    if name == "step":
        return None, sched.StepLR(optimizer, schedule["every"], schedule["factor"])
    if name == "exponential":
        return None, sched.ExponentialLR(optimizer, schedule["factor"])
    if name == "cosine":
        return sched.CosineAnnealingLR(optimizer, steps_per_epoch * epochs, schedule["min"]), None
    return None, None


def data_loss(net, x, y, s, loss):
    each = LOSSES[loss](net(x), y, s)
    return (s * each).sum() / s.sum()


def project(net, limit):
    """max_norm: the incoming weights of every hidden unit, biases excluded."""
    linear = [m for m in net if isinstance(m, nn.Linear)]
    with torch.no_grad():
        for layer in linear[:-1]:
            norm = layer.weight.norm(dim=1, keepdim=True)
            layer.weight.mul_(torch.clamp(limit / norm, max=1.0))


def one_step(net, optimizer, batch, spec):
    opt = spec["optimizer"]
    x, y, s = batch
    optimizer.zero_grad()
    loss = data_loss(net, x, y, s, spec["loss"])
    loss.backward()
    if "clip_norm" in opt:  # the data gradient alone; the penalty's is added behind it
        torch.nn.utils.clip_grad_norm_(net.parameters(), opt["clip_norm"])
    l1, l2 = penalty(net, spec)
    if torch.is_tensor(l1 + l2) and (l1 + l2).requires_grad:
        (l1 + l2).backward()
    if opt.get("decoupled"):
        lr = optimizer.param_groups[0]["lr"]
        with torch.no_grad():
            for p in net.parameters():
                p.mul_(1 - lr * opt["weight_decay"])
    optimizer.step()
    if "max_norm" in spec.get("regularization", {}):
        project(net, spec["regularization"]["max_norm"])
    return loss.item()


def run(spec, init, rows, dtype):
    """Trains as the spec says; returns weights and the numbers that the last epoch reports."""
    loss, model, train = spec["loss"], spec["model"], spec["train"]
    outputs = CLASSES if loss == "cross_entropy" else 1
    net = network(model["hidden"], model["activation"], outputs).to(dtype)
    net.load_state_dict(init)
    x = torch.tensor([[r[f"x{i}"] for i in range(FEATURES)] for r in rows], dtype=dtype)
    target = TARGET.get(loss, "number")
    y = torch.tensor([r[target] for r in rows], dtype=torch.long if target != "number" else dtype)
    s = torch.ones(len(rows), dtype=dtype)
    if "weights" in spec["data"]:
        s = torch.tensor([r["weight"] for r in rows], dtype=dtype)
    optimizer = optimizer_of(net, spec["optimizer"])
    size = min(train["batch_size"], len(rows))
    steps_per_epoch = -(-len(rows) // size)
    by_step, by_epoch = scheduler_of(
        optimizer, spec["optimizer"].get("schedule", "constant"), steps_per_epoch, train["epochs"]
    )
    for _ in range(train["epochs"]):
        running = weight = 0.0
        for a in range(0, len(rows), size):
            batch = x[a : a + size], y[a : a + size], s[a : a + size]
            running += one_step(net, optimizer, batch, spec) * batch[2].sum().item()
            weight += batch[2].sum().item()
            if by_step:
                by_step.step()
        if by_epoch:
            by_epoch.step()
    told = report(net, spec, x, y, s)
    told["train.running_loss"] = running / weight
    return {k: v.detach().clone() for k, v in net.state_dict().items()}, told


def report(net, spec, x, y, s):
    with torch.no_grad():
        # Reported sums are taken in double whatever the weights are.
        net64 = network(spec["model"]["hidden"], spec["model"]["activation"], net[-1].out_features)
        net64 = net64.double()
        net64.load_state_dict(net.state_dict())
        x, s = x.double(), s.double()
        y = y.double() if y.is_floating_point() else y
        l1, l2 = (float(v) for v in penalty(net64, spec))
        loss = data_loss(net64, x, y, s, spec["loss"]).item()
        flat = torch.cat([p.flatten() for p in net64.parameters()])
        return {
            "train.data_loss": loss,
            "penalty.l1": l1,
            "penalty.l2": l2,
            "objective": loss + l1 + l2,
            "weights.l1_norm": flat.abs().sum().item(),
            "weights.l2_norm": flat.norm().item(),
            "weights.count": flat.numel(),
        }


def write_safetensors(path, tensors):
    header, data = {}, b""
    for name, t in tensors.items():
        raw = struct.pack(f"<{t.numel()}f", *t.flatten().tolist())
        header[name] = {
            "dtype": "F32",
            "shape": list(t.shape),
            "data_offsets": [len(data), len(data) + len(raw)],
        }
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def spec_of(loss, hidden, activation, optimizer, epochs, batch, **parts):
    features = [f"x{i}" for i in range(FEATURES)]
    data = {
        "target": TARGET.get(loss, "number"),
        "features": features,
        "validation": 0,
        "scaling": "none",
    }
    if loss not in TARGET:
        data["target_scaling"] = "none"
    data.update(parts.pop("data", {}))
    return {
        "data": data,
        "model": {"hidden": hidden, "activation": activation},
        "loss": loss,
        **parts,
        "optimizer": optimizer,
        "train": {"epochs": epochs, "batch_size": batch, "shuffle": False, "evaluate_train": "all"},
    }


def long_runs():
    """Name, spec: 200 steps of a network with three linear layers, and its kin."""
    momentum = {"name": "sgd", "lr": 0.02, "momentum": 0.9}
    epochs = STEPS // -(-ROWS // 32)  # five steps an epoch

    def mlp(optimizer, loss="cross_entropy", activation="relu", **parts):
        return spec_of(loss, [24, 16], activation, optimizer, epochs, 32, **parts)

    yield "sgd", mlp({"name": "sgd", "lr": 0.1})
    yield "momentum", mlp(momentum)
    yield "momentum-l2", mlp(momentum, regularization={"l2": 2e-3})
    yield "momentum-weight-decay", mlp({**momentum, "weight_decay": 4e-3})
    yield "momentum-l1", mlp(momentum, regularization={"l1": 5e-4})
    yield "momentum-l1-l2-no-biases", mlp(
        momentum, regularization={"l1": 2e-4, "l2": 1e-3, "biases": False}
    )
    yield "momentum-layers", mlp(
        momentum, regularization={"l2": 1e-3, "layers": {"0": {"l2": 4e-3}, "4": {"l1": 3e-4}}}
    )
    yield "nesterov-l2", mlp({**momentum, "nesterov": True}, regularization={"l2": 2e-3})
    yield "decoupled", mlp({"name": "sgd", "lr": 0.05, "weight_decay": 0.02, "decoupled": True},
                           "cross_entropy", "tanh")
    yield "clip-norm", mlp({**momentum, "clip_norm": 0.5, "weight_decay": 2e-3})
    yield "max-norm", mlp(momentum, regularization={"max_norm": 1.0})
    yield "adam-l2", mlp({"name": "adam", "lr": 0.003}, "cross_entropy", "tanh",
                         regularization={"l2": 1e-3})
    yield "adamw", mlp({"name": "adamw", "lr": 0.001, "weight_decay": 0.05, "betas": [0.8, 0.99]},
                       "cross_entropy", "tanh")
    yield "step-schedule", mlp({**momentum, "schedule": {"name": "step", "every": 10,
                                                         "factor": 0.5}})
    yield "exponential-schedule", mlp({**momentum, "schedule": {"name": "exponential",
                                                                "factor": 0.95}})
    yield "cosine-schedule", mlp({**momentum, "schedule": {"name": "cosine", "min": 0.001}})
    yield "sample-weights", mlp(momentum, data={"weights": "weight"})
    for activation in ("tanh", "sigmoid", "gelu", "leaky_relu"):
        yield activation, mlp(momentum, "cross_entropy", activation, regularization={"l2": 1e-3})
    yield "binary", mlp(momentum, "binary_cross_entropy", "tanh", regularization={"l2": 1e-3})
    small = {"name": "sgd", "lr": 0.005, "momentum": 0.9}
    for loss in ("mse", "huber", "mae"):
        yield loss, mlp(small, loss, "tanh", regularization={"l2": 1e-3})
    yield "linear-mse", spec_of("mse", [], "relu", small, epochs, 32, regularization={"l2": 0.01})


def distance(a, b):
    return max((a[k].double() - b[k].double()).abs().max().item() for k in a)


def golden(spec, init, rows, tolerance, name):
    weights, told = run(spec, init, rows, torch.float32)
    apart = distance(weights, run(spec, init, rows, torch.float64)[0])
    for seed in range(JITTERS):
        rng = torch.Generator().manual_seed(100 + seed)
        near = {k: v * (1 + 6e-8 * torch.randn(v.shape, generator=rng)) for k, v in init.items()}
        apart = max(apart, distance(weights, run(spec, near, rows, torch.float32)[0]))
    if apart > tolerance / 4:
        sys.exit(f"{name}: equal runs are {apart:.1e} apart: choose another case")
    moved = distance(weights, init)
    if moved < 100 * tolerance:
        sys.exit(f"{name}: the weights moved by {moved:.1e} only: nothing would be tested")
    return weights, told, apart


def write_long_runs(out, rows):
    inits, worst = {}, 0.0
    for name, spec in long_runs():
        outputs = CLASSES if spec["loss"] == "cross_entropy" else 1
        key = "-".join(map(str, [FEATURES, *spec["model"]["hidden"], outputs]))
        if key not in inits:
            inits[key] = start(spec["model"]["hidden"], "relu", outputs, seed=len(inits) + 1)
            write_safetensors(out / f"init-{key}.safetensors", inits[key])
        weights, told, apart = golden(spec, inits[key], rows, TOLERANCE, name)
        worst = max(worst, apart)
        write_safetensors(out / f"{name}.safetensors", weights)
        case = {
            "name": name,
            "spec": spec,
            "steps": STEPS,
            "init": f"init-{key}.safetensors",
            "expect": f"{name}.safetensors",
            "last_epoch": told,
            "tolerance": TOLERANCE,
        }
        (out / f"{name}.json").write_text(json.dumps(case, indent=1) + "\n")
    return worst


def numbers(tensors):
    """JSON arrays whose nine digits are the float32 to the last bit."""
    return {k: [float(f"{v:.9g}") for v in t.flatten().tolist()] for k, t in tensors.items()}


def write_single_steps(out, rows):
    """One step on all rows at once: each loss with each activation, value and gradient."""
    cases, inits, rate = [], {}, 0.5
    for loss in LOSSES:
        outputs = CLASSES if loss == "cross_entropy" else 1
        key = str(outputs)
        inits.setdefault(key, start([5], "relu", outputs, seed=40 + outputs))
        for activation in ACTIVATIONS:
            spec = spec_of(loss, [5], activation, {"name": "sgd", "lr": rate}, 1, ROWS)
            weights, told, _ = golden(spec, inits[key], rows, 1e-5, f"{loss} {activation}")
            gradient = {k: (inits[key][k] - weights[k]) / rate for k in weights}
            cases.append(
                {
                    "name": f"{loss}-{activation}",
                    "spec": spec,
                    "init": key,
                    "loss_before": told["train.running_loss"],
                    "loss_after": told["train.data_loss"],
                    "expect": numbers(weights),
                    "gradient": {k: [float(f"{v:.6g}") for v in g.flatten().tolist()]
                                 for k, g in gradient.items()},
                }
            )
    shapes = {k: {n: list(t.shape) for n, t in v.items()} for k, v in inits.items()}
    text = {
        "tolerance": 1e-6,
        "shapes": shapes,
        "inits": {k: numbers(v) for k, v in inits.items()},
        "cases": cases,
    }
    (out / "single-steps.json").write_text(json.dumps(text) + "\n")


def main():
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    rows = make_rows()
    with open(out / "rows.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    worst = write_long_runs(out, rows)
    write_single_steps(out, rows)
    print(f"PyTorch {torch.__version__.split('+')[0]}: equal runs are at most {worst:.1e} apart")


if __name__ == "__main__":
    main()
