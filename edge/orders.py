"""The hub's commands: each carried out once, whatever is sent again, and not after its time."""

import logging
import sqlite3
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from wire.codec import MAX_BYTES_OTHER, decode, encode
from wire.command import Command, CommandState, Reply

log = logging.getLogger(__name__)

REMEMBERED_MS = 86_400_000
LONGEST_WHY = 500

CarryOut = Callable[[str, dict[str, Any]], dict[str, Any]]
"""Does an operation with its arguments and gives what came of it; raises OrderFailed."""


class OrderFailed(RuntimeError):
    """The operation could not be done; says why."""


class OrderDesk:
    """Carries out commands and keeps the replies for a day. Safe to use from several threads."""

    def __init__(
        self,
        path: Path,
        dev: str,
        now_ms: Callable[[], int],
        operations: Mapping[str, CarryOut] | None = None,
    ) -> None:
        """Keep replies in the file at `path`; `operations` by the first part of their names."""
        self.operations: dict[str, CarryOut] = dict(operations or {})
        self._dev = dev
        self._now_ms = now_ms
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS reply (id TEXT PRIMARY KEY, at_ms INTEGER NOT NULL,"
            " body BLOB NOT NULL) WITHOUT ROWID"
        )

    def close(self) -> None:
        """Close the file; what is in it stays."""
        with self._lock:
            self._db.close()

    def take(self, command: Command) -> Reply:
        """Carry out a command, or give the reply it had before."""
        if (before := self._begin(command)) is not None:
            return before
        reply = self._carry_out(command)
        if len(encode(reply)) > MAX_BYTES_OTHER:
            reply = self._reply(command, CommandState.DONE, "what it gave is too long to be sent")
        self._note(reply)
        return reply

    def _begin(self, command: Command) -> Reply | None:
        with self._lock:
            self._db.execute("DELETE FROM reply WHERE at_ms < ?", (self._now_ms() - REMEMBERED_MS,))
            found = self._db.execute("SELECT body FROM reply WHERE id = ?", (command.id,))
            if (row := found.fetchone()) is not None:
                return cast("Reply", decode("reply", row[0]))
        # Noted first: a command that was under way at a crash is not done a second time.
        self._note(self._reply(command, CommandState.ACCEPTED))
        return None

    def _carry_out(self, command: Command) -> Reply:
        if command.exp < self._now_ms():
            return self._reply(command, CommandState.EXPIRED)
        group, _, name = command.op.partition(".")
        carry_out = self.operations.get(group)
        if carry_out is None:
            known = ", ".join(sorted(self.operations)) or "none"
            why = f"op {command.op!r} is not known here; groups of operations: {known}"
            return self._reply(command, CommandState.UNKNOWN, why)
        log.info("%s for %s: %s", command.op, command.by or "the hub", command.args)
        try:
            out = carry_out(name, command.args)
        except OrderFailed as fault:
            return self._reply(command, CommandState.FAILED, str(fault))
        except Exception as fault:
            log.exception("%s failed", command.op)
            return self._reply(command, CommandState.FAILED, f"{type(fault).__name__}: {fault}")
        return self._reply(command, CommandState.DONE, out=out)

    def _reply(
        self, command: Command, st: CommandState, why: str = "", out: dict[str, Any] | None = None
    ) -> Reply:
        return Reply(dev=self._dev, id=command.id, st=st, why=why[:LONGEST_WHY], out=out or {})

    def _note(self, reply: Reply) -> None:
        with self._lock:
            self._db.execute(
                "INSERT OR REPLACE INTO reply VALUES (?, ?, ?)",
                (reply.id, self._now_ms(), encode(reply)),
            )
