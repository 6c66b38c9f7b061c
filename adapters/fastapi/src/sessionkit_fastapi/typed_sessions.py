"""Sessions with a type: a TypedDict, a dataclass, a pydantic model or a msgspec.Struct."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import is_dataclass
from functools import cache
from typing import Any, TypeVar

from fastapi import Depends
from fastapi.requests import HTTPConnection
from pydantic import TypeAdapter
from typing_extensions import is_typeddict

from sessionkit import Session
from sessionkit.adapters import load_model

from .security import SessionCookie, require_session_api

__all__ = ["session_of"]

Model = TypeVar("Model")

logger = logging.getLogger("sessionkit")


@cache  # cached, so that each model has one dependency: `app.dependency_overrides[session_of(Model)]` finds it
def session_of(
    model: type[Model], guard: SessionCookie = require_session_api
) -> Callable[..., Awaitable[Model]]:
    """Return a dependency that gives the session of a signed-in user as your model: `Annotated[Model, Depends(session_of(Model))]`.

    (`sessionkit.session_of` would read the current session at once.) For a TypedDict, the result is the live session, checked
    against the type. Other models are copies, which `sessionkit.save_session(model)` merges into the session. If a session does
    not fit, for example because an earlier version of the application made it, a warning is logged, and the visitor counts as not
    signed in.

    Args:
        model: a pydantic model, a dataclass, a `msgspec.Struct`, a TypedDict, or a class with `from_session` and `to_session`.
        guard: the dependency that decides who is admitted.
    """
    read = _make_reader(model)

    async def typed(request: HTTPConnection, session: Any = Depends(guard)) -> Any:  # noqa: B008
        if session is None:
            return None
        try:
            return read(session)
        except ValueError:
            logger.warning(
                "a session does not fit %s: its visitor counts as not signed in", model.__qualname__
            )
            if guard.auto_error:
                # The error may show a claim.
                raise guard.refused(request) from None
            return None

    return typed


def _make_reader(model: type[Model]) -> Callable[[Session], Any]:
    """Return the function that reads a session as a model; it raises ValueError for one that does not fit."""
    if is_typeddict(model):
        check = TypeAdapter(model).validate_python

        def read_live(session: Session) -> Any:
            check(dict(session), strict=True)  # only the types of JSON; nothing is converted
            return session

        return read_live
    if not is_dataclass(model) or hasattr(model, "__pydantic_core_schema__"):
        return lambda session: load_model(model, session)
    validate = TypeAdapter(model).validate_python

    def read_dataclass(session: Session) -> Any:
        # For a dataclass, pydantic supports more than the core: the conditions in `Annotated`, and its own types.
        checked = validate(dict(session))
        try:
            return load_model(model, session)
        except (ValueError, TypeError):
            return checked

    return read_dataclass
