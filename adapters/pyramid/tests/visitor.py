"""A site with a session."""

from __future__ import annotations

from pyramid.config import Configurator
from werkzeug.test import Client

from sessionkit import SessionStore, create_session

SECRET = "pyramid-tests:0123456789abcdefghijklmnopqrstuvwxyz"


ANN = {"user": {"sub": "ann"}}


class Site:
    """An application of functions, served when it is first asked."""

    def __init__(self, store: SessionStore | None = None) -> None:
        self.store = store or SessionStore(SECRET)
        self.config = Configurator()
        self.config.include("sessionkit_pyramid")
        self.config.set_sessionkit_store(self.store)
        self.add("/login", lambda request: dict(create_session(ANN)))
        self.add("/all", lambda request: dict(request.session))
        self.opened: Client | None = None

    def add(self, path, view, **named):
        self.config.add_route(path, path)
        self.config.add_view(view, route_name=path, **{"renderer": "json", **named})

    @property
    def client(self) -> Client:
        if self.opened is None:
            app = self.config.make_wsgi_app()
            self.opened = Client(
                lambda environ, start: app(
                    environ, lambda status, headers, exc_info=None: start(status, headers)
                )
            )  # as a server does
        return self.opened

    def get(self, path, **named):
        return self.client.get(path, **named)


def names(answer) -> list[str]:
    return sorted(line.partition("=")[0] for line in answer.headers.getlist("Set-Cookie"))
