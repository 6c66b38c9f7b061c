"""The model verbs: `session_of` returns the current session as a model of the application, and `save_session` saves a model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Generic, TypeVar, cast, overload

from ._session.events import logger
from ._session.models import MisfitError, check_model, dump_model, is_model, load_model
from ._session.tracebacks import clears_frames

__all__ = ["ModelVerbs", "contents_of"]

Request = TypeVar("Request")

Response = TypeVar("Response")

Model = TypeVar("Model")


class ModelVerbs(ABC, Generic[Request, Response]):
    """The model verbs. They call `get_session` and `update_session` of the subclass."""

    __slots__ = ()

    @overload
    def session_of(self, model: type[Model], /) -> Model | None: ...
    @overload
    def session_of(self, model: type[Model], request: Request, /) -> Model | None: ...
    @overload
    def session_of(
        self, model: type[Model], request: Request, response: Response, /
    ) -> Model | None: ...
    @clears_frames
    def session_of(self, model: type[Any], /, *request: Any) -> Any:
        """Return the session of an authenticated user as a model, or None.

        Valid calls: `session_of(Model)`, `session_of(Model, request)`, `session_of(Model, request, response)`, with a request and a
        response as `get_session` takes them.

        The model is a copy: change it, and save it with `save_session`. For a TypedDict, the result is the live session itself.

        Args:
            model: a pydantic model, a dataclass, a `msgspec.Struct`, a TypedDict, or a class with a class method
                `from_session` and a method `to_session`.
            *request: nothing, the request, or the request and the response, as for `get_session`.

        Returns:
            The model; None if `get_session` returns None, or if the session does not fit the model. The latter is logged as a
            warning.

        Raises:
            TypeError: the class is not a model, or has an annotation that is not supported.
            NoActiveRequestError: as for `get_session`.
        """
        # A class that is not a model is an error for every visitor.
        check_model(model)
        session = cast("Any", self).get_session(*request)
        if session is None:
            return None
        try:
            return load_model(model, session)
        except MisfitError as error:
            logger.warning(
                "a session does not fit %s%s: session_of returns None, as if its visitor was not signed in",
                model.__qualname__,
                f" at {error.path}" * bool(error.path),
            )
            return None

    @overload
    def save_session(self, model: object, /) -> bool: ...
    @overload
    def save_session(self, request: Request, model: object, /) -> bool: ...
    @overload
    def save_session(self, request: Request, response: Response, model: object, /) -> bool: ...
    @clears_frames
    def save_session(self, *args: Any) -> bool:
        """Merge a model into the session: change what differs in the model, and keep everything else.

        Valid calls: `save_session(model)`, `save_session(request, model)`, `save_session(request, response, model)`, with a request
        and a response as `update_session` takes them.

        Keys that the model does not know stay, nested ones too. None is saved as null. A key that the model knows but no
        longer contains, such as a key of a dict, is removed. Like `update_session`, this verb never logs in or out. With a
        backend, the same changes are applied again if a parallel request has changed the session meanwhile.

        Args:
            *args: the model, after nothing, the request, or the request and the response. A dict is merged too: each of its keys
                is a change.

        Returns:
            Whether the model was merged; False if nobody is signed in, or if the model would change who the user is.

        Raises:
            SerializationError: a value cannot be written as JSON, or the model could not be read again.
            SessionTooLargeError, ResponseStartedError, NoActiveRequestError: as for `update_session`.
            TypeError: the call has none of the valid forms, or the argument is not a model.
        """
        if not args or not (isinstance(args[-1], Mapping) or is_model(args[-1])):
            given = type(args[-1]).__name__ if args else "nothing"
            raise TypeError(
                f"save_session needs a model as its last argument, not {given}: valid are save_session(model), "
                "save_session(request, model), save_session(request, response, model), where model is an object of a class "
                "that session_of takes, or a dict"
            )
        return self._save(args)

    @abstractmethod
    def _save(self, args: tuple[Any, ...]) -> bool:
        """Merge the model that is the last argument into the session."""


@clears_frames
def contents_of(model: object, /) -> dict[str, Any]:
    """Return the contents for a model: `create_session(contents_of(account))`.

    Dates, UUIDs, decimals and bytes become text.

    Args:
        model: an object of a class that `session_of` takes.

    Raises:
        SerializationError: a value cannot be written as JSON, or the model could not be read again.
        TypeError: the object is not a model.
    """
    return dump_model(model)
