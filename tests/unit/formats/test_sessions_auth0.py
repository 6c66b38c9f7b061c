"""Sessions of Auth0's libraries: what each library leaves in a browser, what the other reads, and under which key."""

import json

from sessionkit import Absence, CookieSettings, Lifetime, SessionStore
from sessionkit.formats import Auth0FastAPI, Auth0V3, Auth0V4, ExpressOpenID, Importer

from ..scene import Scene, cookie, names
from .golden import AUTH0
from .shared_formats import ALICE, NOT_WRITTEN, SECRET
from .tokens import id_token


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


def test_a_v3_session_without_the_providers_sid_gets_none_in_v4():
    scene = Scene(secret=SECRET, format=Auth0V3())
    header = f"appSession={cookie(scene.browser.login({'user': {'sub': 'alice'}}), 'appSession')}"
    with SessionStore(SECRET, format=Auth0V4(), clock=scene.clock).exchange(header) as exchange:
        assert exchange.get()["internal"] == {"createdAt": int(scene.clock())}


def test_a_v4_session_is_not_used_before_it_began_though_its_library_lets_it_end_sooner():
    codec = SessionStore(SECRET, format=Auth0V4(), lifetime=Lifetime(idle=1000)).settings.codec
    payload = {**ALICE, "tokenSet": {}, "internal": {"createdAt": 5000}, "exp": 5010}
    stamp = codec.open(codec.seal(json.dumps(payload).encode(), None), 5005).stamp
    assert (stamp.created_at, stamp.updated_at, stamp.expires_at) == (5000, 5000, 5010)


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


TOKENS = "; ".join(f"__FC_{number}=a" for number in range(40))


def test_the_end_of_an_imported_session_of_v4_takes_its_connection_tokens_along():
    sealed = SessionStore(SECRET, format=Auth0V4())
    with sealed.exchange() as login:
        login.create(ALICE)
    header = f"__session={cookie([line for _, line in login.response_headers], '__session')}; __FC_7=a; __FC_x=b"
    for clear, verb, cleared in (
        (True, "get", ["-__session", "-__FC_7"]),
        (True, "create", ["-__session", "-__FC_7"]),
        (True, "delete", ["-__session", "-__FC_7"]),
        (False, "get", []),
        (False, "create", []),
        (False, "delete", ["-__session", "-__FC_7"]),
    ):
        store = SessionStore(SECRET, accept=[Importer(Auth0V4(), until=None, clear=clear)])
        with store.exchange(header) as exchange:
            getattr(exchange, verb)(*([ALICE] if verb == "create" else []))
        lines = names([line for name, line in exchange.response_headers if name == "Set-Cookie"])
        assert [name for name in lines if name[1:3] == "__" and "Host" not in name] == cleared


def test_planted_connection_tokens_keep_no_cookie_of_another_importer():
    importers = [Importer(one, until=None) for one in (Auth0V4(), ExpressOpenID())]
    store = SessionStore(SECRET, accept=importers)
    with store.exchange(TOKENS) as exchange:
        store.delete_session()
    lines = names([line for name, line in exchange.response_headers if name == "Set-Cookie"])
    assert len(lines) == 32
    assert lines[:9] == [
        "-__Host-session", "-__Host-seen.session", "-__session", *(f"-__FC_{number}" for number in range(5)), "-appSession",
    ]  # fmt: skip
    assert lines[9:12] == ["-__FC_5", "-__FC_6", "-__FC_7"]


def test_nextjs_auth0_v3_judges_a_token_by_its_payload_too_and_express_does_not():
    own = {"exp": 5, "nbf": 10**10, "iat": "yesterday"}
    for format, session in ((Auth0V3(), ALICE), (ExpressOpenID(), {"id_token": id_token(sub="a")})):
        store = SessionStore(SECRET, format=format)
        with store.exchange() as exchange:
            exchange.create({**session, **own})
        header = cookie([line for _, line in exchange.response_headers], "appSession")
        with store.exchange(f"appSession={header}") as exchange:
            assert exchange.get() == {**session, **own}
            payload = store.settings.codec.payload(dict(exchange.get()), exchange.get().stamp)
        kept = (
            {**session, **own} if format != Auth0V3() else {**session, "sessionkit": {"own": own}}
        )
        assert payload == kept


def test_the_key_of_auth0_fastapi_does_not_depend_on_the_name_of_the_cookie():
    one = next(one for one in AUTH0 if one["kind"] == "auth0-fastapi-stateless")
    theirs = one["cookie_header"].replace("_a0_session_", "app_")
    settings = {
        "format": Auth0FastAPI(),
        "clock": lambda: 1_700_000_000,
        "cookie": CookieSettings(name="app", max_bytes=32_768),
    }
    with SessionStore(one["secret"], **settings).exchange(theirs) as exchange:
        assert exchange.get() == one["payload"]
    importer = Importer(Auth0FastAPI(), name="app", secret=one["secret"], until=None)
    settings = {"accept": [importer], "clock": settings["clock"]}
    with SessionStore(SECRET, **settings).exchange(theirs) as exchange:
        assert exchange.get() == one["payload"]
