"""The forms in which a verb can be called: which argument is the request, the response and the session."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple, NoReturn, cast

from .._exchange.request import RequestInfo
from .._session.models import is_model
from .recognition import as_request, find_missing_adapter
from .responses import as_fields, is_message, is_response

__all__ = ["TAKING_A_SESSION", "Call", "list_forms", "parse_call", "refuse_call"]

TAKING_A_SESSION = frozenset({"create_session", "save_session", "update_session"})
"""The verbs that take a session, as the last argument."""


class Call(NamedTuple):
    """The arguments of a verb by their roles."""

    request: RequestInfo | None
    response: object
    session: Any


def parse_call(verb: str, args: tuple[Any, ...]) -> Call:  # noqa: RET503  # `refuse_call` does not return
    """Return the arguments of a verb by their roles.

    "Is it a request?" is asked before "is it a session?", because Starlette's Request is a mapping too.

    Args:
        verb: the name of the verb.
        args: the arguments.

    Raises:
        TypeError: the call has none of the valid forms; the message lists them.
    """
    if verb in ("update_session", "save_session") and args and _is_function(args[-1]):
        # The session argument may be a function that returns the new contents.
        request, response, _ = parse_call(verb, (*args[:-1], None))
        return Call(request, response, args[-1])
    request = as_request(args[0]) if args else None
    session = verb in TAKING_A_SESSION
    match args:
        case ():
            return Call(None, None, None)
        case (_,) if request is not None and not session:
            return Call(request, None, None)
        case (_, response) if request is not None and not session and is_response(response):
            return Call(request, response, None)
        case (contents,) if session and request is None and _is_session(contents):
            return Call(None, None, contents)
        case (_, contents) if session and request is not None and _is_session(contents):
            return Call(request, None, contents)
        case (_, response, contents) if (
            session and request is not None and is_response(response) and _is_session(contents)
        ):
            return Call(request, response, contents)
        case _:
            refuse_call(verb, args)


def _is_function(value: object) -> bool:
    """Return whether a value can be the function of `update_session`: a callable that is not a class, a request or a response."""
    return (
        callable(value)
        and not isinstance(value, (type, Mapping))
        and as_request(value) is None
        and not is_response(value)
    )


def _is_session(value: object) -> bool:
    """Return whether a value can be the session of a call: None, or a mapping that is neither a request nor a response."""
    if value is None:
        return True
    if not isinstance(value, Mapping):
        return False
    mapping = cast("Mapping[str, Any]", value)
    return not is_message(mapping) and as_request(mapping) is None and as_fields(mapping) is None


def list_forms(verb: str) -> str:
    """Return the valid calls of a verb, for error messages and docstrings."""
    takes_response = verb != "get_exchange"
    last = ["session"] if verb in TAKING_A_SESSION else []
    forms = [
        [],
        ["environ"],
        ["environ", "headers"],
        ["scope"],
        ["scope", "message"],
        ["request"],
        ["request", "response"],
    ]
    return ", ".join(
        f"{verb}({', '.join(form + last)})" for form in forms if takes_response or len(form) < 2
    )


def refuse_call(verb: str, args: tuple[Any, ...], *, named: Collection[str] = ()) -> NoReturn:
    """Raise TypeError for a call, and list the valid forms.

    Args:
        verb: the name of the verb.
        args: the arguments of the call.
        named: the names of keyword arguments, which no verb takes.
    """
    valid = list_forms(verb)
    session = verb in TAKING_A_SESSION
    given = ", ".join([*(type(arg).__name__ for arg in args), *(f"{name}=..." for name in named)])
    why, adapter = "", find_missing_adapter(args)
    if adapter is not None:
        why = f" (import {adapter}, which teaches sessionkit this framework's requests)"
    elif named:
        names = (
            "the request, the response and the session"
            if verb == "create_session"
            else "the arguments"
        )
        why = f" ({names} have no names)"
    elif session and args and is_model(args[-1]):
        way_out = (
            "create_session(contents_of(model))"
            if verb == "create_session"
            else "save_session(model)"
        )
        why = f" (a model is not a session: {way_out})"
    elif session and (
        not args
        or args[-1] is None
        or (as_request(args[0]) is not None and not _is_session(args[-1]))
    ):
        why = " (the session is missing)"
    raise TypeError(f"{verb}({given}) is not a valid call{why}: valid are {valid}")
