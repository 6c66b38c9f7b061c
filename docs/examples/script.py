"""A script: no server at all, a Cookie header in, Set-Cookie lines out."""

import secrets

from sessionkit import SessionStore, create_session, get_session, update_session

store = SessionStore(
    secrets.token_urlsafe(32)
)  # an application reads its secret: SessionStore.from_env()


def cookie_header(lines: list[str]) -> str:
    """What a browser that was given these Set-Cookie lines sends back."""
    return "; ".join(line.partition(";")[0] for line in lines)


# The block is one request: inside it the verbs need no argument, at its end the session is sealed.
with store.exchange() as exchange:
    create_session({"user": {"sub": "ada", "name": "Ada"}, "theme": "light"})
lines = [value for name, value in exchange.response_headers if name == "Set-Cookie"]
assert [line.partition("=")[0] for line in lines] == ["__Host-session"]

# The next request brings the cookie, and changes a value.
with store.exchange(cookie_header(lines)) as exchange:
    session = get_session()
    assert session is not None
    update_session({**session, "theme": "dark"})
lines = [value for name, value in exchange.response_headers if name == "Set-Cookie"]

# And the one after that only reads: nothing is to be sent.
with store.exchange(cookie_header(lines)) as exchange:
    assert get_session() == {"user": {"sub": "ada", "name": "Ada"}, "theme": "dark"}
assert [name for name, _ in exchange.response_headers] == ["Vary", "Cache-Control"]

# A block that raises is a response that failed: its changes are dropped.
try:
    with store.exchange(cookie_header(lines)) as exchange:
        update_session({"user": {"sub": "ada"}, "theme": "lost"})
        {}["the script fails here"]
except KeyError:
    pass
assert [name for name, _ in exchange.response_headers] == ["Vary", "Cache-Control"]

# A cookie from elsewhere is never an error: it gives a session, or the reason why not.
with store.exchange("__Host-session=made-up") as exchange:
    assert get_session() is None
    assert exchange.absence is not None
    assert exchange.absence.value == "malformed"

print("script: ok")
