"""The extension API: everything that an adapter imports beside the public names of `sessionkit`.

The guide "Write your own adapter" shows how the parts go together. By topic:

- **Requests.** The core reads a request through a view: `WSGIRequest`, `ASGIRequest`, or a subclass of `CarriedRequest` for
  a framework with a server of its own. `HeaderRequest` is a request that consists only of a Cookie header.
  `register_request` teaches the verbs a framework's request type. `TypedVerbs` are the verbs with a framework's types.
- **Responses.** `register_response` teaches the verbs a framework's response type; `ResponseFields` are the headers of such a
  response. `commit_response` commits an exchange and writes its headers; `write_response` writes them if no gateway does.
  `HeaderChanges` is the result of `Exchange.commit`.
- **Gateway.** `Gateway` serves a store in a framework with a server of its own; `begin_inside` returns an `Entry`. `FrameworkKeys`
  and `Tags` tell the core about the framework's own session; `Settings` are a store's settings with these.
  `make_current` makes a request current that no gateway answers, and `admit_task` lets a task find the exchange.
  `Phase` says how far an exchange has come. `check_store` refuses a wrong argument.
- **Backends.** A gateway with `awaits = True` loads the session with `aload` when the request comes in, and saves it with
  `asettle` before it calls `commit_response`. `SessionKeys` finds sessions on the server by a session key, for frameworks that
  look up sessions outside of requests.
- **Session objects.** `LazyContents` is the base of a framework's own session object. `find_or_open_exchange` and
  `find_serving` return the exchange for it, `replace_contents` replaces all its contents, and `Snapshot` tells whether they have
  changed.
- **Models.** `load_model` reads contents as a model, as `session_of` does; it raises `ValueError` for contents that do not fit.
- **Guards.** `make_guards` makes both guards as decorators, `make_hooks` as hooks. A `Refuse` returns the `Refusal` for a
  request; `api_refusal` and `page_refusal` make one.
- **Frameworks with a `scope["session"]`.** `ScopeSessionMiddleware` and its `ScopeSession`, or a `ScopePlace` under a
  middleware of the framework's.
- **Flask's family.** `Extension` is the base of extensions with an `init_app` method, `FlaskFamilyExtension` and
  `FlaskFamilySession` that of Flask's and Quart's.
- **Settings.** `store_from_dotted` makes a store from a configuration with dotted names. `merge_settings` merges a framework's
  settings with the arguments that an application passes, and `name_settings` names the setting that cannot work.
- **Tracebacks.** `clears_frames` keeps contents and secrets out of tracebacks.
"""

from __future__ import annotations

from ._cookies.caching import HeaderChanges
from ._default import TypedVerbs
from ._exchange.drivers import aload, asettle
from ._exchange.exchange import Phase
from ._exchange.framework_keys import FrameworkKeys
from ._exchange.request import HeaderRequest
from ._exchange.settings import Settings
from ._frameworks.contents import LazyContents, find_or_open_exchange, find_serving
from ._frameworks.decorators import make_guards, make_hooks
from ._frameworks.dotted_settings import store_from_dotted
from ._frameworks.extension import Extension
from ._frameworks.flask_extension import FlaskFamilyExtension
from ._frameworks.flask_session import FlaskFamilySession
from ._frameworks.guards import Refusal, Refuse, api_refusal, page_refusal
from ._frameworks.merged_settings import merge_settings, name_settings
from ._frameworks.scope_session import ScopePlace, ScopeSession, ScopeSessionMiddleware
from ._frameworks.session_keys import SessionKeys
from ._frameworks.session_place import Snapshot, replace_contents
from ._requests.current import admit_task
from ._requests.entry import Entry, make_current
from ._requests.gateway import Gateway
from ._requests.gateway_arguments import check_store
from ._requests.recognition import register_request
from ._requests.responses import (
    ResponseFields,
    commit_response,
    register_response,
    write_response,
)
from ._requests.views import ASGIRequest, CarriedRequest, WSGIRequest
from ._session.models import load_model
from ._session.tags import Tags
from ._session.tracebacks import clears_frames

__all__ = [  # noqa: RUF022  # by topic, as above
    # requests
    "ASGIRequest",
    "CarriedRequest",
    "HeaderRequest",
    "TypedVerbs",
    "WSGIRequest",
    "register_request",
    # responses
    "HeaderChanges",
    "ResponseFields",
    "commit_response",
    "register_response",
    "write_response",
    # gateway
    "Entry",
    "FrameworkKeys",
    "Gateway",
    "Phase",
    "Settings",
    "Tags",
    "admit_task",
    "check_store",
    "make_current",
    # backends
    "SessionKeys",
    "aload",
    "asettle",
    # session objects
    "LazyContents",
    "Snapshot",
    "find_or_open_exchange",
    "find_serving",
    "replace_contents",
    # models
    "load_model",
    # guards
    "Refusal",
    "Refuse",
    "api_refusal",
    "make_guards",
    "make_hooks",
    "page_refusal",
    # frameworks with a scope["session"]
    "ScopePlace",
    "ScopeSession",
    "ScopeSessionMiddleware",
    # Flask's family
    "Extension",
    "FlaskFamilyExtension",
    "FlaskFamilySession",
    # settings
    "merge_settings",
    "name_settings",
    "store_from_dotted",
    # tracebacks
    "clears_frames",
]
