"""A private PostgreSQL with a database for each test, in a folder of its own."""

import itertools
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest

START_S = 30
_NAMES = itertools.count(1)


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

    def _execute(self, statement: str) -> None:
        where = f"host=127.0.0.1 port={self.port} user={self.user} dbname=postgres"
        with closing(psycopg.connect(where, autocommit=True)) as connection:
            connection.execute(statement)


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
        port = _free_port()
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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


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
