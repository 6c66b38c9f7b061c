"""Configure Sphinx: `sphinx-build -W -n docs docs/_build/html`."""

from __future__ import annotations

import re
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

from sphinx.pycode import ModuleAnalyzer

project = "sessionkit"
author = "The sessionkit developers"
copyright = "The sessionkit developers"
release = installed("sessionkit-core")
version = ".".join(release.split(".")[:2])

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
]
exclude_patterns = ["_build", "examples"]
html_theme = "furo"
html_search_scorer = str(Path(__file__).parent / "scorer.js")
html_title = f"sessionkit {version}"
html_show_copyright = False
html_show_sphinx = False

# The button copies the commands and the Python input of a block, and neither prompts nor output.
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

# MyST. The pages themselves are plain Markdown that any site renders: see `complete_source`.
myst_heading_anchors = 3
myst_links_external_new_tab = False

# The docstrings: Google's sections, Markdown's single backticks.
default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
maximum_signature_line_length = 80
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False

# Every cross-reference must resolve (-n), except names of the standard library, of typing and of SQLAlchemy:
# their inventories would need the network.
nitpicky = True
nitpick_ignore_regex = [
    (
        "py:.*",
        r"(collections\.abc|contextlib|datetime|enum|math|os|sqlalchemy|typing|typing_extensions|wsgiref\.headers)\..*",
    ),
    (
        "py:.*",
        r"(Any|Callable|Iterable|Iterator|Mapping|MutableMapping|Protocol|Sequence|Literal|AbstractContextManager|NoReturn)",
    ),
    (
        "py:.*",
        r"(ValueError|TypeError|LookupError|RuntimeError|bool|bytes|dict|float|int|list|object|str|tuple|type|None|optional)",
    ),
]
# Names in signatures that are not documented: type variables, and private names.
nitpick_ignore = [
    ("py:class", name)
    for name in (
        "sessionkit._frameworks.starlette_arguments.Arguments",
        "P",
        "sessionkit._frameworks.decorators.P",
        "sessionkit._frameworks.decorators.Result",
        "sessionkit._frameworks.extension.App",
        "sessionkit._frameworks.flask_extension.FlaskFamilyGateway",
        "sessionkit._frameworks.guards.ApiDecorator",
        "sessionkit._frameworks.guards.PageDecorator",
        "sessionkit._frameworks.guards.PageHook",
        "sessionkit._exchange.driven_exchange.Place",
        "sessionkit._exchange.drivers.Settling",
        "sessionkit._exchange.unread_exchange.UnreadExchange",
        "sessionkit._exchange.operations.Delete",
        "sessionkit._exchange.operations.Insert",
        "sessionkit._exchange.operations.List",
        "sessionkit._exchange.operations.Load",
        "sessionkit._exchange.operations.Purge",
        "sessionkit._exchange.operations.Replace",
        "sessionkit._exchange.operations.Revoke",
        "sessionkit._exchange.operations.Touch",
        "sessionkit._exchange.operations.Wanted",
        "sessionkit._frameworks.merged_settings.Config",
        "sessionkit._frameworks.merged_settings.T",
        "sessionkit._frameworks.session_keys.Result",
        "sessionkit._requests.activation.Activation",
        "sessionkit._requests.entry.Part",
        "sessionkit._requests.current.F",
        "sessionkit._requests.gateway.HasSettings",
        "sessionkit._requests.lookup.Exclusion",
        "sessionkit._requests.recognition.T",
        "sessionkit._requests.responses.Fields",
        "sessionkit._session.tracebacks.F",
        "sessionkit._crypto.sealing.NativeCodec",
        "sessionkit._crypto.keyring.PurposeKeys",
        "sessionkit._session.who.Who",
        "sessionkit._session.session.Watcher",
        "sessionkit.backends._redis_clients.RedisClient",
    )
]

# A verb has one implementation and several call forms. Its overloads with all types would fill a screen, and the
# implementation's `*args` says nothing. So the pages show the call forms with the names of the arguments.
_FORMS = ("", "request, /", "request, response, /")
_WITH_SESSION = ("session, /", "request, session, /", "request, response, session, /")
_VERBS = {
    "get_session": (_FORMS, "Session | None"),
    "update_session": (_WITH_SESSION, "bool"),
    "touch_session": (_FORMS, "bool"),
    "create_session": (_WITH_SESSION, "Session"),
    "rotate_session": (_FORMS, "bool"),
    "delete_session": (_FORMS, "bool"),
}


def call_forms(_app: Any, _what: str, name: str, *_rest: Any) -> tuple[str, None] | None:
    """Return every call form of a verb, one per line."""
    verb = name.removeprefix("sessionkit.")
    forms, returns = _VERBS.get(verb.removeprefix("SessionStore."), ((), ""))
    return (f"\n{verb}".join(f"({form}) -> {returns}" for form in forms), None) if forms else None


def no_type_before_colon(
    _app: Any, what: str, _name: str, _object: object, _options: object, lines: list[str]
) -> None:
    """Put an empty comment before a property's docstring: otherwise Napoleon takes the text before a colon for its type."""
    if what in ("attribute", "property"):
        lines[:0] = ["..", ""]


HERE = Path(__file__).parent
TOP = [
    "tutorial/first-app",
    "how-to/index",
    "explanation/index",
    "reference/index",
    "glossary",
    "changelog",
]
EXAMPLE = re.compile(r"^\[docs/(examples/\w+\.py)\]\(\.\./examples/\w+\.py\)$", re.MULTILINE)
LISTED = re.compile(r"^- \[[^]]+\]\(([\w-]+)\.md\)", re.MULTILINE)


def complete_source(app: Any, name: str, source: list[str]) -> None:
    """Add to a page what only Sphinx needs: the tree of the pages that an index lists, the changelog, the examples.

    In the pages these are a list of links, a link and a link: they read well where only Markdown is rendered.
    """

    def text_of(path: str) -> str:
        app.env.note_dependency(str(HERE / path))
        return (HERE / path).read_text()

    if name == "changelog":
        source[0] = text_of("../CHANGELOG.md")
    elif name == "index":
        source[0] = source[0].replace("](../CHANGELOG.md)", "](changelog.md)") + toctree(TOP)
    elif name.endswith("/index"):
        source[0] += toctree(LISTED.findall(source[0]))
    source[0] = EXAMPLE.sub(lambda found: f"```python\n{text_of(found[1])}```", source[0])


def toctree(pages: list[str]) -> str:
    """Return a hidden tree of pages, as Sphinx wants it at the end of an index."""
    return "\n\n```{toctree}\n:hidden:\n\n" + "\n".join(pages) + "\n```\n"


def setup(app: Any) -> None:
    """Connect the functions above to Sphinx."""
    for module in ("sessionkit._default", "sessionkit.verbs"):
        analyzer = ModuleAnalyzer.for_module(module)
        analyzer.analyze()
        analyzer.overloads.clear()
    app.connect("source-read", complete_source)
    app.connect(
        "autodoc-process-docstring", no_type_before_colon, priority=400
    )  # before napoleon's 500
    app.connect("autodoc-process-signature", call_forms)
