"""A login or logout that cannot see the sessions before it: by another site's POST, or outside the cookie's path."""

import pytest

from sessionkit import Absence, CookieSettings, SessionStore
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

from ..scene import BOB, SECRET, START, Clock, Scene, cookie, names

POST = {
    "method": "POST",
    "path": "/callback",
    "headers": {"Sec-Fetch-Site": "cross-site", "Origin": "https://op.example"},
}
FENCE, BARRIER = "__Host-out.session", "__Host-before.session"
FORMATS = [
    Native(), Auth0V3(), Auth0V4(), Auth0FastAPI(), AuthJSV5(), NextAuthV4(), ExpressOpenID(),
]  # fmt: skip
each = pytest.mark.parametrize("format", FORMATS, ids=lambda one: one.traits.label)


def person(sub, size=0):
    return {"user": {"sub": sub}, "sub": sub, "big": "x" * size}


def who(browser):
    return browser.session().get("sub")


def post(browser, verb, *args, status=200, store=None, **request):
    """A request of another site's form, without the cookies that the browser keeps at home."""
    exchange = (store or browser.store).begin(HeaderRequest("", **(request or POST)))
    getattr(exchange, verb)(*args)
    lines = [line for name, line in exchange.commit(status).add if name == "Set-Cookie"]
    browser.jar.receive(lines)
    return lines


@each
@pytest.mark.parametrize(("before", "after"), [(0, 0), (0, 4500), (4500, 0), (4500, 4500)])
@pytest.mark.parametrize("passed", [0, 60])
def test_who_signed_in_last_is_signed_in_whatever_shapes_the_two_sessions_have(
    format, before, after, passed
):
    scene = Scene(format=format)
    scene.browser.login(person("alice", before))
    scene.clock.wait(passed)
    post(scene.browser, "create", person("bob", after))
    assert who(scene.browser) == "bob"
    scene.clock.wait(2)
    scene.browser.update(theme="dark")
    assert who(scene.browser) == "bob"


LATE = {
    "write": lambda exchange: exchange.update(person("alice", 100)),
    "growth": lambda exchange: exchange.update(person("alice", 4500)),
    "renewal": lambda exchange: exchange.touch(),
    "rotation": lambda exchange: exchange.rotate(),
}


@each
@pytest.mark.parametrize("late", LATE)
@pytest.mark.parametrize("size", [0, 4500])
@pytest.mark.parametrize("passed", [0, 600])
def test_no_late_answer_of_the_earlier_user_signs_her_in_again(format, late, size, passed):
    scene = Scene(format=format)
    scene.browser.login(person("alice", size))
    scene.clock.wait(passed)
    slow = scene.browser.visit()
    LATE[late](slow.exchange)
    post(scene.browser, "create", person("bob"))
    slow.arrive()
    assert who(scene.browser) in (None, "bob")
    scene.browser.login(person("bob"))
    assert who(scene.browser) == "bob"


def test_a_late_renewal_leaves_the_new_session():
    scene = Scene()
    scene.browser.login(person("alice"))
    scene.clock.wait(600)
    slow = scene.browser.visit()
    slow.exchange.touch()
    post(scene.browser, "create", person("bob"))
    slow.arrive()
    assert who(scene.browser) == "bob"


@each
def test_nobody_of_several_such_logins_comes_back(format):
    scene = Scene(format=format)
    slow = []
    for sub in ("alice", "bob", "carol"):
        post(scene.browser, "create", person(sub))
        scene.clock.wait(10)
        slow.append(scene.browser.visit())
        assert slow[-1].exchange.update(person(sub, 10)) is True
    rotation = scene.browser.visit()
    rotation.exchange.rotate()
    post(scene.browser, "create", person("carol"))
    for visit in (*slow, rotation):
        visit.arrive()
        assert who(scene.browser) in (None, "carol")
    for visit in slow[:2]:
        visit.arrive()
        assert who(scene.browser) in (None, "carol")


@each
def test_a_logout_by_another_sites_post_ends_what_it_does_not_see(format):
    scene = Scene(format=format)
    scene.browser.login(person("alice", 4500))
    scene.clock.wait(60)
    slow = scene.browser.visit()
    slow.exchange.update(person("alice", 10))
    post(scene.browser, "delete")
    assert scene.browser.jar.names() == [scene.store.settings.barrier]
    slow.arrive()
    assert scene.browser.absence() is Absence.LOGGED_OUT
    scene.browser.login(person("alice"))
    assert who(scene.browser) == "alice"


def test_a_failing_login_by_another_sites_post_ends_what_it_does_not_see():
    scene = Scene()
    scene.browser.login(person("alice", 4500))
    post(scene.browser, "create", person("bob"), status=500)
    assert scene.browser.jar.names() == [BARRIER]


# ---- clocks


@each
@pytest.mark.parametrize("ahead", [-60, -1, 0, 1, 60])
def test_a_session_that_began_on_a_machine_whose_clock_is_ahead_is_over_too(format, ahead):
    scene = Scene(format=format)
    elsewhere = SessionStore(SECRET, format=format, clock=Clock(START + ahead))
    post(scene.browser, "create", person("alice"), store=elsewhere)
    slow = elsewhere.begin(HeaderRequest(scene.browser.jar.header()))
    assert slow.update(person("alice", 10)) is True
    post(scene.browser, "create", person("bob"))
    assert who(scene.browser) == "bob"
    scene.browser.jar.receive([line for name, line in slow.commit().add if name == "Set-Cookie"])
    for _ in range(3):
        assert who(scene.browser) != "alice"
        scene.clock.wait(60)


@each
@pytest.mark.parametrize("ahead", [-60, -1, 0, 1, 60])
def test_whoever_signs_in_after_such_a_login_is_signed_in_whatever_the_clocks_say(format, ahead):
    scene = Scene(format=format)
    elsewhere = SessionStore(SECRET, format=format, clock=Clock(START + ahead))
    post(scene.browser, "create", person("bob"), store=elsewhere)
    assert who(scene.browser) == "bob"
    scene.browser.logout()
    assert who(scene.browser) is None
    for sub in ("bob", "carol", "carol"):
        scene.browser.login(person(sub))
        assert who(scene.browser) == sub
    assert scene.browser.visit().exchange.rotate() is True
    rotation = scene.browser.visit()
    rotation.exchange.rotate()
    rotation.arrive()
    assert who(scene.browser) == "carol"
    scene.browser.update(theme="dark")
    assert who(scene.browser) == "carol"


def test_an_anonymous_session_that_begins_soon_after_such_a_logout_is_kept():
    scene = Scene()
    scene.browser.login(person("alice"))
    post(scene.browser, "delete")
    visit = scene.browser.visit()
    visit.exchange.contents["cart"] = [1]
    assert names(visit.arrive()) == ["__Host-session", BARRIER]
    assert scene.browser.visit().exchange.contents == {"cart": [1]}
    again = scene.browser.visit()
    again.exchange.contents["cart"] = [2]
    assert names(again.arrive()) == ["__Host-session"]


# ---- which requests


def lines_of(scene, **request):
    return names(post(scene.browser, "create", person("bob"), **request))


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://elsewhere.example"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://app.example", "Host": "APP.example:443"},
        {"Origin": "http://[::1]:8000", "Host": "[::1]:9000"},
        {},
    ],
)
def test_a_first_login_from_the_site_itself_sets_one_cookie(headers):
    assert lines_of(Scene(), method="POST", headers=headers) == ["__Host-session"]


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET", {"Sec-Fetch-Site": "cross-site"}),
        ("POST", {"Sec-Fetch-Site": " Cross-Site"}),
        ("POST", {"Origin": "https://op.example", "Host": "app.example"}),
        ("POST", {"Origin": "null", "Host": "app.example"}),
        ("POST", {"Origin": "null"}),
        ("POST", {"Origin": "https://op.example"}),
        ("PUT", {"Origin": "http://[::1]", "Host": "[::2]"}),
    ],
)
def test_a_login_from_another_site_clears_the_other_shapes(method, headers):
    assert lines_of(Scene(), method=method, headers=headers) == [
        "__Host-session", "-__Host-session.0", "-__Host-session.1", "-__Host-seen.session", BARRIER,
    ]  # fmt: skip


def test_a_get_that_another_site_leads_to_has_no_origin_to_judge_by():
    headers = {"Origin": "https://op.example", "Host": "app.example"}
    assert lines_of(Scene(), method="GET", headers=headers) == ["__Host-session"]


def test_a_login_that_sees_the_session_before_it_fences_that_one_alone():
    scene = Scene()
    scene.browser.login()
    visit = scene.browser.visit(**POST)
    visit.exchange.create(BOB)
    lines = visit.arrive()
    assert names(lines) == ["__Host-session", FENCE]
    assert len(cookie(lines, FENCE)) == 22


@pytest.mark.parametrize(
    ("path", "outside"),
    [("/login", True), ("/shopping", True), ("/shop", False), ("/shop/x", False), ("/", False)],
)
@pytest.mark.parametrize("cookie_path", ["/shop", "/shop/"])
def test_a_login_outside_the_cookies_path_is_one_that_sees_nothing(path, outside, cookie_path):
    if (path, cookie_path) == ("/shop", "/shop/"):
        outside = True
    scene = Scene(cookie=CookieSettings(name="s", path=cookie_path))
    scene.browser.login(person("alice", 4500))
    slow = scene.browser.visit()
    slow.exchange.update(person("alice"))
    lines = post(scene.browser, "create", person("bob"), path=path)
    assert (len(lines) > 1) is outside
    assert not outside or who(scene.browser) == "bob"
    slow.arrive()
    assert not outside or who(scene.browser) in (None, "bob")


# ---- what an importer would take


def test_a_session_to_be_imported_that_began_before_is_over():
    old = Scene(format=Auth0V3())
    old.browser.login(person("alice"))
    scene = Scene(accept=[Importer(Auth0V3(), until=None)])
    scene.browser.jar = old.browser.jar
    scene.clock.wait(10)
    post(scene.browser, "create", person("bob"))
    scene.browser.jar.receive(["__Host-session=; Max-Age=0; Path=/; Secure"])
    assert scene.browser.absence() is Absence.LOGGED_OUT


def test_a_barrier_under_an_earlier_name_still_holds_for_what_is_taken_over_from_it():
    old = Scene(cookie=CookieSettings(name="old"))
    old.browser.login(person("alice"))
    slow = old.browser.visit()
    slow.exchange.update(person("alice", 10))
    post(old.browser, "create", person("bob"))
    new = Scene(accept=[Importer(Native(), name="old", secret=SECRET, until=None)])
    new.browser.jar = old.browser.jar
    assert who(new.browser) == "bob"
    slow.arrive()
    assert new.browser.absence() is Absence.LOGGED_OUT


# ---- the cookie of a session that goes on, overwritten by a late answer of the one before it


def overwritten(scene, follow):
    """Let a late answer of Alice's session overwrite the cookie of the one that follows; return one of that, as late."""
    scene.browser.login(person("alice"))
    earlier = scene.browser.visit()
    assert earlier.exchange.update(person("alice", 1))
    scene.clock.wait(1)
    visit = scene.browser.visit()
    follow(visit.exchange)
    visit.arrive()
    later = scene.browser.visit()
    assert later.exchange.update({**later.exchange.get(), "big": "late"})
    earlier.arrive()
    assert scene.browser.absence() is Absence.LOGGED_OUT
    return later


@pytest.mark.parametrize("passed", [0, 2, 100])
@pytest.mark.parametrize("verb", ["delete", "create"])
@pytest.mark.parametrize(
    "follow",
    [lambda one: one.rotate(), lambda one: one.create(person("alice"))],
    ids=["rotate", "login"],
)
def test_a_session_whose_cookie_was_overwritten_does_not_come_back(follow, verb, passed):
    scene = Scene()
    late = overwritten(scene, follow)
    scene.clock.wait(passed)
    visit = scene.browser.visit()
    if verb == "delete":
        visit.exchange.delete()
    else:
        visit.exchange.create(person("bob"))
    assert BARRIER in names(visit.arrive())
    assert who(scene.browser) == (None if verb == "delete" else "bob")
    late.arrive()
    assert scene.browser.absence() is Absence.LOGGED_OUT
    scene.browser.login(person("carol"))
    assert who(scene.browser) == "carol"
    scene.clock.wait(1000)
    scene.browser.update(big="y")
    assert who(scene.browser) == "carol"


@pytest.mark.parametrize(
    "settings",
    [{"format": Auth0V4()}, {"accept": [Importer(Auth0V3(), until=None)]}],
    ids=["a format of others", "importers"],
)
def test_beside_another_program_no_barrier_ends_its_next_login_for_this(settings):
    scene = Scene(**settings)
    overwritten(scene, lambda one: one.rotate())
    assert not any("before." in one for one in names(scene.browser.logout()))


def test_an_ordinary_login_and_logout_set_no_barrier():
    scene = Scene()
    assert BARRIER not in names(scene.browser.login(person("alice")))
    assert BARRIER not in names(scene.browser.login(person("bob")))
    assert BARRIER not in names(scene.browser.logout())
    assert BARRIER not in names(scene.browser.logout())
