"""Who may: Host, Origin and the token, as API.md says.

Method: a table of header fields against a server with and one without a token.
"""

import os
import subprocess

import pytest
from ockserver import Server, call, free_port, is_problem, program

TOKEN = "0123456789abcdef-a-good-token"


@pytest.fixture(scope="module")
def server():
    with Server("--allowed-host", "box.example", "--public-url", "https://ockham.example.org") as s:
        yield s


@pytest.fixture(scope="module")
def guarded():
    with Server(environment={"OCKHAM_TOKEN": TOKEN}) as s:
        yield s


@pytest.mark.parametrize("host,welcome", [
    ("localhost", True), ("localhost:1", True), ("LocalHost:8080", True), ("127.0.0.1", True),
    ("127.9.9.9:80", True), ("[::1]", True), ("[::1]:8080", True), ("box.example", True),
    ("BOX.example:99", True),
    ("evil.example", False), ("localhost.evil.example", False), ("128.0.0.1", False),
    ("127.0.0.1.evil.example", False), ("[::2]", False), ("0.0.0.0", False), ("", False),
    ("localhost:", False), ("localhost:99999", False), ("user@localhost", False),
    ("127.1", False), ("[::1", False),
])
def test_host_without_a_token(server, host, welcome):
    answer = server.call("GET", "/v1/jobs", headers={"Host": host})
    if welcome:
        assert answer.status == 200
    else:
        is_problem(answer, 403, "host_not_allowed")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
def test_origin_counts_on_every_method(server, method):
    answer = server.call(method, "/v1/jobs", headers={"Origin": "https://evil.example"})
    assert answer.status == 403
    path = "/nothing" if method != "HEAD" else "/v1/jobs"
    assert server.call(method, path, headers={"Host": "evil.example"}).status == 403


def test_origins(server):
    own = f"127.0.0.1:{server.port}"
    table = [(f"http://{own}", True), ("https://ockham.example.org", True),
             (f"http://localhost:{server.port}", False), ("http://127.0.0.1:1", False),
             ("http://127.0.0.1", False), ("null", False), ("", False),
             ("http://ockham.example.org", False), ("https://ockham.example.org.evil.example", False),
             (f"ftp://{own}", False), (f"http://{own}/path", False), (f"http://{own}@evil", False)]
    for origin, welcome in table:
        answer = server.call("GET", "/v1/jobs", headers={"Origin": origin})
        assert answer.status == (200 if welcome else 403), origin


def test_probes_ask_for_nothing(server, guarded):
    for s in (server, guarded):
        for path in ("/livez", "/readyz"):
            answer = s.call("GET", path, headers={"Host": "x.y", "Origin": "https://evil.example"})
            assert answer.status == 200


@pytest.mark.parametrize("field", [None, "", "Bearer", "Bearer ", "Bearer wrong-token-wrong-token",
                                   "Bearer " + TOKEN[:-1], "Bearer " + TOKEN + "x",
                                   "Basic " + TOKEN, TOKEN])
def test_wrong_tokens(guarded, field):
    headers = {} if field is None else {"Authorization": field}
    for path in ("/v1/jobs", "/version", "/openapi.json", "/metrics", "/nothing"):
        answer = guarded.call("GET", path, headers=headers)
        is_problem(answer, 401, "unauthorized")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert guarded.call("PUT", "/v1/datasets/d", b"a,b\n1,2\n", headers).status == 401


def test_the_right_token_from_any_host(guarded):
    headers = {"Authorization": "Bearer " + TOKEN, "Host": "gpu-box.example"}
    assert guarded.call("GET", "/v1/jobs", headers=headers).status == 200
    assert guarded.call("GET", "/v1/jobs",
                        headers={**headers, "Authorization": "bearer " + TOKEN}).status == 200
    headers["Origin"] = "https://evil.example"
    assert guarded.call("GET", "/v1/jobs", headers=headers).status == 403


def run_serve(tmp_path, *arguments, token=""):
    return subprocess.run([program(), "serve", "--data-dir", str(tmp_path / "d"), *arguments],
                          capture_output=True, text=True, timeout=20,
                          env={**os.environ, "OCKHAM_TOKEN": token})


@pytest.mark.parametrize("listen", ["0.0.0.0:{}", ":{}", "[::]:{}"])
def test_no_stranger_without_a_token(tmp_path, listen):
    run = run_serve(tmp_path, "--listen", listen.format(free_port()))
    assert run.returncode == 2
    assert "OCKHAM_TOKEN" in run.stderr and "--token-file" in run.stderr


def test_token_files(tmp_path):
    good, short = tmp_path / "good", tmp_path / "short"
    good.write_text(TOKEN + "\n")
    short.write_text("secret\n")
    assert run_serve(tmp_path, "--token-file", str(short)).returncode == 2
    assert run_serve(tmp_path, "--token-file", str(tmp_path / "none")).returncode != 0
    with Server("--token-file", good, listen="0.0.0.0:{port}") as s:
        assert s.call("GET", "/v1/jobs").status == 401
        assert s.call("GET", "/v1/jobs",
                      headers={"Authorization": "Bearer " + TOKEN}).status == 200
        assert TOKEN not in s.text(), "the token must not be in the log"


@pytest.mark.parametrize("url", ["ockham.example.org", "ftp://x.example", "https://", "https:///x",
                                 "https://x.example/a b", "https://x.example/a;b",
                                 "https://x.example/?a", "https://x.example/" + "p" * 200,
                                 "https://user@x.example/", "https://x.example:0"])
def test_public_urls_that_are_none(tmp_path, url):
    run = run_serve(tmp_path, "--public-url", url)
    assert run.returncode == 2 and "public URL" in run.stderr, run.stderr


def test_ipv6_loopback():
    import http.client
    with_v6 = Server(listen="[::1]:{port}")
    with_v6.connect = lambda timeout=60: http.client.HTTPConnection("::1", with_v6.port,
                                                                    timeout=timeout)
    with with_v6 as s:
        assert call(s.connect(), "GET", "/v1/jobs").status == 200
