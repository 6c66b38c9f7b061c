"""The six verbs and `get_exchange`, with all their call forms: for a store, for the module, for a framework's types."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from functools import partial
from inspect import getdoc
from typing import Any, Generic, TypeAlias, TypeVar, cast, overload

from typing_extensions import deprecated

from ._exchange.exchange import ENDED, OPEN, Exchange
from ._exchange.request import RequestInfo
from ._model_verbs import ModelVerbs
from ._requests.call_forms import TAKING_A_SESSION, list_forms, parse_call, refuse_call
from ._requests.lookup import Exclusion
from ._requests.recognition import REQUEST_KEYS, as_request
from ._requests.responses import write_response
from ._session.model_merging import make_merge
from ._session.session import Session
from ._session.tracebacks import clear_frames, clears_frames
from .errors import ConfigurationError, NoActiveRequestError

__all__ = ["Verbs"]


Request = TypeVar("Request")


Response = TypeVar("Response")


Carrier = TypeVar("Carrier")


Result = TypeVar("Result")


NewContents: TypeAlias = (
    Mapping[str, Any] | Callable[[dict[str, Any]], Mapping[str, Any] | None] | None
)
"""The session argument of `update_session`: the new contents, a function of the present contents that returns them, or None."""


class Verbs(ModelVerbs[Request, Response], Generic[Request, Response, Carrier]):
    """Base of the verbs; a subclass finds the exchange of a request.

    The type parameters are the types of requests and of responses, and the types that can only be a request: in
    `update_session(carrier)` the session is missing.

    Without arguments a verb acts on the current request. Otherwise pass the request: a WSGI environ, an ASGI scope, an object
    that carries one of these, or an object of a type that an adapter has registered. After the request you can pass the
    response too: a list of headers, a `wsgiref.headers.Headers`, an `http.response.start` message, or a response object. A verb
    writes into the response only if no gateway does.

    All verbs are synchronous, under ASGI too. A call of any other form raises `TypeError`.
    """

    __slots__ = ()

    @abstractmethod
    def _exchange(self, request: RequestInfo | None) -> Exchange | Exclusion:
        """Return the exchange of a request; None means the current request."""

    @overload
    def get_session(self) -> Session | None: ...
    @overload
    def get_session(self, request: Request, /) -> Session | None: ...
    @overload
    def get_session(self, request: Request, response: Response, /) -> Session | None: ...
    def get_session(self, *args: Any) -> Session | None:
        """Return the session of an authenticated user, or None.

        The session is live: change it in place, nested values too, or replace it with `update_session`. Both are saved
        when the response starts. For an anonymous session the result is None. Without a gateway, send `Vary: Cookie` yourself.

        Returns:
            The live session; None if there is no session, if it has expired, or if it does not pass the guard.

        Raises:
            NoActiveRequestError: the call has no arguments, and no request is being served here.
            TypeError: the call has none of the valid forms.
        """
        request = response = session = None
        try:
            if args:
                request, response, _ = parse_call("get_session", args)
            exchange = self._exchange(request)
            if isinstance(exchange, Exclusion):
                return None
            if exchange.place is not None and exchange.phase is OPEN:
                exchange.place.take_over(leaving=True)
            session = exchange.get()
            if response is not None:
                _respond(exchange, request, response)
        except BaseException as error:
            args, request, response, session = (), None, None, None
            clear_frames(error)
            raise
        return session

    @overload
    def get_exchange(self) -> Exchange: ...
    @overload
    def get_exchange(self, request: Request, /) -> Exchange: ...
    @clears_frames
    def get_exchange(self, *args: Any) -> Exchange:
        """Return the request's exchange: the `contents` of an anonymous session too, `absence`, `response_headers`.

        If no gateway serves the request, only a later verb that is called with the response saves changes in the exchange.

        Raises:
            NoActiveRequestError: this path is excluded from sessions; or the call has no arguments, and no request is being
                served here.
            TypeError: the call has none of the valid forms; a response is not accepted.
        """
        request = as_request(args[0]) if args else None
        if len(args) > 1 or (args and request is None):
            refuse_call("get_exchange", args)
        exchange = self._exchange(request)
        if isinstance(exchange, Exclusion):
            raise NoActiveRequestError(
                "get_exchange: this path is excluded from sessions, so its requests have no exchange: take it out of `exclude`"
            )
        if exchange.place is not None and exchange.phase is OPEN:
            exchange.place.take_over()
        return exchange

    @overload
    @deprecated("the session is missing: update_session(request, session)")
    def update_session(self, request: Carrier, /) -> bool: ...
    @overload
    def update_session(self) -> bool: ...
    @overload
    def update_session(self, session: NewContents, /) -> bool: ...
    @overload
    def update_session(self, request: Request, session: NewContents, /) -> bool: ...
    @overload
    def update_session(
        self, request: Request, response: Response, session: NewContents, /
    ) -> bool: ...
    def update_session(self, *args: Any, **named: Any) -> bool:
        """Replace the contents of the session. This never logs in or out.

        Nothing happens if no session is given (None, or no argument at all), if it contains no user, if the user is not
        authenticated, or if it would change who the user is. Then the verb returns False and tells `on_event` the reason.
        If the user would change, a WARNING names the claim that differs. After a token refresh, keep `user` as it came
        from the ID token (the userinfo endpoint gives no `iss`), and pass `{**session, "tokens": ...}`.

        Instead of the session you can pass a function. It gets a copy of the contents and returns the new contents, or None for no
        change: `update_session(lambda session: {**session, "n": session["n"] + 1})`. With a backend the function is called again
        if a parallel request has changed the session meanwhile, so that no increment of a counter is lost.

        Returns:
            Whether the session was replaced.

        Raises:
            SerializationError: the session is not JSON; the message has the path of the value.
            SessionTooLargeError: the session does not fit in `max_bytes`; the old session stays as it was.
            ResponseStartedError: the response's headers have gone out.
            NoActiveRequestError: no gateway would write the response.
            TypeError: the call has none of the valid forms (`update_session(environ)`: the session is missing).
        """
        try:
            if named:
                refuse_call("update_session", args, named=named)
            return self._write("update_session", args, Exchange.update)
        except BaseException as error:
            del args, named
            clear_frames(error)
            raise

    @overload
    def touch_session(self) -> bool: ...
    @overload
    def touch_session(self, request: Request, /) -> bool: ...
    @overload
    def touch_session(self, request: Request, response: Response, /) -> bool: ...
    @clears_frames
    def touch_session(self, *args: Any) -> bool:
        """Move the idle expiry, now, and change nothing else. This works for anonymous sessions too.

        Returns:
            Whether there was a session with an idle expiry.

        Raises:
            ResponseStartedError, NoActiveRequestError, TypeError: as for `update_session`.
        """
        return self._write("touch_session", args, Exchange.touch)

    @overload
    def create_session(
        self, session: Mapping[str, Any], /, *, lifetime: str | None = None
    ) -> Session: ...
    @overload
    def create_session(
        self, request: Request, session: Mapping[str, Any], /, *, lifetime: str | None = None
    ) -> Session: ...
    @overload
    def create_session(
        self,
        request: Request,
        response: Response,
        session: Mapping[str, Any],
        /,
        *,
        lifetime: str | None = None,
    ) -> Session: ...
    @clears_frames
    def create_session(self, *args: Any, lifetime: str | None = None, **named: Any) -> Session:
        """Begin a session; a login handler calls this.

        The session has a new id, a new creation time and exactly the given contents. Every session that came with the
        request is ended. Copy the keys that must survive a login, such as a cart, by name.

        `lifetime` is the name of one of the store's `lifetimes`. The session then has this lifetime instead of the store's own:
        for "remember me", a kiosk, or a support login.

        Returns:
            The live session.

        Raises:
            ValueError: the contents do not pass the guard.
            ConfigurationError: the store has no lifetime of this name; the message lists the names that it has.
            SerializationError, SessionTooLargeError, ResponseStartedError, NoActiveRequestError, TypeError: as for
                `update_session`.
        """
        if named or not args or args[-1] is None:
            refuse_call("create_session", args, named=named)
        act = Exchange.create if lifetime is None else partial(Exchange.create, lifetime=lifetime)
        return self._write("create_session", args, act)

    @overload
    def rotate_session(self) -> bool: ...
    @overload
    def rotate_session(self, request: Request, /) -> bool: ...
    @overload
    def rotate_session(self, request: Request, response: Response, /) -> bool: ...
    @clears_frames
    def rotate_session(self, *args: Any) -> bool:
        """Give the session a new id with the same contents. Call this when a user gains privileges.

        Returns:
            Whether there was a session, anonymous ones included.

        Raises:
            ResponseStartedError, NoActiveRequestError, TypeError: as for `update_session`.
        """
        return self._write("rotate_session", args, Exchange.rotate)

    @overload
    def delete_session(self) -> bool: ...
    @overload
    def delete_session(self, request: Request, /) -> bool: ...
    @overload
    def delete_session(self, request: Request, response: Response, /) -> bool: ...
    @clears_frames
    def delete_session(self, *args: Any) -> bool:
        """End the session; a logout handler calls this. That browser cannot bring the session back.

        Returns:
            Whether there was a session, anonymous ones included.

        Raises:
            ResponseStartedError, NoActiveRequestError, TypeError: as for `update_session`.
        """
        return self._write("delete_session", args, Exchange.delete)

    def _save(self, args: tuple[Any, ...]) -> bool:
        model: Any = args[-1]
        if isinstance(model, Mapping):
            # An environ, a scope or a message is not a model.
            parse_call("save_session", args)
        merge = make_merge(cast("object", model))
        return self._write("save_session", (*args[:-1], merge), Exchange.update)

    def _write(self, verb: str, args: tuple[Any, ...], act: Callable[..., Result]) -> Result:
        """Call a method that writes, and write the response if the call has one.

        Args:
            verb: the name of the verb.
            args: the arguments of the verb.
            act: the method of `Exchange`.
        """
        session = verb in TAKING_A_SESSION
        if (
            session
            and len(args) == 1
            and args[0].__class__ is dict
            and REQUEST_KEYS.isdisjoint(args[0])
        ):
            # The commonest call.
            request, response, contents = None, None, args[0]
        else:
            request, response, contents = parse_call(verb, args)
        exchange = self._exchange(request)
        if isinstance(exchange, Exclusion):
            raise NoActiveRequestError(
                f"{verb}: this path is excluded from sessions, so nobody would write its cookies: take it out of `exclude`"
            )
        if not exchange.owned and response is None and exchange.phase is not ENDED:
            raise NoActiveRequestError(
                f"{verb}: no gateway serves this request, so nobody would write its cookies: install the middleware "
                "(store.wsgi(app), store.asgi(app))"
                + ("" if exchange.server is not None else ", or pass the response's headers too")
            )
        if exchange.place is not None and exchange.phase is OPEN:
            # The application assigned these contents before it called this verb, so they must not undo what the verb writes.
            exchange.place.take_over()
        result = act(exchange, contents) if session else act(exchange)
        if response is not None:
            _respond(exchange, request, response)
        return result


def _describe_forms(verb: str) -> None:
    """Add the call forms to the docstring of a verb: `help` shows no overloads."""
    method = getattr(Verbs, verb)
    first, _, rest = (getdoc(method) or "").partition("\n\n")
    forms = list_forms(verb)
    method.__doc__ = (
        f"{first}\n\nValid calls: `{forms.replace(', ' + verb, '`, `' + verb)}`.\n\n{rest}"
    )


for _verb in (
    "get_session", "get_exchange", "update_session", "touch_session", "create_session", "rotate_session", "delete_session",
):  # fmt: skip
    _describe_forms(_verb)
del _verb


def _respond(exchange: Exchange, request: RequestInfo | None, response: object) -> None:
    """Write the exchange's header lines into the response, unless a gateway does."""
    if request is None or exchange.owned:
        return
    if exchange.server is not None:
        raise ConfigurationError(
            "a store with a backend writes when the response starts, which this call does not see: install the gateway "
            "(store.wsgi(app), store.asgi(app)), and leave the response out"
        )
    before, exchange.request = exchange.request, request
    try:
        write_response(exchange, response)
    finally:
        exchange.request = before
