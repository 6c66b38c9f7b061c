"""WebOb imports `cgi`, and Pyramid `pkg_resources`: those warn that they will be gone, which is no matter of these tests."""

import importlib
import warnings

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    importlib.import_module("pyramid.router")

from .visitor import Site  # it imports Pyramid, which warns


@pytest.fixture
def site() -> Site:
    return Site()
