"""Models without what nothing reads: smaller files that predict the same.

Method: jobs whose L1 penalty makes zeros are trained on a server; the whole model and the pruned one
are taken home and predict the same rows to the same text. One small enough for the store, one that is
a file.
"""

import gzip
import json
import os
import struct

import cli_tools
import pytest
from ockserver import Server, is_problem, spec

DIGITS = cli_tools.DATA / "digits.csv.gz"


@pytest.fixture(scope="module")
def server():
    with Server() as s:
        s.upload_table()
        answer = s.call("PUT", "/v1/datasets/digits?target=-1", DIGITS.read_bytes())
        assert answer.status == 201, answer.data
        yield s


def digits_spec(**more):
    return {"name": "small digits", "data": {"dataset": "digits", "scaling": {"divide": 16}},
            "model": {"hidden": [32]}, "regularization": {"l1": 0.002, "l1_method": "proximal"},
            "optimizer": {"lr": 0.1, "momentum": 0.9}, "train": {"epochs": 10, "seed": 1}, **more}


SPECS = {"blob": digits_spec(),
         "file": spec(2, hidden=[700, 700], name="small digits", regularization={
             "l1_method": "proximal", "layers": {"0": {"l1": 5}}})}


@pytest.fixture(scope="module", params=SPECS)
def job(server, request):
    job = server.submit(SPECS[request.param])
    assert server.ended(job)["status"] == "succeeded"
    return job


def header_of(data):
    size = struct.unpack("<Q", data[:8])[0]
    return json.loads(data[8:8 + size])


def parameters_of(data):
    return sum((t["data_offsets"][1] - t["data_offsets"][0]) // 4
               for name, t in header_of(data).items()
               if name[0].isdigit())


def test_it_is_what_the_job_says(server, job):
    """Sizes before and after: of the files, in the last event and in the job."""
    told = server.events(job)[-1]["model"]
    assert server.call("GET", f"/v1/jobs/{job}").json["model"] == told
    assert [j["model"] for j in server.call("GET", "/v1/jobs").json["items"] if j["id"] == job] == \
        [told]
    whole = server.call("GET", f"/v1/jobs/{job}/model").data
    pruned = server.call("GET", f"/v1/jobs/{job}/model?prune=true").data
    assert server.call("GET", f"/v1/jobs/{job}/model?prune=false").data == whole
    assert told["bytes"] == len(whole) and told["parameters"] == parameters_of(whole)
    assert told["pruned"] == {"parameters": parameters_of(pruned), "bytes": len(pruned)}
    assert len(pruned) < len(whole) and told["pruned"]["parameters"] < told["parameters"]

    header = header_of(pruned)
    inputs = json.loads(header["__metadata__"]["inputs"])
    layers = json.loads(header["__metadata__"]["spec"])["model"]["layers"]
    assert header["0.weight"]["shape"] == [layers[0]["units"], len(inputs)]
    assert inputs == sorted(inputs) and inputs[-1] < header_of(whole)["0.weight"]["shape"][1]


def test_the_answer_is_a_file_like_any_other(server, job):
    path = f"/v1/jobs/{job}/model?prune=true"
    answer = server.call("GET", path)
    data, tag = answer.data, answer.headers["ETag"]
    assert answer.headers["Content-Disposition"] == \
        'attachment; filename="small_digits-pruned.safetensors"'
    assert tag == f'"{server.events(job)[-1]["model"]["sha256"]}-pruned"'
    assert server.call("GET", path).data == data
    head = server.call("HEAD", path)
    assert head.status == 200 and int(head.headers["Content-Length"]) == len(data)
    part = server.call("GET", path, headers={"Range": "bytes=100-299", "If-Range": tag})
    assert part.status == 206 and part.data == data[100:300]
    assert part.headers["Content-Range"] == f"bytes 100-299/{len(data)}"
    assert server.call("GET", path, headers={"If-None-Match": tag}).status == 304
    whole_tag = server.call("HEAD", f"/v1/jobs/{job}/model").headers["ETag"]
    assert server.call("GET", path, headers={"If-None-Match": whole_tag}).status == 200
    is_problem(server.call("GET", path, headers={"Range": f"bytes={len(data)}-"}), 416)
    assert os.listdir(server.directory + "/predictions") == []


def test_it_predicts_the_same(server, tmp_path):
    job = server.submit(SPECS["blob"])
    server.ended(job)
    env = {"OCKHAM_URL": f"http://127.0.0.1:{server.port}"}
    for name, more in (("whole", ()), ("pruned", ("--prune",))):
        done = cli_tools.run("model", job, "-o", tmp_path / name, *more, env=env)
        assert done.returncode == 0, done.stderr
    said = [cli_tools.run("predict", tmp_path / name, DIGITS) for name in ("whole", "pruned")]
    assert said[0].returncode == 0 and said[0].stdout.count("\n") == 1798
    assert said[1].stdout == said[0].stdout

    # Columns that nothing reads may be left out, wherever names say which ones there are.
    inputs = json.loads(header_of((tmp_path / "pruned").read_bytes())["__metadata__"]["inputs"])
    assert 0 < len(inputs) < 64
    rows = [line.split(",") for line in gzip.decompress(DIGITS.read_bytes()).decode().splitlines()]
    rows.insert(0, [f"c{i}" for i in range(65)])
    (tmp_path / "rows.csv").write_text(
        "\n".join(",".join(row[i] for i in inputs) for row in rows) + "\n")
    fewer = cli_tools.run("predict", tmp_path / "pruned", tmp_path / "rows.csv")
    assert fewer.stdout == said[0].stdout, fewer.stderr
    refused = cli_tools.run("predict", tmp_path / "whole", tmp_path / "rows.csv")
    assert refused.returncode == 2 and "no column" in refused.stderr

    shown = cli_tools.run("show", job, env=env).stdout
    assert " parameters, " in shown and "; pruned " in shown
    named = cli_tools.run("model", job, "--prune", env=env, cwd=tmp_path)
    assert named.stdout == "small_digits-pruned.safetensors\n"


def test_nothing_to_go(server):
    job = server.submit(spec(1, hidden=[8]))
    model = server.ended(job)["model"]
    assert set(model) == {"bytes", "sha256", "parameters"}
    whole, pruned = (server.call("GET", f"/v1/jobs/{job}/model?prune={p}") for p in
                     ("false", "true"))
    assert whole.data == pruned.data and "-pruned." in pruned.headers["Content-Disposition"]


def test_sparse_models_stay_whole(server):
    heart = (cli_tools.DATA / "heart_scale").read_bytes()
    assert server.call("PUT", "/v1/datasets/heart?format=svmlight", heart).status == 201
    job = server.submit({"data": {"dataset": "heart"}, "model": {"hidden": []},
                         "regularization": {"l1": 0.1, "l1_method": "proximal"},
                         "optimizer": {"lr": 0.1}, "train": {"epochs": 20}})
    ended = server.ended(job)
    assert ended["latest"]["weights"]["zeros"] > 0 and "pruned" not in ended["model"]
    whole, pruned = (server.call("GET", f"/v1/jobs/{job}/model?prune={p}").data for p in
                     ("false", "true"))
    assert whole == pruned


def test_a_pruned_model_starts_no_training(server, tmp_path):
    job = server.submit(SPECS["blob"])
    server.ended(job)
    (tmp_path / "pruned").write_bytes(
        server.call("GET", f"/v1/jobs/{job}/model?prune=true").data)
    (tmp_path / "job.json").write_text('{"model": {"hidden": [32]}}')
    said = cli_tools.run("train", tmp_path / "job.json", "--data", DIGITS, "--init",
                         tmp_path / "pruned")
    assert said.returncode != 0 and "start from the whole model" in said.stdout
