"""Redis: the names of keys, the encoding of a record, and the scripts that change them.

An owner has these keys, all in one hash slot:

    sk:{owner}:<key>   a record
    sk:{owner}:n       the owner's generation
    sk:{owner}:t       the time of the owner's last revocation
    sk:{owner}:i       the index: the keys of the owner's records, by expiry

Redis removes each of them by its time to live (TTL). These rules make sure that no revocation is forgotten:

- The generation lives at least as long as every record of the owner, because each write of a record extends its life. So no
  record outlives the generation under which it was written. A record without a generation is not valid; its generation is not 0.
- A generation begins at 0. If another key of the owner is still there, Redis has evicted the generation: then it begins at
  the server's time, a number that no record of the owner can have.
- The index lives as long as the generation, for the same reason.
- The time of a revocation is for logins in flight, and for sessions in another library's cookie, which are imported later; it
  lives for 400 days, as long as a browser keeps a cookie.
"""

from __future__ import annotations

from hashlib import sha1
from struct import Struct
from typing import NamedTuple
from urllib.parse import quote

from .._session.lifetime import FOUR_HUNDRED_DAYS
from ._protocols import Record

__all__ = [
    "DELETE",
    "GENERATION",
    "INDEX",
    "INSERT",
    "REMOVE",
    "REPLACE",
    "REVOCATION_TTL",
    "REVOKE",
    "REVOKED",
    "TOUCH",
    "Script",
    "decode",
    "decode_alive",
    "encode",
    "encode_change",
    "name_owner",
    "name_record",
]

REVOCATION_TTL = FOUR_HUNDRED_DAYS * 1000
"""Milliseconds for which the time of a revocation is kept: as long as a cookie may hold a session that is still to be imported."""

# The scripts read and write the same with Lua's `struct`.
_HEAD = Struct(">qqqqB")
"""The beginning of a record: generation, creation, update, expiry, length of the version. Version and payload follow."""
_CHANGED = Struct(">qqB")
"""The part of it that a change replaces: update, expiry, length of the version."""
_EXPECTED = Struct(">qB")
"""The part before a change: TTL, length of the expected version. The expected version follows."""

GENERATION = "n"
REVOKED = "t"
INDEX = "i"
"""The ends of an owner's names, after what `name_owner` returns."""


def name_owner(prefix: str, owner: str) -> str:
    """Return the prefix of the names of an owner's keys. Braces and colons in `owner`, any printable ASCII, are escaped."""
    if not owner.isalnum():
        # "%" alone escapes nothing, so it is used for the empty owner, because empty braces would not be a hash tag.
        owner = quote(owner, safe="") or "%"
    return f"{prefix}:{{{owner}}}:"


def name_record(start: str, key: str) -> str:
    """Return the name of a record. A key of one character is escaped, because it could be the name of another key."""
    if len(key) == 1:
        return f"{start}%{ord(key):02X}"
    return start + (key if key.isalnum() else quote(key, safe=""))


def encode(record: Record) -> bytes:
    """Return the encoding of a new record, which Redis stores after the record's generation."""
    times = (record.created_at, record.updated_at, record.expires_at)
    return _HEAD.pack(0, *times, len(record.version))[8:] + record.version + record.sealed


def encode_change(record: Record, version: bytes, ttl: int) -> bytes:
    """Return the record as one argument of `REPLACE`. redis-py spends processor time on each argument."""
    changed = _CHANGED.pack(record.updated_at, record.expires_at, len(record.version))
    return b"".join(
        (_EXPECTED.pack(ttl, len(version)), version, changed, record.version, record.sealed)
    )


def decode(key: str, owner: str, value: bytes) -> Record:
    """Return the record that a value of Redis holds."""
    generation, created_at, updated_at, expires_at, length = _HEAD.unpack_from(value)
    start = _HEAD.size + length
    version, sealed = value[_HEAD.size : start], value[start:]
    return Record(key, owner, generation, created_at, updated_at, expires_at, version, sealed)


def decode_alive(
    key: str, owner: str, value: bytes | None, generation: bytes | None
) -> Record | None:
    """Return the record that was read together with its owner's generation, or None if it is not of that generation."""
    if value is None or generation is None:
        return None
    record = decode(key, owner, value)
    return record if record.generation == int(generation) else None


class Script(NamedTuple):
    """A Lua script, and the digest by which Redis knows it."""

    text: str
    digest: str


def _script(body: str) -> Script:
    text = _FUNCTIONS + body
    return Script(text, sha1(text.encode(), usedforsecurity=False).hexdigest())


_FUNCTIONS = """\
local function is_alive(record, generation)
  return record and generation and struct.unpack('>i8', record) == tonumber(generation)
end
local function key_of(record, index)
  local function unescape(hex) return string.char(tonumber(hex, 16)) end
  return (string.gsub(string.sub(record, #index), '%%(%x%x)', unescape))
end
local function version_of(record)
  return string.sub(record, 34, 33 + string.byte(record, 33))
end
local function live_longer(ttl, ...)
  for _, key in ipairs({...}) do
    if redis.call('PTTL', key) < tonumber(ttl) then redis.call('PEXPIRE', key, ttl) end
  end
end
local function begin(generation, revoked, index)
  local first = '0'
  if redis.call('EXISTS', revoked, index) > 0 then first = redis.call('TIME')[1] end
  redis.call('SET', generation, first)
  return first
end
"""

INSERT = _script("""
local record, generation, revoked, index = unpack(KEYS)
local key, since, version, expires, ttl, horizon, rest = unpack(ARGV)
local there, current = redis.call('GET', record), redis.call('GET', generation)
if is_alive(there, current) then return version_of(there) == version and 1 or 0 end
local at = redis.call('GET', revoked)
if at and tonumber(since) <= tonumber(at) then return 0 end
current = current or begin(generation, revoked, index)
redis.call('SET', record, struct.pack('>i8', tonumber(current)) .. rest, 'PX', ttl)
redis.call('ZADD', index, expires, key)
live_longer(ttl, generation, index)
for _, old in ipairs(redis.call('ZRANGEBYSCORE', index, '-inf', '(' .. horizon, 'LIMIT', 0, 4)) do
  redis.call('ZREM', index, old)
end
return 1
""")

REPLACE = _script("""
local record, generation, index = unpack(KEYS)
local ttl, expected, first = struct.unpack('>i8Bc0', ARGV[1])
local changed = string.sub(ARGV[1], first)
local _, expires, version = struct.unpack('>i8i8Bc0', changed)
local there, current = redis.call('GET', record), redis.call('GET', generation)
if not is_alive(there, current) then return 0 end
local found = version_of(there)
if found == version then return 1 end
if found ~= expected then return there end
redis.call('SET', record, string.sub(there, 1, 16) .. changed, 'PX', ttl)
redis.call('ZADD', index, expires, key_of(record, index))
live_longer(ttl, generation, index)
return 1
""")

TOUCH = _script("""
local record, generation, index = unpack(KEYS)
local key, updated, expires, ttl = unpack(ARGV)
local there, current = redis.call('GET', record), redis.call('GET', generation)
if not is_alive(there, current) then return 0 end
local number, created, was_updated, was_expires = struct.unpack('>i8i8i8i8', there)
local updated_at = math.max(was_updated, tonumber(updated))
local expires_at = math.max(was_expires, tonumber(expires))
if updated_at > was_updated or expires_at > was_expires then
  local head = struct.pack('>i8i8i8i8', number, created, updated_at, expires_at)
  redis.call('SET', record, head .. string.sub(there, 33), 'XX', 'KEEPTTL')
end
if expires_at > was_expires then
  redis.call('ZADD', index, expires, key)
  live_longer(ttl, record, generation, index)
end
return 1
""")

DELETE = _script("""
local record, generation, index = unpack(KEYS)
local there, current = redis.call('GET', record), redis.call('GET', generation)
redis.call('UNLINK', record)
redis.call('ZREM', index, ARGV[1])
return is_alive(there, current) and there
""")

REVOKE = _script("""
local generation, revoked, index, kept = unpack(KEYS)
local at, ttl, horizon = unpack(ARGV)
-- The first write removes something: a Redis that is full then lets the others through, and the revocation is not lost.
redis.call('ZREMRANGEBYSCORE', index, '-inf', '(' .. horizon)
local before = redis.call('GET', generation) or begin(generation, revoked, index)
local now = redis.call('INCR', generation)
local last = redis.call('GET', revoked)
if not last or tonumber(last) < tonumber(at) then redis.call('SET', revoked, at) end
live_longer(ttl, generation, revoked)
local there = kept and redis.call('GET', kept)
if is_alive(there, before) then
  redis.call('SET', kept, struct.pack('>i8', now) .. string.sub(there, 9), 'XX', 'KEEPTTL')
end
return redis.call('ZRANGE', index, 0, -1)
""")

REMOVE = _script("""
local index, generation = unpack(KEYS)
local horizon, counted_after, limit = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local current, count = tonumber(redis.call('GET', generation) or '-1'), 0
for i = 3, #KEYS do
  local head = redis.call('GETRANGE', KEYS[i], 0, 31)
  local gone = #head < 32
  if not gone then
    local number, _, _, expires = struct.unpack('>i8i8i8i8', head)
    if number ~= current or expires < horizon then
      redis.call('UNLINK', KEYS[i])
      if expires > counted_after then count = count + 1 end
      gone = true
    end
  end
  if gone then redis.call('ZREM', index, ARGV[i + 1]) end
  if count == limit then break end
end
return count
""")
"""Remove the given records that are dead or expired before the horizon; return how many of them expire after a time."""
