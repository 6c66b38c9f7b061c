"""Dotted settings of configuration files (`sessionkit.cookie_secure`): a store made from them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from .._environment import PREFIX
from .._session.tracebacks import clears_frames
from ..store import SessionStore

__all__ = ["store_from_dotted"]

DOTTED = "sessionkit."


@clears_frames
def store_from_dotted(config: Mapping[str, Any], settings: Mapping[str, Any]) -> SessionStore:
    """Make a store from dotted settings: the `SESSIONKIT_*` variables by another name (`sessionkit.cookie_secure`).

    Pyramid and Bottle read such names from their configuration files. A setting that is missing there is taken from the
    environment.

    Args:
        config: the application's configuration; names that do not begin with `sessionkit.` are ignored. A secret may also be
            bytes, or a list of secrets.
        settings: arguments of `SessionStore`, which win over `config` and the environment.

    Raises:
        ConfigurationError: a setting is unknown or malformed (the message names its variable), or there is no secret.
    """
    named = {
        name[len(DOTTED) :]: str(value) for name, value in config.items() if name.startswith(DOTTED)
    }
    dotted = {PREFIX + name.upper(): value for name, value in named.items()}
    secret = config.get(f"{DOTTED}secret")
    if isinstance(secret, (bytes, list, tuple)):
        # This value was set in code and not in a file. Converted to text, it would be another secret.
        settings = {"secret": secret, **settings}
    return SessionStore.from_env({**os.environ, **dotted}, **settings)
