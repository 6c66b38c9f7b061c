"""Redis: what the errors of a client library mean, by the names of their classes. valkey-py has classes with the same names."""

from __future__ import annotations

from ssl import SSLCertVerificationError

from ..errors import BackendError, ConfigurationError

__all__ = ["UNKNOWN_SCRIPT", "failure", "is_named", "is_unknown_script"]

UNKNOWN_SCRIPT = "NoScriptError"

_UNREACHABLE = "check that the Redis server is up, reachable for this process, and not full"

_NODE = (
    "the server is a node of a cluster, which a URL cannot name: make a cluster client of redis-py or valkey-py, and give it to "
    "the backend"
)
_REPLICA = "the server is a replica: connect to the primary"
_DOWN = "check that each hash slot of the cluster has a server that is up, and that a failover has ended"
_SLOT = "a hash slot of the cluster is moving to another server: if that does not end, run `redis-cli --cluster fix`"
_CREDENTIALS = "check the user and the password, and that the user may run the backend's commands on keys with its prefix"

_ADVICE = {
    "MovedError": _NODE,
    "AskError": _NODE,
    "ClusterCrossSlotError": _NODE,
    "ReadOnlyError": _REPLICA,
    "MasterDownError": _REPLICA,
    "MasterNotFoundError": "check that the Sentinels are up, know the master by this name, and that a failover has ended",
    "ClusterDownError": _DOWN,
    "ClusterError": _SLOT,
    "AuthenticationError": _CREDENTIALS,
    "AuthenticationWrongNumberOfArgsError": _CREDENTIALS,
    "NoPermissionError": _CREDENTIALS,
}
"""What to do about an error, by the name of its class; the first class in the order of inheritance counts."""

_ADVICE_BY_CODE = {"MOVED": _NODE, "ASK": _NODE, "CROSSSLOT": _NODE, "CLUSTERDOWN": _DOWN}
"""What to do about a `ResponseError`, by the first word of its text: only cluster clients have classes for these."""

_CERTIFICATE = "check the server's certificate, and which authorities the client trusts: `?ssl_ca_certs=/path/to/ca.pem` in a URL"


def failure(error: Exception) -> Exception:
    """Return the error that the application gets instead of an error of the client library, whose text may show keys."""
    if isinstance(error, (BackendError, ConfigurationError)):  # our own error
        return error
    reason = error.__cause__ or error.__context__
    if isinstance(reason, SSLCertVerificationError):
        return BackendError(f"the session backend failed ({type(reason).__name__}): {_CERTIFICATE}")
    return BackendError(f"the session backend failed ({type(error).__name__}): {_advice(error)}")


def _advice(error: Exception) -> str:
    for name in _names(error):
        if name in _ADVICE:
            return _ADVICE[name]
    return _ADVICE_BY_CODE.get(str(error).partition(" ")[0], _UNREACHABLE)


def is_unknown_script(error: Exception) -> bool:
    """Return whether the server has never seen a script, or has forgotten it."""
    return is_named(error, UNKNOWN_SCRIPT)


def is_named(error: Exception, name: str) -> bool:
    """Return whether an exception is of a class with this name."""
    return name in _names(error)


def _names(error: Exception) -> list[str]:
    return [one.__name__ for one in type(error).__mro__]
