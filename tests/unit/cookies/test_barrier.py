"""The sealed cookie that ends what began before it."""

import pytest

from sessionkit import Absence, ConfigurationError, CookieSettings, SessionStore
from sessionkit._cookies.barrier import Barrier, link, read, seal
from sessionkit._cookies.fence import mark
from sessionkit._exchange.request import HeaderRequest
from sessionkit.formats import Auth0V3, AuthJSV5, Native

from ..exchange.test_hidden_sessions import BARRIER, FENCE, each, person, post, who
from ..scene import OTHER_SECRET, SECRET, START, Scene, cookie


def keys(secret=SECRET, **settings):
    return SessionStore(secret, **settings).settings.barrier_keys


@pytest.mark.parametrize(
    "changed",
    [
        {"secret": OTHER_SECRET},
        {"audience": "b"},
        {"cookie": CookieSettings(name="other")},
        {"format": Auth0V3()},
    ],
)
@pytest.mark.parametrize("format", [Native(), AuthJSV5()], ids=lambda one: one.traits.label)
def test_a_barrier_of_another_secret_audience_or_cookie_is_none(format, changed):
    made = seal(keys(format=format), START, "", None)
    assert read(keys(format=format), [made], []) == Barrier(START + 60, {"": ""})
    assert read(keys(**{"format": format, **changed}), [made], []) is None


def test_an_audience_that_is_no_ascii_is_one_too_where_the_format_does_not_mind():
    made = seal(keys(format=Auth0V3(), audience="grün"), START, "", None)
    assert read(keys(format=Auth0V3(), audience="grün"), [made], []) is not None
    assert read(keys(format=Auth0V3(), audience="gruen"), [made], []) is None


def test_every_secret_of_the_ring_opens_a_barrier():
    made = seal(keys([OTHER_SECRET, SECRET]), START, "", None)
    assert read(keys([SECRET, OTHER_SECRET]), [made], []) is not None


@pytest.mark.parametrize("at", range(0, 90, 1))
def test_a_barrier_that_was_changed_is_none(at):
    made = seal(keys(), START, "m" * 22, None)
    at = min(at, len(made) - 1)
    other = made[:at] + ("1" if made[at] != "1" else "2") + made[at + 1 :]
    assert read(keys(), [other], []) is None


@pytest.mark.parametrize(
    "odd", ["", "~", "~~~~", "x~1~~y~z", "é~~", "k" * 8 + "~" + "9" * 5000 + "~~" + "n" * 16 + "~" + "t" * 22]
)  # fmt: skip
def test_what_is_no_barrier_is_skipped(odd):
    made = seal(keys(), START, "", None)
    assert read(keys(), [odd], []) is None
    assert read(keys(), [odd, made], []) is not None


def test_the_latest_barrier_counts_and_of_two_equal_ones_each_spares_its_session():
    first, second = "a" * 22, "b" * 22
    early, late = seal(keys(), START, first, None), seal(keys(), START + 1, second, None)
    for values in ([early, late], [late, early]):
        found = read(keys(), values, [])
        assert (found.time, [*found.spared]) == (START + 61, [second])
    again = read(keys(), [late, seal(keys(), START + 1, first, None)], [])
    assert (again.ends(first, 0), again.ends(second, 0), again.ends("c" * 22, 0)) == (
        False,
        False,
        True,
    )


def test_a_barrier_is_never_lowered_by_a_clock_that_is_behind():
    known = read(keys(), [seal(keys(), START, "", None)], [])
    assert read(keys(), [seal(keys(), START - 60, "", known)], []).time == START + 60


def test_planted_barriers_and_marks_do_not_crowd_out_ours():
    scene = Scene()
    scene.browser.login(person("alice"))
    slow = scene.browser.visit()
    slow.exchange.update(person("alice", 10))
    post(scene.browser, "create", person("bob"))
    slow.arrive()
    junk = "; ".join([f"{BARRIER}={'k' * 8}~{START}~~{'n' * 16}~{'A' * 22}"] * 7)
    header = f"{junk}; {scene.browser.jar.header()}"
    assert scene.store.begin(HeaderRequest(header)).absence is Absence.LOGGED_OUT


def test_the_mark_that_is_spared_is_the_sessions():
    scene = Scene()
    lines = post(scene.browser, "create", person("bob"))
    stamp = scene.browser.visit().exchange.get().stamp
    assert cookie(lines, BARRIER).split("~")[2] == mark("__Host-session", stamp.id)


# ---- a session that a barrier spares, under another mark


@each
def test_a_rotation_of_such_a_login_goes_on_and_its_late_answer_ends_no_later_barrier(format):
    scene = Scene(format=format)
    post(scene.browser, "create", person("alice"))
    for _ in range(3):
        visit = scene.browser.visit()
        assert visit.exchange.rotate() is True
        visit.arrive()
        scene.browser.update(theme="dark")
        assert who(scene.browser) == "alice"
    slow = scene.browser.visit()
    slow.exchange.rotate()
    post(scene.browser, "create", person("bob"))
    slow.arrive()
    assert who(scene.browser) is None
    scene.browser.login(person("carol"))
    assert who(scene.browser) == "carol"


def test_a_link_is_carried_along_and_counts_in_nothing():
    scene = Scene()
    post(scene.browser, "create", person("alice"))
    visit = scene.browser.visit()
    visit.exchange.rotate()
    visit.arrive()
    first = scene.browser.jar.value(FENCE).split(".")[0]
    assert first.count("~") == 5
    for sub in "cdefghijklm":
        scene.browser.login(person(sub))
    value = scene.browser.jar.value(FENCE).split(".")
    assert [len(one) for one in value[-8:]] == [22] * 8
    assert len(value) <= 9


def test_a_link_counts_only_to_the_session_that_is_spared():
    first, other, new = "a" * 22, "b" * 22, "c" * 22
    made = seal(keys(), START, first, None)
    good, bad = link(keys(), START, new, first), link(keys(), START, new, other)
    assert read(keys(), [made], [f"{good}.{other}"]).spared == {first: first, new: first}
    assert read(keys(), [made], [f"{bad}.{other}", f"x~y.{good}", good[:-1]]).spared == {
        first: first
    }
    assert read(keys(), [good], [made]) is None


def test_a_name_of_the_barriers_is_refused():
    with pytest.raises(ConfigurationError):
        CookieSettings(name="__Secure-before.session")
