"""Sessions with a type: a TypedDict, a dataclass, a pydantic model or a msgspec.Struct."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any, TypeVar

from fastapi import Depends
from fastapi.requests import HTTPConnection
from pydantic import TypeAdapter, ValidationError
from typing_extensions import is_typeddict

from sessionkit import Session

from .security import SessionCookie, require_session_api

__all__ = ["session_of"]

Model = TypeVar("Model")

logger = logging.getLogger("sessionkit")


@cache  # one dependency a model: `app.dependency_overrides[session_of(Model)]` finds it
def session_of(
    model: type[Model], guard: SessionCookie = require_session_api
) -> Callable[..., Awaitable[Model]]:
    """Return a dependency that gives the session of a signed-in user as your model: `Annotated[Model, Depends(session_of(Model))]`.

    A TypedDict is the live session, checked to be one. Others are values of their own. Save the fields that you changed with
    `update_session({**get_session(), **model.model_dump(mode="json", include={"cart"})})`: a dump alone would replace the whole
    session, and delete what the model does not know. A session that does not fit counts as none (and a warning says so): an
    earlier version of the application made it, and its visitor signs in anew.

    Args:
        model: a TypedDict, a dataclass, a pydantic model or a `msgspec.Struct`.
        guard: who may pass.
    """
    convert, misfits = _converter(model)

    async def typed(request: HTTPConnection, session: Any = Depends(guard)) -> Any:  # noqa: B008
        if session is None:
            return None
        try:
            return convert(session)
        except misfits:
            logger.warning(
                "a session does not fit %s: its visitor counts as not signed in", model.__qualname__
            )
            if guard.auto_error:
                raise guard.refused(
                    request
                ) from None  # what does not fit is a claim, and stands in the cause
            return None

    return typed


def _converter(model: type[Model]) -> tuple[Callable[[Session], Any], type[Exception]]:
    if hasattr(model, "__struct_fields__"):
        import msgspec  # noqa: PLC0415  # only whoever has a Struct has it

        return (lambda session: msgspec.convert(dict(session), model)), msgspec.ValidationError
    adapter = TypeAdapter(model)
    if not is_typeddict(model):
        return (lambda session: adapter.validate_python(dict(session))), ValidationError

    def live(session: Session) -> Any:
        adapter.validate_python(dict(session), strict=True)  # JSON's types: nothing is converted
        return session

    return live, ValidationError
