"""The order of the house: imports only point toward the foundation."""

import ast
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import sessionkit

ROOT = Path(sessionkit.__file__).parent

# From the foundation up. A package is one storey, within which nothing may import in a circle.
STOREYS = [
    "errors", "frames", "given", "session", "tags", "fingerprint", "identity", "lifetime", "base64url", "keyring", "chunks", "cookies", "serializer", "fence", "barrier",
    "renewal", "formats", "request", "events", "settings", "owner", "accepting", "candidates", "incoming", "importing", "unseen", "caching", "clearing", "outgoing", "stamps", "live", "answering", "exchange", "which",
    "context", "dispatch", "response", "gateway", "wsgi", "asgi", "verbs", "native", "environment", "store", "default", "conventions", "arguments", "scope_session", "return_to",
    "required", "__init__", "inspection", "demo", "cli", "__main__", "testing",
]  # fmt: skip

DEPENDENCIES = {"joserfc", "cryptography", "typing_extensions"}
ASKED_FOR = {"serializer": {"orjson", "pybase64"}}  # fast_json, and nobody else

FILES = sorted(ROOT.rglob("*.py"))


def module(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def storey(name):
    return name.split(".")[0]


def is_typing(node):
    return (
        isinstance(node, ast.If)
        and isinstance(node.test, ast.Name)
        and node.test.id == "TYPE_CHECKING"
    )


def imports(path):
    """(module of ours or name of another's, whether it is ours) of every import of a file."""
    here = [*path.relative_to(ROOT).parent.parts]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top, _, rest = alias.name.partition(".")
                yield (rest or "__init__", True) if top == "sessionkit" else (alias.name, False)
        elif isinstance(node, ast.ImportFrom):
            if node.level == 0:
                top, _, rest = (node.module or "").partition(".")
                yield (rest or "__init__", True) if top == "sessionkit" else (node.module, False)
                continue
            base = (
                [*here[: len(here) - (node.level - 1)], *(node.module or "").split(".")]
                if node.module
                else here[: len(here) - (node.level - 1)]
            )
            target = ROOT.joinpath(*base)
            if target.with_suffix(".py").is_file() or (node.module and not target.is_dir()):
                yield ".".join(base), True
            else:
                for alias in node.names:
                    inner = target / alias.name
                    is_module = inner.with_suffix(".py").is_file() or inner.is_dir()
                    yield ".".join([*base, alias.name] if is_module else [*base, "__init__"]), True


@pytest.mark.parametrize("path", FILES, ids=module)
def test_every_module_has_its_storey(path):
    assert storey(module(path)) in STOREYS


@pytest.mark.parametrize("path", FILES, ids=module)
def test_imports_only_point_toward_the_foundation(path):
    here = STOREYS.index(storey(module(path)))
    upward = [name for name, ours in imports(path) if ours and STOREYS.index(storey(name)) > here]
    assert upward == []


def test_no_import_goes_in_a_circle():
    graph = {
        module(path): {name for name, ours in imports(path) if ours and name != module(path)}
        for path in FILES
    }
    assert len(list(TopologicalSorter(graph).static_order())) >= len(FILES)


@pytest.mark.parametrize("path", FILES, ids=module)
def test_nothing_is_imported_but_the_standard_library_and_the_three_dependencies(path):
    allowed = DEPENDENCIES | ASKED_FOR.get(module(path), set())
    foreign = (
        {name.split(".")[0] for name, ours in imports(path) if not ours}
        - sys.stdlib_module_names
        - allowed
    )
    assert foreign == set()


@pytest.mark.parametrize("path", FILES, ids=module)
def test_no_import_hides_inside_a_function(path):
    tree = ast.parse(path.read_text())
    hidden = [
        (function.name, ast.unparse(node))
        for function in ast.walk(tree)
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
        for node in ast.walk(function)
        if isinstance(node, (ast.Import, ast.ImportFrom))
    ]
    allowed = {"serializer": {"fast_json"}}.get(module(path), set())
    assert [one for one in hidden if one[0] not in allowed] == []


def test_what_mints_sessions_for_tests_is_imported_by_nothing():
    importers = {
        module(path)
        for path in FILES
        for name, ours in imports(path)
        if ours and storey(name) == "testing"
    }
    assert importers == set()


def test_the_package_itself_is_the_public_names_sorted_and_nothing_else():
    tree = ast.parse((ROOT / "__init__.py").read_text())
    assert {type(node) for node in tree.body} <= {ast.Expr, ast.ImportFrom, ast.Assign}
    names = sessionkit.__all__
    assert sorted(
        set(names), key=lambda name: (not name.isupper(), not name[0].isupper(), name)
    ) == list(names)
    assert all(hasattr(sessionkit, name) for name in names)
