"""Every cookie that the real libraries made opens, and what we write of it has the same shape."""

import json

import pytest

from sessionkit import JSON, Absence, SessionStore
from sessionkit._session.json import freeze
from sessionkit.formats import AuthJSV5, ExpressOpenID, NextAuthV4
from sessionkit.formats._claims import hkdf
from sessionkit.formats._recognition import recognize

from .golden import AUTH0, EXPIRED, GOLDEN, NOW, Golden

each = pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden.id)
TITLES = {
    "nextjs-auth0-v3-stateless": "nextjs-auth0 v1-v3",
    "express-openid-connect": "express-openid-connect",
    "nextjs-auth0-v4-stateless": "nextjs-auth0 v4",
}


def changed(value: str, at: int) -> str:
    return value[:at] + ("B" if value[at] == "A" else "A") + value[at + 1 :]


def joined(lines: list[str]) -> str:
    return "; ".join(line.partition(";")[0] for line in lines)


def refusal(golden: Golden, header: str, **settings: object) -> Absence | None:
    with golden.store(**settings).exchange(header) as exchange:
        return exchange.absence


@pytest.mark.parametrize(
    "vector", [one for one in AUTH0 if one["kind"] == "hkdf"], ids=lambda one: one["secret"]
)
def test_keys_are_those_of_the_library(vector):
    secret = vector["secret"].encode()
    assert hkdf(secret, info="JWE CEK", length=32).hex() == vector["encryption_key_hex"]
    assert hkdf(secret, info="JWS Cookie Signing", length=32).hex() == vector["signing_key_hex"]


@each
def test_its_contents_are_read(golden: Golden):
    with golden.store().exchange(golden.header) as exchange:
        session = exchange.get()
        assert session is not None
        assert json.dumps(session) == json.dumps(golden.contents)


@each
def test_it_is_good_until_the_second_its_library_says(golden: Golden):
    last = golden.expires + golden.format.traits.tolerance - 1
    with golden.store(now=last).exchange(golden.header) as exchange:
        assert exchange.get() is not None
    with golden.store(now=last + 1).exchange(golden.header) as exchange:
        assert exchange.absence in (Absence.EXPIRED, Absence.IDLE, Absence.ABSOLUTE)


@each
def test_a_changed_byte_anywhere_is_refused(golden: Golden):
    (name, value), *rest = golden.cookies
    first = value.index(".")
    for at, reason in (
        (0, Absence.MALFORMED),
        (first + 5, Absence.BAD_TAG),
        (len(value) * 2 // 3, Absence.BAD_TAG),
    ):
        header = "; ".join(f"{one}={text}" for one, text in ((name, changed(value, at)), *rest))
        assert refusal(golden, header) is reason


@each
def test_a_truncated_one_is_refused(golden: Golden):
    *rest, (name, value) = golden.cookies
    for kept in (0, 1, len(value) // 2, len(value) - 1):
        header = "; ".join(f"{one}={text}" for one, text in (*rest, (name, value[:kept])))
        assert refusal(golden, header) in (Absence.MALFORMED, Absence.INCOMPLETE)


@each
def test_another_secret_does_not_open_it(golden: Golden):
    expected = Absence.UNKNOWN_KEY if isinstance(golden.format, AuthJSV5) else Absence.BAD_TAG
    assert (
        refusal(golden, golden.header, secret="another secret, which nobody has used") == expected
    )


@each
def test_any_of_several_secrets_opens_it(golden: Golden):
    secrets = [golden.secret] if isinstance(golden.secret, str) else golden.secret
    with golden.store(secret=["another secret, which nobody has used", *secrets]).exchange(
        golden.header
    ) as exchange:
        assert dict(exchange.get() or {}) == golden.contents


@each
def test_a_write_of_ours_takes_the_cookies_of_its_library_and_opens_again(golden: Golden):
    store = golden.store()
    with store.exchange(golden.header) as exchange:
        store.update_session({**golden.contents, "more": "é"})
    lines = [
        line
        for _, line in exchange.response_headers
        if line.partition("=")[0].startswith(store.settings.name)
    ]
    with golden.store().exchange(joined(lines)) as exchange:
        assert json.dumps(exchange.get()) == json.dumps({**golden.contents, "more": "é"})


@each
def test_we_cut_a_session_into_cookies_of_the_same_names_and_sizes(golden: Golden):
    codec, store = golden.codec(), golden.store()
    opened = codec.open(golden.token, golden.now)
    plaintext = freeze(codec.payload(opened.contents, opened.stamp), JSON)
    sealed = codec.seal(plaintext, opened.stamp)
    assert len(sealed) == codec.size(plaintext, opened.stamp)
    with store.exchange(golden.header) as exchange:
        store.touch_session()
    lines = [
        line
        for _, line in exchange.response_headers
        if line.startswith(store.settings.name) and "Max-Age=0" not in line
    ]
    ours = [
        (line.partition("=")[0], len(line.partition(";")[0].partition("=")[2])) for line in lines
    ]
    theirs = [(name, len(value)) for name, value in golden.cookies]
    if golden.format.traits.label == "auth0-fastapi":
        # Ours keep the whole line within 4096, and hold our times.
        assert all(len(line) <= 4096 for line in lines)
        assert [name for name, _ in ours] == [name for name, _ in theirs]
    elif isinstance(golden.format, (AuthJSV5, NextAuthV4)):
        assert ours[:-1] == theirs[:-1]
    else:
        assert ours == theirs


@each
def test_attributes_are_those_of_its_library(golden: Golden):
    store = golden.store()
    with store.exchange(golden.header) as exchange:
        store.touch_session()
    line = next(
        line for _, line in exchange.response_headers if line.startswith(store.settings.name)
    )
    attributes = {part.lower() for part in line.split("; ")[1:] if not part.startswith("Max-Age")}
    expected = (
        {
            part.lower()
            for part in golden.lines[0].split("; ")[1:]
            if not part.startswith(("Max-Age", "Expires"))
        }
        if golden.lines
        else None
    )
    assert attributes == (expected or {"path=/", "httponly", "samesite=lax"})
    assert ("Max-Age" in line) == (not golden.cookie.get("transient"))


@pytest.mark.parametrize("vector", EXPIRED, ids=lambda one: one["id"])
def test_what_its_library_calls_expired_is_expired(vector):
    format = AuthJSV5() if vector["lib"] == "@auth/core" else NextAuthV4()
    ((name, value),) = vector["cookies"].items()
    golden = Golden(
        vector["id"],
        format,
        vector["secret"],
        f"{name}={value}",
        {},
        1_795_435_028,
        0,
        name=name,
        cookie={"secure": False},
    )
    assert refusal(golden, golden.header) is Absence.EXPIRED


@each
def test_it_is_recognised_without_a_secret(golden: Golden):
    kind = golden.id.split()[0]
    expected = (
        TITLES.get(kind)
        or {
            "auth0-fastapi": "auth0-fastapi",
            "authjs-v5": "Auth.js v5",
            "next-auth": "next-auth v4",
        }[next(one for one in ("auth0-fastapi", "authjs-v5", "next-auth") if kind.startswith(one))]
    )
    assert recognize(golden.header)[golden.cookies[0][0]] == expected


def test_a_fresh_store_of_the_default_guard_reads_the_sessions_of_express():
    golden = next(one for one in GOLDEN if isinstance(one.format, ExpressOpenID))
    store = SessionStore(golden.secret, format=ExpressOpenID(), clock=lambda: NOW)
    with store.exchange(golden.header) as exchange:
        assert dict(exchange.get() or {}) == golden.contents
