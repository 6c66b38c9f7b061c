"""The scene of an attack."""

import pytest

from ..scene import Scene


@pytest.fixture
def scene():
    return Scene()
