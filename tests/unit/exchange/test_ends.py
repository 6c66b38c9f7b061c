"""An end does not depend on what could be read of a request, and its answer does not grow with what was planted there."""

import pytest

from sessionkit import Absence, CookieSettings, SessionStore
from sessionkit._exchange.reading import read_cookies
from sessionkit._exchange.request import HeaderRequest
from sessionkit.formats import Auth0FastAPI, Auth0V3, Auth0V4, AuthJSV5, Importer, Native

from ..scene import SECRET, Scene, cookie, names

ADA = {"user": {"sub": "ada"}, "sub": "ada"}
BIG = {**ADA, "big": "x" * 4500}
JUNK = "; ".join(f"junk{number}={'j' * 4000}" for number in range(17))
FORMATS = [Native(), Auth0V3(), Auth0V4(), Auth0FastAPI(), AuthJSV5()]
each = pytest.mark.parametrize("format", FORMATS, ids=lambda one: one.traits.label)
sizes = pytest.mark.parametrize("session", [ADA, BIG], ids=["whole", "chunks"])


def act(browser, header, verb, *args, status=200, **request):
    """One request with this header; the browser has the answer."""
    exchange = browser.store.begin(HeaderRequest(header, **request))
    getattr(exchange, verb)(*args)
    lines = [line for name, line in exchange.commit(status).add if name == "Set-Cookie"]
    browser.jar.receive(lines)
    return lines


def over(browser):
    """Whether nothing is left but what says that sessions are over."""
    settings = browser.store.settings
    return set(browser.jar.names()) <= {settings.fence, settings.barrier}


@each
@sizes
@pytest.mark.parametrize("first", ["the session", "the junk"])
def test_a_logout_beside_a_header_that_is_too_large_ends_the_session_for_good(
    format, session, first
):
    scene = Scene(format=format)
    browser = scene.browser
    browser.login(session)
    scene.clock.wait(10)
    slow = browser.visit()
    assert slow.exchange.update({**session, "slow": True}) is True
    own = browser.jar.header()
    act(browser, f"{own}; {JUNK}" if first == "the session" else f"{JUNK}; {own}", "delete")
    assert over(browser)
    slow.arrive()
    assert browser.absence() is Absence.LOGGED_OUT
    browser.login(session)
    assert browser.session()["user"]["sub"] == "ada"


@each
@sizes
def test_a_login_beside_a_header_that_is_too_large_leaves_nothing_else(format, session):
    scene = Scene(format=format)
    browser = scene.browser
    browser.login(BIG if session is ADA else ADA)
    scene.clock.wait(10)
    slow = browser.visit()
    slow.exchange.update({**ADA, "slow": True})
    bob = {**session, "user": {"sub": "bob"}, "sub": "bob"}
    act(browser, f"{JUNK}; {browser.jar.header()}", "create", bob)
    assert browser.session()["user"]["sub"] == "bob"
    slow.arrive()
    assert browser.session().get("user", {}).get("sub") in (None, "bob")


@each
def test_a_failing_login_beside_a_header_that_is_too_large_ends_the_earlier_session(format):
    scene = Scene(format=format)
    scene.browser.login(BIG)
    header = f"{JUNK}; {scene.browser.jar.header()}"
    act(scene.browser, header, "create", ADA, status=500)
    assert over(scene.browser)


def test_an_anonymous_session_that_begins_beside_one_that_cannot_be_read_clears_nothing():
    scene = Scene()
    scene.browser.login(BIG)
    exchange = scene.store.begin(HeaderRequest(f"{scene.browser.jar.header()}; {JUNK}"))
    exchange.contents["csrf"] = "x"
    lines = [line for name, line in exchange.commit().add if name == "Set-Cookie"]
    assert names(lines) == ["__Host-session"]
    scene.browser.jar.receive(lines)
    assert scene.browser.session() == BIG


def test_marks_are_read_of_whole_cookies_in_the_first_64_kib():
    scene = Scene()
    scene.browser.login()
    own = scene.browser.jar.header()
    scene.browser.logout()
    fence = scene.browser.jar.header()
    settings = scene.store.settings

    def marks(header):
        return read_cookies(settings, header, scene.clock()).list_marks(settings)

    pad = "a=" + "b" * (65_536 - len(own) - 4)
    assert len(f"{pad}; {own}") == 65_536
    expected = (fence.partition("=")[2],)
    assert expected == marks(f"{pad}; {own}; {JUNK}") == marks(f"{own};{JUNK}")
    assert marks(f"{pad}b; {own}; {JUNK}") == ()
    assert marks("session" + "=" * 65_536) == ()
    assert expected == read_cookies(settings, f"{fence}; {JUNK}", scene.clock()).fence
    assert read_cookies(settings, f"{own}; {JUNK}", scene.clock()).absence is Absence.TOO_LARGE


def test_importers_cookies_are_cleared_in_every_shape_when_not_all_could_be_read():
    store = SessionStore(SECRET, accept=[Importer(Auth0V4(), until=None)])
    with store.exchange(f"__session__0=x; {JUNK}") as exchange:
        store.delete_session()
    lines = [line for _, line in exchange.response_headers if line.partition("=")[0] != "Vary"]
    cleared = {one for one in names(lines) if one.startswith("-")}
    assert {"-__session", *(f"-__session__{number}" for number in range(5))} <= cleared


# ---- more doubles than are looked at, and what is unreadable


def test_five_doubles_are_too_many_to_read_and_not_to_end():
    scene = Scene(format=Auth0V3())
    scene.browser.login(ADA)
    scene.clock.wait(10)
    slow = scene.browser.visit()
    slow.exchange.update({**ADA, "slow": True})
    own = scene.browser.jar.header()
    assert scene.store.begin(HeaderRequest("; ".join([own] * 5))).absence is Absence.TOO_LARGE
    act(scene.browser, "; ".join([own] * 5), "delete")
    slow.arrive()
    assert scene.browser.absence() is Absence.LOGGED_OUT


@pytest.mark.parametrize("left", [0, 1])
@each
def test_the_half_of_a_session_that_is_left_cannot_be_made_whole_by_a_late_answer(format, left):
    scene = Scene(format=format)
    scene.browser.login(BIG)
    scene.clock.wait(10)
    slow = scene.browser.visit()
    slow.exchange.update({**BIG, "slow": True})
    half = scene.browser.jar.header().split("; ")[left]
    act(scene.browser, half, "delete")
    slow.arrive()
    assert scene.browser.absence() is Absence.LOGGED_OUT


@each
def test_another_worker_may_have_the_key_of_what_is_ended_here(format):
    elsewhere, scene = (
        Scene(secret=["n" * 20 + SECRET, SECRET], format=format),
        Scene(format=format),
    )
    elsewhere.browser.login(ADA)
    elsewhere.clock.wait(10)
    slow = elsewhere.browser.visit()
    slow.exchange.update({**ADA, "slow": True})
    scene.browser.jar = elsewhere.browser.jar
    act(scene.browser, scene.browser.jar.header(), "create", {"user": {"sub": "bob"}, "sub": "bob"})
    slow.arrive()
    assert elsewhere.browser.absence() is Absence.LOGGED_OUT


# ---- the size of an answer


def planted(*stems, count=9999):
    return "; ".join(f"{stem}{number}=x" for number in range(3, count) for stem in stems)[:60_000]


def bare(lines):
    return [one for one in names(lines) if one.startswith("-")]


@each
@pytest.mark.parametrize("size", [60_000, 90_000])
@pytest.mark.parametrize("verb", ["delete", "create", "update", "rotate"])
def test_an_answer_does_not_grow_with_the_cookies_that_were_planted(format, verb, size):
    scene = Scene(format=format, cookie=CookieSettings(domain="example.org"))
    scene.browser.login(BIG)
    settings, own = scene.store.settings, scene.browser.jar.header()
    stray = planted(settings.chunk, "__FC_", "appSession.", "__session__")
    header = f"{own}; {stray}; {'j' * max(0, size - 60_000 - len(own) - 4)}"
    exchange = scene.store.begin(HeaderRequest(header[:size]))
    args = {"create": (ADA,), "update": (ADA,)}.get(verb, ())
    getattr(exchange, verb)(*args)
    lines = [line for name, line in exchange.commit().add if name == "Set-Cookie"]
    assert len(bare(lines)) <= 32
    assert sum(len(line) for line in lines if "; Max-Age=0;" in line) < 6000
    scene.browser.jar.receive(lines)
    if verb == "delete":
        assert over(scene.browser)
    elif verb == "create" or (verb == "update" and size == 60_000):
        assert scene.browser.session()["user"]["sub"] == "ada"
        assert "big" not in scene.browser.session()


def test_an_import_does_not_grow_with_the_cookies_that_were_planted():
    other = Scene(format=Auth0V3(), cookie=CookieSettings(name="old"))
    other.browser.login(BIG)
    importer = Importer(Auth0V3(), name="old", until=None, clear=True)
    scene = Scene(accept=[importer], cookie=CookieSettings(domain="example.org"))
    exchange = scene.store.begin(
        HeaderRequest(f"{other.browser.jar.header()}; {planted('old.', 'session.', count=400)}")
    )
    assert exchange.get() == BIG
    cleared = bare([line for name, line in exchange.commit().add if name == "Set-Cookie"])
    assert len(cleared) == 32
    assert {"-old.0", "-old.1"} <= set(cleared)


def test_the_importers_own_cookies_are_cleared_though_ours_were_planted():
    scene = Scene(accept=[Importer(Auth0V3(), until=None)])
    lines = act(
        scene.browser,
        f"{planted('__Host-session.', count=400)}; appSession.0=x; appSession.1=x; appSession=x",
        "delete",
    )
    assert {"-__Host-session", "-__Host-seen.session", "-appSession", "-appSession.0", "-appSession.1"} <= set(bare(lines))  # fmt: skip
    assert len(bare(lines)) == 32


def test_a_planted_fence_does_not_make_ours_longer():
    scene = Scene()
    scene.browser.login()
    marks = ".".join(f"{number:022d}" for number in range(40))
    header = "; ".join([scene.browser.jar.header(), *[f"__Host-out.session={marks}"] * 20])
    lines = act(scene.browser, header, "delete")
    assert len(cookie(lines, "__Host-out.session")) == 8 * 23 - 1


# ---- what nextjs-auth0 clears at each write


@pytest.mark.parametrize(("size", "written"), [(10, 0), (4500, 2)])
@pytest.mark.parametrize("verb", ["create", "update", "rotate", "touch"])
def test_a_write_of_nextjs_auth0_clears_what_it_does_not_set_whatever_came(size, written, verb):
    scene = Scene(format=Auth0V4(), cookie=CookieSettings(max_bytes=20_000))
    scene.browser.login({**ADA, "big": "x" * size})
    scene.clock.wait(5)
    exchange = scene.browser.visit().exchange
    args = {"create": ({**ADA, "big": "x" * size},), "update": ({**ADA, "big": "x" * size},)}
    getattr(exchange, verb)(*args.get(verb, ()))
    lines = [line for name, line in exchange.commit().add if name == "Set-Cookie"]
    first = [] if not written else ["-__session"]
    assert bare(lines) == [*first, *(f"-__session__{number}" for number in range(written, 5))]
