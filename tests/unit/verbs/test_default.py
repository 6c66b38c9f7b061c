"""The functions of the module: which store do they mean?"""

from __future__ import annotations

from typing import Any

import pytest

import sessionkit
from sessionkit import (
    ConfigurationError,
    CookieSettings,
    NoActiveRequestError,
    SessionStore,
    get_session,
    update_session,
)

from ..scene import ALICE, BOB, OTHER_SECRET, SECRET, Scene
from ..served import environ_of, scope_of

pytestmark = pytest.mark.usefixtures("nothing_configured")


def signed_in(**settings: Any) -> Scene:
    scene = Scene(**settings)
    scene.browser.login()
    return scene


def serve(store: SessionStore, view: Any, cookies: str = "") -> list[tuple[str, str]]:
    headers: list[Any] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        view(environ)
        start_response("200 OK", [])
        return []

    store.wsgi(app)(environ_of(cookies), lambda status, fields: headers.extend(fields))
    return headers


def admin_of(scene: Scene, name: str = "__Host-admin") -> SessionStore:
    return SessionStore(OTHER_SECRET, cookie=CookieSettings(name=name), clock=scene.clock)


def test_the_store_of_the_request_is_found_with_nothing_configured() -> None:
    scene, seen = signed_in(), []
    serve(
        scene.store,
        lambda environ: seen.extend([get_session(), get_session(environ)]),
        scene.browser.jar.header(),
    )
    assert [dict(one) for one in seen] == [ALICE, ALICE]


def test_the_configured_store_serves_requests_without_a_gateway() -> None:
    scene = signed_in()
    sessionkit.configure(scene.store)
    assert get_session(environ_of(scene.browser.jar.header())) == ALICE
    assert get_session(scope_of(scene.browser.jar.header())) == ALICE


def test_the_environment_is_the_default_of_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    headers: list[Any] = []
    monkeypatch.setenv("SESSIONKIT_SECRET", SECRET)
    sessionkit.create_session(environ_of(), headers, ALICE)
    monkeypatch.setenv("SESSIONKIT_SECRET", OTHER_SECRET)  # read on first use, and once
    cookie = next(value for name, value in headers if name == "Set-Cookie").partition(";")[0]
    assert get_session(environ_of(cookie)) == ALICE


def test_no_store_at_all_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(ConfigurationError, match="no store is known") as error:
        get_session(environ_of())
    for way in (
        r"store.wsgi\(app\), store.asgi\(app\)",
        r"configure\(store\)",
        "SESSIONKIT_SECRET",
    ):
        error.match(way)


def test_a_configured_store_equal_to_the_gateways_is_no_disagreement() -> None:
    scene, seen = signed_in(), []
    sessionkit.configure(SessionStore(SECRET, clock=scene.clock))
    serve(scene.store, lambda environ: seen.append(get_session()), scene.browser.jar.header())
    assert seen == [ALICE]


@pytest.mark.parametrize("explicit", [False, True])
def test_a_configured_store_that_is_another_than_the_requests_is_refused(explicit: bool) -> None:
    scene = signed_in()
    sessionkit.configure(admin_of(scene))

    def view(environ: Any) -> None:
        with pytest.raises(TypeError, match="cookies '__Host-session' and '__Host-admin'"):
            get_session(*[environ] * explicit)

    serve(scene.store, view, scene.browser.jar.header())


@pytest.mark.parametrize("explicit", [False, True])
def test_two_stores_in_one_request_are_refused_by_name(explicit: bool) -> None:
    scene = signed_in()
    admin, refused = admin_of(scene), []

    def inner(environ: Any, start_response: Any) -> list[bytes]:
        with pytest.raises(
            TypeError,
            match="cookies '__Host-admin' and '__Host-session': call the verb on one of them",
        ):
            update_session(*[environ] * explicit, BOB)
        refused.append(True)
        start_response("200 OK", [])
        return []

    scene.store.wsgi(admin.wsgi(inner))(environ_of(), lambda *args: None)
    assert refused == [True]


def test_two_stores_of_one_cookie_name_are_refused_too() -> None:
    scene = signed_in()
    other = SessionStore(OTHER_SECRET, clock=scene.clock)

    def view(environ: Any) -> None:
        for form in ((), (environ,)):
            with pytest.raises(
                ConfigurationError,
                match="two stores use the cookie '__Host-session' in one request, and differ in secret",
            ):
                other.get_session(*form)

    serve(scene.store, view, scene.browser.jar.header())


def test_a_store_inside_an_excluded_path_of_another_is_still_one_of_two() -> None:
    scene = signed_in()
    admin, refused = admin_of(scene), []

    def inner(environ: Any, start_response: Any) -> list[bytes]:
        assert (
            dict(scene.store.get_session() or {}) == ALICE
        )  # what admin leaves out is not hidden from the store around it
        assert admin.get_session(environ) is None
        with pytest.raises(TypeError, match="'__Host-admin' and '__Host-session'"):
            get_session()
        refused.append(True)
        start_response("200 OK", [])
        return []

    scene.store.wsgi(admin.wsgi(inner, exclude="*"))(
        environ_of(scene.browser.jar.header()), lambda *args: None
    )
    assert refused == [True]


def test_on_an_excluded_path_the_default_store_is_not_consulted() -> None:
    scene, seen = signed_in(), []
    sessionkit.configure(scene.store)
    app = scene.store.wsgi(
        lambda environ, start_response: seen.append((get_session(), get_session(environ))) or [],
        exclude="*",
    )
    app(environ_of(scene.browser.jar.header()), lambda *args: None)
    assert seen == [(None, None)]


def test_none_takes_a_configured_store_back() -> None:
    sessionkit.configure(Scene().store)
    sessionkit.configure(None)
    with pytest.raises(ConfigurationError):
        get_session(environ_of())


def test_a_method_does_not_take_the_request_of_another_store_for_its_own() -> None:
    scene = signed_in()

    def view(environ: Any) -> None:
        with pytest.raises(
            NoActiveRequestError,
            match="served by another store than that of the cookie '__Host-admin'",
        ):
            admin_of(scene).get_session()

    serve(scene.store, view, scene.browser.jar.header())


def test_one_store_in_two_gateways_of_which_the_outer_leaves_the_path_out_is_one_store() -> None:
    scene, seen = signed_in(), []

    def inner(environ: Any, start_response: Any) -> list[bytes]:
        seen.extend([get_session(), get_session(environ)])
        start_response("200 OK", [])
        return []

    scene.store.wsgi(scene.store.wsgi(inner), exclude="*")(
        environ_of(scene.browser.jar.header()), lambda *args: None
    )
    assert seen == [ALICE, ALICE]
