"""Goal: the client commands hold out: a broken stream goes on where it broke, a lost answer makes no
second job, errors become readable words, and a token goes where it should. Method: a server of a
few lines that plays each part, and remembers what it was asked."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cli_tools import events, final_lines, free_port, on_terminal, run, write_job

JOB = {"id": "job_1", "status": "queued", "name": "n", "labels": {}}
EPOCH = {"epochs": 3, "step": 1, "train": {"data_loss": 0.5, "accuracy": 0.9},
         "penalty": {"l1": 0, "l2": 0.1}, "objective": 0.6, "best": {"epoch": 1}, "lr": 0.1}
END = {"type": "end", "seq": 4, "job": "job_1", "status": "succeeded", "stop_reason": "epochs",
       "best": {"epoch": 3}, "error": None, "model": {"bytes": 1, "sha256": ""}}


def event(n):
    return {"type": "epoch", "job": "job_1", "seq": n, "epoch": n, **EPOCH} if n < 4 else END


class Play:
    """A server whose answers are a list of functions; the last one answers all further requests."""

    def __init__(self, *answers):
        self.requests = []
        play = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if self.headers.get("Transfer-Encoding") == "chunked":
                    size = int(self.rfile.readline(), 16)
                    while size:
                        body += self.rfile.read(size + 2)[:-2]
                        size = int(self.rfile.readline(), 16)
                play.requests.append((self.command, self.path, dict(self.headers), body))
                answers[min(len(play.requests), len(answers)) - 1](self)
                self.close_connection = True

            do_GET = do_POST = do_PUT = answer

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()
        self.env = {"OCKHAM_URL": f"http://127.0.0.1:{self.server.server_port}"}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def reply(status, body=None, kind="application/json", **headers):
    def send(handler):
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(data)
    return send


def stream(*lines):
    """NDJSON whose connection breaks behind the last line: the announced end never comes."""
    def send(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", "application/x-ndjson")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for line in lines:
            data = line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n"
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            handler.wfile.flush()
    return send


def drop(handler):
    handler.connection.close()


def problem(status, code, title, **more):
    return reply(status, {"type": "/problems/" + code, "title": title, "status": status,
                          "code": code, **more}, "application/problem+json")


def test_a_broken_stream_goes_on_where_it_broke():
    half = json.dumps(event(3)).encode()[:40]
    with Play(stream(event(1), b"\n", event(2), half), problem(503, "starting", "Starting"),
              stream(event(2), event(3), event(4))) as play:
        done = run("watch", "job_1", env=play.env)
    assert done.returncode == 0, done.stderr
    assert [e["seq"] for e in events(done.stdout)] == [1, 2, 3, 4]
    heads = [headers for _, _, headers, _ in play.requests]
    assert [h.get("Last-Event-ID") for h in heads] == [None, "2", "2"]
    assert {h["Accept"] for h in heads} == {"application/x-ndjson"}


def test_progress_and_unknown_types_are_passed_over():
    progress = {"type": "progress", "epoch": 1, "fraction": 0.5, "running_loss": 1.0}
    strange = {"type": "news", "job": "job_1", "seq": 2}
    with Play(stream(event(1), progress, strange, event(3), event(4))) as play:
        done = run("watch", "job_1", env=play.env)
    assert done.returncode == 0
    assert [e["type"] for e in events(done.stdout)] == ["epoch", "news", "epoch", "end"]


@pytest.mark.parametrize("status, code", [("succeeded", 0), ("failed", 1), ("cancelled", 1)])
def test_watch_ends_as_the_job_did(status, code):
    with Play(stream({**END, "status": status})) as play:
        assert run("watch", "job_1", env=play.env).returncode == code


def test_watch_of_a_job_that_is_not_there():
    with Play(problem(404, "not-found", "There is no such job")) as play:
        done = run("watch", "job_1", env=play.env)
    assert done.returncode == 1 and done.stderr == "ockham: There is no such job\n"
    assert len(play.requests) == 1


def test_a_lost_answer_makes_no_second_job(tmp_path):
    job = write_job(tmp_path, {"data": {"dataset": "d"}})
    with Play(drop, reply(202, JOB)) as play:
        done = run("submit", job, env=play.env)
    assert done.returncode == 0 and done.stdout == "job_1\n"
    keys = [headers["Idempotency-Key"] for _, _, headers, _ in play.requests]
    assert len(keys) == 2 and keys[0] == keys[1] and len(keys[0]) == 32
    bodies = {body for _, _, _, body in play.requests}
    assert bodies == {job.read_bytes()}, "the file goes as it is"


def test_two_submissions_are_two_jobs(tmp_path):
    job = write_job(tmp_path, {"data": {"dataset": "d"}})
    with Play(reply(202, JOB)) as play:
        run("submit", job, env=play.env)
        run("submit", job, env=play.env)
    assert len({headers["Idempotency-Key"] for _, _, headers, _ in play.requests}) == 2


def test_submit_and_watch(tmp_path):
    job = write_job(tmp_path, {"data": {"dataset": "d"}})
    with Play(reply(202, JOB), stream(event(1), event(4))) as play:
        done = run("submit", job, "--watch", env=play.env)
    assert done.returncode == 0 and done.stderr == "ockham: job_1\n"
    assert [e["seq"] for e in events(done.stdout)] == [1, 4]
    assert play.requests[1][:2] == ("GET", "/v1/jobs/job_1/events")


def test_faults_of_the_server_are_read_out(tmp_path):
    job = write_job(tmp_path, {})
    faults = [{"pointer": "/optimizer/lr", "code": "out_of_range", "detail": "must be > 0", "got": -1},
              {"pointer": "/lr", "code": "unknown_key", "detail": "unknown key",
               "suggestion": "lr\x1b[31m"},
              {"pointer": "", "code": "missing_key", "detail": "data is missing"}]
    with Play(problem(422, "invalid-spec", "The job spec is not valid", errors=faults)) as play:
        done = run("submit", job, env=play.env)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr == ("ockham: The job spec is not valid\n"
                           "  /optimizer/lr: must be > 0 (got -1)\n"
                           '  /lr: unknown key; did you mean "lr [31m"?\n'
                           "  (the whole document): data is missing\n")


def test_what_is_no_json_does_not_travel(tmp_path):
    (tmp_path / "bad.json").write_text('{"data":')
    with Play(reply(202, JOB)) as play:
        done = run("submit", tmp_path / "bad.json", env=play.env)
    assert done.returncode == 2 and "not JSON" in done.stderr and play.requests == []


def test_the_token_goes_along_and_no_further():
    elsewhere = f"http://127.0.0.1:{free_port()}/v1/jobs/job_1"
    with Play(reply(302, b"", Location=elsewhere)) as play:
        done = run("show", "job_1", env={**play.env, "OCKHAM_TOKEN": "s3cret"})
    assert play.requests[0][2]["Authorization"] == "Bearer s3cret"
    assert done.returncode == 1 and len(play.requests) == 1 and "s3cret" not in done.stderr


def test_without_a_token_the_cure_is_told():
    with Play(problem(401, "unauthorized", "A token is needed")) as play:
        done = run("list", env=play.env)
    assert done.returncode == 1 and "Authorization" not in play.requests[0][2]
    assert "A token is needed" in done.stderr and "OCKHAM_TOKEN" in done.stderr


@pytest.mark.parametrize("words", [["health"], ["list"], ["show", "j"], ["watch", "j"],
                                   ["cancel", "j"], ["model", "j", "-o", "m"]])
def test_no_server(words, tmp_path):
    url = f"http://127.0.0.1:{free_port()}"
    done = run(*words, env={"OCKHAM_URL": url}, cwd=tmp_path)
    assert done.returncode == 1 and done.stdout == ""
    assert f"no server at {url} (OCKHAM_URL)" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["", "nonsense", "ftp://127.0.0.1", "file:///etc/passwd", "http://"])
def test_addresses_that_are_none(url):
    done = run("show", "x", env={"OCKHAM_URL": url or "http://["})
    assert done.returncode == 1 and done.stdout == "" and done.stderr


def test_an_answer_of_something_else():
    with Play(reply(200, b"<html>hello</html>", "text/html")) as play:
        assert run("list", env=play.env).returncode == 1
    with Play(reply(500, b"<html>oops</html>", "text/html")) as play:
        done = run("show", "x", env=play.env)
    assert done.returncode == 1 and "is it an Ockham server?" in done.stderr


def test_names_are_escaped():
    with Play(reply(200, JOB)) as play:
        run("show", "a b/../c?d", env=play.env)
        run("list", "--status", "running,queued", "--label", "team=a&b", "--limit", "3",
            env=play.env)
    assert play.requests[0][1] == "/v1/jobs/a%20b%2F..%2Fc%3Fd"
    assert play.requests[1][1] == "/v1/jobs?status=running%2Cqueued&limit=3&label.team=a%26b"


def test_upload_sends_the_file_as_it_is(tmp_path):
    (tmp_path / "rows.csv").write_bytes(b"a,b\n1,2\n" * 50000)
    answer = {"id": "ds_1", "name": "rows", "rows": 100000, "status": "ready",
              "target": {"name": "b", "kind": "number"}}
    with Play(reply(201, answer)) as play:
        done = run("upload", "rows", tmp_path / "rows.csv", "--target", "b", "--header", "true",
                   "--replace", env=play.env)
        piped = run("upload", "rows", "-", input="a,b\n1,2\n", env=play.env)
    assert done.stdout == "rows ds_1: 100,000 rows, target b (number)\n", done.stderr
    method, path, headers, body = play.requests[0]
    assert (method, path) == ("PUT", "/v1/datasets/rows?target=b&header=true&replace=true")
    assert body == (tmp_path / "rows.csv").read_bytes() and headers["Content-Length"] == "400000"
    assert piped.returncode == 0 and play.requests[1][3] == b"a,b\n1,2\n"
    assert play.requests[1][2]["Transfer-Encoding"] == "chunked"


def test_upload_of_two_files_is_two_parts(tmp_path):
    for name in "xy":
        (tmp_path / name).write_text(name)
    with Play(reply(200, {"id": "ds_1", "status": "incomplete"}), reply(201, {"id": "ds_1"})) as play:
        done = run("upload", "pics", f"{tmp_path}/x,{tmp_path}/y", env=play.env)
    assert done.returncode == 0
    assert [(path, body) for _, path, _, body in play.requests] == \
        [("/v1/datasets/pics/x", b"x"), ("/v1/datasets/pics/y", b"y")]


DISPOSITION = 'attachment; filename="%s"'


@pytest.mark.parametrize("sent, kept", [("digits-l2.safetensors", "digits-l2.safetensors"),
                                        ("../../evil", "_._.._evil"), (".profile", "_profile"),
                                        ("a b", "a_b"), ("", "job_1.safetensors")])
def test_a_models_name_stays_in_the_directory(tmp_path, sent, kept):
    with Play(reply(200, b"WEIGHTS", "application/octet-stream",
                    Content_Disposition=DISPOSITION % sent)) as play:
        done = run("model", "job_1", env=play.env, cwd=tmp_path)
    assert done.returncode == 0 and done.stdout == kept + "\n"
    assert [p.name for p in tmp_path.iterdir()] == [kept]
    assert (tmp_path / kept).read_bytes() == b"WEIGHTS"


def test_a_model_is_not_written_over_unless_named(tmp_path):
    (tmp_path / "job_1.safetensors").write_text("mine")
    with Play(reply(200, b"WEIGHTS")) as play:
        done = run("model", "job_1", env=play.env, cwd=tmp_path)
        assert done.returncode == 1 and "-o FILE" in done.stderr
        assert (tmp_path / "job_1.safetensors").read_text() == "mine"
        named = run("model", "job_1", "-o", "job_1.safetensors", "--which", "last", env=play.env,
                    cwd=tmp_path)
    assert named.returncode == 0 and (tmp_path / "job_1.safetensors").read_bytes() == b"WEIGHTS"
    assert play.requests[-1][1] == "/v1/jobs/job_1/model?which=last"


def test_a_model_that_breaks_off_leaves_nothing(tmp_path):
    def half(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b"x" * 500)
    with Play(half) as play:
        done = run("model", "job_1", "-o", "m", env=play.env, cwd=tmp_path)
    assert done.returncode == 1 and done.stderr and list(tmp_path.iterdir()) == []
    with Play(problem(409, "no-model", "The job has no model yet")) as play:
        done = run("model", "job_1", "-o", "m", env=play.env, cwd=tmp_path)
    assert done.returncode == 1 and "no model yet" in done.stderr and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["cancel", "stop", "pause", "resume"])
def test_a_word_to_a_job(name):
    with Play(reply(202, {**JOB, "status": "running"})) as play:
        done = run(name, "job_1", env=play.env)
    assert done.returncode == 0 and done.stdout == "job_1 running\n"
    assert play.requests[0][:2] == ("POST", f"/v1/jobs/job_1/{name}")
    with Play(problem(409, "wrong-state", "Not now", detail="the job has ended")) as play:
        done = run(name, "job_1", env=play.env)
    assert done.returncode == 1 and done.stderr == "ockham: Not now: the job has ended\n"


def test_health():
    with Play(reply(200, {"status": "ready"})) as play:
        assert run("health", env=play.env).stdout == "ready\n"
        assert run("health", "--live", env=play.env).stdout == "alive\n"
    assert [r[1] for r in play.requests] == ["/readyz", "/livez"]
    with Play(problem(503, "draining", "The server is shutting down")) as play:
        done = run("health", env=play.env)
    assert done.returncode == 1 and "shutting down" in done.stderr


@pytest.mark.parametrize("columns", [60, 80, 100])
def test_a_list_fits_and_keeps_the_ids(columns):
    ids = [f"job_01M83974DK7FSJBZJ9ERMK1E{i:02}" for i in range(3)]
    items = [{**JOB, "id": i, "name": "a name that is longer than anybody would like it to be",
              "created_at": "2026-01-31T09:12:44.120Z"} for i in ids]
    with Play(reply(200, {"items": items, "next": None})) as play:
        code, shown = on_terminal("list", columns=columns, env=play.env)
    lines = [line for line in final_lines(shown) if line]
    assert code == 0 and len(lines) == 4 and max(map(len, lines)) <= columns
    assert [line.split()[0] for line in lines[1:]] == ids
    assert ("a name that" in lines[1]) == (columns >= 80)


def test_list_and_show():
    job = {**JOB, "status": "running", "created_at": "2026-01-31T09:12:44.120Z",
           "name": "two\nlines\x1b[31m", "dataset": {"name": "digits"},
           "progress": {"epoch": 3, "epochs": 20, "eta_s": 65}, "warnings": [],
           "best": {"epoch": 3, "metric": "validation.data_loss", "value": 0.45},
           "latest": {**EPOCH, "weights": {"zeros": 310, "count": 9034, "l2_norm": 48.1}}}
    with Play(reply(200, {"items": [job], "next": None}), reply(200, job)) as play:
        table = run("list", env=play.env)
        shown = run("show", "job_1", env=play.env)
    head, row = table.stdout.splitlines()
    assert head.split() == ["JOB", "STATUS", "EPOCH", "BEST", "NAME", "DATASET", "CREATED", "(UTC)"]
    assert row.split() == ["job_1", "running", "3/20", "0.4500", "two", "lines", "[31m",
                           "digits", "2026-01-31", "09:12"]
    for line in ("progress     3 of 20 epochs, 1 min 5 s left",
                 "train        data loss 0.5000, accuracy 90.00%",
                 "weights      310 of 9,034 exactly zero, L2 norm 48.1000",
                 "best         epoch 3, validation.data_loss 0.4500"):
        assert line in shown.stdout.splitlines(), line
    assert "\x1b" not in table.stdout + shown.stdout
