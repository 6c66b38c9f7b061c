"""Encrypted sessions for Pyramid: `request.session` and the verbs of sessionkit over one session.

`config.include("sessionkit_pyramid")`, and `config.set_sessionkit_store(store)` or settings (`sessionkit.secret`, …).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyramid.events import ApplicationCreated, NewRequest
from pyramid.httpexceptions import HTTPException
from pyramid.interfaces import PHASE3_CONFIG, IExecutionPolicy
from pyramid.tweens import EXCVIEW
from pyramid.viewderivers import INGRESS

from sessionkit import SessionStore
from sessionkit.adapters import check_store, clears_frames

from .gateway import (
    POLICY,
    STORE,
    ExecutionPolicy,
    copy_view_response,
    enter_request,
    exchange_in,
    session_of,
    take_over,
)
from .guards import require_session_api, require_session_page
from .session import PyramidSession

__all__ = ["PyramidSession", "includeme", "require_session_api", "require_session_page"]


def includeme(config: Any) -> None:
    """Add sessions to an application; Pyramid calls this for `config.include("sessionkit_pyramid")`."""

    def fail_at_the_start(event: Any) -> None:
        """Make the gateway when the application is made, so that wrong settings raise an error at the start and not in a request."""
        event.app.registry[POLICY].gateway  # noqa: B018

    def stand_around() -> None:
        policy = config.registry[POLICY] = ExecutionPolicy(config.registry)
        config.registry.registerUtility(policy, IExecutionPolicy)

    config.add_directive("set_sessionkit_store", set_sessionkit_store)
    config.set_session_factory(session_of)
    config.add_tween("sessionkit_pyramid.checking", under=EXCVIEW)
    config.add_view_deriver(copy_view_response, "sessionkit_answering", under=INGRESS)
    # This runs after everything else, so that another execution policy (pyramid_retry) stays, inside ours.
    config.action(POLICY, stand_around, order=PHASE3_CONFIG + 1)
    config.add_subscriber(fail_at_the_start, ApplicationCreated)
    config.add_subscriber(enter_request, NewRequest)


@clears_frames
def set_sessionkit_store(config: Any, store: SessionStore) -> None:
    """Serve the application with a store. This is a directive of the configurator.

    Args:
        config: the configurator.
        store: the store.

    Raises:
        TypeError: the argument is not a store.
    """
    check_store(store, "config.set_sessionkit_store(store)")
    config.action(STORE, lambda: config.registry.__setitem__(STORE, store))


def checking(handler: Callable[[Any], Any], registry: Any) -> Callable[[Any], Any]:
    """Make a tween that saves the session in the backend, or checks that it fits the cookie. If that fails, an exception view responds."""

    def tween(request: Any) -> Any:
        try:
            response = handler(request)
        except HTTPException as raised:
            # A response that a view raises, such as a redirect.
            check(request, raised.status_code)
            raise
        except Exception:
            # The exception view responds, even after the session was ended.
            take_over(exchange_in(request))
            raise
        check(request, response.status_code)
        return response

    def check(request: Any, status: int) -> None:
        exchange = exchange_in(request)
        take_over(exchange)
        if exchange.owned and status < 500:  # the changes of a failed response are dropped
            exchange.check(status)

    return tween
