"""A client library is imported only with the backend that needs it."""

import subprocess
import sys

import pytest

from sessionkit import backends
from sessionkit.errors import ConfigurationError


def test_importing_the_backends_imports_no_client_library():
    program = "import sys, sessionkit.backends; print({'sqlalchemy', 'redis'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize(
    ("name", "library", "extra"),
    [
        ("RedisBackend", "redis", "redis"),
        ("AsyncRedisBackend", "redis", "redis"),
        ("SQLBackend", "sqlalchemy", "sql"),
        ("AsyncSQLBackend", "sqlalchemy", "sql"),
    ],
)
def test_a_backend_whose_client_library_is_missing_says_how_to_install_it(
    monkeypatch, name, library, extra
):
    for module in [one for one in sys.modules if one.startswith(f"sessionkit.backends._{extra}")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ConfigurationError, match=rf"pip install 'sessionkit-core\[{extra}\]'"):
        getattr(backends, name)


def test_a_backend_that_does_not_exist_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'NoSuchBackend'"):
        backends.NoSuchBackend  # noqa: B018


def test_a_newcomer_who_lists_the_module_sees_every_backend():
    assert dir(backends) == sorted(backends.__all__)
