"""Importers: what comes over, and who is asked, and when."""

from datetime import date, datetime, timezone
from hashlib import sha256

import pytest

from sessionkit import Absence, CookieSettings, Lifetime, SessionStore, anyone
from sessionkit.formats import (
    Auth0V3,
    DjangoCookie,
    FlaskCookie,
    Importer,
    IronSession,
    Native,
    StarletteCookie,
)
from sessionkit.formats._recognition import recognize

from ..scene import Scene, names
from .foreign_cookies import (
    FLASK,
    JS,
    NOW,
    OLD,
    PYTHON,
    USER,
    b64,
    iron_seal,
    put,
    scene,
    v3_cookie,
)
from .golden import IRON

SOURCES = {"flask": FlaskCookie, "starlette": StarletteCookie, "django": DjangoCookie}


each = pytest.mark.parametrize("vector", PYTHON, ids=lambda one: f"{one['source']} {one['kind']}")


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
    assert titles[vector["source"]] in recognize(vector["cookie"])[name].split(" or ")


@each
def test_the_id_of_an_imported_session_is_a_digest_of_importer_and_cookie(vector):
    # The workers of a rolling deployment must import a session under one id, and the fence of one must stop the others.
    moved = scene(Importer(SOURCES[vector["source"]](), secret=vector["secret"], until=None))
    put(moved, vector["cookie"])
    value = vector["cookie"].partition("=")[2]
    stable = b64(sha256(value.encode()).digest())
    text = f"sessionkit import 1\0{vector['source']}\0{stable}"
    stamp = moved.browser.visit().exchange.contents.stamp
    assert stamp.id == b64(sha256(text.encode()).digest())[:22]


def test_flask_and_starlette_are_told_apart_where_their_base64_differs():
    titles = {
        f"{one['source']} {one['kind']}": next(iter(recognize(one["cookie"]).values()))
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
    assert set(recognize(header).values()) == {"iron-session"}


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


def test_an_import_by_a_request_that_only_read_clears_the_cookie_that_it_came_in_and_no_other():
    moved = Scene(
        secret=JS,
        format=Auth0V3(),
        accept=[Importer(FlaskCookie(), secret=OLD, until=None)],
        guard=anyone,
    )
    put(moved, FLASK)
    page = moved.browser.visit()
    assert page.exchange.contents != {}
    assert names(page.answer()) == ["appSession", "-session"]


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
