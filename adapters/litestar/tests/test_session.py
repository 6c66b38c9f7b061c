"""request.session: Litestar's own habits, models, laziness and layers."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import pytest
from litestar import Litestar, Request, Response, Router, delete, get, post
from litestar.testing import TestClient
from litestar.types import Empty
from pydantic import BaseModel

from sessionkit import ResponseStartedError, create_session, delete_session, get_session
from sessionkit._exchange.request import HOLDER
from sessionkit_litestar import SessionKitConfig

from .visitor import ANN, NAME, OUT, STORE, client_of


def names(answer) -> list[str]:
    return [line.partition("=")[0] for line in answer.headers.get_list("set-cookie")]


# ---- what Litestar's own session tests look at


def test_a_session_is_set_seen_cleared_and_set_anew():
    @get("/session")
    async def look(request: Request) -> bool:
        return request.session != {}

    @post("/session")
    async def put(request: Request) -> None:
        request.session["name"] = "ann"

    @delete("/session")
    async def clear(request: Request) -> None:
        request.clear_session()

    client = client_of(look, put, clear)
    seen = [client.get("/session").json()]
    for step in (client.post, client.delete, client.post):
        step("/session")
        seen.append(client.get("/session").json())
    assert seen == [False, True, False, True]


def test_a_session_that_is_set_for_another_user_is_a_login():
    @post("/set")
    async def put(request: Request) -> None:
        request.clear_session()
        request.set_session({"user_id": request.query_params["id"]})

    client = client_of(put)
    client.post("/set?id=1")
    late = client.cookies[NAME]
    assert OUT in names(client.post("/set?id=2"))
    assert client.get("/all").json() == {"user_id": "2"}
    client.cookies.set(NAME, late, domain="app.example.org")
    assert client.get("/all").json() == {}


def test_an_empty_session_may_be_set():
    @post("/empty")
    async def empty(request: Request) -> None:
        request.set_session(Empty)

    client = client_of(empty)
    client.post("/login")
    assert OUT in names(client.post("/empty"))
    assert client.get("/all").json() == {}


def test_other_cookies_of_the_response_stay():
    @get("/")
    async def index(request: Request) -> Response[str]:
        request.session["n"] = 1
        return Response("", cookies={"other": "kept"})

    assert names(client_of(index).get("/")) == ["other", NAME]


def test_excluded_paths_and_handlers_have_none():
    @get("/north")
    async def north(request: Request) -> bool:
        return "session" in request.scope

    @get("/south", skip_session=True)
    async def south(request: Request) -> bool:
        return "session" in request.scope

    @get("/west")
    async def west(request: Request) -> bool:
        return "session" in request.scope

    client = client_of(north, south, west, config=SessionKitConfig(store=STORE, exclude=["north"]))
    assert [client.get(path).json() for path in ("/north", "/south", "/west")] == [
        False,
        False,
        True,
    ]


def test_the_test_client_reads_and_writes_it():
    client = client_of()
    client.set_session_data({**ANN, "n": 1})
    assert client.get("/all").json() == {**ANN, "n": 1}
    client.set_session_data({**ANN, "n": 2})
    assert client.get_session_data() == {**ANN, "n": 2}


@pytest.mark.parametrize("contents", [ANN, {"cart": ["tea"]}])
def test_session_data_that_the_test_client_empties_are_a_logout(contents):
    client = client_of()
    client.set_session_data(contents)
    client.set_session_data({})
    assert client.get("/all").json() == {} == dict(client.get_session_data())


def test_the_test_client_changes_the_session_that_it_has(caplog):
    client = client_of()
    assert client.post("/login").json() == ANN
    session_id = client.get_session_data().id
    client.set_session_data({**client.get_session_data(), "n": 2})
    assert client.get_session_data().id == session_id
    assert client.get("/all").json() == {**ANN, "n": 2}
    # It is no visitor over plain http.
    assert [record for record in caplog.records if record.name == "sessionkit"] == []


def test_there_is_no_session_id_but_that_of_the_session():
    @get("/ids")
    async def ids(request: Request) -> list:
        return [request.get_session_id(), request.session.id]

    client = client_of(ids)
    client.post("/login")
    none, id = client.get("/ids").json()
    assert none is None
    assert len(id) == 22


# ---- models


@dataclass
class Data:
    user: dict
    n: int


class Struct(msgspec.Struct):
    user: dict
    n: int


class Model(BaseModel):
    user: dict
    n: int


@pytest.mark.parametrize("model", [Data, Struct, Model, dict])
def test_a_model_is_saved_as_litestar_serialises_it(model):
    @post("/set")
    async def put(request: Request) -> int:
        request.set_session(model(user={"sub": "ann"}, n=7))
        return request.session["n"] if model is dict else request.session.n

    client = client_of(put)
    client.post("/login")
    answer = client.post("/set")
    assert (answer.json(), names(answer)) == (7, [NAME])  # the same user: no login
    assert client.get("/all").json() == {**ANN, "n": 7}


def test_a_session_that_is_set_may_hold_what_litestar_can_serialise():
    @post("/set")
    async def put(request: Request) -> None:
        request.set_session({"at": datetime(2026, 1, 2)})  # noqa: DTZ001

    client = client_of(put)
    client.post("/set")
    assert client.get("/all").json() == {"at": "2026-01-02T00:00:00"}


def test_another_user_that_is_set_is_a_login():
    @post("/set")
    async def put(request: Request) -> None:
        request.set_session(Data(user={"sub": "bob"}, n=1))

    client = client_of(put)
    client.post("/login")
    assert names(client.post("/set")) == [NAME, OUT]


# ---- laziness, layers, errors


def test_a_handler_that_does_not_use_it_decrypts_nothing():
    @get("/public")
    async def public(request: Request) -> bool:
        return request.scope[HOLDER].looked_at

    client = client_of(public)
    client.post("/login")
    answer = client.get("/public")
    assert answer.json() is False
    assert "vary" not in answer.headers


def test_a_configuration_is_copied_with_its_store():
    config = SessionKitConfig(store=STORE, exclude=["north"])
    assert copy.deepcopy(config) == config
    assert copy.deepcopy(config).store is STORE


def test_it_works_on_a_router_and_on_a_handler():
    config = SessionKitConfig(store=STORE)

    @get("/put")
    async def put(request: Request) -> None:
        request.session["n"] = request.session.get("n", 0) + 1

    @get("/all", middleware=[config.middleware])
    async def everything(request: Request) -> dict:
        return request.session

    app = Litestar(
        [Router("/shop", route_handlers=[put], middleware=[config.middleware]), everything]
    )
    client = TestClient(app, base_url="https://app.example.org")
    client.get("/shop/put")
    client.get("/shop/put")
    assert client.get("/all").json() == {"n": 2}


def test_on_two_layers_it_is_one_session_and_one_cookie():
    config = SessionKitConfig(store=STORE)

    @get("/put", middleware=[config.middleware])
    async def put(request: Request) -> None:
        request.session["n"] = 1

    assert names(client_of(put, config=config).get("/put")) == [NAME]


@pytest.mark.parametrize("error", [RuntimeError, ZeroDivisionError])
def test_a_500_of_litestars_own_handler_saves_nothing_and_keeps_a_logout(error):
    @get("/fails")
    async def fails(request: Request) -> None:
        request.session["n"] = 1
        raise error

    @get("/logout")
    async def logout(request: Request) -> None:
        request.clear_session()
        raise error

    client = client_of(fails, logout)
    client.post("/login")
    assert names(client.get("/fails")) == []
    assert OUT in names(client.get("/logout"))
    assert client.get("/all").json() == {}


def test_a_before_send_hook_comes_too_late_to_write_and_is_told():
    said: list[type] = []

    async def hook(message, scope) -> None:
        if message["type"] == "http.response.start" and "session" in scope:
            try:
                scope["session"]["late"] = 1
            except ResponseStartedError as error:
                said.append(type(error))

    client = client_of(before_send=[hook])
    client.post("/login")
    assert said == [ResponseStartedError]
    assert client.get("/all").json() == ANN


def test_what_is_set_in_place_and_is_no_json_fails_the_response():
    @get("/put")
    async def put(request: Request) -> None:
        request.session["at"] = datetime(2026, 1, 2)  # noqa: DTZ001

    client = client_of(put)
    assert client.get("/put").status_code == 500
    assert client.get("/all").json() == {}


LOGINS: dict[str, Any] = {
    "clear_session": lambda request: request.clear_session(),
    "set_session({})": lambda request: request.set_session({}),
    "set_session of another user": lambda request: request.set_session({"user": {"sub": "bob"}}),
}


@pytest.mark.parametrize("replace", LOGINS)
def test_a_verb_after_a_replacement_counts(replace):
    @get("/again")
    async def again(request: Request) -> None:
        LOGINS[replace](request)
        create_session({"user": {"sub": "cyd"}})

    @get("/out")
    async def out(request: Request) -> None:
        LOGINS[replace](request)
        delete_session()

    @get("/seen")
    async def seen(request: Request) -> Any:
        LOGINS[replace](request)
        return get_session()

    with client_of(again, out, seen) as client:
        client.post("/login")
        assert client.get("/seen").json() in (None, {"user": {"sub": "bob"}})
        client.get("/again")
        assert client.get("/all").json() == {"user": {"sub": "cyd"}}
        client.get("/out")
        assert client.get("/all").json() == {}
