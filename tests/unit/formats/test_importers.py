"""A session is taken over from another cookie once, and a logout stays a logout."""

import hmac
import json
import zlib
from base64 import b64encode, urlsafe_b64encode
from datetime import date, datetime, timedelta, timezone

import pytest

from sessionkit import (
    Absence,
    ConfigurationError,
    CookieSettings,
    Lifetime,
    SerializationError,
    SessionStore,
    anyone,
)
from sessionkit.formats import (
    Auth0V3,
    AuthJSV5,
    DjangoCookie,
    FlaskCookie,
    Importer,
    IronSession,
    Native,
    NextAuthV4,
    StarletteCookie,
)
from sessionkit.formats.recognition import recognized
from sessionkit.formats.signed import base64, inflated

from ..scene import Scene, cookie, names
from .golden import IRON, VECTORS

PYTHON = json.loads((VECTORS / "python.json").read_text())
SOURCES = {"flask": FlaskCookie, "starlette": StarletteCookie, "django": DjangoCookie}
OLD = PYTHON[0]["secret"]
JS = "a secret that JavaScript has too, for tests only"
NOW = 1_700_000_000
FLASK = next(one["cookie"] for one in PYTHON if one["source"] == "flask")
DJANGO_STAMP = next(one["cookie"] for one in PYTHON if one["source"] == "django").split(":")[1]
USER = {"user": {"sub": "alice", "sid": "op"}}
each = pytest.mark.parametrize("vector", PYTHON, ids=lambda one: f"{one['source']} {one['kind']}")


def scene(*importers, **settings):
    return Scene(
        accept=importers or (Importer(FlaskCookie(), secret=OLD, until=None),),
        **{"guard": anyone, **settings},
    )


def put(where, header):
    for piece in header.split("; "):
        where.browser.jar.receive([f"{piece}; Path=/; Secure"])


def v3_cookie(clock, session=USER, **settings):
    store = SessionStore(JS, format=Auth0V3(), clock=clock, **settings)
    with store.exchange() as exchange:
        store.create_session(session)
    return f"appSession={cookie([line for _, line in exchange.response_headers], 'appSession')}"


def flask_signed(payload, secret=OLD, at=NOW):
    covered = payload + "." + urlsafe_b64encode(at.to_bytes(4, "big")).rstrip(b"=").decode()
    key = hmac.digest(secret.encode(), b"cookie-session", "sha1")
    return (
        covered
        + "."
        + urlsafe_b64encode(hmac.digest(key, covered.encode(), "sha1")).rstrip(b"=").decode()
    )


def b64(data):
    return urlsafe_b64encode(data).rstrip(b"=").decode()


# ---- what comes over


@each
def test_golden_python_cookies_are_taken_over(vector):
    moved = scene(Importer(SOURCES[vector["source"]](), secret=vector["secret"], until=None))
    put(moved, vector["cookie"])
    page = moved.browser.visit()
    assert dict(page.exchange.get()) == vector["expect"]
    assert page.exchange.contents.stamp.created_at == NOW
    name = vector["cookie"].partition("=")[0]
    assert names(page.arrive()) == ["__Host-session", f"-{name}"]
    assert moved.browser.session() == vector["expect"]


@each
def test_golden_python_cookies_are_recognised(vector):
    name = vector["cookie"].partition("=")[0]
    titles = {"flask": "Flask", "starlette": "Starlette", "django": "Django signed_cookies"}
    assert titles[vector["source"]] in recognized(vector["cookie"])[name].split(" or ")


def test_flask_and_starlette_are_told_apart_where_their_base64_differs():
    titles = {
        f"{one['source']} {one['kind']}": next(iter(recognized(one["cookie"]).values()))
        for one in PYTHON
        if one["source"] != "django"
    }
    assert {"Flask", "Starlette"} <= set(titles.values())


@each
def test_one_changed_character_of_them_is_refused(vector):
    moved = scene(Importer(SOURCES[vector["source"]](), secret=vector["secret"], until=None))
    name, _, value = vector["cookie"].partition("=")
    for at in (0, len(value) // 2, len(value) - 2):
        with moved.store.exchange(
            f"{name}={value[:at]}{'B' if value[at] != 'B' else 'C'}{value[at + 1 :]}"
        ) as exchange:
            assert exchange.absence in (Absence.BAD_TAG, Absence.MALFORMED)


@pytest.mark.parametrize("vector", IRON, ids=lambda one: one["id"])
def test_golden_seals_of_iron_session_are_taken_over(vector):
    header = "; ".join(
        f"{name}={value.replace('*', '%2A').replace('~', '%7E')}"
        for name, value in vector["cookies"].items()
    )
    for form in (header, header.replace("%2A", "*").replace("%7E", "~")):
        for secret in (
            vector["password"],
            list(vector["password"].values()),
            vector["password"]["1"],
        ):
            moved = scene(
                Importer(IronSession(), secret=secret, name="sid", until=None),
                cookie=CookieSettings(max_bytes=20_000),
            )
            put(moved, form)
            page = moved.browser.visit()
            assert dict(page.exchange.get()) == vector["expect"]
            page.arrive()
            assert not any(
                name.startswith("sid") for _, _, name in map(tuple, moved.browser.jar.cookies)
            )
            assert moved.browser.session() == vector["expect"]
    assert set(recognized(header).values()) == {"iron-session"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda seal: seal.replace("Fe26.2*1", "Fe26.2*9"), Absence.UNKNOWN_KEY),
        (lambda seal: seal.replace("**", "*1*"), Absence.BAD_TAG),
        (lambda seal: seal[:-5] + "AAA~2", Absence.BAD_TAG),
        (lambda seal: seal[:40] + "~2", Absence.MALFORMED),
        (lambda seal: seal.replace("Fe26.2*1*", "Fe26.2*1*" + "a" * 300), Absence.MALFORMED),
        (lambda seal: "Fe26.3" + seal[6:], Absence.MALFORMED),
        (lambda seal: "%ff%00" + seal, Absence.MALFORMED),
    ],
)
def test_a_changed_seal_is_refused(change, reason):
    (seal,) = IRON[0]["cookies"].values()
    moved = scene(Importer(IronSession(), secret=IRON[0]["password"], name="sid", until=None))
    with moved.store.exchange(f"sid={change(seal)}") as exchange:
        assert exchange.absence is reason


def iron_seal(payload, *, ends="", password="p" * 32, blocks=None):
    from hashlib import pbkdf2_hmac

    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    padded = (
        payload + bytes([16 - len(payload) % 16]) * (16 - len(payload) % 16)
        if blocks is None
        else blocks
    )
    key = pbkdf2_hmac("sha1", password.encode(), b"aa", 1, 32)
    engine = Cipher(algorithms.AES(key), modes.CBC(bytes(16))).encryptor()
    covered = f"Fe26.2*1*aa*{b64(bytes(16))}*{b64(engine.update(padded) + engine.finalize()) if padded else 'AA'}*{ends}"
    mac = hmac.digest(
        pbkdf2_hmac("sha1", password.encode(), b"bb", 1, 32), covered.encode(), "sha256"
    )
    return f"{covered}*bb*{b64(mac)}~2"


@pytest.mark.parametrize("payload", [b"[]", b"{", b"\xff"])
def test_a_seal_of_what_is_no_session_is_malformed(payload):
    moved = scene(Importer(IronSession(), secret="p" * 32, name="sid", until=None))
    for seal in (iron_seal(payload), iron_seal(b"", blocks=b"")):
        with moved.store.exchange(f"sid={seal}") as exchange:
            assert exchange.absence is Absence.MALFORMED


def test_a_seal_began_its_ttl_before_it_expires_and_has_a_minute_of_grace():
    moved = scene(Importer(IronSession(ttl=1000), secret="p" * 32, name="sid", until=None))
    header = f"sid={iron_seal(b'{}', ends=(NOW + 400) * 1000)}"
    with moved.store.exchange(header) as exchange:
        assert exchange.get().stamp.created_at == NOW - 600
    moved.clock.wait(459)
    with moved.store.exchange(header) as exchange:
        assert exchange.absence is None
    moved.clock.wait(1)
    with moved.store.exchange(header) as exchange:
        assert exchange.absence is Absence.EXPIRED
    with moved.store.exchange(f"sid={iron_seal(b'{}', ends=(NOW + 9000) * 1000)}") as exchange:
        assert exchange.absence is Absence.NOT_YET_VALID


# ---- who is asked, and when


def test_twenty_parallel_first_requests_make_one_session_and_a_logout_stays_a_logout():
    moved = scene()
    put(moved, FLASK)
    pages = [moved.browser.visit() for _ in range(20)]
    ids = set()
    for page in pages:
        ids.add(page.exchange.get().stamp.id)
    assert len(ids) == 1
    late = [page.answer() for page in pages]
    moved.browser.jar.receive(late[0])
    moved.browser.logout()
    for lines in late[1:]:
        moved.browser.jar.receive(lines)
    put(moved, FLASK)
    assert moved.browser.absence() is Absence.LOGGED_OUT


def test_a_logout_clears_and_fences_a_cookie_that_is_left_to_its_owner():
    moved = scene(Importer(Auth0V3(), secret=JS, until=None))
    header = v3_cookie(moved.clock)
    put(moved, header)
    page = moved.browser.visit()
    page.exchange.get()
    assert names(page.arrive()) == ["__Host-session"]
    assert names(moved.browser.logout()) == [
        "-__Host-session",
        "-__Host-seen.session",
        "-appSession",
        "__Host-out.session",
    ]
    assert moved.browser.session() == {}
    put(moved, header)
    assert moved.browser.absence() is Absence.LOGGED_OUT


def test_a_logout_without_any_cookie_clears_the_importers_too():
    moved = scene(
        Importer(Auth0V3(), secret=JS, until=None),
        cookie=CookieSettings(domain="example.org", secure=False),
    )
    page = moved.browser.visit()
    page.exchange.delete()
    lines = page.answer()
    assert names(lines) == ["-session", "-seen.session", "-appSession", "-appSession"]
    assert ["Domain=example.org" in line for line in lines[2:]] == [True, False]


def test_a_login_fences_and_clears_what_an_importer_can_read():
    moved = scene()
    put(moved, FLASK)
    page = moved.browser.visit()
    page.exchange.create(USER)
    assert names(page.arrive()) == ["__Host-session", "-session", "__Host-out.session"]
    assert moved.browser.session() == USER
    moved.browser.logout()
    put(moved, FLASK)
    assert moved.browser.absence() is Absence.LOGGED_OUT


def test_a_cookie_of_ours_keeps_the_importers_out_even_when_it_is_over():
    moved = scene(lifetime=Lifetime(idle=100, absolute=200))
    moved.browser.login(USER)
    header = moved.browser.jar.header()
    moved.clock.wait(150)
    with moved.store.exchange(f"{header}; {FLASK}") as exchange:
        assert exchange.absence is Absence.IDLE
    other = SessionStore(
        "another secret of ours, of thirty two bytes",
        accept=[Importer(FlaskCookie(), secret=OLD, until=None)],
        guard=anyone,
        clock=moved.clock,
    )
    with other.exchange(f"{header}; {FLASK}") as exchange:
        assert exchange.absence is Absence.UNKNOWN_KEY


def test_own_and_foreign_cookie_of_one_name_are_told_apart_by_their_grammar():
    moved = scene(cookie=CookieSettings(secure=False))
    put(moved, FLASK)
    page = moved.browser.visit()
    assert dict(page.exchange.get()) == PYTHON[0]["expect"]
    assert names(page.arrive()) == ["session"]
    assert moved.browser.session() == PYTHON[0]["expect"]


def test_a_foreign_cookie_of_our_name_makes_room_for_chunks_of_ours():
    moved = scene(cookie=CookieSettings(secure=False))
    put(moved, FLASK)
    page = moved.browser.visit()
    page.exchange.contents["blob"] = "x" * 4000
    assert names(page.arrive()) == ["session.0", "session.1", "-session"]


def test_our_own_older_name_comes_with_its_renewals_and_its_fence():
    clock = scene().clock
    old = Scene(cookie=CookieSettings(name="old"), lifetime=Lifetime(idle=1000))
    old.clock = clock
    old_store = SessionStore(
        JS, cookie=CookieSettings(name="old"), lifetime=Lifetime(idle=1000), clock=clock
    )
    new_store = SessionStore(
        JS,
        accept=[
            Importer(Native(), name="old", until=datetime.fromtimestamp(NOW + 10**6, timezone.utc))
        ],
        lifetime=Lifetime(idle=1000),
        clock=clock,
    )
    browser = old.browser
    browser.store, browser.clock, browser.jar.clock = old_store, clock, clock
    browser.login(USER)
    clock.wait(900)
    page = browser.visit()
    page.exchange.get()
    page.arrive()
    kept = browser.jar.header()
    clock.wait(900)  # good only by the renewal
    browser.store = new_store
    page = browser.visit()
    assert dict(page.exchange.get()) == USER
    assert page.exchange.contents.stamp.created_at == NOW
    assert names(page.arrive()) == ["__Host-session", "-old", "-seen.old"]
    # Logged out over there, it is not taken over here.
    with old_store.exchange(kept) as exchange:
        exchange.delete()
    fence = next(line for _, line in exchange.response_headers if line.startswith("out.old"))
    with new_store.exchange(f"{kept}; {fence.partition(';')[0]}") as exchange:
        assert exchange.absence is Absence.LOGGED_OUT


@pytest.mark.parametrize(
    ("until", "asked"),
    [
        (None, True),
        (NOW + 1, True),
        (float(NOW), False),
        (datetime.fromtimestamp(NOW + 1, timezone.utc), True),
        (datetime.fromtimestamp(NOW, timezone.utc).replace(tzinfo=None), False),
        (date(2023, 11, 14), True),
        (date(2023, 11, 13), False),
    ],
)
def test_an_importer_is_ignored_from_its_day_on(until, asked):
    moved = scene(Importer(FlaskCookie(), secret=OLD, until=until))
    with moved.store.exchange(FLASK) as exchange:
        assert (exchange.get() is not None) is asked


def test_the_first_of_several_importers_that_has_a_session_gives_it():
    moved = scene(
        Importer(StarletteCookie(), secret=OLD, until=None),
        Importer(Auth0V3(), secret=JS, until=None),
        Importer(FlaskCookie(), secret=OLD, until=None),
    )
    with moved.store.exchange(f"{FLASK}; {v3_cookie(moved.clock)}") as exchange:
        assert dict(exchange.get()) == USER


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (304, ()),
        (500, ()),
        (200, [("Cache-Control", "public")]),
        (200, [("CDN-Cache-Control", "max-age=1")]),
    ],
)
def test_an_import_is_skipped_where_a_renewal_is(status, headers):
    moved = scene()
    put(moved, FLASK)
    page = moved.browser.visit()
    page.exchange.get()
    assert page.answer(status, headers) == []


def test_an_import_does_not_ask_whether_the_request_renews():
    moved = scene(renews=lambda request: False)
    put(moved, FLASK)
    page = moved.browser.visit()
    page.exchange.get()
    assert names(page.answer()) == ["__Host-session", "-session"]


def test_a_touch_of_what_is_being_imported_seals_it_even_where_a_renewal_is_skipped():
    moved = scene()
    put(moved, FLASK)
    page = moved.browser.visit()
    assert page.exchange.touch()
    assert names(page.answer(304)) == ["__Host-session", "-session"]


def test_an_end_at_a_failing_login_is_kept_for_a_foreign_cookie_too():
    moved = scene()
    put(moved, FLASK)
    page = moved.browser.visit()
    page.exchange.create(USER)
    assert names(page.answer(500)) == [
        "-__Host-session",
        "-__Host-seen.session",
        "-session",
        "__Host-out.session",
    ]


# ---- time


def test_a_session_without_an_idle_time_over_there_lives_for_our_absolute_lifetime_from_its_signing():
    moved = scene(lifetime=Lifetime(idle=100, absolute=1000))
    moved.clock.wait(999)
    with moved.store.exchange(FLASK) as exchange:
        assert exchange.get().stamp.expires_at == NOW + 1000
    moved.clock.wait(1)
    with moved.store.exchange(FLASK) as exchange:
        assert exchange.absence is Absence.ABSOLUTE


def test_without_an_absolute_lifetime_the_sources_own_expiry_holds():
    moved = scene(
        Importer(FlaskCookie(max_age=timedelta(days=1)), secret=OLD, until=None),
        lifetime=Lifetime(absolute=None),
    )
    moved.clock.wait(86_399)
    with moved.store.exchange(FLASK) as exchange:
        assert exchange.get() is not None
    moved.clock.wait(1)
    with moved.store.exchange(FLASK) as exchange:
        assert exchange.absence is Absence.EXPIRED


def test_a_source_may_have_no_expiry():
    moved = scene(
        Importer(FlaskCookie(max_age=None), secret=OLD, until=None),
        lifetime=Lifetime(absolute=None),
    )
    moved.clock.wait(10**7)
    with moved.store.exchange(FLASK) as exchange:
        assert exchange.get() is not None


def test_a_creation_time_that_is_none_is_refused():
    moved = scene(
        Importer(FlaskCookie(max_age=None), secret=OLD, until=None),
        lifetime=Lifetime(absolute=None),
    )
    with moved.store.exchange(f"session={flask_signed(b64(b'{}'), at=0)}") as exchange:
        assert exchange.absence is Absence.MALFORMED
    with moved.store.exchange(f"session={flask_signed(b64(b'{}'), at=NOW + 61)}") as exchange:
        assert exchange.absence is Absence.NOT_YET_VALID
    with moved.store.exchange(f"session={flask_signed(b64(b'{}'), at=NOW + 60)}") as exchange:
        assert exchange.contents.stamp.created_at == NOW


def test_a_conversion_between_two_formats_keeps_the_creation_time():
    moved = scene(
        Importer(NextAuthV4(), secret=JS, until=None, convert=lambda claims: {"user": claims})
    )
    store = SessionStore(JS, format=NextAuthV4(), clock=moved.clock)
    with store.exchange() as exchange:
        store.create_session({"sub": "alice"})
    header = exchange.response_headers[0][1].partition(";")[0]
    moved.clock.wait(100)
    with moved.store.exchange(header) as exchange:
        assert exchange.get() == {"user": {"sub": "alice"}}
        assert exchange.get().stamp.created_at == NOW


# ---- bounds


def test_a_payload_is_inflated_only_to_64_kib():
    moved = scene()
    for size, expected in ((65_000, None), (66_000, Absence.MALFORMED)):
        packed = zlib.compress(json.dumps({"blob": "x" * (size - 12)}).encode())
        with moved.store.exchange(f"session={flask_signed('.' + b64(packed))}") as exchange:
            assert exchange.absence is expected


def test_nothing_is_inflated_before_its_signature_has_verified():
    bomb = zlib.compress(b"0" * 10_000_000)
    with scene().store.exchange(f"session={flask_signed('.' + b64(bomb), 'x' * 32)}") as exchange:
        assert exchange.absence is Absence.BAD_TAG
    with scene().store.exchange(f"session={flask_signed('.' + b64(bomb))}") as exchange:
        assert exchange.absence is Absence.MALFORMED


@pytest.mark.parametrize(
    "payload",
    [
        "A",
        b64(b"{"),
        b64(b"[]"),
        b64(b"\xff\xff"),
        "." + b64(b"no zlib"),
        "." + b64(zlib.compress(b"{}")[:-3]),
        "." + "A",
    ],
)
def test_a_verified_payload_that_is_none_is_malformed(payload):
    with scene().store.exchange(f"session={flask_signed(payload)}") as exchange:
        assert exchange.absence is Absence.MALFORMED


def test_a_date_of_flask_that_is_none_is_malformed():
    with scene().store.exchange(
        f"session={flask_signed(b64(json.dumps({'at': {' d': 'never'}}).encode()))}"
    ) as exchange:
        assert exchange.absence is Absence.MALFORMED


def signed_by(source, payload):
    opener = source.codec(
        source.keys(OLD), name="", audience="", lifetime=Lifetime(), serializer=None
    )
    stamp, dot = (
        (DJANGO_STAMP, ":")
        if isinstance(source, DjangoCookie)
        else (b64(NOW.to_bytes(4, "big")), ".")
    )
    covered = f"{payload}{dot}{stamp}"
    return f"{covered}{dot}{opener.sign(opener.key(OLD.encode()), covered.encode())}"


@pytest.mark.parametrize(
    "payload", ["AAAAA", b64encode(b"[1]").decode(), b64encode(b"{{").decode()]
)
def test_what_starlette_and_django_signed_and_is_no_session_is_malformed(payload):
    for source, name in ((StarletteCookie(), "session"), (DjangoCookie(), "sessionid")):
        value = signed_by(source, payload if name == "session" else payload.rstrip("="))
        with scene(Importer(source, secret=OLD, until=None)).store.exchange(
            f"{name}={value}"
        ) as exchange:
            assert exchange.absence is Absence.MALFORMED


def test_eight_tokens_are_opened_in_a_request_importers_included():
    moved = scene(
        *(Importer(Auth0V3(), secret=JS, name=f"a{number}x", until=None) for number in range(12))
    )
    token = v3_cookie(moved.clock).partition("=")[2]
    bad = token[:-2] + ("AA" if token[-2:] != "AA" else "QA")
    header = "; ".join(f"a{number}x={bad}" for number in range(8))
    with moved.store.exchange(header) as exchange:
        assert exchange.absence is Absence.BAD_TAG
    with moved.store.exchange(f"{header}; a8x={token}") as exchange:
        assert exchange.absence is Absence.TOO_LARGE


def test_a_header_over_64_kib_is_read_by_nobody():
    with scene().store.exchange(f"{FLASK}; x={'y' * 65_536}; __Host-session=1") as exchange:
        assert exchange.absence is Absence.TOO_LARGE


def test_inflating_and_decoding_say_none_for_what_is_none():
    assert inflated(zlib.compress(b"x")) == b"x"
    assert base64("_-8") == b"\xff\xef"
    assert base64("/+8") is None
    assert base64("/+8=", urlsafe=False) == b"\xff\xef"
    assert base64("_-8", urlsafe=False) is None


# ---- conversion


@pytest.mark.parametrize(
    "convert",
    [
        lambda session: None,
        lambda session: session["no"],
        lambda session: 1 + "x",
        lambda session: int("x"),
        lambda session: session.no,
        lambda session: [1],
    ],
)
def test_a_conversion_that_takes_nothing_takes_nothing(convert):
    with scene(Importer(FlaskCookie(), secret=OLD, until=None, convert=convert)).store.exchange(
        FLASK
    ) as exchange:
        assert exchange.absence is Absence.MALFORMED


def test_a_conversion_into_what_is_no_json_is_the_programmers_mistake():
    moved = scene(
        Importer(
            FlaskCookie(), secret=OLD, until=None, convert=lambda session: {"at": date(2026, 1, 1)}
        )
    )
    with moved.store.exchange(FLASK) as exchange, pytest.raises(SerializationError, match="at"):
        exchange.get()


def test_the_guard_runs_on_what_the_conversion_made():
    from sessionkit import has_user

    moved = scene(
        Importer(FlaskCookie(), secret=OLD, until=None, convert=lambda session: {"cart": 1}),
        guard=has_user,
    )
    with moved.store.exchange(FLASK) as exchange:
        assert exchange.absence is Absence.ANONYMOUS
        assert exchange.contents == {"cart": 1}


def test_numbers_that_javascript_wrote_too_large_for_us_come_over_and_are_refused_at_a_write():
    moved = scene(Importer(Auth0V3(), secret=JS, until=None))
    store = SessionStore(JS, format=Auth0V3(), clock=moved.clock)
    codec = store.settings.codec
    with store.exchange() as exchange:
        stamp = exchange.create(USER).stamp
    header = f"appSession={codec.seal(codec.kept({**USER, 'large': 10**20}, stamp), stamp)}"
    with moved.store.exchange(header) as exchange:
        assert exchange.get()["large"] == 10**20
    assert exchange.response_headers[0][1].startswith("__Host-session=")
    with moved.store.exchange(header) as exchange, pytest.raises(SerializationError, match="large"):
        exchange.update({**USER, "large": 10**20})


# ---- settings


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Importer(FlaskCookie(), until="2026-01-01"), "until must be"),
        (lambda: Importer(FlaskCookie(), until=True), "until must be"),
        (lambda: Importer(FlaskCookie(), until=float("nan")), "until must be"),
        (lambda: Importer(IronSession(), until=None, clear=False), "log out"),
        (lambda: scene(Importer(IronSession(), until=None)), "no default cookie name"),
        (
            lambda: scene(Importer(Native(), name="__Host-session", until=None)),
            "own name and format",
        ),
        (
            lambda: scene(
                Importer(FlaskCookie(), until=None, clear=False),
                cookie=CookieSettings(secure=False),
            ),
            "cannot be left",
        ),
        (lambda: scene(Importer(FlaskCookie(), secret="short", until=None)), "at least 8"),
        (
            lambda: scene(
                Importer(DjangoCookie(), secret="django-insecure-xxxxxxxxxxxxxxxxxxxx", until=None)
            ),
            "startproject",
        ),
        (
            lambda: scene(
                Importer(
                    IronSession(),
                    name="x",
                    secret={"1": "django-insecure-xxxxxxxxxxxxxxxxxxxx"},
                    until=None,
                )
            ),
            "startproject",
        ),
        (lambda: scene(Importer(FlaskCookie(max_age=0), secret=OLD, until=None)), "max_age"),
    ],
)
def test_what_cannot_work_is_refused_at_once(make, message):
    with pytest.raises(ConfigurationError, match=message):
        make()


def test_until_must_be_said():
    with pytest.raises(TypeError, match="until"):
        Importer(FlaskCookie())


def test_an_importer_shows_no_secret():
    assert OLD not in repr(Importer(FlaskCookie(), secret=OLD, until=None))


def test_a_secret_left_out_is_the_stores():
    store = SessionStore(
        OLD, accept=[Importer(FlaskCookie(), until=None)], guard=anyone, clock=lambda: NOW
    )
    with store.exchange(FLASK) as exchange:
        assert dict(exchange.get()) == PYTHON[0]["expect"]
    with store.for_audience("tenant").exchange(FLASK) as exchange:
        assert dict(exchange.get()) == PYTHON[0]["expect"]


@pytest.mark.parametrize(
    ("name", "secure"), [("__Host-old", True), ("__Secure-old", True), ("old", False)]
)
def test_a_name_keeps_what_its_prefix_promises(name, secure):
    store = SessionStore(
        OLD,
        accept=[Importer(Native(), name=name, until=None)],
        cookie=CookieSettings(secure=False, path="/app"),
    )
    found = store.settings.accepted[0].settings.cookie
    assert (found.secure, found.path) == (secure, "/" if name.startswith("__Host-") else "/app")


def test_a_secure_store_looks_for_the_secure_name_of_auth_js():
    store = SessionStore(OLD, accept=[Importer(AuthJSV5(), until=None)])
    assert store.settings.accepted[0].settings.name == "__Secure-authjs.session-token"


def test_what_opens_signed_cookies_shows_nothing_and_does_not_pickle():
    import pickle

    for source in (FlaskCookie(), StarletteCookie(), DjangoCookie(), IronSession()):
        opener = source.codec(
            source.keys(OLD), name="x", audience="", lifetime=Lifetime(), serializer=None
        )
        assert OLD not in repr(opener)
        assert opener.peek("x") is None
        with pytest.raises(TypeError):
            pickle.dumps(opener)


@pytest.mark.parametrize("value", ["", "x", "a.b.c", "a:b:c", "é", "Fe26.2", "." * 30])
@pytest.mark.parametrize(
    "source",
    [FlaskCookie(), StarletteCookie(), DjangoCookie(), IronSession()],
    ids=lambda one: one.traits.label,
)
def test_what_has_not_the_grammar_is_malformed(source, value):
    moved = scene(Importer(source, secret=OLD, name="old", until=None))
    with moved.store.exchange(f"old={value}") as exchange:
        assert exchange.absence is Absence.MALFORMED


def test_a_source_without_chunks_reads_none():
    with scene().store.exchange("session.0=a; session.1=b") as exchange:
        assert exchange.absence is Absence.INCOMPLETE


def test_signed_cookies_and_seals_know_their_grammar_and_have_no_id_to_peek_at():
    for source, value in ((FlaskCookie(), FLASK.partition("=")[2]), (IronSession(), "Fe26.2*1*")):
        opener = source.codec(
            source.keys(OLD), name="x", audience="", lifetime=Lifetime(), serializer=None
        )
        assert (opener.recognizes(value), opener.recognizes("x"), opener.peek(value)) == (
            True,
            False,
            None,
        )


def test_a_cookie_of_ours_looks_like_one():
    moved = scene()
    moved.browser.login(USER)
    assert recognized(moved.browser.jar.header() + "; theme=dark; x=a.b") == {
        "__Host-session": "sessionkit"
    }


def test_the_reason_that_came_furthest_is_told():
    moved = scene(
        Importer(FlaskCookie(), secret="x" * 32, until=None),
        Importer(StarletteCookie(), secret=OLD, name="other", until=None),
    )
    with moved.store.exchange(f"{FLASK}; other=x") as exchange:
        assert exchange.absence is Absence.BAD_TAG


def test_a_recursion_in_the_library_is_malformed(monkeypatch):
    from sessionkit.formats import jose

    def endless(*args, **named):
        raise RecursionError

    header = v3_cookie(scene().clock)
    monkeypatch.setattr(jose, "decrypt_compact", endless)
    with SessionStore(JS, format=Auth0V3(), clock=lambda: NOW).exchange(header) as exchange:
        assert exchange.absence is Absence.MALFORMED


def test_an_empty_session_of_nobody_is_not_taken_over():
    from sessionkit import has_user

    moved = scene(guard=has_user)
    put(moved, f"session={flask_signed(b64(b'{}'))}")
    page = moved.browser.visit()
    assert page.exchange.absence is Absence.NO_COOKIE
    assert page.answer() == []
