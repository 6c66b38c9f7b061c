"""What a contract app does when it is asked: operations from a header, done through the verbs or the framework's own session object.

It runs inside the app's process. An app only carries: it hands over its request, its response and its session
object, and answers with the text it gets back.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any, cast

import sessionkit

from .keeping import IN_COOKIES, ON_SERVER

DO, FORM, LATE = "X-Do", "X-Form", "X-Late"
"""The control headers: what to do, through which form of the verbs, and what to do once the headers have gone out."""

REMEMBERED = "remembered"
"""The name of a lifetime of the app's store."""

notes: list[str] = []
"""What work after the response found out; the operation `notes` answers with them."""
events: list[str] = []
"""The events of the store; the operation `events` answers with them and forgets them."""

store: Any = None
"""The app's store."""
beside: Any = None
"""A store with the same sessions, whose backend is not awaited; the operations `elsewhere` and `revoke_user` use it."""

raised: list[BaseException] = []
"""The errors of sessionkit; the operation `leaks` looks into their tracebacks and forgets them."""


def _remember(error: BaseException, *args: object) -> None:
    super(sessionkit.SessionKitError, error).__init__(*args)
    raised.append(error)


cast("Any", sessionkit.SessionKitError).__init__ = _remember


class Handled(Exception):
    """What `/handled` raises, and the app's own error handler answers with a 500."""


HANDLED = (Handled, sessionkit.SessionKitError)
"""What the app's own error handler answers; it is registered for each of them, or for both."""


def sorry(error: BaseException) -> str:
    """The body of the error handler's answer: `handled`, or which error of sessionkit it was."""
    return "handled" if isinstance(error, Handled) else type(error).__name__


class Unhandled(Exception):
    """What `/unhandled` raises, and nothing of the app catches."""


def perform(
    text: str | None,
    form: str | None = None,
    *,
    request: object = None,
    response: object = None,
    raw: object = None,
    framework: Callable[[], MutableMapping[str, Any]] | None = None,
    verbs: Any = sessionkit,
) -> str:
    """Do what a control header asks for.

    Args:
        text: the header's value: a JSON list of operations, or None for none.
        form: `none` (the default), `request`, `both` or `raw`: what the verbs are given before the session.
        request: the framework's request object (environ or scope where there is no framework).
        response: its response object (a headers list or start message where there is none).
        raw: the environ or scope under it.
        framework: gives the framework's own session object; called only by operations that need it.
        verbs: the module or object with the verbs.

    Returns:
        JSON: the list of what each operation gave.
    """
    forms = {"none": (), "request": (request,), "both": (request, response), "raw": (raw,)}
    machine = _Machine(verbs, forms[form or "none"], framework)
    return _dumped([machine.do(step) for step in json.loads(text or "[]", object_hook=_grown)])


async def perform_on_socket(text: str, form: str | None = None, **named: Any) -> str:
    """The same for a message of a websocket, which may also ask whether its session is still valid."""
    if json.loads(text) != [["still_valid"]]:
        return perform(text, form, **named)
    request = {"none": (), "request": (named["request"],), "raw": (named.get("raw"),)}
    return _dumped([await store.astill_valid(*request[form or "none"])])


def _dumped(found: list[Any]) -> str:
    return json.dumps(found, sort_keys=True, separators=(",", ":"))


def _grown(value: dict[str, Any]) -> Any:
    """`{"$x": 4200}` stands for a long text, `{"$x": "too large"}` for one that fits in no session of a user."""
    if value.keys() != {"$x"}:
        return value
    length = value["$x"]
    if length == "too large":
        keeping = IN_COOKIES if store.settings.backend is None else ON_SERVER
        length = keeping.too_large
    return "x" * length


def in_thread(text: str | None, form: str | None = None, **named: Any) -> str:
    """The same in a thread of its own, which knows the request through `sessionkit.bind` alone; waits for it."""
    found: list[str] = []
    bound = sessionkit.bind(lambda: found.append(perform(text, form, **named)))
    thread = threading.Thread(target=bound)
    thread.start()
    thread.join()
    return found[0]


def note(text: str | None, form: str | None = None, **named: Any) -> None:
    """The same after the response; what it gave is kept for the operation `notes`."""
    notes.append(perform(text, form, **named))


def return_to(values: Sequence[str]) -> str:
    """Where `/after-login` redirects to, from all values of `returnTo` in the query; two of them are none."""
    return sessionkit.safe_return_to(values[0] if len(values) == 1 else None)


class _Machine:
    def __init__(
        self,
        verbs: Any,
        before: tuple[object, ...],
        framework: Callable[[], MutableMapping[str, Any]] | None,
    ) -> None:
        self.verbs = verbs
        self.before = before
        self.framework_session = framework

    def do(self, step: Sequence[Any]) -> Any:
        name, *args = step
        return getattr(self, f"do_{name}")(*args)

    # ---- the verbs

    def do_get(self) -> Any:
        session = self.verbs.get_session(*self.before)
        return None if session is None else dict(session)

    def do_stamp(self) -> Any:
        session = self.verbs.get_session(*self.before)
        if session is None:
            return None
        stamp = session.stamp
        return [stamp.id, stamp.created_at, stamp.updated_at, stamp.expires_at]

    def do_update(self, *session: Any) -> Any:
        return self.verbs.update_session(*self.before, *session)

    def do_merge(self, changes: Mapping[str, Any]) -> Any:
        """Update with what is there and the changes."""
        return self.verbs.update_session(
            *self.before, {**(self.verbs.get_session(*self.before) or {}), **changes}
        )

    def do_create(self, session: Mapping[str, Any]) -> Any:
        return dict(self.verbs.create_session(*self.before, session))

    def do_remember(self, session: Mapping[str, Any]) -> Any:
        """Create a session with a named lifetime."""
        return dict(self.verbs.create_session(*self.before, session, lifetime=REMEMBERED))

    def do_touch(self) -> Any:
        return self.verbs.touch_session(*self.before)

    def do_rotate(self) -> Any:
        return self.verbs.rotate_session(*self.before)

    def do_delete(self) -> Any:
        return self.verbs.delete_session(*self.before)

    def do_nested(self, path: Sequence[Any], value: Any) -> None:
        """Change the live session in place: `["nested", ["user", "name"], "Ann"]`."""
        _put(self.verbs.get_session(*self.before), path, value)

    def do_increment(self, key: str) -> Any:
        """Update with a function that adds one."""
        return self.verbs.update_session(
            *self.before, lambda session: {**session, key: session.get(key, 0) + 1}
        )

    # ---- what happens meanwhile

    def do_elsewhere(self, cookie: str, *steps: Sequence[Any]) -> list[Any]:
        """What another request with this Cookie header does from beginning to end, while this one waits."""
        with beside.exchange(cookie) as exchange:
            machine = _Machine(_OfExchange(exchange), (), None)
            return [machine.do(step) for step in steps]

    def do_revoke_user(self, user: Mapping[str, Any]) -> int:
        return beside.revoke_user({"user": user})

    # ---- the framework's own session object

    def do_framework(self, what: str, *args: Any) -> Any:
        assert self.framework_session is not None, "this app has no session object of its own"
        session = self.framework_session()
        if what == "all":
            return {key: session[key] for key in session}
        if what == "set":
            session[args[0]] = args[1]
        elif what == "nested":
            _put(session, *args)
        elif what == "del":
            del session[args[0]]
        elif what == "has":
            return args[0] in session
        elif what == "get":
            return session.get(*args)
        elif what == "len":
            return len(session)
        elif what == "join":
            session |= args[0]
        elif what in ("clear", "pop", "popitem", "setdefault", "update"):
            return getattr(session, what)(*args)
        else:
            raise AssertionError(f"no such operation: {what}")
        return None

    # ---- about operations

    def do_attempt(self, step: Sequence[Any]) -> Any:
        """The name of what it raises, or what it gives."""
        try:
            return {"gave": self.do(step)}
        except Exception as error:
            return {"raised": type(error).__name__}

    def do_notes(self) -> list[Any]:
        return [json.loads(one) for one in notes]

    def do_leaks(self, canary: str) -> list[list[str]]:
        """For each error since the last time, the variables of our frames that hold a text."""
        from tracebacks import held  # in the app's process the shared folder is on the path

        found, raised[:] = list(raised), []
        return [held(error, canary) for error in found]

    def do_events(self) -> list[str]:
        found, events[:] = list(events), []
        return found


class _OfExchange:
    """The verbs on one exchange."""

    def __init__(self, exchange: sessionkit.Exchange) -> None:
        self.get_session = exchange.get
        self.create_session = exchange.create
        self.update_session = exchange.update
        self.touch_session = exchange.touch
        self.rotate_session = exchange.rotate
        self.delete_session = exchange.delete


def _put(session: Any, path: Sequence[Any], value: Any) -> None:
    *way, last = path
    for step in way:
        session = session[step]
    session[last] = value
