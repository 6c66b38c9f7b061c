"""Sessions of nextjs-auth0 v3 and v4: what each library leaves in a browser, and what the other reads."""

from sessionkit import Absence, Lifetime, SessionStore
from sessionkit.formats import Auth0V3, Auth0V4

from ..scene import Scene, cookie, names
from .shared_formats import ALICE, NOT_WRITTEN, SECRET


def test_a_v3_session_is_found_and_taken_over_by_v4():
    scene = Scene(secret=SECRET, format=Auth0V3())
    user = {"sub": "alice", "sid": "op-session"}
    scene.browser.login(
        {"user": user, "accessToken": "at", "accessTokenScope": "openid", "refreshToken": None}
    )
    scene.clock.wait(100)
    later = SessionStore(SECRET, format=Auth0V4(), clock=scene.clock)
    visit = scene.browser
    visit.store = later
    expected = {
        "user": user,
        "tokenSet": {"accessToken": "at", "scope": "openid"},
        "internal": {"sid": "op-session", "createdAt": int(scene.clock()) - 100},
    }
    page = visit.visit()
    assert dict(page.exchange.get()) == expected
    assert names(page.arrive()) == ["__session", *NOT_WRITTEN, "-appSession"]
    assert visit.session() == expected


def test_an_expired_v3_session_is_none_for_v4():
    scene = Scene(secret=SECRET, format=Auth0V3(), lifetime=Lifetime(idle=1000))
    header = f"appSession={cookie(scene.browser.login(ALICE), 'appSession')}"
    clock = scene.clock
    later = SessionStore(SECRET, format=Auth0V4(), clock=clock)
    clock.wait(999)
    with later.exchange(header) as exchange:
        assert exchange.get() is not None
    clock.wait(1)
    with later.exchange(header) as exchange:
        assert exchange.absence is Absence.EXPIRED


def test_a_v3_session_without_a_user_is_none_for_v4():
    scene = Scene(secret=SECRET, format=Auth0V3())
    visit = scene.browser.visit()
    visit.exchange.contents["cart"] = [1]
    header = f"appSession={cookie(visit.answer(), 'appSession')}"
    with SessionStore(SECRET, format=Auth0V4(), clock=scene.clock).exchange(header) as exchange:
        assert exchange.absence is Absence.MALFORMED


def test_a_logout_of_v4_takes_the_connection_tokens_and_the_v3_cookie_along():
    store = SessionStore(SECRET, format=Auth0V4())
    with store.exchange(
        "__FC_0=a; __FC_12=b; __FC_x=c; my__FC_1=d; appSession.3=e; __session=f"
    ) as exchange:
        store.delete_session()
    assert names([line for name, line in exchange.response_headers if name == "Set-Cookie"]) == [
        "-__session", *NOT_WRITTEN, "-__FC_0", "-__FC_12", "-appSession", "-appSession.3", "before.__session",
    ]  # fmt: skip


def test_a_login_of_v4_clears_the_connection_tokens_of_the_one_before():
    store = SessionStore(SECRET, format=Auth0V4())
    with store.exchange("__FC_0=a") as exchange:
        store.create_session(ALICE)
    assert names([line for name, line in exchange.response_headers if name == "Set-Cookie"]) == [
        "__session",
        *NOT_WRITTEN,
        "-__FC_0",
    ]
