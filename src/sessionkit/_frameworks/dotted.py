"""What frameworks share: the sessions and settings of Flask and Quart, and dotted settings as configuration files have them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from .._environment import PREFIX
from .._session.tracebacks import clears_frames
from ..store import SessionStore

__all__ = ["DOTTED", "store_from_dotted"]

DOTTED = "sessionkit."


@clears_frames
def store_from_dotted(config: Mapping[str, Any], settings: Mapping[str, Any]) -> SessionStore:
    """A store from dotted settings, which are the `SESSIONKIT_*` variables by another name (`sessionkit.cookie_secure`).

    Pyramid and Bottle read such names from their configuration files. What these do not say the environment may.

    Args:
        config: the application's; what does not begin with `sessionkit.` is not looked at.
        settings: of `SessionStore`, instead of what `config` and the environment say.

    Raises:
        ConfigurationError: one is unknown or malformed (it names the variable), or there is no secret.
    """
    named = {
        name[len(DOTTED) :]: str(value) for name, value in config.items() if name.startswith(DOTTED)
    }
    dotted = {PREFIX + name.upper(): value for name, value in named.items()}
    return SessionStore.from_env({**os.environ, **dotted}, **settings)
