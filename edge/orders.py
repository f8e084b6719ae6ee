"""The hub's commands: each carried out once, whatever is sent again, and not after its time.

Every operation has threads of its own: a look that takes a minute keeps no terminal waiting. What
cannot be begun yet waits without one, and is tried again until its time is over.
"""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from wire.codec import MAX_BYTES_OTHER, decode, encode
from wire.coded import Coded, code_of, coded, cut, words_of
from wire.command import Command, CommandState, Reply

log = logging.getLogger(__name__)

CUT_SHORT = coded("cut_short", "the agent stopped while it was under way")
REMEMBERED_MS = 86_400_000
LONGEST_WHY = 500
AT_ONCE = 8
MOST_WAITING = 1000

CarryOut = Callable[[str, dict[str, Any], str], dict[str, Any]]
"""Does an operation with its arguments and gives what came of it; raises OrderFailed, NotYet."""

Say = Callable[[Reply], None]


class OrderFailed(RuntimeError):
    """The operation could not be done; says why, coded where other languages may say it."""


def no_camera(name: str, known: str) -> Coded:
    """Why nothing can be asked of a camera: there is none such."""
    return coded(
        "no_camera",
        "camera: this device has no {camera!r} (it has {known})",
        camera=name,
        known=known,
    )


def no_picture(camera: str, state: str) -> Coded:
    """Why nothing can be asked of a camera: it sees nothing."""
    return coded(
        "no_picture", "camera {camera} gives no picture: it is {state}", camera=camera, state=state
    )


class NotYet(OrderFailed):
    """Nothing was begun, for now; it is to be tried again while the command holds."""


@dataclass(frozen=True)
class _Begun:
    """A command with what carries it out; `why`: what it waited for when it was last tried."""

    command: Command
    is_over: Callable[[], bool]
    carry_out: CarryOut
    pool: ThreadPoolExecutor
    say: Say
    why: str = ""


class OrderDesk:
    """Carries out commands and keeps the replies for a day. Safe to use from several threads."""

    def __init__(
        self,
        path: Path,
        dev: str,
        now_ms: Callable[[], int],
        elapsed_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep replies in the file at `path`; `offer` says what can be done.

        `now_ms`: this machine's clock, which may be wrong and be set; `elapsed_s` only runs.
        """
        self._dev = dev
        self._now_ms = now_ms
        self._elapsed_s = elapsed_s
        self._lock = threading.Lock()
        self._offers: dict[str, tuple[CarryOut, ThreadPoolExecutor]] = {}
        self._waiting: list[_Begun] = []
        self._front = ThreadPoolExecutor(1, "order-front")
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS reply (id TEXT PRIMARY KEY, at_ms INTEGER NOT NULL,"
            " body BLOB NOT NULL) WITHOUT ROWID"
        )
        self._end_what_was_left()

    def offer(self, name: str, carry_out: CarryOut, at_once: int = AT_ONCE) -> None:
        """Carry out the operation `name`, or all that begin with `name` and a dot.

        `at_once`: how many of them are under way at a time.
        """
        self._offers[name] = (carry_out, ThreadPoolExecutor(at_once, f"order-{name}"))

    def close(self) -> None:
        """Begin nothing more and close the file; what is in it stays."""
        self._front.shutdown(wait=False, cancel_futures=True)
        for _, pool in self._offers.values():
            pool.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            self._db.close()

    def take(self, command: Command, say: Say) -> None:
        """Carry out a command; `say` gets `accepted` and later the last word.

        One that is repeated gets the reply it has had. Returns at once.
        """
        with suppress(RuntimeError):  # closed
            self._front.submit(self._begin, command, self._end_of(command), say)

    def _end_of(self, command: Command) -> Callable[[], bool]:
        """Tells whether the time of a command that arrives now is over."""
        if command.left_ms is None:
            return lambda: command.exp < self._now_ms()
        end_s = self._elapsed_s() + command.left_ms / 1000
        return lambda: end_s <= self._elapsed_s()

    def _begin(self, command: Command, is_over: Callable[[], bool], say: Say) -> None:
        try:
            if (before := self._reply_to(command.id)) is not None:
                say(before)
                return
            if (refusal := self._refusal(command, is_over)) is not None:
                say(self._note(refusal))
                return
            # Noted first: a command that was under way at a crash is not done a second time.
            say(self._note(self._reply(command, CommandState.ACCEPTED)))
            carry_out, pool = self._offers[_offered(command.op, self._offers)]
            with suppress(RuntimeError):  # closed
                pool.submit(self._finish, _Begun(command, is_over, carry_out, pool, say))
        except sqlite3.Error:
            log.exception("command %s cannot be noted, so it is not carried out", command.id)

    def _refusal(self, command: Command, is_over: Callable[[], bool]) -> Reply | None:
        if not _offered(command.op, self._offers):
            known = ", ".join(sorted(self._offers)) or "none"
            why = coded(
                "unknown_op",
                "op {op!r} is not known here; groups of operations: {known}",
                op=command.op,
                known=known,
            )
            return self._reply(command, CommandState.UNKNOWN, why)
        if is_over():
            return self._reply(command, CommandState.EXPIRED)
        return None

    def tick(self) -> None:
        """Try again what could not be begun; call it every second or so."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for each in waiting:
            with suppress(RuntimeError):  # closed
                each.pool.submit(self._finish, each)

    def _finish(self, begun: _Begun) -> None:
        command, say = begun.command, begun.say
        try:
            reply = self._carry_out(begun)
        except NotYet as fault:
            with self._lock:
                if len(self._waiting) < MOST_WAITING:
                    self._waiting.append(replace(begun, why=words_of(fault)))
                    return
            reply = self._reply(command, CommandState.FAILED, words_of(fault))
        if len(encode(reply)) > MAX_BYTES_OTHER:
            reply = self._reply(
                command,
                CommandState.DONE,
                coded("long_answer", "what it gave is too long to be sent"),
            )
        try:
            say(self._note(reply))
        except sqlite3.Error as fault:
            log.warning("the reply to command %s cannot be noted: %s", command.id, fault)
            say(reply)

    def _carry_out(self, begun: _Begun) -> Reply:
        command = begun.command
        if begun.is_over():  # it waited for those before it, or to be begun
            return self._reply(command, CommandState.EXPIRED, begun.why)
        name = command.op.partition(".")[2]
        if not begun.why:
            log.info("%s for %s: %s", command.op, command.by or "the hub", command.args)
        try:
            out = begun.carry_out(name, command.args, command.id)
        except NotYet:
            raise
        except OrderFailed as fault:
            return self._reply(command, CommandState.FAILED, words_of(fault))
        except Exception as fault:
            log.exception("%s failed", command.op)
            return self._reply(command, CommandState.FAILED, f"{type(fault).__name__}: {fault}")
        return self._reply(command, CommandState.DONE, out=out)

    def _reply(
        self, command: Command, st: CommandState, why: str = "", out: dict[str, Any] | None = None
    ) -> Reply:
        why = cut(why, LONGEST_WHY)
        return Reply(
            dev=self._dev, id=command.id, st=st, why=str(why), said=code_of(why), out=out or {}
        )

    def _reply_to(self, name: str) -> Reply | None:
        with self._lock:
            self._db.execute("DELETE FROM reply WHERE at_ms < ?", (self._now_ms() - REMEMBERED_MS,))
            found = self._db.execute("SELECT body FROM reply WHERE id = ?", (name,)).fetchone()
        return cast("Reply", decode("reply", found[0])) if found is not None else None

    def _note(self, reply: Reply) -> Reply:
        with self._lock:
            self._db.execute(
                "INSERT OR REPLACE INTO reply VALUES (?, ?, ?)",
                (reply.id, self._now_ms(), encode(reply)),
            )
        return reply

    def _end_what_was_left(self) -> None:
        """Whether a command that a crash cut short was done, nobody knows: it is not repeated."""
        for (body,) in self._db.execute("SELECT body FROM reply").fetchall():
            reply = cast("Reply", decode("reply", body))
            if reply.st == CommandState.ACCEPTED:
                failed = Reply(
                    dev=reply.dev,
                    id=reply.id,
                    st=CommandState.FAILED,
                    why=str(CUT_SHORT),
                    said=code_of(CUT_SHORT),
                )
                self._note(failed)


def _offered(op: str, offers: dict[str, Any]) -> str:
    """The operation's own name where that is offered, else its group's; empty for neither."""
    return next((name for name in (op, op.partition(".")[0]) if name in offers), "")
