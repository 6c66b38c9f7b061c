"""The attacks that the threat model lists by name, each played; what each one is stands in the name and the first lines."""

import json
import subprocess
import sys

import pytest

from sessionkit import (
    Absence,
    CookieSettings,
    EventKind,
    IdentityChangedError,
    KeyRing,
    Lifetime,
    Native,
    SessionStore,
)
from sessionkit.incoming import read
from sessionkit.request import HeaderRequest
from sessionkit.serializer import DEEPEST

from .scene import ALICE, BOB, OTHER_SECRET, SECRET, START, Browser, Scene, cookie, names

NAME, SEEN, FENCE = "__Host-session", "__Host-seen.session", "__Host-out.session"
CAROL = {"user": {"sub": "carol", "iss": "https://issuer.example"}}


@pytest.fixture
def scene():
    return Scene()


def slow_update(browser):
    """A request that leaves now, with an update, and answers later."""
    visit = browser.visit()
    visit.exchange.update({**visit.exchange.get(), "slow": True})
    return visit


# ---- the fence


def test_two_logouts_then_the_late_response_of_the_first_bring_nobody_back(scene):
    browser = scene.browser
    browser.login(ALICE)
    late = slow_update(browser)
    browser.logout()
    browser.login(BOB)
    browser.logout()
    late.arrive()
    assert browser.session() == {}
    assert browser.absence() is Absence.LOGGED_OUT


def test_eight_logouts_later_the_first_is_still_remembered(scene):
    browser = scene.browser
    browser.login(ALICE)
    late = slow_update(browser)
    browser.logout()
    for _ in range(7):
        browser.login(BOB)
        browser.logout()
    late.arrive()
    assert browser.session() == {}


def test_a_login_over_a_session_then_the_late_response_of_the_earlier_do_not_bring_the_earlier_back(
    scene,
):
    browser = scene.browser
    browser.login(ALICE)
    late = slow_update(browser)
    browser.login(BOB)
    late.arrive()
    assert browser.session() == {}


def test_a_late_renewal_of_the_earlier_session_leaves_the_login_alone(scene):
    browser = scene.browser
    browser.login(ALICE)
    scene.clock.wait(3600)
    late = browser.visit()
    assert late.exchange.get() == ALICE
    browser.login(BOB)
    assert [SEEN] == names(late.arrive())
    assert BOB == browser.session()


def test_a_late_renewal_undoes_no_update(scene):
    browser = scene.browser
    browser.login(ALICE)
    scene.clock.wait(3600)
    late = browser.visit()
    late.exchange.get()
    browser.update(theme="dark")
    late.arrive()
    assert browser.session()["theme"] == "dark"


def test_a_late_response_after_a_rotation_does_not_bring_the_earlier_id_back(scene):
    browser = scene.browser
    browser.login(ALICE)
    late = slow_update(browser)
    visit = browser.visit()
    visit.exchange.rotate()
    visit.arrive()
    late.arrive()
    assert browser.absence() is Absence.LOGGED_OUT


def test_a_late_login_after_a_logout_stands(scene):
    browser = scene.browser
    browser.login(ALICE)
    login = browser.visit()
    login.exchange.create(BOB)
    browser.logout()
    login.arrive()
    assert BOB == browser.session()


def test_a_token_stamped_after_the_logout_is_refused_for_as_long_as_it_could_live(scene):
    browser = scene.browser
    browser.login(ALICE)
    late = browser.visit()
    late.exchange.get()["slow"] = True
    browser.logout()
    scene.clock.wait(20)
    late.arrive()
    for _ in range(8):
        assert browser.session() == {}
        scene.clock.wait(86_400 - 1)


def test_a_fence_outlives_a_rotation_of_secrets(scene):
    browser = scene.browser
    browser.login(ALICE)
    header = browser.jar.header()
    browser.logout()
    rotated = Scene(secret=[OTHER_SECRET, SECRET])
    exchange = rotated.store.begin(HeaderRequest(f"{browser.jar.header()}; {header}"))
    assert exchange.absence is Absence.LOGGED_OUT


def test_a_slow_polls_answer_after_a_login_has_no_clearing_line(scene):
    # An expired, fenced, foreign or broken cookie that a poll saw must not clear what a login has set meanwhile.
    browser = scene.browser
    browser.login(ALICE)
    scene.clock.wait(86_400)
    poll = browser.visit()
    assert poll.exchange.get() is None
    browser.login(BOB)
    assert poll.arrive() == []
    assert BOB == browser.session()


@pytest.mark.parametrize("value", ["garbage", "", "a.b.c.d.e"])
def test_no_read_clears_a_cookie_that_does_not_open(scene, value):
    for header in (f"{NAME}={value}", f"{NAME}.0={value}", f"{NAME}={value}; {NAME}={value}"):
        exchange = scene.store.begin(HeaderRequest(header))
        assert exchange.get() is None
        assert exchange.contents == {}
        assert "Set-Cookie" not in dict(exchange.commit().add)


def test_a_logout_with_two_valid_cookies_of_different_domains_leaves_no_way_back_in():
    # The operator moved the cookie from a domain to the host alone; browsers hold both, both valid.
    before = Scene(cookie=CookieSettings(name="app", domain="example.org"))
    after = Scene(cookie=CookieSettings(name="app"))
    browser = Browser(before.store, after.clock)
    before.browser = browser
    browser.login(ALICE)
    browser.store = after.store
    other = after.another_browser()
    other.login(CAROL)
    browser.jar.cookies.update(other.jar.cookies)
    assert browser.absence() is Absence.AMBIGUOUS
    browser.logout()
    assert "app" in browser.jar.names()
    assert browser.absence() is Absence.LOGGED_OUT


def test_a_logout_with_the_same_session_in_two_cookies_leaves_no_way_back_in():
    before = Scene(cookie=CookieSettings(name="app", domain="example.org"))
    after = Scene(cookie=CookieSettings(name="app"))
    browser = Browser(before.store, after.clock)
    browser.login(ALICE)
    browser.store = after.store
    after.clock.wait(1)
    browser.update(theme="dark")
    assert ["app", "app"] == browser.jar.names()
    assert browser.session()["theme"] == "dark"
    browser.logout()
    assert browser.absence() is Absence.LOGGED_OUT


def test_a_second_fence_cookie_of_a_longer_path_does_not_blind_the_first(scene):
    browser = scene.browser
    browser.login(ALICE)
    late = slow_update(browser)
    browser.logout()
    late.arrive()
    planted = ".".join(["A" * 22] * 8)
    exchange = scene.store.begin(
        HeaderRequest(f"{FENCE}={planted}; {FENCE}=; {browser.jar.header()}")
    )
    assert exchange.absence is Absence.LOGGED_OUT


def test_the_mark_of_a_session_whose_key_another_worker_has_is_set_too(scene):
    elsewhere = Scene(secret=OTHER_SECRET)
    elsewhere.browser.login(ALICE)
    header = elsewhere.browser.jar.header()
    exchange = scene.store.begin(HeaderRequest(header))
    assert exchange.delete() is False
    fence = cookie([value for name, value in exchange.commit().add if name == "Set-Cookie"], FENCE)
    assert (
        elsewhere.store.begin(HeaderRequest(f"{header}; {FENCE}={fence}")).absence
        is Absence.LOGGED_OUT
    )


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
        read(scene.store.settings, header, START)
    finally:
        sys.setprofile(before)
    return count


def test_forty_doubled_chunk_names_cost_two_rows_and_not_two_to_the_fortieth(scene):
    # 20 or 40 doubled names are 2^20 or 2^40 combinations to whoever tries them all.
    single = "; ".join(f"{NAME}.{number}=x" for number in range(40))
    doubled = "; ".join(f"{NAME}.{number}=x; {NAME}.{number}=y" for number in range(40))
    assert work(scene, doubled) < 3 * work(scene, single)
    assert read(scene.store.settings, doubled, START).absence is Absence.INCOMPLETE


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
    from sessionkit.base64url import encode

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


# ---- who the user is


@pytest.mark.parametrize(
    "change",
    [
        lambda session: session["user"].update(sub="admin"),
        lambda session: session.pop("user"),
        lambda session: session.clear(),
    ],
    ids=["in-place change of sub", "removal of user", "clear()"],
)
def test_what_update_refuses_cannot_be_done_in_place(scene, change):
    browser = scene.browser
    browser.login(ALICE)
    visit = browser.visit()
    change(visit.exchange.get())
    with pytest.raises(IdentityChangedError):
        visit.commit()
    assert visit.arrive(500) == []
    assert ALICE == browser.session()


def test_an_anonymous_session_does_not_pass_for_a_sign_in(scene):
    visit = scene.browser.visit()
    visit.exchange.contents["cart"] = [1]
    visit.arrive()
    assert scene.browser.visit().exchange.get() is None


def test_a_login_carries_nothing_of_the_session_before_it(scene):
    visit = scene.browser.visit()
    visit.exchange.contents.update({"csrf_token": "planted", "next": "//evil"})
    visit.arrive()
    scene.browser.login(ALICE)
    assert ALICE == scene.browser.session()


# ---- caching


@pytest.mark.parametrize(
    "field",
    ["CDN-Cache-Control", "Cloudflare-CDN-Cache-Control", "Surrogate-Control", "X-Accel-Expires"],
)
def test_a_cdn_cache_control_does_not_let_a_cdn_keep_a_session_cookie(scene, field):
    visit = scene.browser.visit()
    visit.exchange.create(ALICE)
    headers = [
        (field, "max-age=600"),
        ("Cache-Control", "public, s-maxage=600"),
        ("Expires", "Thu, 01 Jan 2099 00:00:00 GMT"),
    ]
    after = dict(visit.exchange.commit(200, headers).applied(headers))
    assert {"Set-Cookie", "Vary", "Cache-Control"} == set(after)
    assert (after["Cache-Control"], after["Vary"]) == ("private, no-store", "Cookie")


@pytest.mark.parametrize(
    "headers", [[("Cache-Control", "public, max-age=600")], [("CDN-Cache-Control", "max-age=600")]]
)
def test_a_public_asset_is_worth_more_than_a_renewal(scene, headers):
    scene.browser.login(ALICE)
    scene.clock.wait(3600)
    visit = scene.browser.visit()
    visit.exchange.get()
    assert "Set-Cookie" not in dict(visit.exchange.commit(200, headers).add)


def test_a_304_with_a_due_renewal_has_no_set_cookie_and_the_next_200_has(scene):
    scene.browser.login(ALICE)
    scene.clock.wait(3600)
    visit = scene.browser.visit()
    visit.exchange.get()
    assert visit.answer(304) == []
    assert [SEEN] == names(visit.answer(200))


# ---- errors, sockets, depth


def test_an_exception_after_a_delete_keeps_the_logout(scene):
    scene.browser.login(ALICE)
    with pytest.raises(KeyError), scene.store.exchange(scene.browser.jar.header()) as exchange:
        exchange.delete()
        raise KeyError("broken")
    scene.browser.jar.receive(
        value for name, value in exchange.response_headers if name == "Set-Cookie"
    )
    assert scene.browser.session() == {}


def test_a_socket_that_outlives_its_session_has_none(scene):
    scene.browser.login(ALICE)
    exchange = scene.browser.visit().exchange
    exchange.get()
    exchange.commit()
    scene.clock.wait(86_400)
    assert exchange.get() is None


def deep_session():
    session = {**ALICE}
    inner = session
    for _ in range(DEEPEST - 1):
        inner["deep"] = inner = {}
    return session


def at_depth(frames, function):
    """What a function gives that is called so many frames deep, however deep this one is."""
    depth, frame = 0, sys._getframe()
    while frame is not None:
        depth, frame = depth + 1, frame.f_back
    return _descend(frames - depth, function)


def _descend(frames, function):
    return function() if frames <= 0 else _descend(frames - 1, function)


def test_json_nested_to_depth_64_loaded_900_frames_deep_is_a_session_or_malformed_and_no_error(
    scene,
):
    # What a shallow stack could write and a deep one not read would be a 500 for that visitor, for ever.
    session = deep_session()
    scene.browser.login(session)
    header = scene.browser.jar.header()
    assert sys.getrecursionlimit() == 1000

    def look():
        exchange = scene.store.begin(HeaderRequest(header))
        return exchange.get(), exchange.absence

    found = at_depth(900, look)
    assert found in [(session, None), (None, Absence.MALFORMED)]
    assert (session, None) == at_depth(800, look)


def test_a_payload_of_any_depth_is_malformed_and_no_error(scene):
    codec = scene.store.settings.codec
    from sessionkit import Stamp

    stamp = Stamp(id="s" * 22, created_at=START, updated_at=START, expires_at=START + 100)
    payload = json.dumps(ALICE)[:-1].encode() + b',"a":' + b"[" * 50_000 + b"]" * 50_000 + b"}"
    assert codec.open(codec.seal(payload, stamp), START) is Absence.MALFORMED


def test_formats_are_settings_and_hold_no_secret():
    assert repr(Native()) == "Native()"
