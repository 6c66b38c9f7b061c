import asyncio
import html
import io
import json
import os
import re
import signal
import socket
import sys
import threading
import types
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from urllib.parse import urlencode
from wsgiref.validate import validator

import pytest

from sessionkit import Event, EventKind
from sessionkit.cli import main
from sessionkit.demo import DemoError, server
from sessionkit.demo import check as walk
from sessionkit.demo.gateways import asgi_app, wsgi_app
from sessionkit.demo.server import running, serve
from sessionkit.demo.site import Site

NOW = 1_700_000_000
HOST = "127.0.0.1:8765"
POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'"


class Got(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def page(self) -> str:
        return self.body.decode()

    @property
    def lines(self) -> list[str]:
        return [value for name, value in self.headers if name.lower() == "set-cookie"]

    def header(self, name: str) -> str | None:
        return next((value for one, value in self.headers if one.lower() == name.lower()), None)


def over_wsgi(site: Site, method: str, path: str, headers: dict[str, str], body: bytes) -> Got:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8765",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **{"HTTP_" + name.upper().replace("-", "_"): value for name, value in headers.items()},
    }
    answered: list[Any] = []

    def start_response(
        status: str, fields: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], object]:
        answered.extend((int(status[:3]), fields))
        return answered.append

    iterable = validator(wsgi_app(site))(environ, start_response)
    try:
        data = b"".join(iterable)
    finally:
        iterable.close()  # type: ignore[attr-defined]
    return Got(answered[0], answered[1], data)


def over_asgi(site: Site, method: str, path: str, headers: dict[str, str], body: bytes) -> Got:
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "scheme": "http",
        "headers": [
            (name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()
        ],
    }
    half = len(body) // 2
    parts = [
        {"type": "http.request", "body": body[:half], "more_body": True},
        {"type": "http.request", "body": body[half:]},
    ]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return parts.pop(0)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(asgi_app(site)(scope, receive, send))  # type: ignore[arg-type]
    fields = [(name.decode(), value.decode()) for name, value in sent[0]["headers"]]
    return Got(
        sent[0]["status"], fields, b"".join(message.get("body", b"") for message in sent[1:])
    )


class Browser:
    """Requests as a browser on the demo's own page sends them."""

    def __init__(self, gateway: Callable[..., Got], site: Site | None = None) -> None:
        self.gateway = gateway
        self.site = site or Site(clock=lambda: NOW)
        self.cookies: dict[str, str] = {}

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str | None) -> Got:
        given: dict[str, str | None] = {
            "host": HOST,
            **({"origin": f"http://{HOST}"} if method == "POST" else {}),
        }
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        given["cookie"] = (
            "; ".join(f"{name}={value}" for name, value in self.cookies.items()) or None
        )
        got = self.gateway(
            self.site,
            method,
            path,
            {name: value for name, value in given.items() if value is not None},
            body,
        )
        for line in got.lines:
            name, _, value = line.partition(";")[0].partition("=")
            if "; Max-Age=0;" in line:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        return got

    def get(self, path: str = "/", **headers: str | None) -> Got:
        return self.ask("GET", path, **headers)

    def post(self, path: str, **form: str) -> Got:
        return self.ask("POST", path, urlencode(form).encode())

    @property
    def session(self) -> dict[str, Any] | None:
        found = re.search(r'<pre id="contents">(.*?)</pre>', self.get().page, re.DOTALL)
        return json.loads(html.unescape(found[1])) if found else None


@pytest.fixture(params=[over_wsgi, over_asgi], ids=["wsgi", "asgi"])
def browser(request: pytest.FixtureRequest) -> Browser:
    return Browser(request.param)


@pytest.fixture
def ada(browser: Browser) -> Browser:
    browser.post("/sign-in", name="Ada")
    return browser


def text_of(page: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", page))


# ---- the story


def test_a_visitor_is_shown_how_to_sign_in_and_given_no_cookie(browser: Browser) -> None:
    got = browser.get()
    assert (got.status, got.lines, 'action="/sign-in"' in got.page) == (200, [], True)


def test_signing_in_makes_a_session(browser: Browser) -> None:
    got = browser.post("/sign-in", name="Ada")
    assert (got.status, got.header("Location")) == (303, "/")
    assert browser.session == {"user": {"sub": "demo|ada", "name": "Ada"}, "note": "nothing yet"}


@pytest.mark.parametrize("form", [{}, {"name": ""}, {"name": "   "}])
def test_a_visitor_without_a_name_is_ada(form: dict[str, str], browser: Browser) -> None:
    browser.post("/sign-in", **form)
    assert browser.session is not None
    assert browser.session["user"]["name"] == "Ada"


def test_both_expiries_are_shown(ada: Browser) -> None:
    assert re.findall(r"--from:(\d+);--of:(\d+);--steps:(\d+)", ada.get().page) == [
        ("120", "120", "120"),
        ("900", "900", "900"),
    ]


def test_both_expiries_count_down_and_a_view_that_renews_shows_it() -> None:
    now = NOW
    browser = Browser(over_wsgi, Site(clock=lambda: now))
    browser.post("/sign-in")
    now += 9
    assert re.findall(r"(\d+) seconds left", browser.get().page) == ["111", "891"]
    now += 1
    got = browser.get()
    assert re.findall(r"(\d+) seconds left", got.page) == ["120", "890"]
    assert [line.partition("=")[0] for line in got.lines] == ["seen.sessionkit-demo"]


def test_the_browser_comes_back_by_itself_when_the_session_has_ended(ada: Browser) -> None:
    assert ada.get().header("Refresh") == "121; url=/"


def test_a_page_without_a_session_does_not_come_back(browser: Browser) -> None:
    assert browser.get().header("Refresh") is None


def test_a_session_that_idled_is_over_and_the_page_says_so() -> None:
    now = NOW
    browser = Browser(over_wsgi, Site(clock=lambda: now))
    browser.post("/sign-in")
    now += 120
    assert "A session cookie came and gave no session: idle too long." in text_of(
        browser.get().page
    )


def test_a_field_is_updated(ada: Browser) -> None:
    ada.post("/note", note="hello")
    assert ada.session is not None
    assert ada.session["note"] == "hello"


def test_a_field_is_cut_to_200_characters(ada: Browser) -> None:
    ada.post("/note", note="x" * 300)
    assert f'value="{"x" * 200}"' in ada.get().page


def test_growing_makes_chunks_and_shrinking_clears_them(ada: Browser) -> None:
    ada.post("/grow")
    assert list(ada.cookies) == ["sessionkit-demo"]
    ada.post("/grow")
    assert list(ada.cookies) == ["sessionkit-demo.0", "sessionkit-demo.1"]
    assert "(3,200 characters)" in ada.get().page
    ada.post("/shrink")
    assert list(ada.cookies) == ["sessionkit-demo"]


def test_growing_too_far_is_refused_and_told(ada: Browser) -> None:
    for _ in range(3):
        ada.post("/grow")
    before = dict(ada.cookies)
    got = ada.post("/grow")
    assert (got.status, got.lines, ada.cookies) == (303, [], before)
    assert "SessionTooLargeError: the session makes" in ada.get().page


def test_touching_sends_the_small_cookie_only(ada: Browser) -> None:
    assert [line.partition("=")[0] for line in ada.post("/touch").lines] == ["seen.sessionkit-demo"]


def test_rotating_gives_a_new_id_and_fences_the_old(ada: Browser) -> None:
    before = re.search(r'id="sid">([^<]*)<', ada.get().page)
    ada.post("/rotate")
    after = re.search(r'id="sid">([^<]*)<', ada.get().page)
    assert before is not None
    assert after is not None
    assert (before[1] != after[1], sorted(ada.cookies)) == (
        True,
        ["out.sessionkit-demo", "sessionkit-demo"],
    )


@pytest.mark.parametrize("grown", [0, 3])
def test_a_forged_character_ends_in_a_bad_tag(grown: int, ada: Browser) -> None:
    for _ in range(grown):
        ada.post("/grow")
    ada.post("/tamper")
    page = text_of(ada.get().page)
    assert "A session cookie came and gave no session: bad tag." in page
    assert "Sign in" in page


def test_the_tag_is_changed_where_a_chunk_is_shorter_than_it() -> None:
    from sessionkit.demo.site import _with_wrong_tag

    assert [_with_wrong_tag(value) for value in ("A", "_bc", ".bc", "x" * 30)] == [
        "B",
        "Abc",
        "Abc",
        "x" * 8 + "y" + "x" * 21,
    ]


def test_signing_out_clears_everything_but_the_fence(ada: Browser) -> None:
    ada.post("/touch")
    ada.post("/sign-out")
    assert (list(ada.cookies), ada.session) == (["out.sessionkit-demo"], None)
    assert (
        "The header can be read" not in ada.get().page
    )  # no token is left whose parts it would explain


@pytest.mark.parametrize(
    "path", ["/note", "/grow", "/shrink", "/touch", "/rotate", "/tamper", "/sign-out"]
)
def test_nothing_happens_to_a_visitor_who_is_not_signed_in(path: str, browser: Browser) -> None:
    got = browser.post(path)
    assert (
        got.status,
        [line for line in got.lines if "Max-Age=0" not in line],
        browser.session,
    ) == (303, [], None)


def test_an_update_that_was_ignored_is_told(browser: Browser) -> None:
    browser.post("/note", note="x")
    assert "update_session did nothing" in browser.get().page


def test_the_cookies_are_shown_with_their_sizes(ada: Browser) -> None:
    ada.post("/touch")
    sizes = [len(name) + 1 + len(value) for name, value in ada.cookies.items()]
    page = ada.get().page
    assert [f'<span class="size">{size:,} bytes</span>' in page for size in sizes] == [True, True]
    assert f"{sizes[0] + 2:,} of 7,168 bytes" in page


def test_the_last_set_cookie_lines_are_shown_with_size_and_max_age(browser: Browser) -> None:
    (line,) = browser.post("/sign-in").lines
    assert (
        f"<code>sessionkit-demo</code> <span>{len(line):,} bytes, Max-Age 900</span>"
        in browser.get().page
    )


def test_a_cleared_cookie_is_shown_as_such(ada: Browser) -> None:
    ada.post("/sign-out")
    assert '<li class="cleared"><code>sessionkit-demo</code>' in ada.get().page


def test_a_line_without_max_age_is_shown_without_one() -> None:
    from sessionkit.demo.journal import Entry

    entry = Entry(method="GET", path="/")
    entry.answered(200, [("set-cookie", "a=b; Path=/"), ("X", "y")])
    assert [(line.name, line.size, line.age, line.clears) for line in entry.lines] == [
        ("a", 11, None, False)
    ]


def test_what_was_answered_last_is_kept_for_six_requests(ada: Browser) -> None:
    for _ in range(9):
        ada.post("/touch")
    assert [entry.path for entry in ada.site.journal] == ["/touch"] * 6


def test_a_page_that_changes_nothing_is_not_kept(browser: Browser) -> None:
    browser.get()
    assert list(browser.site.journal) == []


def test_outside_a_request_nothing_is_noted() -> None:
    journal = Site().journal
    journal.heard(Event(kind=EventKind.REFUSED))
    journal.remark("unheard")
    assert (list(journal), journal.events) == ([], [])


def test_an_event_without_a_reason_is_noted_as_it_is() -> None:
    journal = Site().journal
    with journal.entry("GET", "/"):
        journal.heard(Event(kind=EventKind.LATE_CHANGE))
        assert journal.events == [EventKind.LATE_CHANGE.value]


# ---- THREATS 10: host, origin, escaping, policy, size


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "127.evil.example:8765",
        "localhost.evil.example",
        "192.168.1.5",
        "[fe80::1]",
        "",
        None,
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_host_that_is_not_this_machine_is_refused(
    method: str, host: str | None, ada: Browser
) -> None:
    got = ada.ask(method, "/", host=host, origin=f"http://{host}" if method == "POST" else None)
    assert (got.status, got.lines, "Ada" in got.page) == (421, [], False)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:8765",
        "localhost:8765",
        "LocalHost",
        "demo.localhost:1",
        "[::1]:8765",
        "127.0.0.2",
    ],
)
def test_a_host_that_is_this_machine_is_served(host: str, browser: Browser) -> None:
    assert browser.get(host=host).status == 200


@pytest.mark.parametrize(
    ("listening", "host", "status"),
    [
        ("192.168.1.5", "192.168.1.5:8765", 200),
        ("192.168.1.5", "192.168.1.6:8765", 421),
        ("192.168.1.5", "evil.example", 421),
        ("0.0.0.0", "192.168.1.5:8765", 200),
        ("0.0.0.0", "evil.example", 421),
        ("::", "[2001:db8::1]:8765", 200),
        ("Box.Lan", "box.lan:8765", 200),
    ],
)
def test_the_address_that_was_chosen_is_served_too_and_no_name_but_it(
    listening: str, host: str, status: int
) -> None:
    assert Browser(over_wsgi, Site(listening)).get(host=host).status == status


OURS = f"http://{HOST}"


@pytest.mark.parametrize(
    ("origin", "fetch_site"),
    [
        (None, None),
        ("null", None),
        ("http://evil.example", None),
        ("http://127.0.0.1:3000", None),
        (f"https://{HOST}", None),
        (f"{OURS}.evil.example", None),
        (OURS, "cross-site"),
        (OURS, "same-site"),
        (OURS, "none"),
        (None, "cross-site"),
        ("http://evil.example", "same-origin"),
    ],
)
def test_a_change_that_does_not_come_from_our_page_is_refused(
    origin: str | None, fetch_site: str | None, ada: Browser
) -> None:
    got = ada.ask("POST", "/sign-out", origin=origin, sec_fetch_site=fetch_site)
    assert (got.status, got.lines, ada.session is not None) == (403, [], True)


@pytest.mark.parametrize(
    ("origin", "fetch_site"), [(OURS, None), (OURS, "same-origin"), (None, "same-origin")]
)
def test_a_change_that_comes_from_our_page_is_made(
    origin: str | None, fetch_site: str | None, ada: Browser
) -> None:
    assert ada.ask("POST", "/sign-out", origin=origin, sec_fetch_site=fetch_site).status == 303
    assert ada.session is None


@pytest.mark.parametrize(
    "path", ["/sign-in", "/note", "/grow", "/shrink", "/touch", "/rotate", "/tamper", "/sign-out"]
)
def test_a_get_changes_nothing(path: str, ada: Browser) -> None:
    before = dict(ada.cookies)
    assert (ada.get(path).status, ada.cookies) == (404, before)


def test_a_post_to_nowhere_is_not_found(browser: Browser) -> None:
    assert browser.post("/nowhere").status == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_refused(method: str, browser: Browser) -> None:
    got = browser.ask(method, "/")
    assert (got.status, got.header("Allow")) == (405, "GET, HEAD, POST")


def test_head_is_get_without_a_body(ada: Browser) -> None:
    got = ada.ask("HEAD", "/")
    assert (got.status, got.body, int(got.header("Content-Length") or 0) > 1000) == (200, b"", True)


def test_every_answer_carries_the_policy_and_keeps_caches_and_frames_away(ada: Browser) -> None:
    answers = [
        ada.get(),
        ada.get("/nowhere"),
        ada.get(host="evil.example"),
        ada.ask("PUT", "/"),
        ada.ask("POST", "/note", origin=None),
        ada.ask("POST", "/note", b"x" * 70_000),
        ada.ask("POST", "/note", b"&".join([b"a=b"] * 20)),
        ada.post("/touch"),
    ]
    assert [got.status for got in answers] == [200, 404, 421, 405, 403, 413, 400, 303]
    assert {got.header("Content-Security-Policy") for got in answers} == {POLICY}
    assert {got.header("X-Content-Type-Options") for got in answers} == {"nosniff"}
    assert {got.header("X-Frame-Options") for got in answers} == {"DENY"}
    assert {"no-store" in (got.header("Cache-Control") or "") for got in answers} == {True}


def test_the_page_needs_nothing_that_the_policy_forbids(ada: Browser) -> None:
    assert (
        re.findall(r"<script|<img|<link|<iframe|url\(|@import|\son\w+=|https?://", ada.get().page)
        == []
    )


NASTY = "<script>alert(1)</script>\"'&</style>"


@pytest.mark.parametrize(("path", "field"), [("/sign-in", "name"), ("/note", "note")])
def test_every_value_is_escaped(path: str, field: str, ada: Browser) -> None:
    ada.post(path, **{field: NASTY})
    page = ada.get().page
    assert ("<script" in page, page.count("</style>"), "&lt;script&gt;" in page) == (False, 1, True)
    assert NASTY in text_of(page).replace('\\"', '"')


def test_a_path_and_a_cookie_are_escaped_too(browser: Browser) -> None:
    browser.post("/<script>")
    browser.cookies = {
        "sessionkit-demo": "<script>",
        "seen.sessionkit-demo": "<script>",
        "out.sessionkit-demo": "<script>",
    }
    page = browser.get().page
    assert ("<script" in page, page.count("&lt;script&gt;")) == (False, 4)


def test_a_cookie_of_another_site_on_this_machine_is_not_shown(browser: Browser) -> None:
    browser.cookies = {
        "session": "canary",
        "my-sessionkit-demo": "canary",
        "sessionkit-demo.x": "canary",
    }
    assert "canary" not in browser.get().page


def test_the_page_says_that_it_is_a_demo(browser: Browser) -> None:
    assert "This is a demo" in browser.get().page


def test_a_form_of_64_kb_is_read(ada: Browser) -> None:
    body = b"note=" + b"x" * (65_536 - 5)
    assert (len(body), ada.ask("POST", "/note", body).status) == (65_536, 303)


@pytest.mark.parametrize("size", [65_537, 3_000_000])
def test_a_larger_form_is_refused(size: int, ada: Browser) -> None:
    assert ada.ask("POST", "/note", b"note=" + b"x" * (size - 5)).status == 413


@pytest.mark.parametrize("length", ["-1", "x", "٣"])
def test_a_length_that_is_no_number_is_refused(length: str) -> None:
    site = Site()
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/note",
        "HTTP_HOST": HOST,
        "HTTP_ORIGIN": OURS,
        "CONTENT_LENGTH": length,
        "wsgi.input": io.BytesIO(b"note=x"),
        "wsgi.url_scheme": "http",
    }
    answered: list[str] = []
    wsgi_app(site)(environ, lambda status, _headers: answered.append(status))  # type: ignore[arg-type, return-value]
    assert answered[0].startswith("413")


def test_a_form_that_ends_early_is_refused_all_the_same() -> None:
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/note",
        "HTTP_HOST": HOST,
        "HTTP_ORIGIN": OURS,
        "CONTENT_LENGTH": "70000",
        "wsgi.input": io.BytesIO(b"note=x"),
        "wsgi.url_scheme": "http",
    }
    answered: list[str] = []
    wsgi_app(Site())(environ, lambda status, _headers: answered.append(status))  # type: ignore[arg-type, return-value]
    assert answered[0].startswith("413")


def test_a_form_with_too_many_fields_is_refused(ada: Browser) -> None:
    assert ada.ask("POST", "/note", b"&".join([b"a=b"] * 17)).status == 400


def test_each_run_has_a_secret_of_its_own() -> None:
    assert Site().store.settings.codec.ids != Site().store.settings.codec.ids


def test_a_cookie_of_another_run_is_no_session() -> None:
    first, second = Browser(over_wsgi), Browser(over_wsgi)
    first.post("/sign-in")
    second.cookies = first.cookies
    assert second.session is None


def test_the_cookie_has_a_name_of_its_own_and_is_not_secure(browser: Browser) -> None:
    (line,) = browser.post("/sign-in").lines
    assert line.startswith("sessionkit-demo=")
    assert line.endswith("; Max-Age=900; Path=/; HttpOnly; SameSite=Lax; Priority=High")


def test_the_journal_keeps_no_value_of_a_cookie(ada: Browser) -> None:
    ada.post("/touch")
    kept = repr(list(ada.site.journal))
    assert [value[-40:] in kept for value in ada.cookies.values()] == [False, False]


@pytest.mark.parametrize("kind", ["lifespan", "websocket"])
def test_what_is_no_http_request_gets_no_answer(kind: str) -> None:
    async def never(*_: Any) -> Any:
        raise AssertionError

    assert asyncio.run(asgi_app(Site())({"type": kind}, never, never)) is None  # type: ignore[arg-type, func-returns-value]


# ---- serving


def test_the_check_walks_the_whole_story(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--check"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert (out[0].startswith("The sessionkit demo, checked at http://127.0.0.1:"), out[-1]) == (
        True,
        "All 13 steps did what they should.",
    )
    assert [line[:6] for line in out[1:-1]] == ["  ok  "] * 13


def test_a_check_that_fails_says_where_and_exits_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.modules["sessionkit.demo.asked"], "POLICY", "default-src *")
    assert main(["demo", "--check"]) == 1
    assert capsys.readouterr().out.endswith(
        "  FAILED after step 0: the policy is another, or there is a script\n"
    )


def test_a_check_fails_when_sessions_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Site, "_sign_out", lambda *_: None)
    said: list[str] = []
    assert walk(asgi=False, say=said.append) is False
    assert said[-1] == "  FAILED after step 11: the cookies were not cleared"


def test_a_check_fails_when_a_session_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Site, "_sign_in", lambda *_: None)
    said: list[str] = []
    assert walk(asgi=False, say=said.append) is False
    assert said[-1] == "  FAILED after step 1: the session is another"


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Ctrl+C as on a terminal: a shell that starts something in the background has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupted_after(looked: Callable[[str], None]) -> Callable[[str], None]:
    """What to say: once the address is told, look at it and press Ctrl+C."""

    def visit(url: str) -> None:
        try:
            looked(url)
        finally:
            os.kill(os.getpid(), signal.SIGINT)

    def say(text: str) -> None:
        url = re.search(r"http://\S+", text)
        assert url is not None
        threading.Thread(target=visit, args=(url[0],), daemon=True).start()

    return say


def fetched(url: str) -> str:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=10) as response:
        return str(response.read().decode())


@pytest.mark.usefixtures("ctrl_c")
def test_it_serves_on_this_machine_only_until_interrupted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pages: list[str] = []
    urls: list[str] = []

    def look(url: str) -> None:
        urls.append(url)
        pages.append(fetched(url))

    monkeypatch.setattr("sessionkit.cli._say", interrupted_after(look))
    assert main(["demo", "--port", "0"]) == 130
    assert capsys.readouterr().err == "sessionkit: interrupted\n"
    assert (urls[0].startswith("http://127.0.0.1:"), "This is a demo" in pages[0]) == (True, True)


@pytest.mark.usefixtures("ctrl_c")
def test_another_host_is_warned_of() -> None:
    warned: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        serve(
            "0.0.0.0", 0, asgi=False, say=interrupted_after(lambda _url: None), warn=warned.append
        )
    assert len(warned) == 1
    assert "listens on 0.0.0.0, and anybody who can reach it can use it" in warned[0]


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize("host", ["localhost", "::1"])
def test_this_machine_by_another_name_is_not(host: str) -> None:
    warned: list[str] = []
    pages: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        serve(
            host,
            0,
            asgi=False,
            say=interrupted_after(lambda url: pages.append(fetched(url))),
            warn=warned.append,
        )
    assert (warned, len(pages)) == ([], 1)


def test_a_port_that_is_taken_is_one_clear_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["demo", f"--port={port}"]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"sessionkit: error: cannot listen on 127.0.0.1 port {port}: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize("host", ["a" * 300 + ".example", "999.999.999.999"])
def test_a_host_that_is_none_is_one_clear_line(host: str) -> None:
    with pytest.raises(DemoError, match="cannot listen on"):
        serve(host, 0, asgi=False, say=lambda _text: None, warn=lambda _text: None)


@pytest.mark.parametrize("arguments", [["--asgi"], ["--asgi", "--check"]])
def test_without_uvicorn_that_is_one_clear_line(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert main(["demo", "--port=0", *arguments]) == 2
    assert (
        capsys.readouterr().err == "sessionkit: error: --asgi needs uvicorn: pip install uvicorn\n"
    )


def test_uvicorn_is_given_the_application_and_the_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in shows what is handed over; tests/servers runs the real one."""
    given: dict[str, Any] = {}

    class Server:
        should_exit = False

        def __init__(self, config: dict[str, Any]) -> None:
            given.update(config)
            self.ended = threading.Event()

        def run(self, sockets: list[socket.socket]) -> None:
            given["address"] = sockets[0].getsockname()[0]
            given["server"] = self

    module = types.ModuleType("uvicorn")
    module.Config = lambda app, **settings: {"app": app, **settings}  # type: ignore[attr-defined]
    module.Server = Server  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "uvicorn", module)
    assert main(["demo", "--asgi", "--port=0"]) == 0
    with running(Site(), asgi=True):
        pass
    assert (
        given["address"],
        given["lifespan"],
        given["server"].should_exit,
        callable(given["app"]),
    ) == ("127.0.0.1", "off", True, True)


def test_the_server_asks_no_name_of_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(*_: Any) -> str:
        raise AssertionError

    monkeypatch.setattr(socket, "getfqdn", asked)
    with running(Site(), asgi=False) as url:
        assert "This is a demo" in fetched(url)


def test_requests_are_not_logged(capsys: pytest.CaptureFixture[str]) -> None:
    with running(Site(), asgi=False) as url:
        fetched(url)
    assert capsys.readouterr() == ("", "")


def test_a_silent_connection_is_given_up() -> None:
    assert server._Handler.timeout == 30
