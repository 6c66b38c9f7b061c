"""The demo with a backend: the pointer, the list of sessions, what ends them, and a late write."""

import html
import re
from collections.abc import Callable
from typing import Any

import pytest

from sessionkit import BackendError
from sessionkit._cli.demo import DemoError, opened_backend
from sessionkit._cli.demo import check as walk
from sessionkit._cli.demo.remarks import ON_SERVER
from sessionkit._cli.demo.site import Site
from sessionkit._cli.main import main
from sessionkit.backends import MemoryBackend, SQLiteBackend

from .browser import NOW, Browser, over_asgi, over_wsgi, text_of


class Moving:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Moving:
    return Moving()


@pytest.fixture
def site(clock: Moving) -> Site:
    return Site(clock=clock, backend=MemoryBackend(clock=clock))


@pytest.fixture(params=[over_wsgi, over_asgi], ids=["wsgi", "asgi"])
def gateway(request: pytest.FixtureRequest) -> Callable[..., Any]:
    gateway: Callable[..., Any] = request.param
    return gateway


@pytest.fixture
def laptop(gateway: Callable[..., Any], site: Site) -> Browser:
    return Browser(gateway, site)


@pytest.fixture
def phone(gateway: Callable[..., Any], site: Site) -> Browser:
    return Browser(gateway, site)


def sign_in(*browsers: Browser, name: str = "Ada") -> None:
    for browser in browsers:
        browser.post("/sign-in", name=name)


def handles(browser: Browser) -> dict[str, str]:
    """The handles that the page lists, by place."""
    page = browser.get().page
    found = re.findall(r"<b>(this|another) browser</b>.*?name=\"handle\" value=\"([^\"]*)\"", page, re.DOTALL)  # fmt: skip
    return dict(found)


def test_the_page_tells_where_the_session_is_and_what_to_try(laptop: Browser) -> None:
    page = text_of(laptop.get().page)
    assert "A session that lives on the server." in page
    assert "MemoryBackend" in page
    assert "private window" in page


def test_the_cookie_is_a_pointer_which_no_change_sets_again(laptop: Browser) -> None:
    sign_in(laptop)
    assert '<span class="tag">pointer</span>' in laptop.get().page
    assert "It points to a record on the server" in laptop.get().page
    before = dict(laptop.cookies)
    for path in ("/note", "/grow", "/shrink", "/touch"):
        assert laptop.post(path, note="hello").lines == []
    assert (laptop.cookies, laptop.session) == (before, {"user": {"sub": "demo|ada", "name": "Ada"}, "note": "hello"})  # fmt: skip


def test_a_session_grows_to_60_kb_and_no_further(laptop: Browser) -> None:
    sign_in(laptop)
    for _ in range(3):
        laptop.post("/grow")
    assert "(60,000 characters)" in laptop.get().page
    laptop.post("/grow")
    assert "max_record allows 65536" in laptop.get().page
    assert "(60,000 characters)" in laptop.get().page


def test_two_browsers_of_one_user_see_both_sessions(laptop: Browser, phone: Browser) -> None:
    sign_in(laptop, phone)
    assert '<span class="sum" id="count">2</span>' in laptop.get().page
    assert handles(laptop)["this"] == handles(phone)["another"]


def test_another_user_sees_only_their_own(laptop: Browser, phone: Browser) -> None:
    sign_in(laptop)
    sign_in(phone, name="Grace")
    assert list(handles(laptop)) == ["this"]
    laptop.post("/sign-out-one", handle=handles(phone)["this"])
    assert phone.session is not None


def test_a_note_of_another_browser_is_escaped(laptop: Browser, phone: Browser) -> None:
    sign_in(laptop, phone)
    phone.post("/note", note="<b>phone</b>")
    assert html.escape("<b>phone</b>") in laptop.get().page
    assert "<b>phone</b>" not in laptop.get().page


def test_one_session_is_signed_out_from_another_browser(laptop: Browser, phone: Browser) -> None:
    sign_in(laptop, phone)
    laptop.post("/sign-out-one", handle=handles(laptop)["another"])
    assert "no record on the server: logged out, revoked or expired" in text_of(phone.get().page)
    assert (phone.session, laptop.session is None) == (None, False)


def test_the_own_session_can_be_chosen_too(laptop: Browser, phone: Browser) -> None:
    sign_in(laptop, phone)
    laptop.post("/sign-out-one", handle=handles(laptop)["this"])
    page = text_of(laptop.get().page)
    assert (ON_SERVER.sign_out in page, "keeps its cookie" in page) == (True, False)
    assert (laptop.session, "sessionkit-demo" in laptop.cookies, phone.session is None) == (None, False, False)  # fmt: skip


def test_the_others_are_signed_out_and_this_browser_stays(laptop: Browser, phone: Browser) -> None:
    sign_in(laptop, phone)
    laptop.post("/sign-out-others")
    assert "1 ended, and this one stays" in laptop.get().page
    assert (phone.session, laptop.session is None) == (None, False)


def test_all_are_signed_out_and_a_later_login_counts(
    laptop: Browser, phone: Browser, clock: Moving
) -> None:
    sign_in(laptop, phone)
    laptop.post("/sign-out-everywhere")
    assert (phone.session, laptop.session, "sessionkit-demo" in laptop.cookies) == (None, None, False)  # fmt: skip
    clock.now += 1
    sign_in(phone)
    assert phone.session is not None


def test_a_late_write_is_dropped_and_told(laptop: Browser) -> None:
    sign_in(laptop)
    assert laptop.post("/late").lines == []
    page = text_of(laptop.get().page)
    assert "was ended or revoked meanwhile, and what the request wrote was dropped" in page
    assert "A session cookie came and gave no session" in page
    assert laptop.session is None


@pytest.mark.parametrize(
    "path", ["/sign-out-one", "/sign-out-others", "/sign-out-everywhere", "/late"]
)
def test_nothing_happens_to_a_visitor_who_is_not_signed_in(path: str, laptop: Browser) -> None:
    got = laptop.post(path, handle="x")
    assert (got.status, got.lines, laptop.session) == (303, [], None)


def test_without_a_backend_there_is_no_such_button() -> None:
    browser = Browser(over_wsgi)
    sign_in(browser)
    assert [browser.post(path).status for path in ("/late", "/sign-out-everywhere")] == [404, 404]
    assert "Where you are signed in" not in browser.get().page


def test_an_outage_is_told_and_signs_nobody_out(laptop: Browser, site: Site) -> None:
    sign_in(laptop)
    backend: Any = site.store.settings.backend
    load, backend.load = backend.load, fail
    assert (laptop.get().status, "sessionkit-demo" in laptop.cookies) == (503, True)
    backend.load = load
    assert laptop.session is not None


def fail(*_: object) -> None:
    raise BackendError("the session backend cannot be reached")


# ---- the command line


def test_the_check_walks_the_backend_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--check", "--backend", "sqlite"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[-1] == "All 11 steps did what they should."


def test_the_check_fails_when_sessions_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MemoryBackend, "revoke", lambda *_: 0)
    said: list[str] = []
    assert walk(asgi=False, say=said.append, backend=MemoryBackend()) is False
    assert said[-1] == "  FAILED after step 7: not exactly the others ended"


def test_sqlite_is_a_temporary_file() -> None:
    with opened_backend("sqlite") as backend:
        assert isinstance(backend, SQLiteBackend)
        backend.load("k", "o")
        path = backend._path
        assert path.exists()
    assert not path.parent.exists()


@pytest.mark.parametrize("name", ["memory", "memory:"])
def test_memory_has_two_names(name: str) -> None:
    with opened_backend(name) as backend:
        assert isinstance(backend, MemoryBackend)


def test_tables_are_created(monkeypatch: pytest.MonkeyPatch) -> None:
    created: list[bool] = []
    monkeypatch.setattr(
        MemoryBackend, "create_tables", lambda _: created.append(True), raising=False
    )
    with opened_backend("memory"):
        assert created == [True]


def test_a_server_that_is_down_is_reported_at_the_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(MemoryBackend, "load", fail)
    assert main(["demo", "--backend", "memory"]) == 1
    assert "error: the session backend cannot be reached" in capsys.readouterr().err


def test_a_backend_that_is_awaited_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    async def load(*_: object) -> None: ...

    monkeypatch.setattr(MemoryBackend, "load", load)
    with pytest.raises(DemoError, match="without await"), opened_backend("memory"):
        pass


def test_a_backend_that_there_is_not_is_a_wrong_call(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--backend", "mongodb://u:s3cret@h"]) == 2
    err = capsys.readouterr().err
    assert ("no such kind of backend" in err, "s3cret" in err) == (True, False)


def test_a_name_that_is_no_backend_gets_the_names_that_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["demo", "--backend", "redis"]) == 2
    assert "--backend takes sqlite, memory, or the URL of a backend" in capsys.readouterr().err
