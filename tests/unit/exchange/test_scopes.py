"""Cookies of two scopes side by side: the browser sends the chunks of both, in the order in which each was first set."""

from itertools import permutations, product

import pytest

from sessionkit import Absence, ConfigurationError, CookieSettings, Lifetime, SessionStore
from sessionkit._cookies.chunks import Layout, orders
from sessionkit._exchange.request import HeaderRequest
from sessionkit.formats import Auth0FastAPI, Auth0V3, Auth0V4, AuthJSV5, Importer, Native

from ..foreign_format import Plain
from ..scene import SECRET, Browser, Clock, Scene

FORMATS = [Native(), Auth0V3(), Auth0V4(), Auth0FastAPI(), AuthJSV5()]
each = pytest.mark.parametrize("format", FORMATS, ids=lambda one: one.traits.label)


def person(size, sub="ada"):
    return {"user": {"sub": sub}, "sub": sub, "x": "x" * size}


def site(format):
    """A browser, and the stores that set its cookie for the host and for the domain."""
    clock = Clock()
    stores = [
        SessionStore(
            SECRET,
            format=format,
            clock=clock,
            cookie=CookieSettings(name="s", domain=domain, max_bytes=20_000),
        )
        for domain in (None, "example.org")
    ]
    return Browser(stores[0], clock), *stores


def write(browser, store, contents, verb="create"):
    """A write that the cookies of the other scope do not keep from being made."""
    browser.clock.wait(10)
    browser.store = store
    visit = browser.visit()
    getattr(visit.exchange, verb)(contents)
    return visit.arrive()


@each
@pytest.mark.parametrize("sizes", list(product([3, 3_600, 6_600], repeat=3)))
@pytest.mark.parametrize("users", ["one", "two"])
def test_after_three_writes_of_two_scopes_one_login_is_enough(format, sizes, users):
    browser, host, wide = site(format)
    for number, (store, size) in enumerate(zip((wide, host, wide), sizes, strict=True)):
        verb = "update" if browser.session() and users == "one" else "create"
        write(browser, store, person(size, "ada" if users == "one" or number else "bob"), verb)
    if users == "one":
        assert browser.session() == {} or browser.session()["sub"] == "ada"
    write(browser, wide, person(10, "carol"))
    assert browser.session()["sub"] == "carol"
    browser.clock.wait(10)
    browser.update(x="y" * 5000)
    assert browser.session()["sub"] == "carol"
    browser.logout()
    assert browser.session() == {}


def parts(scene, session):
    browser = scene.another_browser()
    browser.login(session)
    scene.clock.wait(1)
    return [piece.split("=", 1) for piece in browser.jar.header().split("; ")]


@each
def test_two_rows_of_two_chunks_are_found_in_every_order(format):
    scene = Scene(format=format)
    one, other = parts(scene, person(4_500)), parts(scene, {**person(4_500), "n": 2})
    assert len(one) == len(other) == 2
    for order in permutations([*one, *other]):
        header = "; ".join(f"{name}={value}" for name, value in order)
        assert scene.store.begin(HeaderRequest(header)).get()["n"] == 2


@pytest.mark.parametrize("size", [5_500, 7_500])
@pytest.mark.parametrize("format", [Auth0V4(), Plain()], ids=["auth0-v4", "plain"])
def test_two_rows_of_three_chunks_are_found_in_every_order(format, size):
    scene = Scene(format=format, cookie=CookieSettings(max_bytes=20_000))
    one, other = parts(scene, person(size)), parts(scene, {**person(size), "n": 2})
    assert len(one) == len(other) == 3
    for turned in product([False, True], repeat=3):
        pairs = [pair[::-1] if turn else pair for turn, pair in zip(turned, zip(one, other, strict=True), strict=True)]  # fmt: skip
        header = "; ".join(f"{name}={value}" for pair in pairs for name, value in pair)
        assert scene.store.begin(HeaderRequest(header)).get()["n"] == 2


@each
@pytest.mark.parametrize("grew", [1, 2])
def test_two_rows_of_four_chunks_are_found_if_one_of_them_has_grown(format, grew):
    scene = Scene(format=format, cookie=CookieSettings(max_bytes=20_000))
    size = 7_900 if format == Auth0V4() else 9_000
    one, other = parts(scene, person(size)), parts(scene, {**person(size), "n": 2})
    assert len(one) == len(other) == 4
    # The other row had so many chunks before this one was written: only in one format may that be one.
    first = grew if format.layout.numbered else grew + 1
    pairs = [*zip(one[:first], other[:first], strict=True), *zip(other[first:], one[first:], strict=True)]  # fmt: skip
    header = "; ".join(f"{name}={value}" for pair in pairs for name, value in pair)
    assert scene.store.begin(HeaderRequest(header)).get()["n"] == 2


@each
def test_crossed_rows_of_two_users_are_ambiguous_and_both_are_ended(format):
    scene = Scene(format=format)
    one, other = parts(scene, person(4_500)), parts(scene, person(4_500, "bob"))
    crossed = [one[0], other[0], other[1], one[1]]
    header = "; ".join(f"{name}={value}" for name, value in crossed)
    exchange = scene.store.begin(HeaderRequest(header))
    assert exchange.absence is Absence.AMBIGUOUS
    exchange.delete()
    lines = [line for name, line in exchange.commit().add if name == "Set-Cookie"]
    name = scene.store.settings.fence
    fence = next(line for line in lines if line.startswith(f"{name}=")).partition(";")[0]
    for pieces in (one, other):
        again = "; ".join([fence, *(f"{name}={value}" for name, value in pieces)])
        assert scene.store.begin(HeaderRequest(again)).absence is Absence.LOGGED_OUT


def test_three_rows_meet_each_others_chunks():
    scene = Scene()
    rows = [parts(scene, {**person(4_500), "n": n}) for n in range(3)]
    header = "; ".join(
        f"{name}={value}"
        for name, value in [*(row[0] for row in rows), *(rows[n][1] for n in (2, 0, 1))]
    )
    assert scene.store.begin(HeaderRequest(header)).get()["n"] == 2


@pytest.mark.parametrize("values", [2, 3, 4])
def test_other_orders_are_few_however_many_names_are_doubled(values):
    row = {number: [str(one) for one in range(values)] for number in range(32)}
    assert len(list(orders(row, Layout()))) == 61 * (values - 1)
    assert all(one[0] == row[0] for one in orders(row, Layout()))


def test_no_more_than_eight_tokens_and_64_kib_are_opened():
    opened: list[str] = []

    class CountedCodec(type(Scene().store.settings.codec)):
        __slots__ = ()

        def open(self, token, now):
            opened.append(token)
            return super().open(token, now)

    class Counted(Native):
        def codec(self, keys, *, name, audience, lifetime, serializer):
            return CountedCodec(keys, name, audience, lifetime.absolute, serializer)

        @property
        def layout(self):
            return Layout(size=1_000)

    scene = Scene(format=Counted(), lifetime=Lifetime())
    rows = [parts(scene, {**person(3_000), "n": n}) for n in range(4)]
    for order in permutations(range(4)):
        crossed = [
            row[number]
            for number in range(len(rows[0]))
            for row in (rows if number % 2 else [rows[n] for n in order])
        ]
        header = "; ".join(f"{name}={value}" for name, value in crossed)
        opened.clear()
        scene.store.begin(HeaderRequest(header)).get()
        assert len(opened) <= 8
        assert sum(map(len, opened)) <= 65_536


# ---- names that end like a chunk


@pytest.mark.parametrize("name", ["app_1", "app__12", "app.0", "__Host-app_0", "_a0_session_0"])
@pytest.mark.parametrize("format", [Native(), Auth0FastAPI(), Auth0V4()], ids=lambda one: one.traits.label)  # fmt: skip
def test_a_name_that_ends_like_a_chunk_is_refused(name, format):
    with pytest.raises(ConfigurationError, match="ends like a chunk"):
        SessionStore(SECRET, format=format, cookie=CookieSettings(name=name))


@pytest.mark.parametrize("name", ["app1", "app_v1", "app-1", "app_1b"])
def test_a_name_that_ends_in_a_number_alone_is_taken(name):
    assert SessionStore(SECRET, cookie=CookieSettings(name=name)).settings.name == name


class Dashed(Plain):
    @property
    def layout(self):
        return Layout(separator="-", size=3500)


def test_the_chunks_of_a_format_of_somebody_elses_count_too():
    with pytest.raises(ConfigurationError, match="'-'.*'app'.*letter behind"):
        SessionStore(SECRET, format=Dashed(), cookie=CookieSettings(name="app-1"))
    old = Importer(Dashed(), name="old", until=None)
    with pytest.raises(ConfigurationError, match="ends like a chunk"):
        SessionStore(SECRET, accept=[old], cookie=CookieSettings(name="app-1"))


def test_the_name_of_an_importer_is_refused_only_beside_a_format_that_would_take_it_for_a_chunk():
    old = Importer(Native(), name="app_1", until=None)
    scene = Scene(cookie=CookieSettings(name="app"), accept=[old])
    assert scene.store.settings.importers[0].settings.name == "app_1"
    with pytest.raises(ConfigurationError, match="'app_1' ends like a chunk"):
        SessionStore(SECRET, format=Auth0FastAPI(), cookie=CookieSettings(name="app"), accept=[old])
    with pytest.raises(ConfigurationError, match="'app_1' ends like a chunk"):
        SessionStore(SECRET, accept=[old, Importer(Auth0FastAPI(), until=None)])
