"""The middleware was forgotten, or the response is out: what is lost then is told, and what is not is not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import BackgroundTasks, FastAPI, Request
from fastapi.testclient import TestClient

from sessionkit import EventKind, NoActiveRequestError, SessionStore, configure, get_session
from sessionkit.testing import session_cookies
from sessionkit_fastapi import CurrentSession, SessionMiddleware

SECRET = "fastapi tests: 0123456789abcdefghijklmnopqrstuvwxyz"


class Shop:
    def __init__(self) -> None:
        self.told: list[EventKind] = []
        self.store = SessionStore(SECRET, on_event=lambda event: self.told.append(event.kind))
        self.app = FastAPI()

    def ask(self, path: str = "/") -> Any:
        cookies = session_cookies(self.store, {"user": {"sub": "ann"}, "cart": {"items": []}})
        client = TestClient(
            self.app,
            base_url="https://app.example.org",
            cookies=cookies,
            raise_server_exceptions=False,
        )
        return client.get(path)


@pytest.fixture
def shop() -> Iterator[Shop]:
    shop = Shop()
    configure(shop.store)
    yield shop
    configure(None)


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("nested", [False, True])
def test_a_change_in_place_without_the_middleware_is_told(shop, nested, plain):
    def change(session: dict[str, Any]) -> None:
        if nested:
            session["cart"]["items"].append(1)
        else:
            session["x"] = 1

    if plain:

        @shop.app.get("/")
        def page(session: CurrentSession) -> None:
            change(session)

    else:

        @shop.app.get("/")
        async def page_(session: CurrentSession) -> None:
            change(session)

    assert "set-cookie" not in shop.ask().headers
    assert shop.told == [EventKind.UNANSWERED]


def test_reading_without_the_middleware_is_allowed(shop):
    @shop.app.get("/")
    async def page(session: CurrentSession) -> str:
        return session["user"]["sub"]

    assert shop.ask().json() == "ann"
    assert shop.told == []


@pytest.mark.parametrize("plain", [False, True])
def test_a_background_task_that_is_the_first_to_read_the_session_gives_no_alarm(shop, plain):
    shop.app.add_middleware(SessionMiddleware, store=shop.store)
    found: list[Any] = []

    def note() -> None:
        try:
            found.append((get_session() or {})["user"]["sub"])
        except NoActiveRequestError as error:
            found.append(error)

    async def note_async() -> None:
        note()

    @shop.app.get("/")
    async def page(tasks: BackgroundTasks) -> None:
        tasks.add_task(note if plain else note_async)

    assert shop.ask().status_code == 200
    assert found == ["ann"]
    assert shop.told == []


@pytest.mark.parametrize("value", [{"user": {"sub": "ann"}}, {}, None, [1]])
def test_what_a_background_task_puts_into_the_scope_is_told(shop, value):
    shop.app.add_middleware(SessionMiddleware, store=shop.store)

    @shop.app.get("/")
    def page(request: Request, background: BackgroundTasks) -> None:
        background.add_task(request.scope.update, session=value)

    assert shop.ask().status_code == 200
    assert shop.told == [EventKind.LATE_CHANGE]
