"""/metrics: every name that docs/operations.md lists, in a form that a scraper takes, with the right
numbers. Method: a small parser of the text format that is stricter than most, and jobs whose figures
are known.
"""

import re
import time

import pytest

from ockserver import ROOT, Server, slow_spec, spec

SAMPLE = re.compile(r'([a-z_:][a-z0-9_:]*)(?:\{(.*)\})? (\S+)')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)')


def parse(text):
    """{family: (type, {(name, labels): value})}; a family stands in one piece behind HELP and TYPE."""
    families, current, told = {}, None, None
    assert text.endswith("\n")
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            told = line.split(" ", 3)[2]
            assert told not in families and len(line.split(" ", 3)[3]) > 10, line
            continue
        if line.startswith("# TYPE "):
            _, _, current, kind = line.split(" ")
            assert current == told and kind in ("counter", "gauge", "histogram"), line
            families[current] = (kind, {})
            continue
        name, labels, value = SAMPLE.fullmatch(line).groups()
        pairs = LABEL.findall(labels or "")
        assert ",".join(f'{k}="{v}"' for k, v in pairs) == (labels or ""), line
        kind, samples = families[current]
        suffixes = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
        assert name in [current + suffix for suffix in suffixes], line
        assert (name, tuple(pairs)) not in samples, line
        samples[name, tuple(pairs)] = float(value)
    return families


def check_histograms(families):
    for family, (kind, samples) in families.items():
        if kind != "histogram":
            continue
        series = {}
        for (name, labels), value in samples.items():
            if name.endswith("_bucket"):
                rest = tuple(p for p in labels if p[0] != "le")
                series.setdefault(rest, []).append((float(dict(labels)["le"]), value))
        for rest, buckets in series.items():
            assert buckets == sorted(buckets), (family, rest)  # bounds and counts both grow
            assert [b[1] for b in buckets] == sorted(b[1] for b in buckets), (family, rest)
            assert buckets[-1][0] == float("inf")
            assert buckets[-1][1] == samples[family + "_count", rest], (family, rest)
            assert samples[family + "_sum", rest] >= 0


def scrape(server):
    answer = server.call("GET", "/metrics")
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    families = parse(answer.data.decode())
    check_histograms(families)
    return families


def settled(server, outcomes):
    """The scrape that has counted so many ends; a reader may see one in the store a moment before."""
    end = time.monotonic() + 60
    while True:
        families = scrape(server)
        ended = sum(families["ockham_jobs_finished_total"][1].values())
        if ended >= outcomes or time.monotonic() > end:
            return families


def value(families, family, suffix="", **labels):
    return families[family][1][family + suffix, tuple(labels.items())]


@pytest.fixture(name="server", scope="module")
def a_server():
    with Server("--cores", 2) as s:
        s.upload_table(rows=150)  # 120 to train, 30 to validate
        yield s


def test_counters_tell_what_happened(server):
    before = scrape(server)
    jobs = [server.submit(spec(4)), server.submit(spec(3, hidden=[5]))]
    assert {server.ended(job)["status"] for job in jobs} == {"succeeded"}
    failed = server.submit(spec(3, optimizer={"lr": 1e30}, train={"epochs": 3,
                                                                  "on_nonfinite": "fail"}))
    assert server.ended(failed)["status"] == "failed"
    paused = server.submit(slow_spec())
    running = scrape(server)
    assert value(running, "ockham_jobs", status="running") + \
        value(running, "ockham_jobs", status="queued") == 1
    server.call("POST", f"/v1/jobs/{paused}/cancel")
    assert server.ended(paused)["status"] == "cancelled"
    after = settled(server, sum(before["ockham_jobs_finished_total"][1].values()) + 4)

    def more(*arguments, **labels):
        return value(after, *arguments, **labels) - value(before, *arguments, **labels)

    assert more("ockham_jobs_finished_total", outcome="succeeded") == 2
    assert more("ockham_jobs_finished_total", outcome="failed") == 1
    assert more("ockham_jobs_finished_total", outcome="cancelled") == 1
    assert 3 <= more("ockham_queue_wait_seconds", "_count") <= 4  # cancelled before it began?
    told = server.events(paused)
    epochs = 7 + sum(e["type"] == "epoch" for e in told)
    assert epochs <= more("ockham_epoch_seconds", "_count") <= epochs + 1000
    assert more("ockham_samples_total") >= 7 * 120
    assert more("ockham_samples_total") % 120 == 0
    assert value(after, "ockham_cores", state="used") == 0
    assert value(after, "ockham_cores", state="free") == 2
    assert value(after, "ockham_memory_reserved_bytes") == 0


def test_gauges_follow_a_running_job(server):
    job = server.submit(slow_spec())
    stream = server.connect()
    stream.request("GET", f"/v1/jobs/{job}/events", headers={"Accept": "application/x-ndjson"})
    reader = stream.getresponse()
    while b'"type":"epoch"' not in reader.readline():
        pass
    end = time.monotonic() + 60  # one who has left counts until the server has seen it
    while value(now := scrape(server), "ockham_event_subscribers") > 1 and time.monotonic() < end:
        time.sleep(0.05)
    assert value(now, "ockham_cores", state="used") >= 1
    assert value(now, "ockham_memory_reserved_bytes") > 8 << 20
    assert value(now, "ockham_event_subscribers") == 1
    stream.close()
    server.call("POST", f"/v1/jobs/{job}/cancel")
    assert server.ended(job)["status"] == "cancelled"


def test_names_are_the_documented_ones(server):
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(ockham_\w+)(?:\{([\w,]+)\})?` \| (\w+) \|", text, re.M)
    families = scrape(server)
    assert {(name, kind) for name, _, kind in rows} == {
        (name, kind) for name, (kind, _) in families.items()}
    for name, labels, _ in rows:
        for _, pairs in families[name][1]:
            keys = [key for key, _ in pairs if key != "le"]
            assert keys == (labels.split(",") if labels else []), name
