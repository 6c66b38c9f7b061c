"""What must not be taken for a session of another library, and gives a reason instead of an exception."""

import json

import pytest
from joserfc.jwe import JWERegistry, encrypt_compact
from joserfc.jwk import OctKey

from sessionkit import Absence, CookieSettings, SerializationError, SessionStore, anyone
from sessionkit._session.base64url import encode
from sessionkit.formats import (
    Auth0FastAPI,
    Auth0V3,
    Auth0V4,
    AuthJSV5,
    ExpressOpenID,
    Native,
    NextAuthV4,
)
from sessionkit.formats._claims import hkdf
from sessionkit.formats._framing import CBC, GCM

from .golden import AUTH0, NOW

SECRET = "a secret that both sides know, for tests only"
KEY = OctKey.import_key(hkdf(SECRET.encode(), info="JWE CEK", length=32))
NEXT_KEY = OctKey.import_key(
    hkdf(SECRET.encode(), info="NextAuth.js Generated Encryption Key", length=32)
)
FASTAPI_KEY = OctKey.import_key(
    hkdf(SECRET.encode(), salt=b"_a0_session", info="Auth0 Generated Encryption", length=64)
)
TIMES = {"uat": NOW, "iat": NOW, "exp": NOW + 100}
FORMATS = [Auth0V3(), ExpressOpenID(), Auth0V4(), Auth0FastAPI(), NextAuthV4(), AuthJSV5()]
NAMES = {"auth0-fastapi": "_a0_session_0"}


def sealed(header, payload, key=KEY):
    algorithms = ["dir", "A256GCM", "A256CBC-HS512", "A128CBC-HS256", "A256KW", "A256GCMKW", "DEF"]
    plaintext = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return encrypt_compact(
        header,
        plaintext,
        key,
        registry=JWERegistry(algorithms=algorithms, strict_check_header=False),
    )


def absence(format, token, now=NOW, **settings):
    store = SessionStore(
        SECRET, format=format, clock=lambda: now, guard=settings.pop("guard", anyone), **settings
    )
    name = NAMES.get(format.traits.label, store.settings.name)
    with store.exchange(f"{name}={token}") as exchange:
        return exchange.absence


def v3(header=None, payload=None, key=KEY):
    return sealed(
        {"alg": "dir", "enc": "A256GCM", **TIMES} if header is None else header,
        {"user": {"sub": "a"}} if payload is None else payload,
        key,
    )


def test_the_wire_that_the_others_are_variants_of_is_read():
    assert absence(Auth0V3(), v3()) is None


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "A256KW", "enc": "A256GCM", **TIMES},
        {"alg": "A256GCMKW", "enc": "A256GCM", **TIMES},
        {"alg": "dir", "enc": "A128CBC-HS256", **TIMES},
        {"alg": "dir", "enc": "A256GCM", "zip": "DEF", **TIMES},
        {"alg": "dir", "enc": "A256GCM", "typ": "JWT", **TIMES},
        {"alg": "dir", "enc": "A256GCM", "kid": "1", **TIMES},
        {"alg": "dir", "enc": "A256GCM", "uat": NOW, "iat": NOW},
        {"alg": "dir", "enc": "A256GCM"},
    ],
    ids=lambda header: " ".join(
        f"{key}={value}" for key, value in header.items() if key not in TIMES
    ),
)
def test_any_other_header_is_malformed_though_the_key_is_right(header):
    assert absence(Auth0V3(), v3(header)) is Absence.MALFORMED


@pytest.mark.parametrize(
    "header",
    [
        '{"alg":"dir","enc":"A256GCM","uat":%d,"iat":%d,"exp":%d,"exp":9999999999}'
        % (NOW, NOW, NOW),
        '{"alg":"dir","enc":"A256GCM","crit":[],"uat":1,"iat":1,"exp":1}',
        '["dir"]',
        '{"alg":"dir"',
        "[" * 300,
        "\xff",
        "",
    ],
)
def test_a_header_is_judged_before_any_cryptography(header):
    rest = v3().partition(".")[2]
    assert (
        absence(Auth0V3(), f"{encode(header.encode('latin-1')).decode()}.{rest}")
        is Absence.MALFORMED
    )


def test_a_doubled_member_that_joserfc_would_take_is_malformed():
    header = '{"alg":"dir","enc":"A256GCM","uat":%d,"iat":%d,"exp":%d,"exp":%d}' % (
        NOW,
        NOW,
        NOW,
        NOW + 100,
    )
    assert GCM.header(encode(header.encode()).decode()) is None


@pytest.mark.parametrize(
    "token",
    [
        "é" + v3(),
        v3() + ".",
        v3().replace("..", ".x."),
        v3()[:-1],
        v3()[:-22] + "A" * 21 + "B",
        v3().replace("..", "..A"),
        v3() + "=",
        "x" * 600 + "." + v3().partition(".")[2],
        "a" * 9000,
        "....",
    ],
)
def test_what_is_no_canonical_compact_token_is_malformed(token):
    assert absence(Auth0V3(), token) is Absence.MALFORMED


@pytest.mark.parametrize(
    "payload", [b"[]", b"null", b'"x"', b"", b"{", b"\xff", b"[" * 5000, b'{"a":' * 5000]
)
def test_a_payload_that_is_no_object_is_malformed(payload):
    assert absence(Auth0V3(), v3(payload=payload)) is Absence.MALFORMED


@pytest.mark.parametrize("name", list(TIMES))
@pytest.mark.parametrize("time", ["1700000000", None, True, -1, 1e400, 10**11, NOW * 1000, []])
def test_a_time_that_is_none_is_malformed(name, time):
    header = {"alg": "dir", "enc": "A256GCM", **TIMES, name: time}
    assert absence(Auth0V3(), v3(header)) is Absence.MALFORMED


def test_a_time_further_ahead_than_clocks_differ_is_not_yet_valid():
    header = {"alg": "dir", "enc": "A256GCM", "uat": NOW + 60, "iat": NOW + 60, "exp": NOW + 100}
    assert absence(Auth0V3(), v3(header)) is None
    assert absence(Auth0V3(), v3({**header, "uat": NOW + 61})) is Absence.NOT_YET_VALID


@pytest.mark.parametrize(
    "payload",
    [
        {"codeVerifier": "x", "state": "y", "returnTo": "/", "nonce": "z", "exp": NOW + 3600},
        {"connection": "google", "accessToken": "g", "expiresAt": NOW + 10, "exp": NOW + 3600},
        {"user": {}, "tokenSet": {}, "exp": NOW + 3600},
        {"user": {}, "internal": {"createdAt": NOW}, "exp": NOW + 3600},
        {"user": {}, "tokenSet": None, "internal": {"createdAt": NOW}, "exp": NOW + 3600},
        {"user": [], "tokenSet": {}, "internal": {"createdAt": NOW}, "exp": NOW + 3600},
        {"user": {}, "tokenSet": {}, "internal": {"createdAt": "x"}, "exp": NOW + 3600},
        {"user": {}, "tokenSet": {}, "internal": {"createdAt": NOW}},
    ],
)
def test_other_cookies_of_nextjs_auth0_v4_are_no_sessions(payload):
    """`__txn_` and `__FC_` cookies are sealed under the same key with the same header."""
    assert (
        absence(Auth0V4(), sealed({"enc": "A256GCM", "alg": "dir"}, payload)) is Absence.MALFORMED
    )


def test_a_golden_connection_token_put_into_the_session_cookie_is_no_session():
    vector = next(one for one in AUTH0 if one.get("name") == "with connection tokens")
    tokens = dict(piece.split("=", 1) for piece in vector["cookie_header"].split("; "))
    store = SessionStore(vector["secret"], format=Auth0V4(), clock=lambda: NOW)
    for name in ("__FC_0", "__FC_1"):
        with store.exchange(f"__session={tokens[name]}") as exchange:
            assert exchange.absence is Absence.MALFORMED


@pytest.mark.parametrize(
    "claims", [{}, {"iat": NOW}, {"exp": NOW + 100}, {"iat": "x", "exp": NOW + 100}]
)
def test_claims_without_their_times_are_malformed(claims):
    assert (
        absence(NextAuthV4(), sealed({"alg": "dir", "enc": "A256GCM"}, claims, NEXT_KEY))
        is Absence.MALFORMED
    )


@pytest.mark.parametrize("internal", [None, {}, {"created_at": None}])
def test_a_session_of_auth0_fastapi_has_a_creation_time(internal):
    token = sealed(
        {"alg": "dir", "enc": "A256CBC-HS512"},
        {"user": {"sub": "a"}, "internal": internal},
        FASTAPI_KEY,
    )
    assert absence(Auth0FastAPI(), token) is Absence.MALFORMED


def test_a_session_of_auth0_fastapi_without_our_times_counts_from_its_creation():
    payload = {"user": {"sub": "a"}, "internal": {"created_at": NOW - 86_399}}
    token = sealed({"alg": "dir", "enc": "A256CBC-HS512"}, payload, FASTAPI_KEY)
    assert absence(Auth0FastAPI(), token) is None
    assert absence(Auth0FastAPI(), token, now=NOW + 1) is Absence.IDLE


@pytest.mark.parametrize("format", FORMATS, ids=lambda one: one.traits.label)
def test_nothing_of_another_format_raises(format):
    for other in [*FORMATS, Native()]:
        store = SessionStore(
            SECRET, format=other, clock=lambda: NOW, cookie=CookieSettings(priority="High")
        )
        with store.exchange() as exchange:
            store.create_session({"user": {"sub": "a"}})
        token = exchange.response_headers[0][1].partition("=")[2].partition(";")[0]
        label = {"express-openid": "auth0-v3"}.get(format.traits.label, format.traits.label)
        same = label == {"express-openid": "auth0-v3"}.get(other.traits.label, other.traits.label)
        # A v3 token in the cookie of v4 is an older session of that library.
        older = label == "auth0-v4" and other.traits.label in ("auth0-v3", "express-openid")
        plain = {label, other.traits.label} == {"auth0-v4", "next-auth-v4"}
        expected = None if same or older else Absence.BAD_TAG if plain else Absence.MALFORMED
        if expected is Absence.MALFORMED and label == "auth0-fastapi" and other.layout.tag == 22:
            expected = Absence.INCOMPLETE  # a tag of another length is no end of a chunk row
        assert absence(format, token) is expected


@pytest.mark.parametrize(
    ("format", "session", "message"),
    [
        (Auth0V4(), {"cart": []}, "user"),
        (Auth0V4(), {"user": "bob"}, "user"),
        (Auth0V4(), {"user": {}}, "user"),
        (Auth0V4(), {"user": {"sub": "a"}, "tokenSet": []}, "tokenSet"),
        (Auth0V4(), {"user": {"sub": "a"}, "internal": "x"}, "internal"),
        (Auth0FastAPI(), {"user": {"sub": "a"}, "internal": "x"}, "internal"),
        (NextAuthV4(), {"cart": []}, "signed in"),
        (AuthJSV5(), {"cart": []}, "signed in"),
        *((one, {"user": {"sub": "a", "id": 2**53}}, "id") for one in FORMATS),
    ],
)
def test_what_the_other_side_would_misunderstand_is_refused_at_the_call(format, session, message):
    store = SessionStore(SECRET, format=format, guard=anyone)
    with store.exchange() as exchange, pytest.raises(SerializationError, match=message):
        exchange.create(session)


def test_codecs_and_secrets_show_nothing_and_do_not_pickle():
    import pickle

    for format in FORMATS:
        keys = format.keys(SECRET)
        codec = SessionStore(SECRET, format=format).settings.codec
        for one in (keys, codec):
            assert SECRET not in repr(one)
            with pytest.raises(TypeError):
                pickle.dumps(one)


def test_the_two_framings_differ_in_iv_tag_and_padding():
    assert (
        GCM.size({"alg": "dir", "enc": "A256GCM"}, 100),
        CBC.size({"alg": "dir", "enc": "A256CBC-HS512"}, 96),
    ) == (
        len(sealed({"alg": "dir", "enc": "A256GCM"}, b"x" * 100)),
        len(sealed({"alg": "dir", "enc": "A256CBC-HS512"}, b"x" * 96, FASTAPI_KEY)),
    )
