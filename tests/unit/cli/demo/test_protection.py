"""What the demo defends itself against (THREATS 10): other hosts and origins, markup, size."""

import asyncio
import io
import re
from typing import Any

import pytest

from sessionkit._cli.demo.gateways import asgi_app, wsgi_app
from sessionkit._cli.demo.site import Site
from sessionkit._requests.views import WSGIRequest

from .browser import HOST, POLICY, Browser, over_wsgi, text_of


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
    icon = r' rel="icon" href="data:image/'  # the policy allows images that are in the page
    needed = rf"<script|<img|<link(?!{icon})|<iframe|url\(|@import|\son\w+=|https?://"
    assert re.findall(needed, ada.get().page) == []


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
    with ada.site.journal.open_entry(WSGIRequest({"HTTP_COOKIE": header_of(ada)}), ""):
        entries = ada.site.journal.entries
    kept = repr([(entry, entry.given) for entry in entries])
    assert [entry.path for entry in entries] == ["/touch", "/sign-in"]
    assert [value[-40:] in kept for value in ada.cookies.values()] == [False, False]


def header_of(browser: Browser) -> str:
    return "; ".join(f"{name}={value}" for name, value in browser.cookies.items())


@pytest.mark.parametrize("kind", ["lifespan", "websocket"])
def test_what_is_no_http_request_gets_no_answer(kind: str) -> None:
    async def never(*_: Any) -> Any:
        raise AssertionError

    assert asyncio.run(asgi_app(Site())({"type": kind}, never, never)) is None  # type: ignore[arg-type, func-returns-value]
