"""The database: SQLite by default, PostgreSQL by URL, one code for both.

A `write()` is one transaction. SQLite takes one writer at a time, so writers wait for
their turn (`hub.turns`) instead of polling the file; an alert goes before all else.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeVar

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    MetaData,
    Select,
    Table,
    Text,
    cast,
    create_engine,
    event,
    inspect,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Dialect, Engine, make_url
from sqlalchemy.exc import (
    DBAPIError,
    InterfaceError,
    OperationalError,
    TimeoutError as PoolTimeoutError,
)
from sqlalchemy.types import TypeDecorator

from hub.errors import SchemaError
from hub.turns import Turns
from wire.coded import kept, read_kept

Key = TypeVar("Key")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
KEYS_A_QUERY = 5000
ROWS_AT_ONCE = 20_000
AT_ONCE = 50
"""Connections: one for each of the 40 threads that answer calls, and for what runs beside them."""
MIGRATIONS = Path(__file__).with_name("migrations")


def to_ms(at: datetime) -> int:
    """Milliseconds since 1970 UTC of an aware time."""
    return (at - EPOCH) // _MS


def from_ms(ms: int) -> datetime:
    """The aware UTC time of milliseconds since 1970."""
    return EPOCH + timedelta(milliseconds=ms)


def now() -> datetime:
    """Time by this machine's clock, in whole milliseconds UTC."""
    return from_ms(to_ms(datetime.now(UTC)))


class Instant(TypeDecorator[datetime]):
    """A moment, kept as milliseconds since 1970 UTC."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> int | None:
        """Aware time to milliseconds."""
        return None if value is None else to_ms(value)

    def process_result_value(self, value: int | None, _dialect: Dialect) -> datetime | None:
        """Milliseconds to aware UTC time."""
        return None if value is None else from_ms(value)


class Sentence(TypeDecorator[str]):
    """A text that may have a code (`wire.coded`), kept with it."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, _dialect: Dialect) -> str | None:
        """Text, and its code behind it."""
        return None if value is None else kept(value)

    def process_result_value(self, value: str | None, _dialect: Dialect) -> str | None:
        """The text with its code."""
        return None if value is None else read_kept(value)


class GridPath(TypeDecorator[tuple[str, ...]]):
    """The grids a place lies in, by code from the largest to the smallest."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, _dialect: Dialect) -> str | None:
        """Codes, each between line ends: no code can contain one."""
        return None if value is None else path_text(value)

    def process_result_value(self, value: str | None, _dialect: Dialect) -> tuple[str, ...] | None:
        """Codes from the largest grid to the smallest."""
        return None if value is None else path_of(value)


def in_parts(keys: Sequence[Key]) -> Iterator[list[Key]]:
    """So many keys as one query may name, at a time."""
    for start in range(0, len(keys), KEYS_A_QUERY):
        yield list(keys[start : start + KEYS_A_QUERY])


def path_text(path: tuple[str, ...]) -> str:
    """A path as GridPath stores it."""
    return "".join(f"\n{code}" for code in path) + "\n"


def path_of(text: str) -> tuple[str, ...]:
    """A path that GridPath stored."""
    return tuple(text.split("\n")[1:-1])


def lies_in(column: ColumnElement[Any], code: str) -> ColumnElement[bool]:
    """Whether a grid path passes through the grid of this code, at any level."""
    return cast(column, Text).contains(f"\n{code}\n", autoescape=True)


class Store:
    """The database of one hub process."""

    def __init__(self, url: str) -> None:
        """Open the database of a URL; a new SQLite file gets its folder."""
        self.engine = _engine(url)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self.after_commit: Callable[[], None] = lambda: None
        file = self.engine.url.database if self.is_sqlite else None
        self._writers = Turns(Path(file) if file and file != ":memory:" else None)

    @contextmanager
    def write(self, *, urgent: bool = False) -> Iterator[Connection]:
        """One transaction: committed when the block ends, undone when it raises."""
        if self.is_sqlite:
            with self._writers.turn(urgent=urgent), self._begin("IMMEDIATE") as tx:
                yield tx
        else:
            with self._begin() as tx:
                yield tx
        self.after_commit()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent view, for reading only."""
        with self._begin("DEFERRED") as tx:
            yield tx

    @contextmanager
    def _begin(self, mode: str = "IMMEDIATE") -> Iterator[Connection]:
        with self._connection() as connection, connection.begin():
            if self.is_sqlite:
                connection.exec_driver_sql(f"BEGIN {mode}")
            yield connection

    def _connection(self) -> Connection:
        """Raises OperationalError when no connection was free for long, as when there is none."""
        try:
            return self.engine.connect()
        except PoolTimeoutError as fault:
            raise OperationalError("connect", None, fault) from fault

    @property
    def name(self) -> str:
        """The database's URL without its password."""
        return self.engine.url.render_as_string(hide_password=True)

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()
        self._writers.close()

    def ping(self) -> None:
        """Raises DBAPIError when the database cannot answer."""
        with self.read() as tx:
            tx.execute(select(1))

    def revision(self) -> str | None:
        """The schema revision of the database, None when it is empty."""
        with self.engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()

    def migrate(self) -> tuple[str | None, str]:
        """Bring the schema up to this program's revision; returns (before, after).

        Raises SchemaError when the database is newer.
        """
        before, head = self.check_schema()
        if before != head:
            config = _alembic()
            with self._begin() as connection:
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
        return before, head

    def check_schema(self) -> tuple[str | None, str]:
        """The database's revision and this program's.

        Raises SchemaError when the database is newer or is not one of ours.
        """
        script = ScriptDirectory.from_config(_alembic())
        head = script.get_current_head() or ""
        found = self.revision()
        known = [revision.revision for revision in script.walk_revisions()]
        if found is not None and found not in known:
            raise SchemaError(
                f"{self.name}: schema {found} is newer than this program, which knows up to "
                f"{head}; install the newer program or restore the older database"
            )
        if found is None and inspect(self.engine).get_table_names():
            raise SchemaError(
                f"{self.name}: has tables but no revision; an empty database is needed"
            )
        return found, head


def plain(tx: Connection, question: Select[Any]) -> Iterator[Any]:
    """Rows as the driver gives them: SQLAlchemy's own take four times as long by the million."""
    cursor = tx.execute(question).cursor
    while cursor is not None and (rows := cursor.fetchmany(ROWS_AT_ONCE)):
        yield from rows


def insert_new(
    tx: Connection, table: Table, rows: Sequence[Mapping[str, Any]], key: Sequence[str]
) -> None:
    """Insert the rows whose key is not there yet."""
    if rows:
        tx.execute(_insert_new(table, tuple(key), tx.dialect.name), list(rows))


def upsert(
    tx: Connection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    key: Sequence[str],
    update: Sequence[str] | None = None,
) -> None:
    """Insert rows; where the key is there already, overwrite `update` (default: all else)."""
    if rows:
        names = update if update is not None else [name for name in rows[0] if name not in key]
        tx.execute(_upsert(table, tuple(key), tuple(names), tx.dialect.name), list(rows))


@cache
def _insert_new(table: Table, key: tuple[str, ...], dialect: str) -> Any:
    return _insert(table, dialect).on_conflict_do_nothing(index_elements=list(key))


@cache
def _upsert(table: Table, key: tuple[str, ...], names: tuple[str, ...], dialect: str) -> Any:
    statement = _insert(table, dialect)
    rest = {name: statement.excluded[name] for name in names}
    return statement.on_conflict_do_update(index_elements=list(key), set_=rest)


def count_on(tx: Connection, table: Table, day: str, count: int = 1) -> int:
    """Add to the count of a day in a table of (day, last); returns where it stands then.

    Nobody else can add to it until the transaction ends.
    """
    row = {"day": day, "last": count}
    stands: int = tx.execute(_count_on(table, tx.dialect.name), row).scalar_one()
    return stands


@cache
def _count_on(table: Table, dialect: str) -> Any:
    statement = _insert(table, dialect)
    more = {"last": table.c.last + statement.excluded.last}
    return statement.on_conflict_do_update(index_elements=["day"], set_=more).returning(
        table.c.last
    )


def put(
    tx: Connection,
    table: Table,
    names: tuple[str, ...],
    rows: Sequence[tuple[object, ...]],
    key: tuple[str, ...] = (),
) -> None:
    """Insert many rows of plain values (no types are converted), three times as fast.

    With a `key`, rows that are there already are overwritten.
    """
    if rows:
        in_order = _in_order(table, names)
        ordered = list(rows) if in_order is None else [in_order(row) for row in rows]
        tx.exec_driver_sql(_put_sql(table, names, key, tx.dialect.name), ordered)


@cache
def _in_order(table: Table, names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]] | None:
    """Bring a row into the table's order, which is the statement's; None where it is already."""
    order = [names.index(column.name) for column in table.columns if column.name in names]
    return None if order == sorted(order) else itemgetter(*order)


@cache
def _put_sql(table: Table, names: tuple[str, ...], key: tuple[str, ...], dialect: str) -> str:
    statement = _insert(table, dialect).inline()
    if key:
        rest = {name: statement.excluded[name] for name in names if name not in key}
        statement = statement.on_conflict_do_update(index_elements=list(key), set_=rest)
    dialects: Any = sqlite if dialect == "sqlite" else postgresql
    style = "qmark" if dialect == "sqlite" else "format"
    positional = dialects.dialect(paramstyle=style)
    return str(statement.compile(dialect=positional, column_keys=list(names)))


def is_database_away(fault: DBAPIError) -> bool:
    """Whether trying again later can help: the database is down, locked or full."""
    return fault.connection_invalidated or isinstance(fault, OperationalError | InterfaceError)


def _insert(table: Table, dialect: str) -> Any:
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed, pool_pre_ping=True, pool_size=10, max_overflow=AT_ONCE - 10)
    if parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    patience = {} if "timeout" in parsed.query else {"timeout": 10}
    engine = create_engine(parsed, pool_size=20, max_overflow=AT_ONCE - 20, connect_args=patience)
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-32000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _alembic() -> AlembicConfig:
    config = AlembicConfig()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config
