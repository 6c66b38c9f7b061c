"""The backend, and its limits, from the `SESSIONKIT_*` variables."""

import pytest

from sessionkit import ConfigurationError, SessionStore, _environment, configure, get_session
from sessionkit._environment import apply_variables
from sessionkit.backends import MemoryBackend, SQLiteBackend
from sessionkit.backends._url import open_backend

from ..scene import ALICE, SECRET, Clock


def variables(**values):
    return {f"SESSIONKIT_{name}": value for name, value in {"SECRET": SECRET, **values}.items()}


@pytest.fixture(autouse=True)
def no_default():
    yield
    configure(None)


@pytest.fixture
def opened(monkeypatch):
    """The URLs of the backends that were opened."""
    urls = []

    def count(url, **named):
        urls.append(url)
        return open_backend(url, **named)

    monkeypatch.setattr(_environment, "open_backend", count)
    return urls


def test_a_store_has_the_backend_and_the_limits_of_the_variables(tmp_path):
    url = f"sqlite:///{tmp_path}/sessions.db"
    store = SessionStore.from_env(variables(BACKEND=url, MAX_RECORD="1000", MAX_SESSIONS="5"))
    settings = store.settings
    assert isinstance(settings.backend, SQLiteBackend)
    assert (settings.max_record, settings.max_sessions) == (1000, 5)
    assert list(tmp_path.iterdir()) == []


def test_none_stands_for_no_backend_and_no_limit():
    settings = SessionStore.from_env(variables(BACKEND="None", MAX_SESSIONS="none")).settings
    assert (settings.backend, settings.max_sessions) == (None, None)


def test_a_backend_of_the_variables_has_the_clock_of_the_store():
    clock = Clock()
    store = SessionStore.from_env(variables(BACKEND="memory:"), clock=clock)
    with store.exchange():
        store.create_session(ALICE)
    (info,) = store.sessions_of(ALICE)
    owner, _, _ = info.handle.partition(".")
    clock.wait(30 * 86_400)
    assert store.settings.backend.of(owner) == []


def test_a_backend_is_opened_once_however_many_settings_are_at_fault(opened):
    with pytest.raises(ConfigurationError, match="SESSIONKIT_IDLE and SESSIONKIT_ABSOLUTE"):
        SessionStore.from_env(variables(BACKEND="memory:", IDLE="7200", ABSOLUTE="3600"))
    assert opened == ["memory:"]


def test_a_backend_that_the_call_gives_wins_and_no_other_is_opened(opened):
    backend = MemoryBackend()
    for given in (backend, None):
        store = SessionStore.from_env(variables(BACKEND="redis://h"), backend=given)
        assert store.settings.backend is given
    assert opened == []


def test_the_default_store_opens_its_backend_once(opened, monkeypatch):
    for name, value in variables(BACKEND="memory:", MAX_SESSIONS="5").items():
        monkeypatch.setenv(name, value)
    configure(None)
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "wsgi.url_scheme": "https"}
    for _ in range(2):
        assert get_session(dict(environ)) is None
    assert opened == ["memory:"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"BACKEND": ""}, r"\ASESSIONKIT_BACKEND: the URL of a backend begins with its kind"),
        ({"BACKEND": "mongodb://u:pass@h"}, r"\ASESSIONKIT_BACKEND: there is no such kind"),
        ({"BACKEND": "postgresql://u:pass@h/d"}, r"\ASESSIONKIT_BACKEND: .*postgresql\+psycopg"),
        ({"BACKEND": "sqlite:////no/such/pass/x.db"}, r"\ASESSIONKIT_BACKEND: the folder of"),
        ({"BACKEND": "sqlite:///no/such/x.db"}, r"no/such/x\.db is relative.*there are four: sqlite:////"),
        ({"MAX_RECORD": "64k"}, r"\ASESSIONKIT_MAX_RECORD: it must be a whole number"),
        ({"MAX_RECORD": "0"}, r"\ASESSIONKIT_MAX_RECORD: max_record must be"),
        ({"MAX_SESSIONS": "5"}, r"\ASESSIONKIT_MAX_SESSIONS: max_sessions needs a backend"),
        ({"MAX_RECORD": "9000"}, r"\ASESSIONKIT_MAX_RECORD: max_record needs a backend"),
        ({"MAX_SESSIONS": "0", "BACKEND": "memory:"}, r"\ASESSIONKIT_MAX_SESSIONS: max_sessions"),
        ({"MAX_SESSIONS": "-1"}, r"\ASESSIONKIT_MAX_SESSIONS: it must be a whole number, or none"),
        ({"BACKENDS": "memory:"}, r"SESSIONKIT_BACKENDS is not .* did you mean SESSIONKIT_BACKEND\?"),
    ],
)  # fmt: skip
def test_a_variable_that_cannot_work_is_named(values, message):
    with pytest.raises(ConfigurationError, match=message):
        SessionStore.from_env(variables(**values))


@pytest.mark.parametrize(
    "url",
    [
        "mongodb://u:s3cret@h",
        "redis://:s3cret@h:port",
        "redis://:s3cret@h:99999999",
        "rediss://u:s3cret@h/notadb?x=[",
        "redis+cluster://u:s3cret@h",
        "postgresql://u:s3cret@h/d",
        "postgresql+psycopg://u:s3cret@h:port/d",
        "postgresql+nodriver://u:s3cret@h/d",
        "mysql+pymysql://u:s3cret@[h/d",
        "s3cret",
    ],
)
def test_no_error_shows_the_password_of_a_url(url):
    with pytest.raises(ConfigurationError) as caught:
        SessionStore.from_env(variables(BACKEND=url, MAX_SESSIONS="0"))
    assert "s3cret" not in str(caught.value)


def test_the_variables_alone_do_not_need_a_backend():
    assert apply_variables(dict, variables(BACKEND="none"), {})["backend"] is None
