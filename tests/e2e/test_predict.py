"""Predictions over HTTP and on the command line.

Method: a job with categories, booleans and missing values is trained on a server; what it predicts of
the rows that validated it has exactly the accuracy of its last epoch; JSON, CSV and the model file
at home say the same. Then what is wrong with a request, a job or the worker, one at a time.
"""

import csv
import gzip
import io
import json
import os
import random
import signal
import threading
import time

import cli_tools
import pytest
from ockserver import Server, is_problem, slow_spec, spec

JSON = {"Content-Type": "application/json"}
CSV = {"Content-Type": "text/csv"}


def table(rows, seed):
    draw = random.Random(seed)
    out = [["age", "job", "member", "income", "buys"]]
    for i in range(rows):
        age = "" if i % 17 == 3 else round(draw.uniform(18, 80), 1)
        job = draw.choice(["clerk", "nurse, night", "", "pilot"])
        member = draw.choice(["yes", "no"])
        income = draw.randrange(9_000, 120_000) * 1000 + 7
        score = (age or 40) / 20 + (job == "pilot") + 2 * (member == "yes") + draw.random()
        out.append([age, job, member, income, "true" if score > 3.6 else "false"])
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(out)
    return text.getvalue()


TRAIN, HELD = table(600, 1), table(200, 2)


@pytest.fixture(scope="module")
def server():
    with Server() as s:
        s.upload_table()
        for name, text in (("people", TRAIN), ("held", HELD)):
            assert s.call("PUT", f"/v1/datasets/{name}?target=buys", text.encode()).status == 201
        yield s


@pytest.fixture(scope="module")
def job(server):
    job = server.submit({"data": {"dataset": "people", "validation": {"dataset": "held"}},
                         "model": {"hidden": [8]}, "train": {"epochs": 6, "seed": 5}})
    assert server.ended(job)["status"] == "succeeded"
    return job


def predict(server, job, body, headers=None, query="?which=last"):
    body = json.dumps(body) if isinstance(body, (dict, list)) else body
    return server.call("POST", f"/v1/jobs/{job}/predict{query}", body, headers or {})


def rows_of(text):
    """As a client has them: numbers and booleans are their own, what is missing is left out."""
    rows = []
    for row in csv.DictReader(io.StringIO(text)):
        row = {k: v for k, v in row.items() if v != "" and k != "buys"}
        row["member"] = row["member"] == "yes"
        row["income"] = int(row["income"])
        if "age" in row:
            row["age"] = float(row["age"])
        rows.append(row)
    return rows


def test_the_same_as_validation(server, job):
    answer = predict(server, job, HELD, CSV)
    assert answer.status == 200, answer.data
    said = answer.json
    assert said["job"] == job and said["rows"] == 200
    assert said["which"] in ("last", "best")  # the last epoch was the best one: they are one model
    assert said["target"] == "buys" and said["classes"] == ["false", "true"]
    truth = [row["buys"] for row in csv.DictReader(io.StringIO(HELD))]
    right = sum(p["class"] == t for p, t in zip(said["predictions"], truth))
    epoch = [e for e in server.events(job) if e["type"] == "epoch"][-1]
    assert right / 200 == epoch["validation"]["accuracy"] and right > 120
    for p in said["predictions"]:
        assert list(p["probabilities"]) == said["classes"]
        assert max(p["probabilities"], key=p["probabilities"].get) == p["class"]
        assert abs(sum(p["probabilities"].values()) - 1) < 1e-6


def test_every_form_says_the_same(server, job, tmp_path):
    wanted = predict(server, job, HELD, CSV).json["predictions"]
    rows = rows_of(HELD)
    columns = ["age", "job", "member", "income"]
    arrays = [[row.get(c) for c in columns] for row in rows]
    for answer in (predict(server, job, {"rows": rows}, JSON),
                   predict(server, job, {"rows": arrays}),  # curl's Content-Type, or none
                   predict(server, job, {"x": arrays}, JSON),
                   predict(server, job, gzip.compress(HELD.encode()), CSV),
                   predict(server, job, HELD.replace("nurse, night", "nurse; night").replace(
                       ",", "\t").replace("nurse; night", "nurse, night").replace('"', ""),
                       {"Content-Type": "text/tab-separated-values"})):
        assert answer.status == 200, answer.data
        assert answer.json["predictions"] == wanted
    lines = predict(server, job, HELD, {**CSV, "Accept": "application/x-ndjson"})
    assert lines.headers["Content-Type"] == "application/x-ndjson"
    assert [json.loads(line) for line in lines.data.splitlines()] == wanted

    text = predict(server, job, HELD, {**CSV, "Accept": "text/csv"}).data
    table = list(csv.DictReader(io.StringIO(text.decode())))
    assert list(table[0]) == ["prediction", "probability_false", "probability_true"]
    assert [r["prediction"] for r in table] == [p["class"] for p in wanted]
    assert [float(r["probability_true"]) for r in table] == \
        [p["probabilities"]["true"] for p in wanted]

    model, held, out = tmp_path / "m.safetensors", tmp_path / "held.csv", tmp_path / "out.csv"
    model.write_bytes(server.call("GET", f"/v1/jobs/{job}/model?which=last").data)
    held.write_text(HELD)
    at_home = cli_tools.run("predict", model, held)
    assert at_home.returncode == 0 and at_home.stdout.encode() == text, at_home.stderr
    there = cli_tools.run("predict", job, held, "--which", "last", "-o", out,
                          env={"OCKHAM_URL": f"http://127.0.0.1:{server.port}"})
    assert there.returncode == 0 and out.read_bytes() == text, there.stderr
    small = tmp_path / "rows.json"
    small.write_text(json.dumps({"rows": rows[:3]}))
    done = cli_tools.run("predict", model, small, "--format", "ndjson")
    assert [json.loads(line) for line in done.stdout.splitlines()] == wanted[:3]


def test_what_is_wrong_with_rows(server, job):
    row = {"age": 30, "job": "pilot", "member": True, "income": 20000007}
    for body, pointer, code in (({"rows": [{**row, "jop": "x"}]}, "/rows/0/jop", "unknown_key"),
                                ({"rows": [row, {**row, "age": "x"}]}, "/rows/1/age", "wrong_type"),
                                ({"rows": [[1, 2]]}, "/rows/0", "wrong_length"),
                                ({"row": [row]}, "/row", "unknown_key"), ([], "", "wrong_type")):
        answer = predict(server, job, body, JSON)
        is_problem(answer, 422, "invalid_rows")
        error = answer.json["errors"][0]
        assert (error["pointer"], error["code"]) == (pointer, code)
    assert predict(server, job, {"rows": [{**row, "jop": 1}]}).json["errors"][0]["suggestion"] == "job"
    assert predict(server, job, {"rows": [{**row, "buys": "true"}]}, JSON).status == 200
    for text, said in ((HELD.replace("age,", "years,", 1), '"age"'),
                       ("age,job,member,income\n1,x,yes\n", "line 2"),
                       ("age,job,member,income\n1,x,yes,lots\n", "line 2, column 4"),
                       ("1,x,yes\n", "3 columns")):
        answer = predict(server, job, text, CSV)
        is_problem(answer, 422, "invalid_rows")
        assert said in answer.json["detail"]
    is_problem(predict(server, job, '{"rows":', JSON), 400, "invalid_json")
    deep = '{"rows":' + "[" * 32 + "]" * 32 + "}"
    assert "column 40" in is_problem(predict(server, job, deep, JSON), 400, "invalid_json")["detail"]
    is_problem(predict(server, job, ""), 400)
    is_problem(predict(server, job, "{}", {**JSON, "Content-Encoding": "gzip"}), 415)
    is_problem(predict(server, job, "x" * (17 << 20), CSV), 413, "too_large")
    is_problem(predict(server, job, HELD, CSV, "?which=first"), 400)


def test_a_job_without_a_model(server):
    is_problem(predict(server, "job_01J00000000000000000000000", HELD, CSV), 404)
    job = server.submit(slow_spec())
    answer = predict(server, job, "x\n1\n", CSV)
    is_problem(answer, 409, "no_model")
    assert "when it has ended" in answer.json["detail"]
    assert server.call("POST", f"/v1/jobs/{job}/cancel").status in (200, 202)
    server.ended(job)
    answer = predict(server, job, "x\n1\n", CSV)
    is_problem(answer, 409, "no_model")
    assert "cancelled" in answer.json["detail"]


def workers(server):
    """The predictions' processes of this server."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = open(f"/proc/{pid}/cmdline").read().split("\0")
        except OSError:
            continue
        if len(words) > 2 and words[1] == "predict" and words[2].startswith(server.directory):
            found.append(int(pid))
    return found


def test_a_killed_worker_hurts_one_answer(server, job):
    large = HELD + "".join(HELD.split("\n", 1)[1] for _ in range(1500))
    answers = []
    thread = threading.Thread(target=lambda: answers.append(predict(server, job, large, CSV)))
    thread.start()
    killed = []
    while thread.is_alive() and not killed:
        for pid in workers(server):
            os.kill(pid, signal.SIGKILL)
            killed.append(pid)
        time.sleep(0.001)
    thread.join()
    assert killed
    is_problem(answers[0], 503, "worker_died")
    assert answers[0].headers["Retry-After"]
    assert predict(server, job, HELD, CSV).status == 200
    assert os.listdir(os.path.join(server.directory, "predictions")) == []


def test_many_at_once(server, job):
    """More than run at once: all are answered, each with its own rows."""
    rows = rows_of(HELD)
    wanted = predict(server, job, {"rows": rows}, JSON).json["predictions"]
    wrong = []

    def ask(i):
        answer = predict(server, job, {"rows": [rows[i]]}, JSON)
        if answer.status != 200 or answer.json["predictions"] != [wanted[i]]:
            wrong.append((i, answer.status, answer.data))

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_what_a_death_left_is_swept():
    with Server() as s:
        left = os.path.join(s.directory, "predictions", "7")
        os.mkdir(left)
        open(os.path.join(left, "source"), "w").close()
        s.stop()
        with s:
            assert os.listdir(os.path.join(s.directory, "predictions")) == []


def test_a_number_is_in_its_own_unit(server):
    lines = ["x,y"] + [f"{i % 50},{1000 + 3 * (i % 50)}.5" for i in range(400)]
    assert server.call("PUT", "/v1/datasets/line", "\n".join(lines).encode()).status == 201
    job = server.submit(spec(60, hidden=(), data={"dataset": "line"}))
    assert server.ended(job)["status"] == "succeeded"
    answer = predict(server, job, {"rows": [{"x": 10}, {"x": 40}]}, JSON)
    assert "classes" not in answer.json
    low, high = answer.json["predictions"]
    assert 1010 < low < high < 1140


def test_words_for_missing_values(server, job, tmp_path):
    head, row = "age,job,member,income", "clerk,yes,10000007"
    usual = server.call("POST", f"/v1/jobs/{job}/predict", f"{head}\n,{row}\n", CSV)
    told = server.call("POST", f"/v1/jobs/{job}/predict?missing=none,-", f"{head}\n-,{row}\n", CSV)
    assert usual.status == told.status == 200
    assert told.json["predictions"] == usual.json["predictions"]
    wrong = server.call("POST", f"/v1/jobs/{job}/predict", f"{head}\n-,{row}\n", CSV)
    is_problem(wrong, 422, "invalid_rows")
    model, rows = tmp_path / "m.safetensors", tmp_path / "rows.csv"
    model.write_bytes(server.call("GET", f"/v1/jobs/{job}/model").data)
    rows.write_text(f"{head}\n-,{row}\n")
    home = cli_tools.run("predict", model, rows, "--missing", "none,-", "--format", "json")
    assert json.loads(home.stdout)["predictions"] == usual.json["predictions"]


def test_a_model_keeps_its_words_for_missing_values(server, tmp_path):
    """What stood for a missing value in training does so in rows, unless others are told."""
    text = TRAIN.replace("\n,", "\n-,").replace(",,", ",lost,")
    assert text.count("lost") > 50 and text.count("\n-,") > 20
    answer = server.call("PUT", "/v1/datasets/worded?target=buys&missing=-,lost", text.encode())
    assert answer.status == 201 and answer.json["missing_words"] == "-,lost"
    job = server.submit({"data": {"dataset": "worded"}, "train": {"epochs": 2}})
    assert server.ended(job)["status"] == "succeeded"
    head = "age,job,member,income\n"
    rows = head + "-,LOST,yes,10000007\n33,NA,no,10000007\n"
    usual = server.call("POST", f"/v1/jobs/{job}/predict",
                        head + ",,yes,10000007\n33,unheard of,no,10000007\n", CSV)
    worded = server.call("POST", f"/v1/jobs/{job}/predict", rows, CSV)
    assert usual.status == worded.status == 200, worded.data
    assert worded.json["predictions"] == usual.json["predictions"]
    objects = {"rows": [{"job": "lost", "member": True, "income": 10000007},
                        {"age": 33, "job": "NA", "member": "no", "income": 10000007}]}
    assert predict(server, job, objects, query="").json["predictions"] == \
        usual.json["predictions"]
    told = server.call("POST", f"/v1/jobs/{job}/predict?missing=gone",
                       head + "gone,gone,yes,10000007\n", CSV)
    assert told.json["predictions"] == usual.json["predictions"][:1]
    is_problem(server.call("POST", f"/v1/jobs/{job}/predict?missing=gone", rows, CSV), 422)
    (tmp_path / "m").write_bytes(server.call("GET", f"/v1/jobs/{job}/model").data)
    (tmp_path / "rows.csv").write_text(rows)
    home = cli_tools.run("predict", tmp_path / "m", tmp_path / "rows.csv", "-f", "json")
    assert json.loads(home.stdout)["predictions"] == usual.json["predictions"]


def test_rows_from_a_pipe(server, job, tmp_path):
    (tmp_path / "m").write_bytes(server.call("GET", f"/v1/jobs/{job}/model").data)
    (tmp_path / "held.csv").write_text(HELD)
    wanted = cli_tools.run("predict", tmp_path / "m", tmp_path / "held.csv").stdout
    assert wanted.count("\n") == 201
    env = {"OCKHAM_URL": f"http://127.0.0.1:{server.port}"}
    for model in (tmp_path / "m", job):
        assert cli_tools.run("predict", model, "-", input=HELD, env=env).stdout == wanted
        fifo = tmp_path / "fifo"
        os.mkfifo(fifo)
        writer = threading.Thread(target=fifo.write_text, args=(HELD,))
        writer.start()
        said = cli_tools.run("predict", model, fifo, env=env)
        writer.join()
        os.unlink(fifo)
        assert said.stdout == wanted, said.stderr


def test_a_damaged_model_is_told_by_its_name(server, tmp_path):
    whole = spec(1, hidden=(400, 400))
    job = server.submit(whole)
    assert server.ended(job)["status"] == "succeeded"
    path = f"{server.directory}/jobs/{job}/best.safetensors"
    with open(path, "r+b") as file:
        file.seek(8)
        file.write(b"?")
    answer = server.call("POST", f"/v1/jobs/{job}/predict", {"rows": [[1, 2, 3]]})
    is_problem(answer, 500, "damaged")
    assert "a stored model cannot be read: invalid the header" in server.text()
    is_problem(server.call("GET", f"/v1/jobs/{job}/model?prune=true"), 500, "damaged")
    (tmp_path / "rows.csv").write_text("a,b,c\n1,2,3\n")
    said = cli_tools.run("predict", path, tmp_path / "rows.csv")
    assert said.returncode == 2 and said.stderr.startswith(f"ockham: {path}: the header")


def test_values_have_a_limit(server):
    """Rows times columns: what a small body makes on the disk."""
    columns = 20_000
    text = "".join(",".join(str((i * k) % 7) for i in range(columns)) + f",{k % 2}\n"
                   for k in range(8))
    assert server.call("PUT", "/v1/datasets/wide", text.encode()).status == 201
    job = server.submit({"data": {"dataset": "wide", "validation": 0}, "model": {"hidden": []},
                         "train": {"epochs": 1}})
    assert server.ended(job)["status"] == "succeeded"
    limit = (64 << 20) // columns
    answer = predict(server, job, {"rows": [{}] * (limit + 1)}, query="")
    is_problem(answer, 422, "invalid_rows")
    assert f"more than {limit} rows of {columns} columns" in answer.json["detail"]
    answer = predict(server, job, {"rows": [{}] * 10}, query="")
    assert answer.status == 200 and answer.json["rows"] == 10


def test_a_model_of_sparse_data(server, tmp_path):
    draw = random.Random(7)
    rows = [{draw.randrange(1, 60): round(draw.uniform(-2, 2), 3) for _ in range(5)}
            for _ in range(80)]
    labels = [1 if sum(row.values()) > 0 else -1 for row in rows]
    text = "".join(f"{y} " + " ".join(f"{k}:{row[k]}" for k in sorted(row)) + "\n"
                   for row, y in zip(rows, labels))
    assert server.call("PUT", "/v1/datasets/terms", text.encode()).status == 201
    job = server.submit({"data": {"dataset": "terms", "validation": 0}, "model": {"hidden": [4]},
                         "train": {"epochs": 3}})
    assert server.ended(job)["status"] == "succeeded"
    body = json.dumps({"rows": [{str(k): v for k, v in row.items()} for row in rows]})
    answer = server.call("POST", f"/v1/jobs/{job}/predict", body, JSON)
    assert answer.status == 200, answer.json
    right = sum(int(p["class"]) == y for p, y in zip(answer.json["predictions"], labels))
    last = [e for e in server.events(job) if e["type"] == "epoch"][-1]
    assert right / len(rows) == last["train"]["accuracy"]

    # svmlight says the same, labels looked at by none; columns that the model never saw pass by.
    wanted = answer.json["predictions"]
    lines = [line.split(" ", 1) for line in text.splitlines()]
    other = "".join(f"0 {terms} 9999:5\n" for _, terms in lines)
    for body in (text, other, gzip.compress(text.encode())):
        answer = predict(server, job, body, query="")
        assert answer.status == 200 and answer.json["predictions"] == wanted
    empty = predict(server, job, {"rows": [{}, rows[0]]}).json["predictions"]
    answer = predict(server, job, f"0\n{other.splitlines()[0]}\n",
                     {"Content-Type": "text/x-svmlight"})
    assert answer.json["predictions"] == empty and empty[0] != empty[1]

    (tmp_path / "m").write_bytes(server.call("GET", f"/v1/jobs/{job}/model").data)
    (tmp_path / "rows").write_text(f"0\n{lines[0][0]} {lines[0][1]}\n")
    env = {"OCKHAM_URL": f"http://127.0.0.1:{server.port}"}
    for model in (tmp_path / "m", job):
        said = cli_tools.run("predict", model, tmp_path / "rows", "--svmlight", "-f", "json",
                             env=env)
        assert json.loads(said.stdout)["predictions"] == empty, said.stderr


def test_svmlight_for_a_model_of_columns(server, job):
    answer = predict(server, job, "1 3:0.5 7:1\n")
    is_problem(answer, 422, "invalid_rows")
    assert "models of sparse data" in answer.json["detail"]
