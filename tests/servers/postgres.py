"""A private PostgreSQL with a database for each test, in a folder of its own."""

import itertools
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from tests.servers.port import free_port

START_S = 120
_NAMES = itertools.count(1)


_END_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_TABLES = """
SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'
"""
_DELETE_ALL = """
DO $$ DECLARE it text; BEGIN
  FOR it IN SELECT tablename FROM pg_tables
    WHERE schemaname = 'public' AND tablename <> 'alembic_version'
  LOOP EXECUTE format('DELETE FROM public.%I', it); END LOOP;
  FOR it IN SELECT sequencename FROM pg_sequences
    WHERE schemaname = 'public' AND last_value IS NOT NULL
  LOOP EXECUTE format('ALTER SEQUENCE public.%I RESTART', it); END LOOP;
END $$
"""
_SCHEMA = """
SELECT md5(string_agg(it, ',' ORDER BY it)) FROM (
  SELECT c.relname || '.' || a.attname || ':' || a.atttypid::text || a.attnotnull::text AS it
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL SELECT tgname || tgenabled::text FROM pg_trigger WHERE NOT tgisinternal
  UNION ALL SELECT conname::text FROM pg_constraint WHERE connamespace = 'public'::regnamespace
) AS everything
"""


@dataclass(frozen=True)
class Blank:
    """A database nobody has used: what stands for its schema, and its rows by table."""

    schema: str
    rows: dict[str, bytes]


class Postgres:
    """A running server; `new_database` gives the URL of an empty database."""

    def __init__(self, user: str, port: int) -> None:
        self.user = user
        self.port = port

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://{self.user}@127.0.0.1:{self.port}/{database}"

    def new_database(self, template: str = "template1") -> str:
        name = f"t{next(_NAMES)}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, database: str) -> None:
        self._execute(f"DROP DATABASE {database} WITH (FORCE)")

    def blank(self, database: str) -> Blank:
        """What a database that the migrations have just made holds."""
        with closing(self._connect(database)) as connection:
            tables = [row[0] for row in connection.execute(_TABLES).fetchall()]
            rows = {table: _copied(connection, table) for table in tables}
            return Blank(_schema(connection), {name: data for name, data in rows.items() if data})

    def empty(self, database: str, blank: Blank) -> bool:
        """Bring it back to `blank`, cheaply while rows are few; False when its schema differs."""
        with closing(self._connect(database)) as connection:
            connection.execute(_END_OTHERS)
            connection.execute("SET lock_timeout = '5s'")
            # Append-only tables have triggers that keep everybody else from this.
            connection.execute("SET session_replication_role = replica")
            connection.execute(_DELETE_ALL)
            for table, data in blank.rows.items():
                with connection.cursor().copy(f'COPY "{table}" FROM STDIN') as copy:
                    copy.write(data)
            return _schema(connection) == blank.schema

    def _connect(self, database: str) -> psycopg.Connection:
        where = f"host=127.0.0.1 port={self.port} user={self.user} dbname={database}"
        return psycopg.connect(where, autocommit=True)

    def _execute(self, statement: str) -> None:
        with closing(self._connect("postgres")) as connection:
            connection.execute(statement)


def _schema(connection: psycopg.Connection) -> str:
    row = connection.execute(_SCHEMA).fetchone()
    assert row is not None
    return str(row[0])


def _copied(connection: psycopg.Connection, table: str) -> bytes:
    with connection.cursor().copy(f'COPY "{table}" TO STDOUT') as copy:
        return b"".join(copy)


def _bin() -> Path | None:
    tool = shutil.which("pg_config")
    if tool is None:
        return None
    found = subprocess.run([tool, "--bindir"], capture_output=True, text=True, check=True)
    folder = Path(found.stdout.strip())
    return folder if (folder / "initdb").exists() else None


@contextmanager
def postgres() -> Iterator[Postgres]:
    """Run a server; skip without the programs (CI fails instead)."""
    programs = _bin()
    if programs is None:
        if os.environ.get("TIANYAN_REQUIRE_SERVERS"):
            pytest.fail("PostgreSQL is not installed and TIANYAN_REQUIRE_SERVERS is set")
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    # The server refuses to run as root.
    account = {"user": "postgres"} if os.geteuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="tianyan-pg-"))
    if account:
        shutil.chown(folder, "postgres")
    data = folder / "data"
    try:
        make = [programs / "initdb", "-D", data, "-U", "tianyan", "-A", "trust", "--no-sync"]
        subprocess.run(make, check=True, capture_output=True, cwd=folder, **account)
        port = free_port()
        options = {
            "listen_addresses": "127.0.0.1",
            "port": port,
            "unix_socket_directories": folder,
            "fsync": "off",
            "shared_buffers": "32MB",
        }
        args = [programs / "postgres", "-D", data]
        args += [word for key, value in options.items() for word in ("-c", f"{key}={value}")]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(args, stdout=log, stderr=log, cwd=folder, **account)
        try:
            _wait(port, process, folder / "log")
            yield Postgres("tianyan", port)
        finally:
            process.terminate()
            process.wait(20)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait(port: int, process: subprocess.Popen, log: Path) -> None:
    where = f"host=127.0.0.1 port={port} user=tianyan dbname=postgres connect_timeout=2"
    for _ in range(START_S * 10):
        try:
            psycopg.connect(where).close()
        except psycopg.OperationalError:
            if process.poll() is not None:
                break
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"PostgreSQL did not start:\n{log.read_text()[-2000:]}")
