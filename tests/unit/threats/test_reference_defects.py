"""Thirteen defects observed in the libraries whose sessions we speak, each with its test and a number of its own.

What a test's name tells of is what the other library did, or what is so here instead.
"""

import json

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from joserfc import jwe
from joserfc.jwk import OctKey

from sessionkit import (
    Absence,
    ConfigurationError,
    CookieSettings,
    Lifetime,
    SessionStore,
    get_session,
    update_session,
)
from sessionkit._exchange.request import HeaderRequest

from ..scene import ALICE, BOB, SECRET, START, Scene, cookie, names

NAME, SEEN, FENCE = "__Host-session", "__Host-seen.session", "__Host-out.session"


@pytest.fixture
def scene():
    return Scene()


@pytest.fixture
def alice(scene):
    scene.browser.login()
    return scene.browser


def get(scene, header):
    return scene.store.begin(HeaderRequest(header)).get()


def test_defect_1_create_small_then_update_big_in_one_response_leaves_no_whole_cookie_beside_the_chunks(
    scene,
):
    browser = scene.browser
    visit = browser.visit()
    visit.exchange.create(ALICE)
    visit.exchange.update({**ALICE, "big": "x" * 5000})
    assert [f"{NAME}.0", f"{NAME}.1"] == names(visit.arrive())
    assert browser.session()["big"] == "x" * 5000


def test_defect_1_the_other_way_round_no_chunk_is_left_beside_the_whole_cookie(alice):
    alice.update(big="x" * 5000)
    visit = alice.visit()
    visit.exchange.create({**BOB, "big": "x" * 5000})
    visit.exchange.update(BOB)
    visit.arrive()
    assert [FENCE, NAME] == alice.jar.names()
    assert BOB == alice.session()


def test_defect_2_create_then_delete_in_one_response_leaves_no_session(scene):
    browser = scene.browser
    visit = browser.visit()
    visit.exchange.create(ALICE)
    visit.exchange.delete()
    assert ["-" + NAME, "-" + SEEN] == names(visit.arrive())
    assert browser.session() == {}


def test_defect_3_get_then_create_gives_a_new_creation_time_and_a_new_id(scene, alice):
    scene.clock.wait(1000)
    visit = alice.visit()
    before = visit.exchange.get().stamp
    after = visit.exchange.create(ALICE).stamp
    assert before.id != after.id
    assert (START, START + 1000) == (before.created_at, after.created_at)


def test_defect_4_chunks_with_two_digits_are_cleared_too():
    scene = Scene(cookie=CookieSettings(max_bytes=61_440))
    browser = scene.browser
    browser.login({**ALICE, "big": "x" * 33_000})
    assert len(browser.jar.names()) == 12
    browser.update(big="x" * 20_000)
    assert len(browser.jar.names()) == 7
    assert browser.session()["big"] == "x" * 20_000
    browser.update(big="")
    assert [NAME] == browser.jar.names()


def test_defect_4_two_chunks_after_four_are_read_though_two_stale_ones_still_come():
    scene = Scene(cookie=CookieSettings(max_bytes=61_440))
    browser = scene.browser
    browser.login({**ALICE, "big": "x" * 10_000})
    stale = {name: browser.jar.value(name) for name in browser.jar.names()[2:]}
    browser.update(big="x" * 5000)
    header = browser.jar.header() + "".join(f"; {name}={value}" for name, value in stale.items())
    assert len(stale) == 2
    assert get(scene, header)["big"] == "x" * 5000


@pytest.mark.parametrize("whole", ["", "garbage", "a.b.c.d.e"])
def test_defect_5_a_whole_cookie_of_nothing_or_garbage_does_not_beat_the_chunks(
    scene, alice, whole
):
    alice.update(big="x" * 5000)
    assert get(scene, f"{NAME}={whole}; {alice.jar.header()}")["big"] == "x" * 5000


def test_defect_5_a_gap_is_not_joined_up(scene, alice):
    alice.update(big="x" * 5000)
    header = alice.jar.header().replace(f"{NAME}.1=", f"{NAME}.2=")
    exchange = scene.store.begin(HeaderRequest(header))
    assert exchange.get() is None
    assert exchange.absence is Absence.INCOMPLETE


ALGORITHMS = [
    ("dir", "A256GCM"),
    ("A256KW", "A256GCM"),
    ("A256GCMKW", "A256GCM"),
    ("dir", "A128CBC-HS256"),
    ("A256KW", "A256CBC-HS512"),
]


@pytest.mark.parametrize(("alg", "enc"), ALGORITHMS)
def test_defect_6_a_token_of_another_algorithm_under_the_same_key_is_refused(scene, alg, enc):
    codec = scene.store.settings.codec
    info = b"\0".join((b"sessionkit/1", b"cookie", NAME.encode(), b"", str(START // 3600).encode()))
    key = OctKey.import_key(
        HKDF(algorithm=SHA256(), length=32, salt=b"sessionkit", info=info).derive(SECRET.encode())
    )
    registry = jwe.JWERegistry(algorithms=[alg, enc], strict_check_header=False)
    header = {
        "alg": alg,
        "enc": enc,
        "kid": f"{codec.ids[0]}.{START // 3600}",
        "sid": "s" * 22,
        "iat": START,
        "uat": START,
        "exp": START + 9,
    }
    token = jwe.encrypt_compact(header, json.dumps(ALICE), key, registry=registry)
    assert json.loads(jwe.decrypt_compact(token, key, registry=registry).plaintext) == ALICE
    opened = codec.open(token, START)
    assert (
        (opened.contents == ALICE)
        if (alg, enc) == ("dir", "A256GCM")
        else (opened is Absence.MALFORMED)
    )


@pytest.mark.parametrize(
    "data",
    [
        {"exp": 1},
        {"nbf": 10**10},
        {"iat": "x"},
        {"exp": "never", "nbf": None, "sid": 1, "uat": -1, "alg": "none"},
    ],
)
def test_defect_7_the_applications_own_exp_and_nbf_are_data(scene, alice, data):
    alice.update(**data)
    scene.clock.wait(50)
    assert {**ALICE, **data} == alice.session()


def test_defect_8_an_expired_token_of_an_earlier_setting_is_not_accepted():
    scene = Scene(lifetime=Lifetime(idle=100, absolute=200))
    scene.browser.login()
    header = scene.browser.jar.header()
    longer = Scene(lifetime=Lifetime(absolute=None))
    longer.clock.wait(100)
    assert get(longer, header) is None


def test_defect_8_without_rolling_a_write_does_not_restart_the_absolute_time():
    scene = Scene(lifetime=Lifetime(rolling=False, absolute=1000))
    browser = scene.browser
    browser.login()
    scene.clock.wait(900)
    browser.update(theme="dark")
    assert browser.visit().exchange.get().stamp.expires_at == START + 1000
    scene.clock.wait(100)
    assert browser.session() == {}


@pytest.mark.parametrize(
    "build",
    [
        lambda: SessionStore([]),
        lambda: SessionStore(""),
        lambda: Lifetime(absolute=0),
        lambda: Lifetime(idle=-1),
        lambda: Lifetime(idle=0),
        lambda: Lifetime(rolling=False, absolute=-5),
        lambda: Lifetime(idle=100, renew_after=100),
        lambda: Lifetime(idle=200, absolute=100),
    ],
)
def test_defect_9_settings_that_would_kill_every_session_are_refused(build):
    with pytest.raises(ConfigurationError):
        build()


@pytest.mark.parametrize("now", [2**31 - 1, 2**31, 2**32 + 5, 9_999_999_999])
def test_defect_9_the_clock_does_not_overflow_in_2038(now):
    scene = Scene()
    scene.clock.now = now
    scene.browser.login()
    scene.clock.wait(100)
    scene.browser.update(theme="dark")
    assert {**ALICE, "theme": "dark"} == scene.browser.session()


def test_defect_10_without_arguments_an_update_is_seen_by_the_next_get_of_the_request(scene, alice):
    with scene.store.exchange(alice.jar.header()):
        update_session({**get_session(), "theme": "dark"})
        assert get_session()["theme"] == "dark"
        assert scene.store.get_session()["theme"] == "dark"


def test_defect_11_every_session_has_an_id_of_its_own(scene):
    ids = set()
    for _ in range(100):
        browser = scene.another_browser()
        browser.login()
        ids.add(browser.visit().exchange.get().stamp.id)
    assert len(ids) == 100


def test_defect_11_a_copied_token_ends_though_no_cookie_attribute_ends_it(scene, alice):
    header = alice.jar.header()
    scene.clock.wait(86_400)
    assert get(scene, header) is None


@pytest.mark.parametrize("domain", [None, "example.org"])
@pytest.mark.parametrize("size", [2950, 3000, 5000, 40_000])
def test_defect_11_no_set_cookie_line_is_longer_than_4096_bytes(domain, size):
    scene = Scene(cookie=CookieSettings(domain=domain, path="/a/longer/path", max_bytes=61_440))
    assert max(map(len, scene.browser.login({**ALICE, "big": "x" * size}))) <= 4096


def test_defect_11_a_foreign_cookie_that_begins_like_a_chunk_raises_nothing(scene, alice):
    header = alice.jar.header()
    assert ALICE == get(
        scene, f"{NAME}.theme=dark; {NAME}_theme=dark; {NAME}.=x; {NAME}.1e3=x; {header}"
    )


def test_defect_11_stale_chunks_do_not_end_the_session(scene, alice):
    assert ALICE == get(
        scene, f"{alice.jar.header()}; {NAME}.0=stale; {NAME}.1=stale; {NAME}.7=stale"
    )


def test_defect_12_eleven_chunks_are_read_in_the_order_of_their_numbers():
    scene = Scene(cookie=CookieSettings(max_bytes=61_440))
    scene.browser.login({**ALICE, "big": "".join(map(str, range(8000)))})
    pieces = sorted(scene.browser.jar.header().split("; "))
    assert len(pieces) >= 11
    assert get(scene, "; ".join(pieces))["big"] == "".join(map(str, range(8000)))


def test_defect_12_a_full_chunk_is_of_4096_bytes_and_a_browser_keeps_it(alice):
    lines = alice.update(big="x" * 5000)
    assert len(lines[0]) == 4096
    assert alice.session()["big"] == "x" * 5000


@pytest.mark.parametrize(
    "crafted",
    [
        "....",
        "A" * 5000,
        "\xff\xfe",
        "eyJhbGciOiJkaXIifQ....",
        "%00",
        '"\\"',
        "a" * 60_000,
        "=====",
        "\x00",
    ],
)
def test_defect_12_a_crafted_cookie_is_an_absence_and_no_error(scene, crafted):
    for name in (NAME, f"{NAME}.0", SEEN, FENCE, f"{NAME}.99999999999999999999"):
        exchange = scene.store.begin(HeaderRequest(f"{name}={crafted}"))
        assert exchange.get() is None
        assert dict(exchange.commit().add) == {"Vary": "Cookie"}


def test_defect_12_an_id_chosen_by_the_client_is_never_adopted(scene, alice):
    planted = "attackers-chosen-id-00"
    first = alice.jar.value(NAME)
    visit = scene.another_browser().visit()
    visit.exchange.request.cookie_header = (
        f"{NAME}={planted}; sid={planted}; {SEEN}={planted}; {FENCE}={planted}"
    )
    made = visit.exchange.create(BOB)
    assert made.stamp.id != planted
    assert cookie(visit.answer(), NAME) != first


def test_defect_13_of_two_cookies_of_one_name_and_one_session_the_newer_holds_in_either_order(
    scene, alice
):
    older = alice.jar.value(NAME)
    scene.clock.wait(5)
    newer = cookie(alice.update(theme="dark"), NAME)
    for header in (f"{NAME}={older}; {NAME}={newer}", f"{NAME}={newer}; {NAME}={older}"):
        assert get(scene, header)["theme"] == "dark"


def test_defect_13_of_two_cookies_of_one_name_and_two_sessions_neither_holds(scene, alice):
    other = scene.another_browser()
    other.login(BOB)
    for header in (
        f"{NAME}={alice.jar.value(NAME)}; {NAME}={other.jar.value(NAME)}",
        f"{NAME}={other.jar.value(NAME)}; {NAME}={alice.jar.value(NAME)}",
    ):
        exchange = scene.store.begin(HeaderRequest(header))
        assert exchange.get() is None
        assert exchange.absence is Absence.AMBIGUOUS


def test_every_one_of_the_thirteen_has_its_test():
    told = {int(name.split("_")[2]) for name in globals() if name.startswith("test_defect_")}
    assert told == set(range(1, 14))
