"""A SESSION_ENGINE that subclasses ours."""

from sessionkit_django import engine


class SessionStore(engine.SessionStore):
    """With a word of its own."""
