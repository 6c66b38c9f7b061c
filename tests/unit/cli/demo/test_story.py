"""The demo, as its visitor goes through it, over both gateways."""

import re

import pytest

from sessionkit import Event, EventKind
from sessionkit._cli.demo.browsers import KNOWN, KnownBrowsers, digest
from sessionkit._cli.demo.page import MEANINGS
from sessionkit._cli.demo.remarks import IN_COOKIES, UNCHANGED, explain
from sessionkit._cli.demo.site import Site
from sessionkit._requests.views import WSGIRequest

from .browser import NOW, Browser, over_wsgi, text_of


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


def test_a_session_that_still_fits_into_one_cookie_is_not_said_to_be_chunks(ada: Browser) -> None:
    ada.post("/grow")
    assert (list(ada.cookies), remark_of(ada)) == (["sessionkit-demo"], IN_COOKIES.grow)
    ada.post("/grow")
    assert (len(ada.cookies), remark_of(ada)) == (2, IN_COOKIES.chunks)


def test_chunks_are_said_to_be_cleared_only_if_there_were_some(ada: Browser) -> None:
    ada.post("/grow")
    ada.post("/shrink")
    assert remark_of(ada) == IN_COOKIES.shrink
    ada.post("/grow")
    ada.post("/grow")
    ada.post("/shrink")
    assert remark_of(ada) == IN_COOKIES.unchunk


@pytest.mark.parametrize("path", ["/note", "/shrink"])
def test_a_change_that_changes_nothing_is_not_said_to_be_saved(ada: Browser, path: str) -> None:
    ada.post("/note", note="hello")
    assert (ada.post(path, note="hello").lines, remark_of(ada)) == ([], UNCHANGED)


def test_a_refusal_and_the_small_cookies_are_explained(ada: Browser) -> None:
    before = dict(ada.cookies)
    ada.post("/rotate")
    ada.post("/touch")
    page = text_of(ada.get().page)
    assert [MEANINGS[kind] in page for kind in ("fence", "seen", "barrier")] == [True, True, False]
    ada.post("/tamper")
    assert explain("no session: bad tag") in text_of(ada.get().page)
    ada.cookies |= before
    assert explain("no session: logged out") in text_of(ada.get().page)
    assert explain("an event without a reason") == ""


def remark_of(browser: Browser) -> str:
    """Return the explanation of the last answer."""
    found = re.search(r'<p class="remark">(.*?)</p>', browser.get().page)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("grown", [0, 3])
def test_a_forged_character_ends_in_a_bad_tag(grown: int, ada: Browser) -> None:
    for _ in range(grown):
        ada.post("/grow")
    ada.post("/tamper")
    page = text_of(ada.get().page)
    assert "A session cookie came and gave no session: bad tag." in page
    assert "Sign in" in page


def test_the_tag_is_changed_where_a_chunk_is_shorter_than_it() -> None:
    from sessionkit._cli.demo.site import _with_wrong_tag

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
    from sessionkit._cli.demo.journal import Entry

    entry = Entry(method="GET", path="/")
    entry.note_response(200, [("set-cookie", "a=b; Path=/"), ("X", "y")])
    assert [(line.name, line.size, line.age, line.clears) for line in entry.lines] == [
        ("a", 11, None, False)
    ]


def answered(browser: Browser) -> list[str]:
    """Return the requests that the page lists under "The last responses of the server"."""
    return re.findall(r'<p class="what"><code>(.*?)</code>', browser.get().page)


def test_what_was_answered_last_is_kept_for_six_requests(ada: Browser) -> None:
    for _ in range(9):
        ada.post("/touch")
    assert answered(ada) == ["POST /touch"] * 6


def test_a_page_that_changes_nothing_is_not_kept(browser: Browser) -> None:
    browser.get()
    assert answered(browser) == []


def test_a_browser_sees_its_own_answers_only(ada: Browser) -> None:
    other = Browser(ada.gateway, ada.site)
    assert answered(other) == []
    other.post("/sign-in", name="Grace")
    other.post("/rotate")
    ada.post("/touch")
    assert answered(ada) == ["POST /touch", "POST /sign-in"]
    assert answered(other) == ["POST /rotate", "POST /sign-in"]
    assert answered(Browser(ada.gateway, ada.site)) == []


def test_a_browser_sees_its_answers_through_every_change_of_its_cookies(ada: Browser) -> None:
    ways = ["grow", "grow", "touch", "rotate", "shrink", "tamper"]
    for way in ways:
        ada.post(f"/{way}")
    assert answered(ada) == [f"POST /{way}" for way in reversed(ways)]
    ada.post("/sign-out")
    assert answered(ada)[0] == "POST /sign-out"
    ada.post("/sign-in")
    assert answered(ada)[:2] == ["POST /sign-in", "POST /sign-out"]


def test_the_demo_remembers_the_browsers_of_its_last_cookies_only() -> None:
    browsers: KnownBrowsers[str] = KnownBrowsers()
    for number in range(KNOWN + 1):
        browsers.keep(f"browser {number}", [digest(f"a={number}")], f"client {number}")
    found = [
        browsers.find(header, "") for header in ("a=0", "a=1", f"x=y; a={KNOWN}; z=0", "a", "")
    ]
    assert found == [None, "browser 1", f"browser {KNOWN}", None, None]
    assert [browsers.find("", f"client {number}") for number in (0, 1, 1)] == [
        None,
        "browser 1",
        None,
    ]


def test_outside_a_request_nothing_is_noted() -> None:
    journal = Site().journal
    journal.note_event(Event(kind=EventKind.REFUSED))
    journal.remark("unheard")
    assert (journal.entries, journal.events) == ([], [])


def test_an_event_without_a_reason_is_noted_as_it_is() -> None:
    journal = Site().journal
    with journal.open_entry(WSGIRequest({}), ""):
        journal.note_event(Event(kind=EventKind.LATE_CHANGE))
        assert journal.events == [EventKind.LATE_CHANGE.value]


def test_nothing_moves_on_the_page_but_its_clocks(browser: Browser) -> None:
    assert re.findall(r"@keyframes (\w+)", browser.get().page) == ["count", "drain"]
