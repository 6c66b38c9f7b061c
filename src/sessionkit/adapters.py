"""The extension API: what an adapter imports beside the public names."""

from __future__ import annotations

from ._cookies.caching import HeaderChanges
from ._default import TypedVerbs
from ._exchange.config import Settings
from ._exchange.exchange import COMMITTED, OPEN, Phase
from ._exchange.framework_keys import DROPPED_AT_LOGIN, LOGIN_KEYS, FrameworkKeys
from ._exchange.request import HOLDER, HeaderRequest
from ._frameworks.contents import (
    LazyContents,
    find_or_open_exchange,
    open_read_only,
    replace_contents,
)
from ._frameworks.dotted import store_from_dotted
from ._frameworks.flask_family import (
    Extension,
    FlaskFamilyGateway,
    FlaskFamilySession,
    enter_context,
    leave_context,
    make_tags,
    open_context_exchange,
    save_session,
)
from ._frameworks.guards import (
    ApiDecorator,
    PageDecorator,
    PageHook,
    Refusal,
    Refuse,
    api_guard,
    api_refusal,
    page_guard,
    page_refusal,
)
from ._frameworks.scope_session import (
    SCOPE_KEY,
    ScopePlace,
    ScopeSession,
    ScopeSessionMiddleware,
)
from ._requests.current import (
    admit_task,
    find_waiting,
    get_current,
    get_held,
    restore_current,
    resume_waiting,
    set_current,
)
from ._requests.gateway import Gateway, HasSettings, check_app, check_store
from ._requests.lookup import find_held, find_open, iterate_held, select_store
from ._requests.recognition import HasEnv, HasEnviron, HasScope, as_request, register_request
from ._requests.responses import (
    Fields,
    HasHeaders,
    ResponseFields,
    commit_response,
    register_response,
    write_response,
)
from ._requests.views import ASGIRequest, CarriedRequest, WSGIRequest
from ._session.events import logger
from ._session.lifetime import FOUR_HUNDRED_DAYS
from ._session.snapshot import fingerprint, same
from ._session.tags import Tags
from ._session.tracebacks import clear_frames, clears_frames

__all__ = [
    "COMMITTED",
    "DROPPED_AT_LOGIN",
    "FOUR_HUNDRED_DAYS",
    "HOLDER",
    "LOGIN_KEYS",
    "OPEN",
    "SCOPE_KEY",
    "ASGIRequest",
    "ApiDecorator",
    "CarriedRequest",
    "Extension",
    "Fields",
    "FlaskFamilyGateway",
    "FlaskFamilySession",
    "FrameworkKeys",
    "Gateway",
    "HasEnv",
    "HasEnviron",
    "HasHeaders",
    "HasScope",
    "HasSettings",
    "HeaderChanges",
    "HeaderRequest",
    "LazyContents",
    "PageDecorator",
    "PageHook",
    "Phase",
    "Refusal",
    "Refuse",
    "ResponseFields",
    "ScopePlace",
    "ScopeSession",
    "ScopeSessionMiddleware",
    "Settings",
    "Tags",
    "TypedVerbs",
    "WSGIRequest",
    "admit_task",
    "api_guard",
    "api_refusal",
    "as_request",
    "check_app",
    "check_store",
    "clear_frames",
    "clears_frames",
    "commit_response",
    "enter_context",
    "find_held",
    "find_open",
    "find_or_open_exchange",
    "find_waiting",
    "fingerprint",
    "get_current",
    "get_held",
    "iterate_held",
    "leave_context",
    "logger",
    "make_tags",
    "open_context_exchange",
    "open_read_only",
    "page_guard",
    "page_refusal",
    "register_request",
    "register_response",
    "replace_contents",
    "restore_current",
    "resume_waiting",
    "same",
    "save_session",
    "select_store",
    "set_current",
    "store_from_dotted",
    "write_response",
]
