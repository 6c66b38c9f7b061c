"""Attacks on which cookie is believed and under which key it opens, played."""

import subprocess
import sys

import pytest

from sessionkit import Absence, CookieSettings, EventKind, KeyRing, Lifetime, SessionStore
from sessionkit._cookies.header import header_of
from sessionkit._exchange.reading import read_cookies
from sessionkit._exchange.request import HeaderRequest
from sessionkit.formats import Importer, Native
from sessionkit.testing import session_cookies

from ..scene import ALICE, BOB, OTHER_SECRET, SECRET, START, Browser, Scene, cookie, names
from .attacking import CAROL, FENCE, NAME

# ---- which cookie


def test_two_session_ids_in_one_header_are_nobodys_session_and_the_next_login_settles_it(scene):
    # Newest-valid-wins would let a sibling host sign a visitor into the attacker's account.
    victim, attacker = scene.browser, scene.another_browser()
    victim.login(ALICE)
    scene.clock.wait(100)
    attacker.login(BOB)
    header = f"{victim.jar.header()}; {attacker.jar.header()}"
    exchange = scene.store.begin(HeaderRequest(header))
    assert exchange.get() is None
    assert exchange.absence is Absence.AMBIGUOUS
    assert [EventKind.REFUSED] == [event.kind for event in scene.events]
    exchange.create(CAROL)
    lines = [value for name, value in exchange.commit().add if name == "Set-Cookie"]
    after = f"{NAME}={cookie(lines, NAME)}; {FENCE}={cookie(lines, FENCE)}; {header}"
    assert CAROL == scene.store.begin(HeaderRequest(after)).get()


def test_an_anonymous_session_begun_in_an_ambiguous_request_fences_every_token_that_came(scene):
    one, other = scene.browser, scene.another_browser()
    one.login(ALICE)
    other.login(BOB)
    header = f"{one.jar.header()}; {other.jar.header()}"
    exchange = scene.store.begin(HeaderRequest(header))
    exchange.contents["cart"] = [1]
    lines = [value for name, value in exchange.commit().add if name == "Set-Cookie"]
    assert [NAME, FENCE] == names(lines)
    assert (
        scene.store.begin(HeaderRequest(f"{FENCE}={cookie(lines, FENCE)}; {header}")).absence
        is Absence.LOGGED_OUT
    )


@pytest.mark.parametrize(
    "odd",
    [
        "\u2000",
        "\xa0",
        "\x85",
        "\x1c",
        "\x1f",
        "\x0b",
        "\x0c",
        "\u3000",
        "\ufeff",
        "%",
        '"',
        "\x00",
    ],
)
@pytest.mark.parametrize("where", ["before", "after"])
def test_a_name_with_a_u2000_or_xa0_is_no_host_cookie(scene, odd, where):
    # To the browser it is another name, without the protection of the prefix; Python's str.strip would make it ours.
    scene.browser.login(ALICE)
    token = scene.browser.jar.value(NAME)
    name = odd + NAME if where == "before" else NAME + odd
    raw = f"{name}={token}"
    for header in (raw, raw.encode().decode("latin-1"), f"a=b; {raw}"):
        assert scene.store.begin(HeaderRequest(header)).absence is Absence.NO_COOKIE


def test_a_quoted_value_with_a_session_inside_is_split_as_every_other(scene):
    scene.browser.login(ALICE)
    assert (
        ALICE == scene.store.begin(HeaderRequest(f'x="a; {scene.browser.jar.header()}; b"')).get()
    )


def work(scene, header):
    count = 0

    def tick(frame, event, arg):
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(tick)
    try:
        read_cookies(scene.store.settings, header, START)
    finally:
        sys.setprofile(before)
    return count


def test_forty_doubled_chunk_names_cost_two_rows_and_not_two_to_the_fortieth(scene):
    # 20 or 40 doubled names are 2^20 or 2^40 combinations to whoever tries them all.
    single = "; ".join(f"{NAME}.{number}=x" for number in range(40))
    doubled = "; ".join(f"{NAME}.{number}=x; {NAME}.{number}=y" for number in range(40))
    assert work(scene, doubled) < 3 * work(scene, single)
    assert read_cookies(scene.store.settings, doubled, START).absence is Absence.INCOMPLETE


def test_two_thousand_bogus_chunks_cost_no_more_a_piece_than_a_hundred(scene):
    few, many = (
        "; ".join(f"{NAME}.{number}=....{'x' * 5}" for number in range(count))
        for count in (100, 2000)
    )
    assert work(scene, many) < 25 * work(scene, few)


# ---- keys


def test_ten_thousand_kids_of_different_hours_leave_the_cache_of_keys_as_it_was():
    scene = Scene(lifetime=Lifetime(absolute=None))
    scene.browser.login(ALICE)
    parts = scene.browser.jar.value(NAME).split(".")
    codec = scene.store.settings.codec
    before = codec._keys.kept
    from sessionkit._session.base64url import encode

    for hour in range(10_000):
        header = f'{{"alg":"dir","enc":"A256GCM","kid":"{codec.ids[0]}.{hour}","sid":"{"s" * 22}","iat":0,"uat":{hour * 3600},"exp":{START * 2}}}'
        forged = ".".join([encode(header.encode()).decode(), *parts[1:]])
        assert codec.open(forged, START) is Absence.BAD_TAG
    assert before == codec._keys.kept == 1


FORKED = """
import json, os, sys
from sessionkit import JSON, KeyRing, Lifetime, Native, Stamp
made = Native().codec(KeyRing(sys.argv[1]), name="session", audience="", lifetime=Lifetime(), serializer=JSON)
stamp = Stamp(id="s" * 22, created_at=1700000000, updated_at=1700000000, expires_at=1700000100)
for _ in range(100):
    made.seal(b"{}", stamp)
pipes = []
for _ in range(4):
    reading, writing = os.pipe()
    if os.fork() == 0:
        nonces = b"".join(made.seal(b"{}", stamp).split(".")[2].encode() for _ in range(10_000))
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(nonces)
        os._exit(0)
    os.close(writing)
    pipes.append(reading)
seen = set()
for reading in pipes:
    with os.fdopen(reading, "rb") as pipe:
        nonces = pipe.read()
    seen.update(nonces[start : start + 16] for start in range(0, len(nonces), 16))
for _ in pipes:
    os.wait()
print(len(seen))
"""


@pytest.mark.skipif(
    not hasattr(__import__("os"), "fork"), reason="this system has no fork, and so no such danger"
)
def test_four_children_forked_after_a_warm_up_use_no_nonce_twice_in_ten_thousand_seals_each():
    # A pooled or seeded source of randomness would repeat nonces in a preforked server: every session could be forged.
    found = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKED, SECRET],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert found.stdout == "40000\n"


def test_the_info_string_is_unambiguous_where_a_name_ends_in_digits():
    # Glued together without separators, `session1` and slice 23 would be `session` and slice 123.
    ring = KeyRing(SECRET)
    hour = START // 3600
    long, short = ring.purpose("cookie", "session1"), ring.purpose("cookie", "session")
    digits = int(f"1{hour}")
    one = long.sealing(hour * 3600).encrypt(b"n" * 12, b"text", b"")
    from cryptography.exceptions import InvalidTag

    with pytest.raises(InvalidTag):
        short.sealing(digits * 3600).decrypt(b"n" * 12, one, b"")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("a", "b", "cd"), ("a", "bc", "d")),
        (("cookie", "ab", ""), ("cookie", "a", "b")),
        (("c", "a", "1"), ("c", "a1", "")),
    ],
)
def test_fields_of_the_info_string_that_spell_the_same_are_not_the_same(one, other):
    from cryptography.exceptions import InvalidTag

    ring = KeyRing(SECRET)
    sealed = ring.purpose(*one).sealing(START).encrypt(b"n" * 12, b"text", b"")
    with pytest.raises(InvalidTag):
        ring.purpose(*other).sealing(START).decrypt(b"n" * 12, sealed, b"")


def test_a_token_of_one_audience_does_not_exist_for_another():
    # Tenant A's administrator copies his token to tenant B with curl.
    tenant_a, tenant_b = Scene(audience="a"), Scene(audience="b")
    tenant_a.browser.login(ALICE)
    tenant_a.clock.wait(3600)
    visit = tenant_a.browser.visit()
    visit.exchange.touch()
    visit.arrive()
    exchange = tenant_b.store.begin(HeaderRequest(tenant_a.browser.jar.header()))
    assert exchange.get() is None
    assert exchange.absence is Absence.BAD_TAG


def test_an_earlier_name_is_imported_from_tokens_of_the_same_audience_alone():
    earlier = CookieSettings(name="session")
    tokens = {
        audience: header_of(
            session_cookies(SessionStore(SECRET, audience=audience, cookie=earlier), ALICE)
        )
        for audience in ("", "a", "b")
    }
    importer = Importer(Native(), name="session", until=None)
    store = SessionStore(SECRET, audience="a", accept=[importer])
    for audience, one in {"a": store, "b": store.for_audience("b")}.items():
        found = {key: one.begin(HeaderRequest(header)).absence for key, header in tokens.items()}
        assert found == {key: None if key == audience else Absence.BAD_TAG for key in tokens}


def test_a_worker_without_the_new_key_says_unknown_key_and_clears_nothing(scene):
    # A rolling deploy that turned an unknown key into a clearing line would sign everybody out for good.
    updated = Scene(secret=[OTHER_SECRET, SECRET])
    updated.browser.login(ALICE)
    visit = Browser(scene.store, scene.clock).visit()
    visit.exchange.request.cookie_header = updated.browser.jar.header()
    assert visit.exchange.get() is None
    assert visit.exchange.absence is Absence.UNKNOWN_KEY
    assert visit.answer() == []
    assert ALICE == updated.browser.session()


def test_a_session_under_an_older_secret_is_sealed_anew_at_its_next_write_and_not_before(scene):
    scene.browser.login(ALICE)
    rotated = SessionStore([OTHER_SECRET, SECRET], clock=scene.clock)
    scene.browser.store = rotated
    old = scene.browser.jar.value(NAME)
    visit = scene.browser.visit()
    visit.exchange.get()
    assert visit.arrive() == []
    scene.browser.update(theme="dark")
    assert old.partition(".")[0] != scene.browser.jar.value(NAME).partition(".")[0]
    only_new = SessionStore(OTHER_SECRET, clock=scene.clock)
    assert only_new.begin(HeaderRequest(scene.browser.jar.header())).get()["theme"] == "dark"
