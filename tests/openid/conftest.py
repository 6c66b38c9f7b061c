"""The fixtures: the provider, an application, a browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from .browser import Browser
from .sites import SITES, Provider, Site, serve


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """The OpenID provider."""
    with ExitStack() as closing:
        yield Provider(tmp_path_factory.mktemp("provider"), closing)


@pytest.fixture(scope="session", params=SITES)
def site(
    request: pytest.FixtureRequest, provider: Provider, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """The application of each page, with its sessions in cookies and on the server."""
    with ExitStack() as closing:
        yield serve(request.param, provider, tmp_path_factory.mktemp(request.param), closing)


@pytest.fixture
def browser(site: Site) -> Browser:
    """A visitor of the application."""
    return Browser(site.origin)
