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


@pytest.mark.parametrize("name", ["SQLBackend", "AsyncSQLBackend"])
def test_a_backend_whose_client_library_is_missing_says_how_to_install_it(monkeypatch, name):
    for module in [one for one in sys.modules if one.startswith("sessionkit.backends._sql")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'sessionkit-core\[sql\]'"):
        getattr(backends, name)


def test_a_backend_that_does_not_exist_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'NoSuchBackend'"):
        backends.NoSuchBackend  # noqa: B018
