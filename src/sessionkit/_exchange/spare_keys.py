"""List the keys that may be dropped from a session that does not fit into its cookies."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

from .framework_keys import FrameworkKeys
from .settings import Settings

__all__ = ["list_spare_keys"]


def list_spare_keys(
    settings: Settings,
    session: Mapping[str, Any],
    loaded: Mapping[str, Any],
    kept: Container[str],
) -> list[str]:
    """Return the keys that may be dropped, in the order in which to drop them.

    These are the keys that must not survive a login; in the session of a signed-in user, only the sign-ins in progress. Keys
    that this request wrote come last. The key that it wrote most recently is never dropped.

    Args:
        settings: the store's settings.
        session: the contents of the session.
        loaded: the contents that the cookies held.
        kept: keys that are not dropped.
    """
    keys = settings.framework or FrameworkKeys()
    drops = keys.drops_sign_in if settings.guard(session) else keys.drops
    pool = [key for key in session if drops(key) and key not in kept]
    written = [key for key in pool if key not in loaded or loaded[key] != session[key]]
    return [key for key in pool if key not in written] + written[:-1]
