"""The tables and statements of the SQL backends. The blocking and the async backend run the same functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Double,
    Executable,
    LargeBinary,
    MetaData,
    String,
    Table,
    TextClause,
    any_,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    literal_column,
    not_,
    select,
    text,
    update,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.dialects.mysql import MEDIUMBLOB, VARBINARY
from sqlalchemy.exc import DBAPIError, IntegrityError

from ._protocols import REMOVAL_DELAY, TIDIED, Record

__all__ = ["CREATION", "METADATA", "Statements", "create_tables"]

CREATION = 10.0
"""The seconds for creating the tables. No visitor waits for this."""

# In MySQL and MariaDB the names are bytes, because most of their collations ignore case, and blanks at the end.
# PostgreSQL's "C" compares bytes too, whatever the collation of the database.
_NAME = (
    String(64)
    .with_variant(String(64, collation="C"), "postgresql")
    .with_variant(VARBINARY(64), "mysql", "mariadb")
)
# BLOB ends at 65,535 bytes.
_SEALED = LargeBinary().with_variant(MEDIUMBLOB(), "mysql", "mariadb")
_VERSION = LargeBinary().with_variant(VARBINARY(64), "mysql", "mariadb")

METADATA = MetaData()
"""The tables of the SQL backends."""

_SESSIONS = Table(
    "sessionkit_session",
    METADATA,
    Column("key", _NAME, primary_key=True),
    Column("owner", _NAME, nullable=False, index=True),
    Column("generation", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
    Column("version", _VERSION, nullable=False),
    Column("sealed", _SEALED, nullable=False),
    mysql_engine="InnoDB",
    mariadb_engine="InnoDB",
)
_OWNERS = Table(
    "sessionkit_owner",
    METADATA,
    Column("owner", _NAME, primary_key=True),
    Column("generation", BigInteger, nullable=False, autoincrement=False),
    Column("revoked_at", Double, nullable=False),
    mysql_engine="InnoDB",
    mariadb_engine="InnoDB",
)
_S = _SESSIONS.c
_O = _OWNERS.c
_FIELDS = (_S.generation, _S.created_at, _S.updated_at, _S.expires_at, _S.version, _S.sealed)


def _parameter(column: Column[Any], name: str | None = None) -> ColumnElement[Any]:
    return bindparam(name or f"{column.name}_", type_=column.type)


def _later(column: Column[Any]) -> ColumnElement[Any]:
    """Return the later of a column's time and the statement's parameter. SQLite has no GREATEST."""
    return case((column < _parameter(column), _parameter(column)), else_=column)


_NONE_RAISED: ColumnElement[int] = literal_column("0")  # no parameter: each takes processor time
_OWN_GENERATION = func.coalesce(
    select(_O.generation).where(_O.owner == _parameter(_S.owner)).scalar_subquery(), _NONE_RAISED
)
_IS_RECORD = (_S.key == _parameter(_S.key)) & (_S.owner == _parameter(_S.owner))
_IS_ALIVE = _S.generation == _OWN_GENERATION

_WITH_OWNERS = _SESSIONS.outerjoin(_OWNERS, _O.owner == _S.owner)
_IS_ALIVE_JOINED = _S.generation == func.coalesce(_O.generation, _NONE_RAISED)

_LOAD = select(*_FIELDS).select_from(_WITH_OWNERS).where(_IS_RECORD, _IS_ALIVE_JOINED)
_OF = (
    select(_S.key, *_FIELDS)
    .select_from(_WITH_OWNERS)
    .where(
        _S.owner == _parameter(_S.owner),
        _IS_ALIVE_JOINED,
        _S.expires_at > bindparam("now", type_=BigInteger),
    )
)
_INSERT = (
    insert(_SESSIONS)
    .from_select(
        [column.name for column in _S],
        select(
            _parameter(_S.key),
            _parameter(_S.owner),
            _OWN_GENERATION,
            _parameter(_S.created_at),
            _parameter(_S.updated_at),
            _parameter(_S.expires_at),
            _parameter(_S.version),
            _parameter(_S.sealed),
        ).where(
            not_(
                exists().where(
                    _O.owner == _parameter(_S.owner),
                    _O.revoked_at >= _parameter(_O.revoked_at, "since"),
                )
            )
        ),
        include_defaults=False,
    )
    .execution_options(preserve_rowcount=True)
)  # an INSERT has no row count otherwise
_REPLACE = (
    update(_SESSIONS)
    .where(_IS_RECORD, _S.version == _parameter(_S.version, "loaded"), _IS_ALIVE)
    .values(
        updated_at=_parameter(_S.updated_at),
        expires_at=_parameter(_S.expires_at),
        version=_parameter(_S.version),
        sealed=_parameter(_S.sealed),
    )
)
_TOUCH = (
    update(_SESSIONS)
    .where(_IS_RECORD, _IS_ALIVE)
    .values(updated_at=_later(_S.updated_at), expires_at=_later(_S.expires_at))
)
_FIND = select(*_FIELDS).where(_IS_RECORD)
_DELETE = delete(_SESSIONS).where(_IS_RECORD)
_DELETE_RETURNING = _DELETE.returning(*_FIELDS)
_DELETE_VERSION = _DELETE.where(_S.version == _parameter(_S.version, "loaded"))

_RAISE_GENERATION = (
    update(_OWNERS)
    .where(_O.owner == _parameter(_O.owner))
    .values(generation=_O.generation + 1, revoked_at=_later(_O.revoked_at))
)
_FIRST_GENERATION = insert(_OWNERS).values(
    owner=_parameter(_O.owner), generation=1, revoked_at=_parameter(_O.revoked_at)
)
_GENERATION = select(_O.generation).where(_O.owner == _parameter(_O.owner))
_IS_EARLIER = _S.generation == _parameter(_S.generation)
_END_LIVE = delete(_SESSIONS).where(
    _S.owner == _parameter(_S.owner),
    _S.key != _parameter(_S.key),
    _IS_EARLIER,
    _S.expires_at > bindparam("now", type_=BigInteger),
)
# Those of a later generation too: they are there if the table of owners alone was restored from a backup.
_END_OTHERS = delete(_SESSIONS).where(
    _S.owner == _parameter(_S.owner), not_((_S.key == _parameter(_S.key)) & _IS_EARLIER)
)
_KEEP = update(_SESSIONS).where(_IS_RECORD).values(generation=_S.generation + 1)

_EXPIRED = (
    select(_S.key)
    .where(_S.expires_at < bindparam("before", type_=BigInteger))
    .order_by(_S.expires_at)
    .limit(bindparam("limit", type_=BigInteger))
)
_PURGE: dict[str, Executable] = {
    # IN (SELECT … LIMIT n FOR UPDATE SKIP LOCKED) may run the subquery again for each row, and remove more than n.
    "postgresql": delete(_SESSIONS).where(
        _S.key == any_(func.array(_EXPIRED.with_for_update(skip_locked=True).scalar_subquery()))
    ),
    "sqlite": delete(_SESSIONS).where(_S.key.in_(_EXPIRED)),
}


@cache
def _purge_mysql(schema: str | None) -> TextClause:
    """Return the DELETE statement of a purge on MySQL, which accepts LIMIT in DELETE but not in a subquery."""
    quote = mysql.dialect().identifier_preparer.quote
    name = ".".join(quote(one) for one in (schema, _SESSIONS.name) if one)
    return text(
        f"DELETE FROM {name} WHERE expires_at < :before ORDER BY expires_at LIMIT :limit"  # noqa: S608  # no value
    )


_BEGIN = {
    # With a stricter default of the server, most revocations that run beside logins of the same user would fail.
    "postgresql": "BEGIN ISOLATION LEVEL READ COMMITTED",
    "sqlite": "BEGIN IMMEDIATE",
    "mysql": "START TRANSACTION",
}


class _Text(NamedTuple):
    """A statement as a driver takes it.

    Attributes:
        text: the statement in the dialect of the database.
        order: the names of the parameters, if the driver takes them by position.
    """

    text: str
    order: Sequence[str] | None


class Statements:
    """The operations of a backend, on a connection in autocommit mode. Each operation is one atomic step."""

    def __init__(self, clock: Callable[[], float], *, owns_engine: bool) -> None:
        """Take what the statements depend on.

        Args:
            clock: decides what has expired.
            owns_engine: whether the engine is the backend's own. If so, the most frequent statements are passed to the
                driver as text, which saves about 100 µs of processor time. An engine of the application may have listeners
                and a schema for the tables, so with such an engine SQLAlchemy sends every statement.
        """
        self._clock = clock
        self._owns_engine = owns_engine
        self._texts: dict[Executable, _Text] = {}

    def load(self, connection: Connection, key: str, owner: str) -> Record | None:
        """Return a record: one statement."""
        cursor = self._execute(connection, _LOAD, _names(connection, key_=key, owner_=owner))
        row = cursor.fetchone()
        cursor.close()
        return None if row is None else _record(key, owner, row)

    def insert(self, connection: Connection, record: Record, since: float) -> bool:
        """Add a record: a statement, after one that removes expired records."""
        # Expired records are removed first: if that fails, nothing has been added.
        if _engine_name(connection) != "sqlite" or self._finds_expired(connection):
            self.purge(connection, int(self._clock()), TIDIED)
        try:
            added = connection.execute(_INSERT, {**_values(connection, record), "since": since})
        except IntegrityError:
            present = self.load(connection, record.key, record.owner)
            return present is not None and present.version == record.version
        return added.rowcount == 1

    def replace(self, connection: Connection, record: Record, version: bytes) -> Record | bool:
        """Replace a record in one statement; if the record has another version, a second statement reads it."""
        values = {**_values(connection, record), "loaded": version}
        if self._changes(connection, _REPLACE, values):
            return True
        present = self.load(connection, record.key, record.owner)
        if present is None:
            return False
        return present.version == record.version or present

    def touch(
        self, connection: Connection, key: str, owner: str, updated_at: int, expires_at: int
    ) -> bool:
        """Move a record's times forward: one statement, and further ones if it found no record."""
        values = {
            **_names(connection, key_=key, owner_=owner),
            "updated_at_": updated_at,
            "expires_at_": expires_at,
        }
        if self._changes(connection, _TOUCH, values):
            return True
        # A revocation that keeps this record may have raised both generations while the statement waited for it.
        if self.load(connection, key, owner) is None:
            return False
        return self._changes(connection, _TOUCH, values)

    def delete(self, connection: Connection, key: str, owner: str) -> Record | None:
        """Remove a record and return it: one statement, or two and more on MySQL, which cannot return it."""
        names = _names(connection, key_=key, owner_=owner)
        if connection.dialect.delete_returning:
            row = connection.execute(_DELETE_RETURNING, names).first()
            return None if row is None else _record(key, owner, row)
        while (row := connection.execute(_FIND, names).first()) is not None:
            present = _record(key, owner, row)
            values = {**names, "loaded": present.version}
            if connection.execute(_DELETE_VERSION, values).rowcount == 1:
                return present
        return None

    def of(self, connection: Connection, owner: str) -> list[Record]:
        """Return the live records of an owner: one statement."""
        values = {**_names(connection, owner_=owner), "now": int(self._clock())}
        rows = connection.execute(_OF, values).all()
        return [_record(_text(key), owner, fields) for key, *fields in rows]

    def revoke(self, connection: Connection, owner: str, at: float, keep: str | None) -> int:
        """Raise the owner's generation and remove the records of earlier ones: one transaction."""
        begin = _BEGIN[_engine_name(connection)]
        connection.exec_driver_sql(begin)
        names = _names(connection, owner_=owner)
        # Every revocation locks this row first, so that two revocations of one owner wait for each other.
        raised = connection.execute(_RAISE_GENERATION, {**names, "revoked_at_": at})
        if raised.rowcount == 0:
            connection.execute(_FIRST_GENERATION, {**names, "revoked_at_": at})
        earlier = connection.execute(_GENERATION, names).scalar_one() - 1
        names = {**names, **_names(connection, key_=keep or "")}
        values = {**names, "generation_": earlier}
        ended = connection.execute(_END_LIVE, {**values, "now": int(self._clock())})
        connection.execute(_END_OTHERS, values)
        if keep is not None:
            connection.execute(_KEEP, names)
        connection.exec_driver_sql("COMMIT")
        return ended.rowcount

    def purge(self, connection: Connection, now: int, limit: int) -> int:
        """Remove expired records: one statement."""
        values = {"before": now - REMOVAL_DELAY, "limit": limit}
        engine = _engine_name(connection)
        statement = _PURGE.get(engine)
        if statement is None:
            statement = _purge_mysql(connection.schema_for_object(_SESSIONS))
        return connection.execute(statement, values).rowcount

    def _finds_expired(self, connection: Connection) -> bool:
        """Return whether there is something to purge. On SQLite, a purge waits for other writers even if it removes nothing."""
        values = {"before": int(self._clock()) - REMOVAL_DELAY, "limit": 1}
        return connection.execute(_EXPIRED, values).first() is not None

    def _changes(
        self, connection: Connection, statement: Executable, values: Mapping[str, Any]
    ) -> bool:
        """Execute an UPDATE, and return whether it has changed a row."""
        cursor = self._execute(connection, statement, values)
        count = cursor.rowcount
        cursor.close()
        return bool(count == 1)

    def _execute(
        self, connection: Connection, statement: Executable, values: Mapping[str, Any]
    ) -> Any:
        """Execute a statement with only the given parameters; return the cursor, or an object with the same methods, that has the rows."""
        if not self._owns_engine:
            return connection.execute(statement, values)
        text, order = self._texts.get(statement) or self._compile(connection, statement)
        cursor = connection.connection.cursor()
        cursor.execute(text, values if order is None else [values[name] for name in order])
        return cursor

    def _compile(self, connection: Connection, statement: Any) -> _Text:
        compiled = statement.compile(dialect=connection.dialect)
        made = self._texts[statement] = _Text(compiled.string, compiled.positiontup)
        return made


def create_tables(connection: Connection) -> None:
    """Create the tables that do not exist yet."""
    for table in METADATA.sorted_tables:
        try:
            table.create(connection, checkfirst=True)
        except DBAPIError:  # perhaps another process was faster
            table.create(connection, checkfirst=True)
    if connection.dialect.name == "sqlite":
        # This setting is stored in the file. With it, readers and a writer do not wait for each other.
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")


def _engine_name(connection: Connection) -> str:
    name = connection.dialect.name
    return "mysql" if name == "mariadb" else name


def _names(connection: Connection, **names: str) -> dict[str, Any]:
    """Return names as parameters. MySQL compares bytes only with bytes."""
    if _engine_name(connection) == "mysql":
        return {name: value.encode() for name, value in names.items()}
    return dict(names)


def _text(name: str | bytes) -> str:
    return name.decode() if isinstance(name, bytes) else name


def _values(connection: Connection, record: Record) -> dict[str, Any]:
    return {
        **_names(connection, key_=record.key, owner_=record.owner),
        "created_at_": record.created_at,
        "updated_at_": record.updated_at,
        "expires_at_": record.expires_at,
        "version_": record.version,
        "sealed_": record.sealed,
    }


def _record(key: str, owner: str, fields: Sequence[Any]) -> Record:
    generation, created_at, updated_at, expires_at, version, sealed = fields
    return Record(
        key, owner, generation, created_at, updated_at, expires_at, bytes(version), bytes(sealed)
    )
