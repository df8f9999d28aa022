"""Signing in: a token becomes a cookie, which counts like the token and for its time only.

Method: cookies made by the server, and some made here, as somebody would who knows how they are made
but not the token, or whose token has changed. Every way in is tried with and without Origin.
"""

import contextlib
import hmac
import http.client
import re
import threading
import time

import pytest
from ockserver import Server, is_problem, slow_spec, spec

TOKEN = "0123456789abcdef-a-good-token"
BEARER = {"Authorization": "Bearer " + TOKEN}
DAYS_30 = 30 * 24 * 3600


@pytest.fixture(scope="module")
def server():
    with Server(environment={"OCKHAM_TOKEN": TOKEN}) as s:
        yield s


@pytest.fixture(scope="module")
def cookie(server):
    return cookie_of(sign_in(server))


def sign_in(server, token=TOKEN):
    return server.call("POST", "/v1/session", {"token": token})


def cookie_of(answer):
    assert answer.status == 200, answer.data
    return answer.headers["Set-Cookie"].split(";")[0]


def made(expires, token=TOKEN, name_of=None):
    """A cookie as the server makes it."""
    def mac(key, text):
        return hmac.new(key, text.encode(), "sha256")
    key = mac(token.encode(), "ockham session key").digest()
    name = mac((name_of or token).encode(), "ockham session name").hexdigest()[:8]
    value = f"v1.{expires}"
    return f"ockham_{name}={value}.{mac(key, value).hexdigest()}"


def origin(server):
    return f"http://127.0.0.1:{server.port}"


def test_the_cookie(server):
    for headers, body in (({}, {"token": TOKEN}), (BEARER, None), (BEARER, "")):
        answer = server.call("POST", "/v1/session", body, headers)
        assert answer.status == 200 and answer.headers["Cache-Control"] == "no-store"
        expires = answer.json.pop("expires_at")
        assert answer.json == {"token_required": True, "signed_in": True, "by": "cookie"}
        parts = answer.headers["Set-Cookie"].split("; ")
        assert parts[1:] == ["Path=/", f"Max-Age={DAYS_30}", "HttpOnly", "SameSite=Strict"]
        end = int(parts[0].split(".")[1])
        assert abs(end - time.time() - DAYS_30) < 60
        assert expires == time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(end))
        assert parts[0] == made(end)
        assert TOKEN not in answer.headers["Set-Cookie"]
    assert TOKEN not in server.text()


def test_it_counts_like_the_token(server, cookie):
    headers = {"Cookie": f"theme=dark; {cookie}"}
    for path in ("/v1/jobs", "/v1/system", "/metrics", "/openapi.json", "/v1/datasets"):
        assert server.call("GET", path).status == 401
        assert server.call("GET", path, headers=headers).status == 200
        assert server.call("HEAD", path, headers=headers).status == 200
    # Who has basic authentication of a proxy's own in front.
    assert server.call("GET", "/v1/jobs",
                       headers={**headers, "Authorization": "Basic YTpi"}).status == 200
    # A token that is there decides, right or wrong.
    is_problem(server.call("GET", "/v1/jobs", headers={
        **headers, "Authorization": "Bearer wrong-token-wrong-token"}), 401, "unauthorized")


def test_what_changes_something_needs_an_origin(server, cookie):
    headers = {"Cookie": cookie}
    own = {**headers, "Origin": origin(server)}
    table = b"a,b,label\n1,2,x\n2,1,y\n3,1,x\n1,3,y\n" * 10
    requests = [("PUT", "/v1/datasets/cookies?target=label", table, (200, 201)),
                ("POST", "/v1/jobs/validate", {"data": {"dataset": "cookies"}}, (200,)),
                ("PATCH", "/v1/jobs/job_x", {"name": "n"}, (404,)),
                ("DELETE", "/v1/datasets/nothing", None, (404,))]
    for method, path, body, fine in requests:
        is_problem(server.call(method, path, body, headers), 403, "origin_needed")
        for other in ("https://evil.example", "http://127.0.0.1:1", "null", ""):
            is_problem(server.call(method, path, body, {**headers, "Origin": other}), 403,
                       "origin_not_allowed")
        assert server.call(method, path, body, own).status in fine, path
        assert server.call(method, path, body, {"Origin": origin(server)}).status == 401
        assert server.call(method, path, body, BEARER).status in fine, "the token needs no Origin"
    is_problem(server.call("GET", "/v1/jobs",
                           headers={**headers, "Origin": "https://evil.example"}), 403)


def test_false_cookies(server, cookie):
    now = int(time.time())
    name, value = cookie.split("=")
    assert server.call("GET", "/v1/jobs", headers={"Cookie": made(now + 60)}).status == 200
    false = [made(now - 1), made(now), made(0), made(now + 60, "another-token-of-another-day"),
             made(now + 60, "another-token-of-another-day", TOKEN), made(now + 60, ""),
             made(now + 60, "", TOKEN), f"{name}=", f"{name}={TOKEN}", f"token={TOKEN}",
             value, f"{name}={value[:-1]}", f"{name}={value}0", f"{name}={value.upper()}",
             cookie.replace(value.split(".")[1], str(int(value.split(".")[1]) + 1)),
             f"{name}=v1.{now + 60}.", f"x{cookie}", f'{name}="{value}"']
    for each in false:
        for headers in ({"Cookie": each}, {"Cookie": each, "Origin": origin(server)}):
            is_problem(server.call("GET", "/v1/jobs", headers=headers), 401, "unauthorized")
            state = server.call("GET", "/v1/session", headers=headers)
            assert state.status == 200 and state.json["signed_in"] is False, each


def test_what_the_page_asks_first(server, cookie):
    def ask(**headers):
        answer = server.call("GET", "/v1/session", headers=headers)
        assert answer.status == 200
        return answer.json
    nobody = {"token_required": True, "signed_in": False, "by": None, "expires_at": None}
    assert ask() == nobody
    assert ask(Authorization="Bearer wrong-token-wrong-token") == nobody
    assert ask(**BEARER) == {**nobody, "signed_in": True, "by": "token"}
    state = ask(Cookie=cookie)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z", state.pop("expires_at"))
    assert state == {"token_required": True, "signed_in": True, "by": "cookie"}
    with Server() as s:
        free = {"token_required": False, "signed_in": True, "by": None, "expires_at": None}
        assert s.call("GET", "/v1/session").json == free
        answer = sign_in(s, "whatever it is")
        assert (answer.status, answer.json) == (200, free) and "Set-Cookie" not in answer.headers
        gone = s.call("DELETE", "/v1/session")
        assert gone.status == 204 and "Set-Cookie" not in gone.headers
        for method in ("GET", "POST", "DELETE"):
            is_problem(s.call(method, "/v1/session", headers={"Host": "evil.example"}), 403)


def test_signing_out(server, cookie):
    for headers in ({"Cookie": cookie}, {}, {"Cookie": cookie, "Origin": origin(server)}):
        answer = server.call("DELETE", "/v1/session", headers=headers)
        assert (answer.status, answer.data) == (204, b"")
        assert answer.headers["Set-Cookie"].split("; ") == [
            cookie.split("=")[0] + "=", "Path=/", "Max-Age=0", "HttpOnly", "SameSite=Strict"]
    # Nobody else's page signs a person in or out.
    for method in ("POST", "DELETE"):
        is_problem(server.call(method, "/v1/session", {"token": TOKEN},
                               {"Origin": "https://evil.example"}), 403, "origin_not_allowed")


def test_wrong_tokens_are_answered_late_and_hold_nobody_up(server):
    """They go on while others sign in, so that it does not matter how fast the machine is."""
    guesses = 40
    answers = []
    over = threading.Event()

    def guess():
        while not over.is_set():
            begin = time.monotonic()
            answers.append((sign_in(server, "wrong-token-wrong-token"), time.monotonic() - begin))

    threads = [threading.Thread(target=guess) for _ in range(guesses)]
    for thread in threads:
        thread.start()
    waits = []
    try:
        while len(answers) < guesses:
            time.sleep(0.01)
        while len(waits) < 20:
            begin = time.monotonic()
            assert sign_in(server).status == 200
            waits.append(time.monotonic() - begin)
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert len(answers) >= 2 * guesses
    for answer, seconds in answers:
        is_problem(answer, 401, "unauthorized")
        assert seconds > 0.45
        assert "Set-Cookie" not in answer.headers
    # More guesses than the server has threads for handlers: had they held one each, all of these
    # would have waited for half a second. What else the machine does makes some of them late.
    assert sorted(waits)[len(waits) // 4] < 0.25, waits


@pytest.mark.parametrize("body,status,code", [
    ({"token": ""}, 401, "unauthorized"), ({"token": TOKEN + "x"}, 401, "unauthorized"),
    ({"token": TOKEN[:-1]}, 401, "unauthorized"), (None, 401, "unauthorized"),
    ({}, 422, "invalid_session"), ({"token": None}, 422, "invalid_session"),
    ({"token": [TOKEN]}, 422, "invalid_session"), ([TOKEN], 422, "invalid_session"),
    ({"token": TOKEN, "user": "me"}, 422, "invalid_session"),
    (f'{{"token": "x", "token": "{TOKEN}"}}', 422, "invalid_session"),
    ("token=" + TOKEN, 400, "invalid_json"), (f'"{TOKEN}"', 422, "invalid_session"),
    ({"token": "x" * 20000}, 413, "too_large")])
def test_bad_requests(server, body, status, code):
    answer = server.call("POST", "/v1/session", body)
    is_problem(answer, status, code)
    assert "Set-Cookie" not in answer.headers
    assert TOKEN.encode() not in answer.data


def test_streams_by_cookie(server, cookie):
    """As an EventSource asks: a cookie, no Origin, no Authorization."""
    assert server.call("GET", "/v1/events").status == 401
    own = {"Cookie": cookie, "Origin": origin(server)}
    body = b"a,b,species\n" + b"1,2,x\n2,1,y\n3,1,x\n1,3,y\n" * 20
    assert server.call("PUT", "/v1/datasets/flowers?target=species", body, own).status == 201
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port,
                                                       timeout=20)) as stream:
        stream.request("GET", "/v1/events", headers={"Cookie": cookie,
                                                     "Accept": "text/event-stream"})
        answer = stream.getresponse()
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        job = server.call("POST", "/v1/jobs", spec(2), own).json["id"]
        text = b""
        while b"event: end" not in text:
            text += answer.read1(65536)
        assert job.encode() in text
    events = server.call("GET", f"/v1/jobs/{job}/events", headers={"Cookie": cookie})
    assert events.status == 200 and b"event: end" in events.data
    slow = server.call("POST", "/v1/jobs", slow_spec(), own).json["id"]
    assert server.call("POST", f"/v1/jobs/{slow}/cancel", headers={"Cookie": cookie}).status == 403
    assert server.call("POST", f"/v1/jobs/{slow}/cancel", headers=own).status in (200, 202)


def test_it_survives_a_restart_and_dies_with_its_token(cookie):
    with Server(environment={"OCKHAM_TOKEN": TOKEN}) as s:
        assert s.call("GET", "/v1/jobs", headers={"Cookie": cookie}).status == 200
    with Server(environment={"OCKHAM_TOKEN": TOKEN + "2"}) as s:
        is_problem(s.call("GET", "/v1/jobs", headers={"Cookie": cookie}), 401, "unauthorized")
        theirs = cookie_of(sign_in(s, TOKEN + "2"))
        # Browsers send all cookies of a host to each of its ports: neither is in the other's way.
        assert theirs.split("=")[0] != cookie.split("=")[0]
        assert s.call("GET", "/v1/jobs", headers={"Cookie": f"{cookie}; {theirs}"}).status == 200


@pytest.mark.parametrize("url,path,secure", [
    ("https://ockham.example.org", "/", True), ("https://ockham.example.org/", "/", True),
    ("https://example.org/ml/ockham/", "/ml/ockham", True),
    ("http://box.example:8080/ockham", "/ockham", False)])
def test_behind_a_proxy(url, path, secure):
    with Server("--public-url", url, environment={"OCKHAM_TOKEN": TOKEN}) as s:
        answer = sign_in(s)
        parts = answer.headers["Set-Cookie"].split("; ")
        assert f"Path={path}" in parts and ("Secure" in parts) == secure
        assert {"HttpOnly", "SameSite=Strict"} <= set(parts)
        gone = s.call("DELETE", "/v1/session").headers["Set-Cookie"].split("; ")
        assert f"Path={path}" in gone and ("Secure" in gone) == secure
        public = re.match(r"https?://[^/]+", url)[0]
        headers = {"Cookie": parts[0], "Origin": public}
        assert s.call("DELETE", "/v1/datasets/nothing", headers=headers).status == 404
