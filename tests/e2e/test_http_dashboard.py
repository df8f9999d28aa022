"""The dashboard as the server hands it out: the page, its files, what a cache and a browser are told.

Method: the page's own references are followed as a browser would, and every header field that a
cache or a browser acts on is looked at. The table of files is the program's own, so a build without
the dashboard is tested for what it says instead.
"""

import gzip
import hashlib
import re
from pathlib import Path
from urllib.parse import urljoin

import pytest
from ockserver import ROOT, Server, is_problem, program

TOKEN = "0123456789abcdef-a-good-token"
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def built_in():
    cache = Path(program()).resolve().parent / "CMakeCache.txt"
    return not cache.is_file() or "OCK_DASHBOARD:BOOL=OFF" not in cache.read_text()


needs_dashboard = pytest.mark.skipif(not built_in(), reason="built with OCK_DASHBOARD=OFF")


@pytest.fixture(scope="module")
def server():
    with Server("--allowed-host", "box.example") as s:
        yield s


@pytest.fixture(scope="module")
def guarded():
    with Server(environment={"OCKHAM_TOKEN": TOKEN}) as s:
        yield s


def files_of(server):
    """The paths that the page refers to, as a browser resolves them."""
    page = server.call("GET", "/", headers=BROWSER)
    found = re.findall(r'(?:src|href)="([^"]+)"', page.data.decode())
    assert found
    return [urljoin("/", path) for path in found]


@needs_dashboard
def test_the_page(server):
    page = server.call("GET", "/", headers=BROWSER)
    assert page.status == 200
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["Cache-Control"] == "no-cache"
    assert page.headers["Vary"] == "Accept, Accept-Encoding"
    assert b"<script" in page.data and b"<style" not in page.data
    assert int(page.headers["Content-Length"]) == len(page.data)
    policy = dict(part.strip().split(" ", 1)
                  for part in page.headers["Content-Security-Policy"].split(";"))
    assert policy == {
        "default-src": "'none'", "script-src": "'self'", "style-src": "'self'",
        "img-src": "'self' data: blob:", "connect-src": "'self'", "worker-src": "'self'",
        "font-src": "'self'", "manifest-src": "'self'", "base-uri": "'none'",
        "form-action": "'none'", "frame-ancestors": "'none'"}
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert page.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    permissions = page.headers["Permissions-Policy"].split(", ")
    assert {"camera=()", "microphone=()", "geolocation=()"} <= set(permissions)
    assert all(re.fullmatch("[a-z-]+=\\(\\)", each) for each in permissions)


@needs_dashboard
def test_the_page_obeys_its_own_policy(server):
    """No inline script, style or handler, nothing from elsewhere: the policy would stop it."""
    text = server.call("GET", "/", headers=BROWSER).data.decode()
    for script in re.findall(r"<script\b[^>]*>", text):
        assert "src=" in script
    assert not re.search(r"<[^>]+\s(on[a-z]+|style)=", text)
    assert not re.search(r'(?:src|href)="(?:[a-z]+:|/)', text), "relative, for a proxy's prefix"


@needs_dashboard
def test_files_are_kept_for_ever(server):
    kinds = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8",
             "svg": "image/svg+xml; charset=utf-8"}
    paths = files_of(server)
    assert {"js", "css"} <= {path.rsplit(".", 1)[1] for path in paths}
    for path in paths:
        assert re.fullmatch(r"/assets/[a-z]+-[0-9A-Za-z]{8,}\.[a-z]+", path), path
        answer = server.call("GET", path)
        assert answer.status == 200, path
        assert answer.headers["Content-Type"] == kinds[path.rsplit(".", 1)[1]]
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Content-Encoding" not in answer.headers
        tag = hashlib.sha256(answer.data).hexdigest()[:32]
        assert answer.headers["ETag"] == f'"{tag}"'
        if path.endswith(".js"):
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


@needs_dashboard
@pytest.mark.parametrize("accepted,packed", [
    ("gzip", True), ("gzip, deflate, br", True), ("*", True), ("br;q=1, gzip;q=0.2", True),
    ("gzip;q=0", False), ("*;q=0", False), ("br", False), ("gzip;q=0, *", False), (None, False)])
def test_packed_for_those_who_take_it(server, accepted, packed):
    script = next(path for path in files_of(server) if path.endswith(".js"))
    for path, fields in (("/", BROWSER), (script, {})):
        # http.client would else ask for identity.
        fields = {**fields, "Accept-Encoding": accepted or "identity"}
        plain = server.call("GET", path, headers={**fields, "Accept-Encoding": "identity"})
        answer = server.call("GET", path, headers=fields)
        assert answer.status == 200 and "Accept-Encoding" in answer.headers["Vary"]
        assert answer.headers["Content-Type"] == plain.headers["Content-Type"]
        if packed:
            assert answer.headers["Content-Encoding"] == "gzip"
            assert gzip.decompress(answer.data) == plain.data
            assert len(answer.data) < 0.9 * len(plain.data)
            assert answer.headers["ETag"] != plain.headers["ETag"]
        else:
            assert "Content-Encoding" not in answer.headers
            assert answer.data == plain.data


@needs_dashboard
def test_not_modified(server):
    for path in ("/", *files_of(server)):
        for coding in ("gzip", "identity"):
            fields = {**BROWSER, "Accept-Encoding": coding}
            first = server.call("GET", path, headers=fields)
            for tags in (first.headers["ETag"], "W/" + first.headers["ETag"],
                         '"other", ' + first.headers["ETag"], "*"):
                again = server.call("GET", path, headers={**fields, "If-None-Match": tags})
                assert (again.status, again.data) == (304, b""), path
                for name in ("ETag", "Cache-Control", "Vary"):
                    assert again.headers[name] == first.headers[name]
            other = server.call("GET", path, headers={**fields, "If-None-Match": '"other"'})
            assert other.status == 200 and other.data == first.data


@needs_dashboard
def test_head(server):
    for path in ("/", *files_of(server)):
        for coding in ("gzip", "identity"):
            fields = {**BROWSER, "Accept-Encoding": coding}
            head, get = server.call("HEAD", path, headers=fields), server.call("GET", path,
                                                                               headers=fields)
            assert (head.status, head.data) == (200, b"")
            for name in ("Content-Length", "Content-Type", "ETag", "Cache-Control", "Vary",
                         "Content-Encoding"):
                assert head.headers[name] == get.headers[name], (path, name)


@pytest.mark.parametrize("path", [
    "/assets/app-00000000.js", "/assets/index.html", "/assets/", "/assets", "/assets/%2e%2e",
    "/assets/x%2fy", "/assets/x/y", "/assets/..%2findex.html", "/index.html"])
def test_nothing_else_is_there(server, path):
    answer = server.call("GET", path)
    assert answer.status in (400, 404), (path, answer.status)
    assert answer.headers["Cache-Control"] == "no-store"


def test_methods(server):
    for path in ("/", "/assets/app.js", "/docs"):
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            answer = server.call(method, path)
            is_problem(answer, 405)
            assert answer.headers["Allow"] == "GET, HEAD"


def test_docs_leads_to_the_page_about_the_api(server):
    answer = server.call("GET", "/docs", headers=BROWSER)
    assert answer.status == 303
    assert answer.headers["Location"] == ("./#/api" if built_in() else "./openapi.json")
    # Behind a proxy's prefix, too.
    assert urljoin("https://box.example/ml/docs", answer.headers["Location"]).startswith(
        "https://box.example/ml/")


def test_open_without_the_token_but_not_to_other_pages(server, guarded):
    paths = ["/", "/docs"]
    if built_in():
        paths += files_of(guarded)
    for path in paths:
        assert guarded.call("GET", path, headers=BROWSER).status in (200, 303)
        for s in (server, guarded):
            answer = s.call("GET", path, headers={**BROWSER, "Origin": "https://evil.example"})
            is_problem(answer, 403, "origin_not_allowed")
        is_problem(server.call("GET", path, headers={**BROWSER, "Host": "evil.example"}), 403,
                   "host_not_allowed")
        assert server.call("GET", path, headers={**BROWSER, "Host": "box.example"}).status < 400
    assert guarded.call("GET", "/").data.startswith(b"Ockham "), "the lines of curl as well"
    assert TOKEN.encode() not in guarded.call("GET", "/").data


@needs_dashboard
def test_serve_tells_where_the_dashboard_is(server):
    assert f"The dashboard: http://127.0.0.1:{server.port}/\n" in server.text()


def test_a_build_without_it_says_so():
    plain = Server()
    plain.command[0] = str(ROOT / "build" / "test" / "ockham")
    if not Path(plain.command[0]).is_file():
        pytest.skip("no build/test: cmake --preset test && cmake --build --preset test")
    with plain as s:
        page = s.call("GET", "/", headers=BROWSER)
        assert page.headers["Content-Type"].startswith("text/html")
        assert b"curl" in page.data and b"<script" not in page.data
        assert b"OCK_DASHBOARD=OFF" in page.data
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        assert s.call("GET", "/docs").headers["Location"] == "./openapi.json"
        is_problem(s.call("GET", "/assets/app.js"), 404, "not_found")
        assert "dashboard" not in s.text()
