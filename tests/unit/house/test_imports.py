"""The order of the house: imports only point toward the foundation."""

import ast
import re
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import sessionkit

ROOT = Path(sessionkit.__file__).parent

# From the foundation up: a package, or a module beside the packages. CONTRIBUTING.md says of each what it holds.
ORDER = [
    "errors", "_session", "_crypto", "_cookies", "formats", "backends", "_exchange", "_requests", "wsgi", "asgi", "_model_verbs", "verbs", "_environment", "_arguments", "_management", "_server_verbs", "store",
    "_default", "_frameworks", "adapters", "testing", "_cli", "__main__", "__init__",
]  # fmt: skip

PUBLIC = {
    "adapters",
    "backends",
    "errors",
    "formats",
    "wsgi",
    "asgi",
    "verbs",
    "store",
    "testing",
    "__main__",
    "__init__",
}
"""What users and adapters import; everything else has an underscore."""

DOORS = {
    "sessionkit",
    "sessionkit.adapters",
    "sessionkit.formats",
    "sessionkit.backends",
    "sessionkit.wsgi",
    "sessionkit.asgi",
    "sessionkit.errors",
    "sessionkit.testing",
}
"""What adapters import."""

DEPENDENCIES = {"joserfc", "cryptography", "typing_extensions"}
ASKED_FOR = {
    "_session.json": {"orjson", "pybase64"},  # fast_json, and nobody else
    "backends._redis_clients": {"redis"},
    **{
        f"backends.{name}": {"sqlalchemy"}
        for name in (
            "_sql",
            "_sql_async",
            "_sql_drivers",
            "_sql_engines",
            "_sql_retries",
            "_sql_statements",
            "_sql_warnings",
        )
    },
}
"""What a module imports beside: the extras, which are imported only if somebody asks for them."""

FILES = sorted(ROOT.rglob("*.py"))
ADAPTERS = sorted((Path(__file__).parents[3] / "adapters").glob("*/src/sessionkit_*"))


def name_in(path, root):
    return ".".join(path.relative_to(root).with_suffix("").parts)


def module(path):
    return name_in(path, ROOT)


def package(name):
    return name.split(".")[0]


def is_typing(node):
    return (
        isinstance(node, ast.If)
        and isinstance(node.test, ast.Name)
        and node.test.id == "TYPE_CHECKING"
    )


def imports(path, root=ROOT):
    """(module of the same package or name of another's, whether it is of the package) of every import of a file."""
    here = [*path.relative_to(root).parent.parts]
    own = root.name
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top, _, rest = alias.name.partition(".")
                yield (rest or "__init__", True) if top == own else (alias.name, False)
        elif isinstance(node, ast.ImportFrom):
            if node.level == 0:
                top, _, rest = (node.module or "").partition(".")
                yield (rest or "__init__", True) if top == own else (node.module, False)
                continue
            base = (
                [*here[: len(here) - (node.level - 1)], *(node.module or "").split(".")]
                if node.module
                else here[: len(here) - (node.level - 1)]
            )
            target = root.joinpath(*base)
            if target.with_suffix(".py").is_file() or (node.module and not target.is_dir()):
                yield ".".join(base), True
            else:
                for alias in node.names:
                    inner = target / alias.name
                    is_module = inner.with_suffix(".py").is_file() or inner.is_dir()
                    yield ".".join([*base, alias.name] if is_module else [*base, "__init__"]), True


@pytest.mark.parametrize("path", FILES, ids=module)
def test_every_module_has_its_place(path):
    assert package(module(path)) in ORDER


@pytest.mark.parametrize("path", FILES, ids=module)
def test_imports_only_point_toward_the_foundation(path):
    here = ORDER.index(package(module(path)))
    upward = [name for name, ours in imports(path) if ours and ORDER.index(package(name)) > here]
    assert upward == []


def circle_in(root):
    """The first circle of imports between the modules of a package, or None."""
    graph = {}
    for path in sorted(root.rglob("*.py")):
        here = name_in(path, root)
        found = {name for name, ours in imports(path, root) if ours}
        # A package that re-exports its modules is none of what they import.
        graph[here] = found - {here, "__init__"}
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        return error.args[1]
    return None


@pytest.mark.parametrize("root", [ROOT, *ADAPTERS], ids=lambda root: root.name)
def test_no_import_goes_in_a_circle(root):
    assert circle_in(root) is None


def test_a_circle_would_be_seen(tmp_path):
    (tmp_path / "one.py").write_text("from .two import b")
    (tmp_path / "two.py").write_text("from . import one")
    assert set(circle_in(tmp_path) or ()) == {"one", "two"}


def test_only_what_is_imported_from_outside_has_no_underscore():
    assert {name for name in ORDER if not name.startswith("_")} | {"__main__", "__init__"} == PUBLIC


def test_contributing_lists_the_packages_in_their_order():
    page = (Path(__file__).parents[3] / "CONTRIBUTING.md").read_text()
    rows = re.findall(
        r"^\| `([a-z_]+)` \| .+ \|$",
        page.partition("| package | ")[2].partition("\n\n")[0],
        re.MULTILINE,
    )
    assert rows == [name for name in ORDER if name not in ("__main__", "__init__")]


def test_the_files_that_contributing_leads_to_are_there():
    top = Path(__file__).parents[3]
    table = (top / "CONTRIBUTING.md").read_text().partition("| question | file |")[2]
    named = re.findall(r"`([a-z_0-9/]+(?:\.py|/))`", table.partition("\n\n")[0])
    assert len(named) > 10
    assert [name for name in named if not ((ROOT / name).exists() or (top / name).exists())] == []


@pytest.mark.parametrize("name", sorted(path.parent.name for path in ROOT.glob("_*/__init__.py")))
def test_the_map_of_a_package_names_each_of_its_modules(name):
    named = set(
        re.findall(
            r"`(\w+)`", ast.get_docstring(ast.parse((ROOT / name / "__init__.py").read_text()))
        )
    )
    modules = {path.stem for path in (ROOT / name).glob("*.py")} - {"__init__"}
    packages = {path.parent.name for path in (ROOT / name).glob("*/__init__.py")}
    assert named == modules | packages


@pytest.mark.parametrize("root", ADAPTERS, ids=lambda root: root.name)
def test_an_adapter_imports_public_modules_and_names_only(root):
    found = {
        (module, name)
        for path in sorted(root.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        for module, name in _list_imported(node)
        if module.partition(".")[0] == "sessionkit"
    }
    assert {module for module, _ in found} <= DOORS
    assert [name for _, name in found if name.startswith("_")] == []


def _list_imported(node):
    """Each module that a statement imports, with the name that it takes from there."""
    if isinstance(node, ast.Import):
        return [(alias.name, "") for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.level == 0:
        return [(node.module, alias.name) for alias in node.names]
    return []


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
    allowed = {"_session.json": {"fast_json"}}.get(module(path), set())
    assert [one for one in hidden if one[0] not in allowed] == []


def test_what_mints_sessions_for_tests_is_imported_by_nothing():
    importers = {
        module(path)
        for path in FILES
        for name, ours in imports(path)
        if ours and package(name) == "testing" and package(module(path)) != "testing"
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
