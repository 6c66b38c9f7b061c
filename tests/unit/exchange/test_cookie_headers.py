"""Which cookie of a request is the session: whole, chunks, doubles, planted ones, and what all that may cost."""

import sys

import pytest

from sessionkit import Absence, CookieSettings, Lifetime
from sessionkit._cookies.fence import mark
from sessionkit._exchange.reading import read_cookies

from ..scene import ALICE, BOB, OTHER_SECRET, SECRET, START, Browser, Scene, cookie

NAME = "__Host-session"


def token_of(scene, session=ALICE):
    return cookie(scene.another_browser().login(session), NAME)


def chunks_of(scene, session):
    lines = scene.another_browser().login(session)
    return [cookie(lines, f"{NAME}.{number}") for number in range(len(lines))]


def big(size=5000, **more):
    return {**ALICE, "big": "x" * size, **more}


def found(scene, header):
    """The contents that a header gives, or the reason for none."""
    cookies = read_cookies(scene.store.settings, header, scene.clock())
    return cookies.token.contents if cookies.token is not None else cookies.absence


@pytest.fixture
def scene():
    return Scene()


def test_a_header_without_our_cookie_gives_none(scene):
    assert found(scene, "") is Absence.NO_COOKIE
    assert found(scene, "a=b; session_=x") is Absence.NO_COOKIE
    assert (
        found(scene, "other-session=x; __Host-session.x=1; __Host-sessionx=1") is Absence.NO_COOKIE
    )


def test_a_token_is_found_beside_other_cookies(scene):
    token = token_of(scene)
    assert ALICE == found(scene, f"a=b; {NAME}={token}; c=d")
    assert ALICE == found(scene, f"my-session-theme=dark;{NAME}={token} ;\tx")


@pytest.mark.parametrize("odd", ['"{}"', '"{}', '{}"', '""{}""', "'{}'"])
@pytest.mark.parametrize("beside", ["", f"; {NAME}.x=1"])
def test_a_token_in_quotes_is_no_token(scene, odd, beside):
    """A value is used as it came: one parser must not read a cookie that another does not."""
    assert found(scene, f"{NAME}={odd.format(token_of(scene))}{beside}") is Absence.MALFORMED


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", Absence.MALFORMED),
        ("garbage", Absence.MALFORMED),
        ('"quoted"', Absence.MALFORMED),
        ("a.b.c.d.e", Absence.MALFORMED),
    ],
)
def test_a_value_that_is_no_token_gives_a_reason_and_no_error(scene, value, reason):
    assert found(scene, f"{NAME}={value}") is reason
    assert found(scene, f"{NAME}={value}; session=x") is reason


def test_a_header_over_64_kib_is_not_parsed(scene):
    token = token_of(scene)
    room = 65_536 - len(f"{NAME}={token}; a=")
    assert ALICE == found(scene, f"{NAME}={token}; a={'x' * room}")
    assert found(scene, f"{NAME}={token}; a={'x' * (room + 1)}") is Absence.TOO_LARGE


@pytest.mark.parametrize("whole", ["", "garbage", "a.b.c.d.e"])
def test_chunks_are_read_beside_a_whole_cookie_that_does_not_open(scene, whole):
    first, second = chunks_of(scene, big())
    assert big() == found(scene, f"{NAME}={whole}; {NAME}.0={first}; {NAME}.1={second}")


def test_chunks_are_read_in_the_order_of_their_numbers(scene):
    parts = chunks_of(scene, big())
    assert big() == found(scene, "; ".join(f"{NAME}.{number}={parts[number]}" for number in (1, 0)))


def test_a_gap_gives_no_session(scene):
    first, second = chunks_of(scene, big())
    assert found(scene, f"{NAME}.0={first}") is Absence.INCOMPLETE
    assert found(scene, f"{NAME}.1={second}") is Absence.INCOMPLETE
    assert found(scene, f"{NAME}.0={first}; {NAME}.2={second}") is Absence.INCOMPLETE
    assert found(scene, f"{NAME}.00={first}; {NAME}.1={second}") is Absence.INCOMPLETE


def test_eleven_chunks_and_more_are_one_session():
    scene = Scene(cookie=CookieSettings(max_bytes=61_440))
    session = big(32_000)
    parts = chunks_of(scene, session)
    assert len(parts) == 11
    assert session == found(
        scene,
        "; ".join(
            f"{NAME}.{number}={part}"
            for number, part in sorted(enumerate(parts), key=lambda one: str(one[0]))
        ),
    )


def test_a_planted_set_of_chunks_gives_no_third_session(scene):
    mine, other = chunks_of(scene, big()), chunks_of(scene, {**big(), **BOB})
    header = "; ".join(
        f"{NAME}.{number}={part}" for number in range(2) for part in (mine[number], other[number])
    )
    assert found(scene, header) is Absence.AMBIGUOUS
    crossed = f"{NAME}.0={mine[0]}; {NAME}.1={other[1]}; {NAME}.0={other[0]}; {NAME}.1={mine[1]}"
    assert found(scene, crossed) is Absence.AMBIGUOUS  # crossed rows are found, and never mixed


# ---- of several valid ones


def test_of_two_tokens_of_one_session_the_newer_holds_in_either_order(scene):
    browser = scene.browser
    older = cookie(browser.login(), NAME)
    scene.clock.wait(5)
    newer = cookie(browser.update(theme="dark"), NAME)
    assert found(scene, f"{NAME}={older}; {NAME}={newer}")["theme"] == "dark"
    assert found(scene, f"{NAME}={newer}; {NAME}={older}")["theme"] == "dark"


def test_the_newer_of_two_tokens_holds_though_both_end_at_the_absolute_limit():
    scene = Scene(lifetime=Lifetime(idle=1000, absolute=1000))
    older = cookie(scene.browser.login(), NAME)
    scene.clock.wait(5)
    newer = cookie(scene.browser.update(theme="dark"), NAME)
    assert found(scene, f"{NAME}={older}; {NAME}={newer}")["theme"] == "dark"
    assert found(scene, f"{NAME}={newer}; {NAME}={older}")["theme"] == "dark"


def test_of_two_equally_new_ones_the_whole_cookie_goes_before_chunks(scene):
    browser = scene.browser
    whole = cookie(browser.login(), NAME)
    lines = browser.update(big="x" * 5000)
    header = f"{NAME}.0={cookie(lines, NAME + '.0')}; {NAME}.1={cookie(lines, NAME + '.1')}; {NAME}={whole}"
    assert ALICE == found(scene, header)


def test_two_sessions_are_ambiguous_and_neither_is_taken(scene):
    assert (
        found(scene, f"{NAME}={token_of(scene)}; {NAME}={token_of(scene, BOB)}")
        is Absence.AMBIGUOUS
    )


def test_an_expired_or_foreign_second_token_does_not_make_it_ambiguous(scene):
    old, foreign = token_of(scene, BOB), token_of(Scene(secret=OTHER_SECRET), BOB)
    scene.clock.wait(86_400)
    assert ALICE == found(scene, f"{NAME}={old}; {NAME}={foreign}; {NAME}={token_of(scene)}")


def test_a_fenced_second_token_does_not_make_it_ambiguous(scene):
    browser = scene.browser
    dead = cookie(browser.login(BOB), NAME)
    browser.logout()
    fence = browser.jar.value("__Host-out.session")
    assert ALICE == found(
        scene, f"{NAME}={dead}; {NAME}={token_of(scene)}; __Host-out.session={fence}"
    )


def anonymous(scene, **contents):
    visit = Browser(scene.store, scene.clock).visit()
    visit.exchange.contents.update(contents)
    return cookie(visit.answer(), NAME)


def test_an_anonymous_token_never_competes_with_an_authenticated_one(scene):
    planted = anonymous(scene, cart=["planted"])
    mine = token_of(scene)
    assert (
        ALICE
        == found(scene, f"{NAME}={planted}; {NAME}={mine}")
        == found(scene, f"{NAME}={mine}; {NAME}={planted}")
    )


def test_two_anonymous_tokens_are_ambiguous(scene):
    assert (
        found(scene, f"{NAME}={anonymous(scene, a=1)}; {NAME}={anonymous(scene, a=2)}")
        is Absence.AMBIGUOUS
    )


# ---- which reason is told


def test_the_reason_of_the_candidate_that_came_furthest_is_told(scene):
    foreign = token_of(Scene(secret=OTHER_SECRET))
    assert found(scene, f"{NAME}=garbage; {NAME}={foreign}; {NAME}.0=x") is Absence.UNKNOWN_KEY
    old = token_of(scene)
    scene.clock.wait(86_400)
    assert found(scene, f"{NAME}=garbage; {NAME}={old}") is Absence.IDLE


# ---- bounds


@pytest.mark.parametrize(("count", "expected"), [(4, ALICE), (5, Absence.TOO_LARGE)])
def test_four_whole_values_are_looked_at_and_no_more(scene, count, expected):
    assert expected == found(
        scene, "; ".join([f"{NAME}=x"] * (count - 1) + [f"{NAME}={token_of(scene)}"])
    )


@pytest.mark.parametrize(("count", "expected"), [(4, big()), (5, Absence.TOO_LARGE)])
def test_four_rows_of_chunks_are_looked_at_and_no_more(scene, count, expected):
    first, second = chunks_of(scene, big())
    assert expected == found(
        scene,
        "; ".join([f"{NAME}.0=x"] * (count - 1) + [f"{NAME}.0={first}", f"{NAME}.1={second}"]),
    )


def test_rows_that_repeat_a_long_chunk_stop_at_64_kib(scene):
    long = "h.." + "n" * 16 + "." + "c" * 32_700
    assert (
        found(
            scene,
            f"{NAME}.0={long}; {NAME}.1=.{'t' * 22}; {NAME}.1=.{'u' * 22}; {NAME}.1=.{'v' * 22}",
        )
        is Absence.TOO_LARGE
    )


def calls(function, *args):
    """How many calls, of Python and of C, a call makes: the work, whatever the machine is doing besides."""
    count = 0

    def tick(frame, event, arg):
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(tick)
    try:
        function(*args)
    finally:
        sys.setprofile(before)
    return count


def test_the_work_for_many_chunks_grows_with_their_number_and_not_faster(scene):
    def work(count):
        return calls(
            read_cookies,
            scene.store.settings,
            "; ".join(f"{NAME}.{number}=x" for number in range(count)),
            START,
        )

    assert work(2000) < 2.2 * work(1000) < 5 * work(500)
    assert work(2000) < 2000 * 25


# ---- what is remembered of them for the answer


def test_the_names_of_all_cookies_of_the_session_are_known(scene):
    header = f"{NAME}.10=x; {NAME}=x; {NAME}.2=x; {NAME}.02=x; {NAME}.x=x; other=session"
    assert read_cookies(scene.store.settings, header, START).list_names(scene.store.settings) == (
        NAME,
        f"{NAME}.2",
        f"{NAME}.10",
    )


def test_marks_are_made_of_authentic_tokens_first_and_then_of_readable_headers(scene):
    mine, foreign = token_of(scene), token_of(Scene(secret=OTHER_SECRET))
    cookies = read_cookies(
        scene.store.settings, f"{NAME}={foreign}; {NAME}=garbage; {NAME}={mine}", START
    )
    codec = scene.store.settings.codec
    assert cookies.list_marks(scene.store.settings) == tuple(
        mark(NAME, codec.peek(token)) for token in (mine, foreign)
    )


def test_a_mark_is_made_of_every_double_that_does_not_open(scene):
    elsewhere = Scene(secret=OTHER_SECRET)
    whole = [token_of(elsewhere) for _ in range(4)]
    rows = [chunks_of(elsewhere, big()) for _ in range(4)]
    settings, chunks = scene.store.settings, [chunk for row in rows for chunk in enumerate(row)]
    pieces = [
        *(f"{NAME}={token}" for token in whole),
        *(f"{NAME}.{number}={chunk}" for number, chunk in chunks),
    ]
    cookies = read_cookies(settings, "; ".join(pieces), START)
    assert cookies.list_marks(settings) == tuple(
        mark(NAME, settings.codec.peek(head)) for head in (*whole, *(row[0] for row in rows))
    )


def test_no_repr_shows_a_token(scene):
    token = token_of(scene)
    cookies = read_cookies(
        scene.store.settings, f"{NAME}={token}; {NAME}=x; {NAME}.0={token}", START
    )
    assert token not in repr(cookies)
    assert "alice" not in repr(cookies)


# ---- times


def test_todays_settings_end_a_session_that_was_stamped_for_longer():
    scene = Scene(lifetime=Lifetime(idle=1000, absolute=5000))
    token = token_of(scene)
    stricter = Scene(secret=SECRET, lifetime=Lifetime(idle=100, absolute=5000))
    stricter.clock.now = START + 99
    cookies = read_cookies(stricter.store.settings, f"{NAME}={token}", stricter.clock())
    assert cookies.stamp.expires_at == START + 100
    stricter.clock.wait(1)
    assert found(stricter, f"{NAME}={token}") is Absence.IDLE


def test_a_stamp_that_is_over_ends_a_session_though_todays_settings_are_longer():
    scene = Scene(lifetime=Lifetime(idle=100, absolute=5000))
    token = token_of(scene)
    longer = Scene(secret=SECRET, lifetime=Lifetime(idle=1000, absolute=5000))
    longer.clock.now = START + 100
    assert found(longer, f"{NAME}={token}") is Absence.EXPIRED
