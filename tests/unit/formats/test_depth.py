"""However deep an authentic cookie is nested, and wherever on the stack it is read and written, it gives a session or none."""

from __future__ import annotations

import json
import sys
from base64 import b64encode
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from sessionkit import (
    JSON,
    Absence,
    Lifetime,
    SerializationError,
    anyone,
    fast_json,
)
from sessionkit._exchange.request import HeaderRequest
from sessionkit._session.json import is_finite, is_shallow
from sessionkit.backends import MemoryBackend
from sessionkit.formats import (
    Auth0FastAPI,
    Auth0V3,
    Auth0V4,
    AuthJSV5,
    ExpressOpenID,
    FlaskCookie,
    Importer,
    IronSession,
    NextAuthV4,
)
from sessionkit.formats.express_openid import claims_of

from ..scene import START, Scene
from .foreign_cookies import OLD, flask_signed, iron_seal
from .tokens import put

Found = TypeVar("Found")
FORMATS = [Auth0V3(), ExpressOpenID(), Auth0V4(), Auth0FastAPI(), NextAuthV4(), AuthJSV5()]
each = pytest.mark.parametrize("format", FORMATS, ids=lambda one: one.traits.label)
SESSION = {
    "user": {"sub": "a"},
    "sub": "a",
    "tokenSet": {},
    "internal": {"createdAt": START, "created_at": START},
    "iat": START,
    "exp": START + 80_000,
}


def nested(levels: int) -> bytes:
    """A session of so many levels, itself the first."""
    inner = b"[" * (levels - 1) + b"]" * (levels - 1)
    return json.dumps(SESSION).encode()[:-1] + b',"deep":' + inner + b"}"


def at_depth(frames: int, act: Callable[[], Found]) -> Found:
    return act() if not frames else at_depth(frames - 1, act)


def frames_left(left: int) -> int:
    """How many calls from here leave so many."""
    frame, used = sys._getframe(), 0
    while frame is not None:
        frame, used = frame.f_back, used + 1  # type: ignore[assignment]
    return sys.getrecursionlimit() - used - left


def with_token(format: Any, levels: int, **settings: Any) -> Scene:
    scene = Scene(format=format, lifetime=Lifetime(renew_after=0), **settings)
    codec = scene.store.settings.codec
    stamp = scene.browser.visit().exchange.create(SESSION).stamp
    put(scene, codec.seal(nested(levels), stamp))
    return scene


def flask(levels: int, **importer: Any) -> Scene:
    payload = b64encode(nested(levels), b"-_").rstrip(b"=").decode()
    importers = [Importer(FlaskCookie(), secret=OLD, until=None, **importer)]
    scene = Scene(accept=importers, guard=anyone)
    scene.browser.jar.receive([f"session={flask_signed(payload)}; Path=/; Secure"])
    return scene


def iron(levels: int, **importer: Any) -> Scene:
    importers = [Importer(IronSession(), name="sid", secret="p" * 32, until=None, **importer)]
    scene = Scene(accept=importers, guard=anyone)
    scene.browser.jar.receive([f"sid={iron_seal(nested(levels))}; Path=/; Secure"])
    return scene


SCENES = [
    *(
        pytest.param(lambda levels, one=one: with_token(one, levels), id=one.traits.label)
        for one in FORMATS
    ),
    pytest.param(lambda levels: with_token(Auth0V3(), levels, serializer=fast_json()), id="orjson"),
    pytest.param(flask, id="flask"),
    pytest.param(iron, id="iron-session"),
    pytest.param(lambda levels: flask(levels, convert=dict), id="flask, converted"),
    pytest.param(
        lambda levels: iron(levels, convert=lambda one: {"all": one["user"], **one}),
        id="iron, converted",
    ),
]
everywhere = pytest.mark.parametrize("make", SCENES)


@everywhere
@pytest.mark.parametrize("levels", [10, 64, 65, 99, 100])
def test_what_is_nested_up_to_a_hundred_levels_is_a_session_and_is_renewed(make, levels):
    scene = make(levels)
    scene.clock.wait(1)
    visit = scene.browser.visit()
    assert visit.exchange.get() is not None
    assert visit.arrive() != []
    assert "deep" in scene.browser.session()


@everywhere
@pytest.mark.parametrize("levels", [101, 300, 900, 930, 960, 990])
def test_what_is_nested_deeper_is_none(make, levels):
    assert make(levels).browser.absence() is Absence.MALFORMED


@each
@pytest.mark.parametrize("levels", [1500, 3000, 15_000])
def test_nor_is_more_than_one_cookie_may_hold(format, levels):
    scene = Scene(format=format, accept=[Importer(FlaskCookie(), secret=OLD, until=None)])
    settings = scene.store.settings
    stamp = scene.browser.visit().exchange.create(SESSION).stamp
    name = f"{settings.chunk}0" if settings.layout.numbered else settings.name
    foreign = flask_signed(b64encode(nested(levels), b"-_").rstrip(b"=").decode())
    for header in (f"{name}={settings.codec.seal(nested(levels), stamp)}", f"session={foreign}"):
        with scene.store.exchange(header) as exchange:
            assert exchange.absence is Absence.MALFORMED


@everywhere
@pytest.mark.parametrize("levels", [60, 100])
@pytest.mark.parametrize("left", [60, 90, 150, 200, 250, 300])
def test_wherever_it_is_read_and_the_answer_begins_nothing_is_raised(make, levels, left):
    scene = make(levels)
    visit = scene.browser.visit()
    at_depth(frames_left(left), visit.exchange.get)
    lines = at_depth(frames_left(left), visit.answer)
    assert isinstance(lines, list)
    again = scene.browser.visit()
    assert again.exchange.get() is not None
    assert isinstance(at_depth(frames_left(left), again.arrive), list)
    assert scene.browser.session() != {}
    scene.browser.logout()
    assert scene.browser.session() == {}


@pytest.mark.parametrize("left", [60, 90, 150, 200, 250, 300])
def test_nor_where_a_session_that_names_nobody_gets_its_record(left):
    payload = b64encode(b'{"deep":' + b"[" * 99 + b"]" * 99 + b"}", b"-_").rstrip(b"=").decode()
    importer = Importer(FlaskCookie(), secret=OLD, until=None)
    backend = MemoryBackend()
    scene = Scene(backend=backend, accept=[importer], guard=anyone)

    def respond(frames: int) -> bool:
        exchange = scene.store.begin(HeaderRequest(f"session={flask_signed(payload)}"))
        exchange.drive()
        assert exchange.get() is not None
        at_depth(frames, exchange.commit)
        return "Set-Cookie" in dict(exchange.response_headers)

    assert respond(frames_left(left)) is bool(backend._records)
    assert respond(0)


@pytest.mark.parametrize("make", [flask, iron])
@pytest.mark.parametrize("levels", [60, 63, 64, 65, 98, 99, 100])
def test_a_conversion_that_wraps_what_it_is_given_raises_nothing(make, levels):
    scene = make(levels, convert=lambda contents: {"user": {"sub": "a"}, "old": contents})
    visit = scene.browser.visit()
    found = visit.exchange.get()
    assert (found is None) is (levels == 100)
    visit.arrive()
    assert (scene.browser.session() == {}) is (levels == 100)


def test_an_update_refuses_more_than_64_levels_still():
    scene = with_token(Auth0V3(), 80)
    visit = scene.browser.visit()
    with pytest.raises(SerializationError, match="deeper than 64"):
        visit.exchange.update({**visit.exchange.get(), "theme": "dark"})


def test_claims_of_an_id_token_that_are_nested_deeper_are_none():
    def id_token(levels: int) -> str:
        claims = b'{"sub":"a","deep":' + b"[" * levels + b"]" * levels + b"}"
        return f"e30.{b64encode(claims, b'-_').rstrip(b'=').decode()}.x"

    assert claims_of({"id_token": id_token(99)})["sub"] == "a"
    for levels in (100, 900, 1500, 3000, 9000):
        assert claims_of({"id_token": id_token(levels)}) == {}


@each
@pytest.mark.parametrize("number", [b"NaN", b"1e999", b"-Infinity"])
def test_what_javascript_cannot_read_is_not_taken_over_for_it(format, number):
    payload = json.dumps(SESSION).encode()[:-1] + b',"odd":{"list":[%s]}}' % number
    cookie = flask_signed(b64encode(payload, b"-_").rstrip(b"=").decode())
    importer = Importer(FlaskCookie(), name="other", secret=OLD, until=None)
    scene = Scene(format=format, accept=[importer])
    scene.browser.jar.receive([f"other={cookie}; Path=/; Secure"])
    assert scene.browser.absence() is Absence.MALFORMED


def test_levels_are_counted_and_numbers_looked_at_without_recursion():
    value: Any = 1.5
    for _ in range(50_000):
        value = {"a": [value]}
    assert not is_shallow(value)
    assert is_shallow(value, 100_000)
    assert not is_shallow(value, 99_999)
    assert is_finite(value)
    assert is_shallow([], 1)
    assert not is_shallow([[]], 1)


@each
@pytest.mark.parametrize("serializer", [JSON, fast_json()], ids=["json", "orjson"])
@pytest.mark.parametrize(
    ("around", "readable"), [(b" \t\r\n", True), (b"\xc2\xa0", False), (b"\x0b", False)]
)
def test_the_whitespace_of_json_may_be_around_a_session(format, serializer, around, readable):
    scene = Scene(format=format, serializer=serializer)
    stamp = scene.browser.visit().exchange.create(SESSION).stamp
    put(
        scene,
        scene.store.settings.codec.seal(around + json.dumps(SESSION).encode() + around, stamp),
    )
    assert (scene.browser.session() != {}) is readable
