"""Several valid sessions in one request: those of one user are that user, and others are nobody's."""

import pytest

from sessionkit import Absence, CookieSettings, SessionStore, anyone
from sessionkit._exchange.framework_keys import FrameworkKeys
from sessionkit._exchange.request import HeaderRequest
from sessionkit.formats import (
    Auth0FastAPI,
    Auth0V3,
    Auth0V4,
    AuthJSV5,
    ExpressOpenID,
    Importer,
    Native,
    NextAuthV4,
)

from ..scene import BOB, SECRET, Scene, cookie, names

ADA = {"user": {"sub": "ada", "iss": "https://issuer.example"}, "sub": "ada"}
FORMATS = [
    Native(), Auth0V3(), Auth0V4(), Auth0FastAPI(), AuthJSV5(), NextAuthV4(), ExpressOpenID(),
]  # fmt: skip
each = pytest.mark.parametrize("format", FORMATS, ids=lambda one: one.traits.label)


def header(scene, contents):
    """The session's cookies, made one second after those before."""
    scene.clock.wait(1)
    browser = scene.another_browser()
    if scene.store.settings.guard(contents):
        browser.login(contents)
    else:
        visit = browser.visit()
        visit.exchange.contents.update(contents)
        visit.arrive()
    return browser.jar.header()


def found(scene, *headers):
    exchange = scene.store.begin(HeaderRequest("; ".join(headers)))
    return exchange.get() or exchange.absence


@each
@pytest.mark.parametrize(("first", "second"), [(0, 0), (0, 4500), (4500, 0)])
def test_the_newest_of_one_users_sessions_is_hers_whichever_comes_first(format, first, second):
    scene = Scene(format=format)
    older = header(scene, {**ADA, "n": 1, "x": "x" * first})
    newer = header(scene, {**ADA, "n": 2, "x": "x" * second})
    assert found(scene, older, newer)["n"] == found(scene, newer, older)["n"] == 2


@each
def test_the_sessions_of_two_users_are_ambiguous(format):
    scene = Scene(format=format)
    one, other = header(scene, ADA), header(scene, {"user": {"sub": "bob"}, "sub": "bob"})
    assert found(scene, one, other) is Absence.AMBIGUOUS


def test_of_one_user_and_another_in_three_cookies_nobody_is_taken():
    scene = Scene()
    cookies = [header(scene, ADA), header(scene, ADA), header(scene, BOB)]
    assert found(scene, *cookies) is Absence.AMBIGUOUS


def test_of_two_that_were_written_at_once_the_one_that_began_later_is_taken_and_else_the_whole_one():
    scene = Scene()
    browser = scene.browser
    browser.login({**ADA, "n": 1})
    scene.clock.wait(5)
    browser.update(n=2)
    late = scene.another_browser()
    late.login({**ADA, "n": 3})
    assert found(scene, browser.jar.header(), late.jar.header())["n"] == 3
    assert found(scene, late.jar.header(), browser.jar.header())["n"] == 3
    chunked = scene.another_browser()
    chunked.login({**ADA, "n": 4, "x": "x" * 4500})
    assert found(scene, chunked.jar.header(), late.jar.header())["n"] == 3


@each
@pytest.mark.parametrize("size", [0, 4500])
def test_of_two_writes_of_one_session_in_one_second_the_one_that_comes_last_is_taken(format, size):
    scene = Scene(format=format)
    browser = scene.browser
    browser.login({**ADA, "n": 1, "x": "x" * size})
    first = browser.jar.header()
    browser.update(n=2)
    second = browser.jar.header()
    assert found(scene, first, second)["n"] == 2
    assert found(scene, second, first)["n"] == 1


def test_an_update_makes_the_older_one_newer():
    scene = Scene()
    scene.browser.login({**ADA, "n": 1})
    scene.clock.wait(100)
    other = header(scene, {**ADA, "n": 2})
    scene.clock.wait(100)
    scene.browser.update(n=3)
    mine = scene.browser.jar.header()
    assert found(scene, mine, other)["n"] == found(scene, other, mine)["n"] == 3


def test_a_renewal_does_not_make_the_older_one_newer():
    scene = Scene()
    scene.browser.login({**ADA, "n": 1})
    scene.clock.wait(100)
    newer = header(scene, {**ADA, "n": 2})
    scene.clock.wait(100)
    visit = scene.browser.visit()
    visit.exchange.touch()
    visit.arrive()
    assert found(scene, scene.browser.jar.header(), newer)["n"] == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"user": {"id": 1}}, {"user": {"id": True}}),
        ({"user": {"id": 1}}, {"user": {"id": "1"}}),
        ({"user": {"id": 7}}, {"user": {"id": 7, "sub": "admin"}}),
        ({"user": {"sub": "a"}}, {"user": {"sub": "a", "iss": "other"}}),
        ({"cart": 1}, {"cart": 1}),
    ],
)
def test_who_is_not_surely_the_same_is_somebody_else(one, other):
    scene = Scene()
    assert found(scene, header(scene, one), header(scene, other)) is Absence.AMBIGUOUS


def test_an_anonymous_session_does_not_stand_beside_two_of_one_user():
    scene = Scene()
    cookies = [header(scene, ADA), header(scene, {"cart": 1}), header(scene, {**ADA, "n": 2})]
    assert found(scene, *cookies)["n"] == 2


def test_where_nobody_signs_in_two_sessions_are_nobodys():
    scene = Scene(guard=anyone)
    cookies = [header(scene, {"cart": 1}), header(scene, {"cart": 1})]
    assert found(scene, *cookies) is Absence.AMBIGUOUS


# ---- who it is, as the settings say


def test_an_identity_of_ones_own_says_who_is_who():
    scene = Scene(identity=lambda session: session["user"]["tenant"])
    same = [header(scene, {"user": {"sub": sub, "tenant": 1}, "n": sub}) for sub in "ab"]
    other = header(scene, {"user": {"sub": "b", "tenant": 2}})
    assert found(scene, *same)["n"] == "b"
    assert found(scene, same[0], other) is Absence.AMBIGUOUS


class OddError(Exception):
    pass


def raising(session):
    if "odd" in session["user"]:
        raise OddError
    return session["user"]["sub"]


def test_an_identity_that_raises_for_what_came_raises_nothing_here():
    scene = Scene(identity=raising)
    odd = header(Scene(), {"user": {"sub": "ada", "odd": 1}})
    assert found(scene, odd, header(scene, ADA)) is Absence.AMBIGUOUS


def test_a_login_that_a_framework_keeps_says_who_is_who_too():
    scene = Scene()
    scene.store.settings = scene.store.settings.with_framework(FrameworkKeys(login=("_user_id",)))
    mine = [header(scene, {"_user_id": "7", "n": n}) for n in (1, 2)]
    assert found(scene, *mine)["n"] == 2
    assert found(scene, mine[0], header(scene, {"_user_id": "8"})) is Absence.AMBIGUOUS
    assert found(scene, mine[0], header(scene, ADA)) is Absence.AMBIGUOUS


@pytest.mark.parametrize(
    ("format", "session"),
    [
        (Auth0V4(), lambda sub, n: {"user": {"sub": sub}, "sub": sub, "n": n}),
        (AuthJSV5(), lambda sub, n: {"sub": sub, "n": n}),
    ],
    ids=["auth0-v4", "authjs-v5"],
)
def test_two_sessions_of_one_user_to_be_imported_are_one(format, session):
    old = Scene(format=format)
    older, newer, bob = (
        header(old, session(sub, n)) for sub, n in (("ada", 1), ("ada", 2), ("bob", 3))
    )
    take = {"convert": lambda session: {**session, "user": {"sub": session["sub"]}}}
    scene = Scene(accept=[Importer(format, until=None, **take)])
    scene.clock.now = old.clock.now
    assert found(scene, older, newer)["n"] == 2
    assert found(scene, older, bob) is Absence.AMBIGUOUS


# ---- and an end is the end of all


@each
@pytest.mark.parametrize("verb", ["delete", "create", "rotate"])
def test_an_end_marks_every_session_of_the_user(format, verb):
    scene = Scene(format=format)
    cookies = [header(scene, {**ADA, "n": n}) for n in (1, 2)]
    exchange = scene.store.begin(HeaderRequest("; ".join(cookies)))
    getattr(exchange, verb)(*([ADA] if verb == "create" else []))
    lines = [line for name, line in exchange.commit().add if name == "Set-Cookie"]
    fence = f"{scene.store.settings.fence}={cookie(lines, scene.store.settings.fence)}"
    assert [found(scene, one, fence) for one in cookies] == [Absence.LOGGED_OUT] * 2


def test_a_cookie_that_is_left_of_a_narrower_path_is_no_loop():
    scene = Scene(cookie=CookieSettings(name="s", path="/shop"))
    scene.browser.login(ADA)
    wide = SessionStore(SECRET, clock=scene.clock, cookie=CookieSettings(name="s"))
    scene.browser.store = wide
    scene.clock.wait(60)
    exchange = wide.begin(HeaderRequest(path="/login"))
    exchange.create({**ADA, "n": 2})
    scene.browser.jar.receive([line for _, line in exchange.commit().add if line[:2] == "s="])
    assert scene.browser.jar.names() == ["s", "s"]
    assert scene.browser.session()["n"] == 2
    assert names(scene.browser.update(n=3)) == ["s"]
    assert scene.browser.session()["n"] == 3
    scene.browser.logout()
    assert scene.browser.absence() is Absence.LOGGED_OUT
