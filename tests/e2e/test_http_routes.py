"""Every route is in /openapi.json and nothing else is answered to; queries, methods, texts.

Method: the document's paths against all methods, both ways, on a running server.
"""

import json
import re
import socket
import subprocess

import pytest
from ockserver import Server, is_problem, program

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@pytest.fixture(scope="module")
def server():
    with Server() as s:
        yield s


@pytest.fixture(scope="module")
def document(server):
    answer = server.call("GET", "/openapi.json")
    assert answer.status == 200 and answer.json["openapi"].startswith("3.1")
    return answer.json


def concrete(path):
    return re.sub(r"\{[a-z]+\}", "job_nothere", path)


def test_api_of_the_issue_is_there(document):
    want = {
        "/v1/datasets": {"get"}, "/v1/datasets/{id}": {"put", "get", "delete"},
        "/v1/datasets/{name}/x": {"put"}, "/v1/datasets/{name}/y": {"put"},
        "/v1/jobs": {"get", "post"}, "/v1/jobs/validate": {"post"},
        "/v1/jobs/{id}": {"get", "patch", "delete"}, "/v1/jobs/{id}/cancel": {"post"},
        "/v1/jobs/{id}/pause": {"post"}, "/v1/jobs/{id}/resume": {"post"},
        "/v1/jobs/{id}/stop": {"post"}, "/v1/jobs/{id}/events": {"get"},
        "/v1/jobs/{id}/metrics": {"get"}, "/v1/jobs/{id}/model": {"get"},
        "/v1/jobs/{id}/layers": {"get"}, "/v1/jobs/{id}/evaluation": {"get"},
        "/v1/jobs/{id}/chart.svg": {"get"},
        "/v1/system": {"get"}, "/v1/schema/job": {"get"}, "/livez": {"get"}, "/readyz": {"get"},
        "/version": {"get"}, "/openapi.json": {"get"}, "/": {"get"}, "/metrics": {"get"}}
    have = {path: set(item) for path, item in document["paths"].items()}
    assert {path: methods for path, methods in want.items()
            if not methods <= have.get(path, set())} == {}


def test_document_and_server_have_the_same_routes(server, document):
    for path, item in document["paths"].items():
        for method in METHODS:
            url = concrete(path)
            if path.endswith("/events"):
                url += "?format=json"
            body = "" if method in ("POST", "PUT", "PATCH") else None
            answer = server.call(method, url, body)
            if method.lower() in item:
                assert answer.status != 405, (method, path)
                assert answer.status != 404 or "{" in path, (method, path)
            else:
                is_problem(answer, 405, "method_not_allowed")
                allowed = {m for m in answer.headers["Allow"].split(", ") if m != "HEAD"}
                assert {m.lower() for m in allowed} == set(item), (method, path)


def test_operations_are_well_described(document):
    ids = [op["operationId"] for item in document["paths"].values() for op in item.values()]
    assert len(ids) == len(set(ids))
    for path, item in document["paths"].items():
        for op in item.values():
            inside = {p["name"] for p in op["parameters"] if p["in"] == "path"}
            assert inside == set(re.findall(r"\{([a-z]+)\}", path))
            assert op["summary"] and "default" in op["responses"]
            for p in op["parameters"]:
                assert p["in"] == "path" or p["description"], (path, p["name"])


def test_declared_parameters_are_the_ones_that_are_taken(server, document):
    for path, item in document["paths"].items():
        names = [p["name"] for p in item.get("get", {}).get("parameters", []) if p["in"] == "query"]
        if "get" not in item:
            continue
        body = is_problem(server.call("GET", concrete(path) + "?nosuchthing=1"), 400,
                          "invalid_query")
        assert body["errors"][0]["code"] == "unknown_parameter"
        for name in names:
            name = name + "team" if name.endswith(".") else name
            answer = server.call("GET", f"{concrete(path)}?{name}=%22&format=json")
            faults = (answer.json or {}).get("errors", []) if answer.status == 400 else []
            assert not any(f["code"] == "unknown_parameter" and name in f["detail"].split()
                           for f in faults), (path, name)


@pytest.mark.parametrize("path,code,suggestion", [
    ("/v1/jobs?limt=5", "unknown_parameter", "limit"),
    ("/v1/jobs?Limit=5", "unknown_parameter", None),
    ("/v1/jobs?limit=5&limit=5", "repeated_parameter", None),
    ("/v1/jobs?limit=0", "invalid_parameter", None),
    ("/v1/jobs?limit=101", "invalid_parameter", None),
    ("/v1/jobs?limit=-1", "invalid_parameter", None),
    ("/v1/jobs?limit=1e1", "invalid_parameter", None),
    ("/v1/jobs?limit=", "invalid_parameter", None),
    ("/v1/jobs?limit=99999999999999999999999", "invalid_parameter", None),
    ("/v1/jobs?status=runing", "invalid_parameter", "running"),
    ("/v1/jobs?status=running,,queued", "invalid_parameter", None),
    ("/v1/jobs/job_x?wait=56", "invalid_parameter", None),
    ("/v1/jobs/job_x/events?format=xml", "invalid_parameter", None),
    ("/v1/jobs/job_x/model?which=worst", "invalid_parameter", None),
    ("/v1/jobs/job_x/model?prune=yes", "invalid_parameter", None),
    ("/livez?x", "unknown_parameter", None),
])
def test_bad_queries(server, path, code, suggestion):
    body = is_problem(server.call("GET", path), 400, "invalid_query")
    assert body["errors"][0]["code"] == code
    if suggestion:
        assert body["errors"][0]["suggestion"] == suggestion


def test_all_faults_of_a_query_at_once(server):
    body = is_problem(server.call("GET", "/v1/jobs?limt=5&limit=0&satus=x"), 400)
    assert [e["code"] for e in body["errors"]] == ["unknown_parameter", "invalid_parameter",
                                                   "unknown_parameter"]


@pytest.mark.parametrize("path", ["/nothing", "/v1", "/v1/", "/v1/jobs/", "/v1/jobs//events",
                                  "/v1/jobs/a/b/c/d/e", "//", "/livez/", "/LIVEZ",
                                  "/v1/jobs%2Fvalidate"])
def test_unknown_paths(server, path):
    is_problem(server.call("GET", path), 404, "not_found")


@pytest.mark.parametrize("path", ["/v1/jobs/job_nope", "/v1/jobs/job_nope/model",
                                  "/v1/jobs/job_nope/metrics", "/v1/jobs/job_nope/events",
                                  "/v1/jobs/..%2f..%2fetc%2fpasswd", "/v1/datasets/nope",
                                  "/v1/jobs/job_nope?wait=5", "/v1/jobs/%ff"])
def test_unknown_things(server, path):
    answer = server.call("GET", path)
    is_problem(answer, 400 if path.endswith("%ff") else 404)


def test_put_on_a_job_is_405_with_allow(server):
    answer = server.call("PUT", "/v1/jobs/job_nope")
    is_problem(answer, 405)
    assert answer.headers["Allow"] == "GET, HEAD, PATCH, DELETE"
    options = server.call("OPTIONS", "/v1/jobs")
    assert options.status == 204 and set(options.headers["Allow"].split(", ")) == {
        "GET", "HEAD", "POST"}


@pytest.mark.parametrize("path", ["/", "/livez", "/readyz", "/version", "/v1/system", "/v1/jobs",
                                  "/v1/datasets", "/v1/schema/job", "/openapi.json"])
def test_head_is_get_without_a_body(server, path):
    head, get = server.call("HEAD", path), server.call("GET", path)
    assert (head.status, head.data) == (get.status, b"") == (200, b"")
    assert head.headers["Content-Type"] == get.headers["Content-Type"]
    assert abs(int(head.headers["Content-Length"]) - len(get.data)) <= 8  # uptime_s may grow
    assert get.headers["X-Content-Type-Options"] == "nosniff"


def test_index_by_accept(server):
    text = server.call("GET", "/")
    assert text.headers["Content-Type"].startswith("text/plain")
    assert f"curl -N 127.0.0.1:{server.port}/v1/jobs/JOB/events" in text.data.decode()
    assert text.data.decode() in server.text(), "serve prints the same lines"


def test_service_texts(server):
    assert re.fullmatch(r"\d+\.\d+\.\d+", server.call("GET", "/version").json["version"])
    system = server.call("GET", "/v1/system").json
    assert system["cores"] >= 1 and "jobs" in system
    schema = server.call("GET", "/v1/schema/job")
    assert schema.headers["Content-Type"] == "application/schema+json"
    assert "regularization" in json.loads(schema.data)["properties"]
    assert server.call("GET", "/readyz").json["status"] == "ready"


def test_metrics_count_requests_by_template(server):
    server.call("GET", "/v1/jobs/job_some-id-of-mine")
    text = server.call("GET", "/metrics").data.decode()
    assert 'ockham_http_requests_total{method="GET",route="/v1/jobs/{id}",code="404"}' in text
    assert "job_some-id-of-mine" not in text
    name = "ockham_http_request_duration_seconds"
    found = re.findall(rf'^{name}_bucket\{{route="/v1/jobs/{{id}}",le="[^"]+"\}} (\d+)$', text, re.M)
    assert len(found) == 8 and sorted(map(int, found)) == list(map(int, found))
    assert f'{name}_count{{route="/v1/jobs/{{id}}"}} {found[-1]}\n' in text
    series = [line.rsplit(" ", 1)[0] for line in text.splitlines() if not line.startswith("#")]
    assert len(series) == len(set(series)), "a series is there twice"
    assert re.search(r'^ockham_jobs\{status="queued"\} \d+$', text, re.M)


def test_ready_within_the_goal():
    """Python's own start of a process and our polling are in it; the goal alone is 50 ms. What else the
    machine does only adds to it, so the best of a few counts."""
    seconds = []
    while len(seconds) < 10 and not (seconds and min(seconds) < 1.0):
        with Server() as s:
            seconds.append(s.ready_s)
    assert min(seconds) < 1.0, seconds


def test_keep_alive_carries_many_requests(server):
    connection = server.connect()
    connection.connect()
    local = connection.sock.getsockname()
    for i in range(50):
        connection.request("GET", "/livez" if i % 2 else "/v1/jobs")
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200 and connection.sock.getsockname() == local
    connection.close()


def test_bad_options_end_with_a_sentence():
    for arguments in (["--listen", "nonsense"], ["--listen", "127.0.0.1:99999"],
                      ["--listen", "1.2.3:80"]):
        run = subprocess.run([program(), "serve", *arguments], capture_output=True, text=True,
                             timeout=20)
        assert run.returncode == 2 and "listen" in run.stderr, (arguments, run)


def test_a_taken_port_is_told(tmp_path):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        port = s.getsockname()[1]
        run = subprocess.run([program(), "serve", "--listen", f"127.0.0.1:{port}", "--data-dir",
                              str(tmp_path / "d")], capture_output=True, text=True, timeout=20)
    assert run.returncode == 1 and str(port) in run.stderr


def test_any_free_port(tmp_path):
    process = subprocess.Popen([program(), "serve", "--listen", "127.0.0.1:0", "--data-dir",
                                str(tmp_path / "d")], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True)
    try:
        port = int(re.search(r"http://127\.0\.0\.1:(\d+)$", process.stdout.readline()).group(1))
        with socket.create_connection(("127.0.0.1", port), timeout=30):
            assert port > 0
    finally:
        process.terminate()
        assert process.wait(15) == 0
