"""The scene in which an exchange is tested."""

import pytest

from ..scene import Scene


@pytest.fixture
def scene():
    return Scene()


@pytest.fixture
def alice(scene):
    """A browser that is signed in."""
    scene.browser.login()
    return scene.browser
