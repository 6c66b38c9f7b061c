"""Sessions in the formats of others: rolling, fence, guard and the application's own claims."""

import json

import pytest

from sessionkit import Absence, CookieSettings, Lifetime, SessionStore
from sessionkit._session.base64url import encode
from sessionkit.formats import Auth0V3, Auth0V4, AuthJSV5, ExpressOpenID, NextAuthV4
from sessionkit.formats.express_openid import identity_of, is_signed_in
from sessionkit.formats.nextauth_v4 import identity_of as who_of_claims
from sessionkit.formats.signed_id import sign_id, verify_id

from ..scene import Scene, cookie, names
from .golden import AUTH0
from .shared_formats import ALICE, SECRET, each


def id_token(**claims):
    return f"e30.{encode(json.dumps(claims).encode()).decode()}.sig"


@each
def test_a_session_rolls_by_being_sealed_again(format):
    scene = Scene(
        secret=SECRET, format=format, lifetime=Lifetime(idle=100, absolute=250, renew_after=0)
    )
    scene.browser.login(ALICE)
    for _ in range(2):
        scene.clock.wait(80)
        visit = scene.browser.visit()
        assert visit.exchange.get() is not None
        assert names(visit.arrive())[0].startswith(scene.store.settings.name)
    scene.clock.wait(90)
    assert scene.browser.visit().exchange.get() is None


@each
def test_one_that_is_not_used_ends_after_the_idle_time(format):
    scene = Scene(secret=SECRET, format=format, lifetime=Lifetime(idle=100, absolute=None))
    scene.browser.login(ALICE)
    header = scene.browser.jar.header()
    for passed, there in ((99 + format.traits.tolerance, True), (1, False)):
        scene.clock.wait(passed)
        with scene.store.exchange(header) as exchange:
            assert (exchange.get() is not None) is there


@each
def test_a_late_answer_does_not_bring_back_what_was_logged_out(format):
    scene = Scene(secret=SECRET, format=format)
    scene.browser.login(ALICE)
    scene.clock.wait(100)
    slow = scene.browser.visit()
    slow.exchange.update({**ALICE, "slow": 1})
    scene.browser.logout()
    slow.arrive()
    assert scene.browser.absence() is Absence.LOGGED_OUT


@each
def test_a_late_answer_does_not_bring_back_what_a_login_or_a_rotation_ended(format):
    for end in ("create", "rotate"):
        scene = Scene(secret=SECRET, format=format)
        scene.browser.login(ALICE)
        slow = scene.browser.visit()
        slow.exchange.update({**ALICE, "slow": 1})
        visit = scene.browser.visit()
        visit.exchange.create(ALICE) if end == "create" else visit.exchange.rotate()
        visit.arrive()
        assert (
            scene.browser.session() != {}
        )  # in the same second, of the same user, with the same sid
        slow.arrive()
        assert scene.browser.absence() is Absence.LOGGED_OUT


@each
def test_who_signs_in_again_with_the_same_sid_of_the_provider_is_signed_in(format):
    scene = Scene(secret=SECRET, format=format)
    for _ in range(4):
        scene.browser.login(ALICE)
        assert scene.browser.session()["user"] == ALICE["user"]
        scene.browser.logout()
        assert scene.browser.session() == {}


@each
def test_the_applications_claims_are_data(format):
    scene = Scene(secret=SECRET, format=format)
    own = {
        "exp": 5,
        "nbf": 10**10,
        "iat": "yesterday",
        "jti": [1],
        "sessionkit": {"id": "x"},
        "uat": 1,
    }
    scene.browser.login({**ALICE, **own})
    found = scene.browser.session()
    assert {key: found.get(key) for key in own} == own


@pytest.mark.parametrize(
    "format", [Auth0V4(), NextAuthV4(), AuthJSV5()], ids=lambda one: one.traits.label
)
def test_what_the_other_side_would_judge_the_token_by_is_kept_in_our_claim(format):
    store = SessionStore(SECRET, format=format)
    codec = store.settings.codec
    with store.exchange() as exchange:
        session = exchange.create({**ALICE, "exp": 5, "nbf": 10**10, "iat": "x"})
    payload = codec.payload(session, session.stamp)
    assert payload["exp"] == session.stamp.expires_at
    assert "nbf" not in payload
    assert payload["sessionkit"]["own"]["nbf"] == 10**10


@pytest.mark.parametrize("format", [NextAuthV4(), AuthJSV5()], ids=lambda one: one.traits.label)
def test_a_token_that_the_other_side_wrote_over_ours_keeps_id_and_creation_time(format):
    scene = Scene(secret=SECRET, format=format)
    scene.browser.login(ALICE)
    codec = scene.store.settings.codec
    before = scene.browser.visit().exchange
    before.get()
    # It keeps claims that it does not know, and dates the token anew.
    ours = codec.payload(ALICE, before.contents.stamp)
    scene.clock.wait(500)
    written = json.dumps(
        {**ours, "iat": int(scene.clock()), "exp": int(scene.clock()) + 1000, "jti": "theirs"}
    ).encode()
    scene.browser.jar.receive(
        [
            f"{scene.store.settings.name}={codec.seal(written, before.contents.stamp)}; Path=/; Secure"
        ]
    )
    after = scene.browser.visit().exchange
    after.get()
    assert (after.contents.stamp.id, after.contents.stamp.created_at) == (
        before.contents.stamp.id,
        before.contents.stamp.created_at,
    )


@pytest.mark.parametrize("format", [NextAuthV4(), AuthJSV5()], ids=lambda one: one.traits.label)
def test_a_token_without_our_claim_begins_at_its_iat_and_gets_one(format):
    scene = Scene(secret=SECRET, format=format)
    codec = scene.store.settings.codec
    now = int(scene.clock())
    theirs = codec.seal(
        json.dumps({"sub": "alice", "iat": now - 500, "exp": now + 500}).encode(), None
    )
    scene.browser.jar.receive([f"{scene.store.settings.name}={theirs}; Path=/; Secure"])
    stamp = scene.browser.visit().exchange.contents.stamp
    assert stamp.created_at == now - 500
    scene.browser.update(theme="dark")
    scene.clock.wait(10)
    assert scene.browser.visit().exchange.contents.stamp.id == stamp.id
    scene.browser.logout()
    scene.browser.jar.receive([f"{scene.store.settings.name}={theirs}; Path=/; Secure"])
    assert scene.browser.absence() is Absence.LOGGED_OUT


def test_an_update_without_internal_keeps_the_sid_and_creation_time_of_v4():
    scene = Scene(secret=SECRET, format=Auth0V4())
    scene.browser.login({**ALICE, "internal": {"sid": "op-session"}})
    scene.clock.wait(100)
    visit = scene.browser.visit()
    visit.exchange.update({"user": ALICE["user"]})
    visit.arrive()
    assert scene.browser.session()["internal"] == {
        "sid": "op-session",
        "createdAt": int(scene.clock()) - 100,
    }


def test_activity_of_v4_is_no_later_than_now_though_the_other_side_has_a_longer_idle_time():
    now = 1_700_000_000
    long = SessionStore(SECRET, format=Auth0V4(), lifetime=Lifetime(idle=5000), clock=lambda: now)
    short = SessionStore(SECRET, format=Auth0V4(), lifetime=Lifetime(idle=100), clock=lambda: now)
    with long.exchange() as exchange:
        long.create_session(ALICE)
    header = f"__session={cookie([line for _, line in exchange.response_headers], '__session')}"
    with short.exchange(header) as exchange:
        assert exchange.get().stamp.updated_at == now


@each
def test_priority_is_absent_unless_it_was_set(format):
    for given, expected in ((CookieSettings(), False), (CookieSettings(priority="High"), True)):
        store = SessionStore(SECRET, format=format, cookie=given)
        with store.exchange() as exchange:
            store.create_session(ALICE)
        line = next(
            line for _, line in exchange.response_headers if line.startswith(store.settings.name)
        )
        assert ("Priority=High" in line) is expected


@pytest.mark.parametrize(
    ("secure", "domain", "transient", "most"),
    [
        (True, None, False, 4004),
        (False, None, False, 4012),
        (True, None, True, 4043),
        (True, "example.org", False, 3984),
    ],
)
def test_a_cookie_of_v3_holds_what_its_library_puts_in_one(secure, domain, transient, most):
    settings = CookieSettings(secure=secure, domain=domain, transient=transient, max_bytes=32_768)
    store = SessionStore(SECRET, format=Auth0V3(), cookie=settings)
    for length in range(2890, 2990, 4):
        with store.exchange() as exchange:
            store.create_session({"user": {"sub": "a"}, "blob": "x" * length})
        first = next(line for _, line in exchange.response_headers if line.startswith("appSession"))
        name, _, value = first.partition(";")[0].partition("=")
        assert (len(value) <= most) if name == "appSession" else (len(value) == most)


@pytest.mark.parametrize(
    ("session", "who"),
    [
        ({"id_token": id_token(sub="a", iss="i")}, ("sub", "i", "a")),
        ({"id_token": id_token(name="x")}, {"name": "x"}),
        ({"id_token": "not.a.token"}, "not.a.token"),
        ({"id_token": "not.!!.token"}, "not.!!.token"),
        ({"id_token": "nodots"}, "nodots"),
        ({"user": {"sub": "a"}}, ("sub", None, "a")),
        ({"sub": "a", "iss": "i"}, ("sub", "i", "a")),
    ],
)
def test_express_has_its_user_in_the_id_token_or_in_the_session(session, who):
    assert is_signed_in(session)
    assert identity_of(session) == who


@pytest.mark.parametrize(
    "session", [{}, {"id_token": ""}, {"id_token": 7}, {"user": {}}, {"blob": "x"}]
)
def test_a_session_of_express_without_a_user_is_anonymous(session):
    assert not is_signed_in(session)
    assert identity_of(session) is None


@pytest.mark.parametrize(
    ("session", "who"),
    [
        ({"sub": "a", "iss": "i"}, ("sub", "i", "a")),
        ({"email": "a@example.com"}, ("email", "a@example.com")),
        ({"user": {"id": 7}}, {"id": 7}),
        ({}, None),
    ],
)
def test_claims_say_who_it_is(session, who):
    assert who_of_claims(session) == who


def test_a_guard_and_identity_that_are_given_replace_the_formats():
    settings = SessionStore(
        SECRET,
        format=ExpressOpenID(),
        guard=lambda session: "x" in session,
        identity=lambda session: session["x"],
    ).settings
    assert settings.guard({"x": 1})
    assert settings.identity({"x": 1}) == 1


def test_a_short_secret_is_taken_with_a_warning_and_a_tiny_one_is_not(caplog):
    SessionStore("12345678", format=Auth0V3())
    assert "shorter than 32 bytes" in caplog.text
    with pytest.raises(ValueError, match="at least 8"):
        SessionStore("1234567", format=Auth0V3())


def test_the_salt_of_next_auth_is_part_of_the_key():
    scene = Scene(secret=SECRET, format=NextAuthV4(salt="x"))
    header = f"__Secure-next-auth.session-token={cookie(scene.browser.login(ALICE), '__Secure-next-auth.session-token')}"
    with SessionStore(SECRET, format=NextAuthV4(), clock=scene.clock).exchange(header) as exchange:
        assert exchange.absence is Absence.BAD_TAG


@pytest.mark.parametrize(
    "vector",
    [one for one in AUTH0 if one["kind"] in ("signed-cookie", "express-openid-connect-signed-id")],
    ids=lambda one: one["kind"],
)
def test_signed_ids_are_made_and_verified_as_the_libraries_do(vector):
    name, value = vector["name"], vector["value"]
    assert sign_id(value, name=name, secret=vector["secret"]) == vector["cookie"]
    assert (
        verify_id(vector["cookie"], name=name, secret=["another secret", vector["secret"]]) == value
    )
    assert verify_id(vector["cookie"], name="other", secret=vector["secret"]) is None
    assert verify_id(vector["cookie"][:-1] + "!", name=name, secret=vector["secret"]) is None


@pytest.mark.parametrize("value", ["", "nodot", ".", "é.x", "a.é"])
def test_what_is_no_signed_id_is_none(value):
    assert verify_id(value, name="appSession", secret=SECRET) is None
