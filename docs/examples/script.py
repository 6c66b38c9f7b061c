"""A script without a server: a Cookie header goes in, Set-Cookie lines come out."""

import secrets

from sessionkit import SessionStore, create_session, get_session, update_session

# An application uses SessionStore.from_env(), which reads its secret.
store = SessionStore(secrets.token_urlsafe(32))


def cookie_header(lines: list[str]) -> str:
    """Return the Cookie header of a browser that has received these Set-Cookie lines."""
    return "; ".join(line.partition(";")[0] for line in lines)


# The block is one request. Inside it the verbs need no request argument; at its end the session is sealed.
with store.exchange() as exchange:
    create_session({"user": {"sub": "ada", "name": "Ada"}, "theme": "light"})
lines = [value for name, value in exchange.response_headers if name == "Set-Cookie"]
assert [line.partition("=")[0] for line in lines] == ["__Host-session"]

# The next request sends the cookie and changes a value.
with store.exchange(cookie_header(lines)) as exchange:
    session = get_session()
    assert session is not None
    update_session({**session, "theme": "dark"})
lines = [value for name, value in exchange.response_headers if name == "Set-Cookie"]

# The request after that only reads the session, so no cookie is set.
with store.exchange(cookie_header(lines)) as exchange:
    assert get_session() == {"user": {"sub": "ada", "name": "Ada"}, "theme": "dark"}
assert [name for name, _ in exchange.response_headers] == ["Vary", "Cache-Control"]

# If the block raises an error, the response has failed, and the changes are dropped.
try:
    with store.exchange(cookie_header(lines)) as exchange:
        update_session({"user": {"sub": "ada"}, "theme": "lost"})
        {}["the script fails here"]
except KeyError:
    pass
assert [name for name, _ in exchange.response_headers] == ["Vary", "Cache-Control"]

# A forged cookie never raises an error: there is no session, and `absence` says why.
with store.exchange("__Host-session=made-up") as exchange:
    assert get_session() is None
    assert exchange.absence is not None
    assert exchange.absence.value == "malformed"

print("script: ok")
