"""Redis: warnings about settings of a server that may lose sessions or bring ended ones back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = [
    "NO_SETTINGS",
    "warn_of_clocks",
    "warn_of_reads",
    "warn_of_replicas",
    "warn_of_settings",
]

NO_SETTINGS = (
    "The Redis server does not let this client read its settings (CONFIG GET): make sure that maxmemory-policy is "
    "noeviction, and that appendonly and appendfsync are as you want them."
)

_REPLICAS = (
    "The Redis server has replicas, which lag behind it: a failover may lose the last writes, so that a logout "
    "among them is undone."
)

_READS = (
    "The client of the Redis cluster reads from replicas, which lag behind: a session that was ended a moment ago is still "
    "accepted. Make the client without read_from_replicas and load_balancing_strategy."
)

_CLOCKS = (
    "The clocks of this machine and of the Redis server differ by {offset:.1f} seconds: set both by NTP. "
    "Which of a login and a revocation came first is judged by the clocks of the machines."
)

_CLOCK_OFFSET = 1.0
"""Seconds by which two clocks may differ. If a login and a revocation run at the same time, the clocks of both machines are compared."""


def warn_of_settings(reply: Any) -> list[str]:
    """Return warnings about eviction and durability."""
    warnings: dict[
        str, None
    ] = {}  # a dict as an ordered set, because the servers of a cluster mostly have the same settings
    for raw in _replies(reply):
        settings = {_text(name): _text(value) for name, value in raw.items()}
        policy = settings.get("maxmemory-policy", "noeviction")
        if policy != "noeviction":
            warnings[
                f"maxmemory-policy is {policy}: when Redis is full, it removes sessions that are in use. Set it to "
                "noeviction; sessions expire by themselves."
            ] = None
        if settings.get("appendonly") == "no":
            warnings[
                "appendonly is no: a crash of the Redis server loses the sessions since its last snapshot, and brings "
                "back those that were ended since then. Set appendonly to yes."
            ] = None
        elif settings.get("appendfsync", "always") != "always":
            warnings[
                f"appendfsync is {settings['appendfsync']}: a crash of the machine may lose the last writes, so that a "
                "logout among them is undone. Set it to always if that must not be."
            ] = None
    return list(warnings)


def warn_of_replicas(reply: Any) -> list[str]:
    """Return a warning if a failover is possible."""
    if any(int(raw.get("connected_slaves", 0)) for raw in _replies(reply)):
        return [_REPLICAS]
    return []


def warn_of_reads(client: Any) -> list[str]:
    """Return a warning if the client of a cluster reads from replicas."""
    options = ("read_from_replicas", "load_balancing_strategy")
    return [_READS] if any(getattr(client, name, None) for name in options) else []


def warn_of_clocks(reply: Any, before: float, after: float) -> list[str]:
    """Return a warning if the clock of a server differs from the clock of this machine, which was read before and after the call."""
    for seconds, microseconds in _replies(reply):
        server = seconds + microseconds / 1e6
        offset = max(before - server, server - after)
        if offset > _CLOCK_OFFSET:
            return [_CLOCKS.format(offset=offset)]
    return []


def _replies(reply: Any) -> Iterable[Any]:
    """Return the replies of all servers: of a cluster, a dict of them by server."""
    found: list[Any] = [*reply.values()] if hasattr(reply, "values") else []
    if found and all(isinstance(one, (dict, tuple, list)) for one in found):
        return found
    return [reply]


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
