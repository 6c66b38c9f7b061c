"""Sessions on the server that a framework has begun are listed and revoked by their store, which knows no login keys."""

import pytest

from sessionkit import SessionStore, get_exchange
from sessionkit._exchange.framework_keys import FrameworkKeys
from sessionkit.backends import MemoryBackend
from sessionkit.wsgi import SessionMiddleware

KEYS = FrameworkKeys(login=("_user_id",))
ANN = {"user": {"sub": "ann", "iss": "https://id.example"}}


@pytest.fixture
def store():
    return SessionStore("0f1e2d3c4b5a69788796a5b4c3d2e1f0", backend=MemoryBackend())


def serve(store, work, cookie=""):
    """Serve one request by a framework with a login key, and return its cookie and what the work returned."""
    lines, found = [], []

    def app(environ, start_response):
        found.append(work())
        start_response("200 OK", [])
        return []

    environ = {"REQUEST_METHOD": "GET", "wsgi.url_scheme": "https", "HTTP_COOKIE": cookie}
    gateway = SessionMiddleware(app, store, framework=KEYS)
    gateway(environ, lambda status, headers: lines.extend(headers))
    values = [value for name, value in lines if name == "Set-Cookie"]
    return values[0].partition(";")[0] if values else None, found[0]


def log_in(store, contents):
    return serve(store, lambda: get_exchange().contents.update(contents))[0]


def read(store, cookie):
    return serve(store, lambda: dict(get_exchange().contents), cookie)[1]


@pytest.mark.parametrize("contents", [ANN, {**ANN, "_user_id": "7"}])
def test_a_script_revokes_a_user_by_the_claims(store, contents):
    cookie = log_in(store, contents)
    assert [one.contents for one in store.sessions_of(ANN)] == [contents]
    assert store.revoke_user(ANN) == 1
    assert read(store, cookie) == {}


def test_a_script_revokes_a_user_by_the_login_key_as_the_identity(store):
    cookie = log_in(store, {"_user_id": "7", "cart": []})
    assert store.revoke_user({"_user_id": "8"}) == 0
    assert store.revoke_user({"_user_id": "7"}) == 1
    assert read(store, cookie) == {}


def test_a_request_lists_and_revokes_by_the_contents_with_a_login_key(store):
    first = log_in(store, {"_user_id": "7"})
    second = log_in(store, {"_user_id": "7", "cart": []})

    def work():
        contents = get_exchange().contents
        listed = sorted(one.is_current for one in store.sessions_of(contents))
        return listed, store.revoke_user(contents, keep_current=True)

    assert serve(store, work, second)[1] == ([False, True], 1)
    assert read(store, first) == {}
    assert read(store, second) == {"_user_id": "7", "cart": []}
