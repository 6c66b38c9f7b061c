"""The module that adapters import: documented, and no larger than they need."""

import ast
import inspect
import re
from pathlib import Path

from sessionkit import adapters

ADAPTERS = Path(__file__).parents[3] / "adapters"

FOR_OTHERS = {"Tags"}
"""What only an adapter of somebody else imports: for a framework outside Flask's family with tagged values."""


def imported():
    """Return the names that our own adapters import from the module."""
    return {
        alias.name
        for path in ADAPTERS.glob("*/src/**/*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module == "sessionkit.adapters"
        for alias in node.names
    }


def test_it_has_about_forty_names():
    assert 35 <= len(adapters.__all__) <= 45
    assert len(set(adapters.__all__)) == len(adapters.__all__)


def test_an_adapter_imports_each_name():
    assert imported() <= set(adapters.__all__)
    assert set(adapters.__all__) - imported() == FOR_OTHERS


def test_its_docstring_says_what_each_name_is_for():
    assert set(adapters.__all__) - set(re.findall(r"`(\w+)", adapters.__doc__)) == set()


def test_each_name_has_a_docstring():
    undocumented = {
        name for name in adapters.__all__ if not inspect.getdoc(getattr(adapters, name))
    }
    assert undocumented == set()


def test_nothing_else_is_in_it():
    public = {
        name
        for name, value in vars(adapters).items()
        if not name.startswith("_") and name != "annotations" and not inspect.ismodule(value)
    }
    assert public == set(adapters.__all__)
