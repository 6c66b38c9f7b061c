"""Finding or making the exchange of a request."""

from __future__ import annotations

from typing import Any

import pytest

from sessionkit import ConfigurationError, CookieSettings, SessionStore
from sessionkit._exchange.exchange import Exchange
from sessionkit._exchange.framework_keys import FrameworkKeys
from sessionkit._exchange.request import HOLDER, HeaderRequest
from sessionkit._requests.current import get_current, set_current
from sessionkit._requests.gateway import Gateway
from sessionkit._requests.lookup import Exclusion, find_open, iterate_outward
from sessionkit._requests.views import WSGIRequest

from ..scene import ALICE, BOB, OTHER_SECRET, SECRET, Scene


def admin_of(scene: Scene) -> SessionStore:
    return SessionStore(OTHER_SECRET, cookie=CookieSettings(name="__Host-admin"), clock=scene.clock)


@pytest.fixture(autouse=True)
def nothing_is_left_current() -> Any:
    yield
    set_current(None)


def test_a_request_gets_an_exchange_that_it_keeps() -> None:
    scene, request = Scene(), HeaderRequest()
    exchange, owner = Gateway(None, scene.store).enter(request)
    assert (request.holder[HOLDER] is exchange, owner, exchange.owned, exchange.outer) == (
        True,
        True,
        True,
        None,
    )


def test_a_gateway_of_the_same_store_inside_reuses_it() -> None:
    scene, request = Scene(), HeaderRequest()
    first, _ = Gateway(None, scene.store).enter(request)
    assert Gateway(None, SessionStore(SECRET)).enter(request) == (first, False)


def test_a_gateway_reuses_its_own_exchange_through_that_of_another_store() -> None:
    scene, request = Scene(), HeaderRequest()
    first, _ = Gateway(None, scene.store).enter(request)
    between, _ = Gateway(None, admin_of(scene)).enter(request)
    assert Gateway(None, scene.store).enter(request) == (first, False)
    assert request.holder[HOLDER] is between
    assert list(iterate_outward(between)) == [between, first]


@pytest.mark.parametrize(
    "settings",
    [
        {"secret": OTHER_SECRET},
        {"audience": "b"},
        {"cookie": CookieSettings(name="__Host-session", same_site="Strict")},
    ],
)
def test_one_cookie_name_with_anything_else_is_refused(settings: dict[str, Any]) -> None:
    request = HeaderRequest()
    Gateway(None, Scene().store).enter(request)
    with pytest.raises(
        ConfigurationError,
        match=f"two stores use the cookie '__Host-session' in one request, and differ in {'|'.join(settings)}: give",
    ):
        Gateway(None, Scene(**settings).store).enter(request)


@pytest.mark.parametrize("ending", [Exchange.commit, Exchange.finish])
def test_an_exchange_that_is_closed_counts_as_absent(ending: Any) -> None:
    scene, request = Scene(), HeaderRequest()
    gateway = Gateway(None, scene.store)
    first, _ = gateway.enter(request)
    ending(first)
    request.holder[HOLDER] = first  # an environ that is used a second time
    second, owner = gateway.enter(request)
    assert (second is not first, owner, second.outer) == (True, True, None)


def test_an_exchange_that_a_verb_opened_before_the_gateway_counts_as_absent() -> None:
    scene = Scene()
    scene.browser.login()
    environ = {
        "REQUEST_METHOD": "GET",
        "HTTP_COOKIE": scene.browser.jar.header(),
        "wsgi.url_scheme": "https",
    }
    assert scene.store.get_session(environ) == ALICE

    def app(environ: Any, start_response: Any) -> list[bytes]:
        assert scene.store.update_session(environ, {**ALICE, "n": 1}) is True
        start_response("200 OK", [])
        return []

    lines: list[Any] = []
    scene.store.wsgi(app)(
        environ,
        lambda status, headers: lines.extend(
            value for name, value in headers if name == "Set-Cookie"
        ),
    )
    scene.browser.jar.receive(lines)
    assert scene.browser.session() == {**ALICE, "n": 1}


def test_a_gateway_inside_an_exclusion_of_its_own_store_serves() -> None:
    scene, request = Scene(), HeaderRequest()
    gateway = Gateway(None, scene.store)
    excluded = gateway.leave_out(request)
    exchange, owner = gateway.enter(request)
    assert (owner, exchange.outer is excluded) == (True, True)


def test_an_exclusion_hides_no_other_store() -> None:
    scene, request = Scene(), HeaderRequest()
    served, _ = Gateway(None, scene.store).enter(request)
    excluded = Gateway(None, admin_of(scene)).leave_out(request)
    assert request.holder[HOLDER] is excluded
    assert list(iterate_outward(excluded)) == [excluded, served]
    assert repr(excluded) == "<excluded from sessions>"


def test_a_store_that_is_left_out_by_an_outer_gateway_stays_out_inside_another() -> None:
    scene, request = Scene(), HeaderRequest()
    Gateway(None, scene.store).leave_out(request)
    inner, _ = Gateway(None, admin_of(scene)).enter(request)
    assert isinstance(inner.outer, Exclusion)
    assert inner.outer.settings.same_store(scene.store.settings)


def test_the_end_of_an_inner_exchange_gives_the_request_back_to_the_outer_one() -> None:
    scene, request = Scene(), HeaderRequest()
    outer, _ = Gateway(None, scene.store).enter(request)
    inner, _ = Gateway(None, admin_of(scene)).enter(request)
    inner.finish()
    assert find_open(request.holder[HOLDER]) is outer
    assert find_open(inner) is outer
    outer.finish()
    assert find_open(request.holder[HOLDER]) is None
    assert find_open(inner) is None


@pytest.mark.parametrize(
    ("globs", "path", "excluded"),
    [("/a/*", "/a/b/c", True), ("/a/*", "/b", False), (["/a", "/b*"], "/bcd", True), (["/a"], "/ab", False), (["*.css"], "/x/y.css", True),
     (["/A"], "/a", False), ([], "/", None)],
)  # fmt: skip
def test_the_globs_are_matched_with_the_whole_path(
    globs: Any, path: str, excluded: bool | None
) -> None:
    matcher = Gateway(None, Scene().store, exclude=globs).excluded
    assert (None if matcher is None else bool(matcher(HeaderRequest(path=path)))) is excluded


def test_a_framework_is_served_by_a_copy_of_the_settings() -> None:
    scene = Scene()
    gateway = Gateway(None, scene.store, framework=FrameworkKeys(login=("_user_id",)))
    assert gateway.settings.same_store(scene.store.settings)
    assert gateway.settings.guard({"_user_id": "7"}) is True
    assert scene.store.settings.guard({"_user_id": "7"}) is False
    assert scene.store.settings.guard(BOB) is True


def test_to_begin_a_request_makes_its_exchange_the_current_one() -> None:
    request = HeaderRequest()
    exchange = Gateway(None, Scene().store).begin(request)
    assert exchange is request.holder[HOLDER] is get_current()


def test_to_begin_a_request_that_a_gateway_around_answers_gives_none_and_keeps_it_current() -> None:
    scene, request = Scene(), HeaderRequest()
    first = Gateway(None, scene.store).begin(request)
    set_current(None)
    assert Gateway(None, scene.store).begin(request) is None
    assert get_current() is first


def test_to_begin_an_excluded_path_leaves_it_out_and_the_variable_says_so() -> None:
    request = HeaderRequest(path="/static/a.css")
    assert Gateway(None, Scene().store, exclude="/static/*").begin(request) is None
    assert isinstance(request.holder[HOLDER], Exclusion)
    assert get_current() is request.holder[HOLDER]


def test_a_gateway_finds_its_own_exchange_among_those_of_a_request_until_it_has_ended() -> None:
    scene, request = Scene(), HeaderRequest()
    outer, inner = Gateway(None, scene.store), Gateway(None, admin_of(scene))
    assert outer.serving(request) is None
    first, second = outer.begin(request), inner.begin(request)
    assert first is not None
    assert (outer.serving(request), inner.serving(request)) == (first, second)
    first.finish()
    assert outer.serving(request) is None


def test_an_excluded_path_has_no_exchange_of_its_gateways() -> None:
    request, gateway = HeaderRequest(path="/a"), Gateway(None, Scene().store, exclude="/a")
    gateway.begin(request)
    assert gateway.serving(request) is None


def test_the_gateway_that_answers_an_exchange_finds_it_also_when_one_inside_serves_a_framework() -> (
    None
):
    scene, request = Scene(), HeaderRequest()
    outer, inner = Gateway(None, scene.store), Gateway(None, scene.store, framework=FrameworkKeys())
    exchange = outer.begin(request)
    assert inner.begin(request) is None
    assert (outer.serving(request), inner.serving(request)) == (exchange, None)


def test_an_exchange_that_a_verb_opened_is_no_gateways_to_answer() -> None:
    scene = Scene()
    environ = {"REQUEST_METHOD": "GET", "HTTP_COOKIE": "", "wsgi.url_scheme": "https"}
    scene.store.get_session(environ)
    assert Gateway(None, scene.store).serving(WSGIRequest(environ)) is None


def test_a_gateway_finds_its_own_exchange_as_the_current_one_too() -> None:
    scene, request = Scene(), HeaderRequest()
    gateway = Gateway(None, scene.store)
    assert gateway.serving(None) is None
    exchange = gateway.begin(request)
    assert gateway.serving(None) is exchange is not None
    assert Gateway(None, scene.store).serving(None) is None
    exchange.finish()
    assert gateway.serving(None) is None


def test_of_three_stores_each_leaves_its_own_word_in_the_request() -> None:
    stores = [
        SessionStore(OTHER_SECRET, cookie=CookieSettings(name=name)) for name in ("a", "b", "c")
    ]
    request = HeaderRequest()
    for exchange in [Gateway(None, store).enter(request)[0] for store in stores][::-1]:
        exchange.finish()
    left = list(iterate_outward(request.holder[HOLDER]))
    assert [one.settings for one in left] == [store.settings for store in stores[::-1]]
    assert find_open(left[0]) is None
