"""Evidence over HTTP: signed uploads from devices, files for people, originals for few."""

import errno
import fcntl
import hashlib
import io
import logging
import os
import re
import secrets
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, BinaryIO

from fastapi import APIRouter, Depends, Path as PathParam, Query, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from hub import audit, metrics
from hub.auth import need
from hub.config import Evidence
from hub.errors import TRY_AGAIN, Problem, not_found
from hub.evidence import refs, store as evidence_store
from hub.evidence.file import IMAGE_TYPES, check_picture, check_signature, disposition
from hub.evidence.store import Differs, Vault
from hub.http import ERRORS, Body
from hub.roles import Actor, Right
from hub.store import Store, now, to_ms
from wire.coded import coded, words_of
from wire.media import HEAD, SUFFIXES, type_of

log = logging.getLogger(__name__)

Sha256 = Annotated[str, PathParam(pattern=r"^[0-9a-f]{64}$")]
RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15})")
ASKING = re.compile(r"bytes \*/(\d{1,15})")
MB = 1_000_000
MOST_SEALED_MB = 20
"""What is sealed is held in memory; a terminal's file has 16 MiB at most."""


Arrived = Callable[[str, str, int, str, bool], None]
Differing = Callable[[str, str], None]


class Stored(BaseModel):
    """A file that is here, or the part of it that is (`received` bytes of `size`)."""

    sha256: str
    size: int
    received: int


class Opening(Body):
    """Why somebody must see an original; it is written down with his name."""

    reason: Annotated[str, Field(min_length=4, max_length=500)]


class HashDiffers(Problem):
    """What was sent is not the file whose name it bears."""

    def __init__(self, found: str, sha256: str) -> None:
        """Say what was found."""
        super().__init__(409, "hash_differs", f"the file's SHA-256 is {found}", sha256)
        self.found = found


def _alone_with(part: Path) -> BinaryIO:
    """Be the only one, of all hub processes, who writes a part: until the file is closed.

    A device that lost its line sends again while the hub still waits for the rest of the first
    call. Raises Problem 503 then.
    """
    file = part.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(file.fileno()).st_ino == part.stat().st_ino:
            return file
    except (BlockingIOError, FileNotFoundError):
        pass
    file.close()
    raise Problem(
        503,
        "being_sent",
        f"{part.stem} is being sent by another call",
        TRY_AGAIN,
    )


class Upload:
    """One file on its way in: written to a temporary file, hashed when it is whole."""

    def __init__(self, vault: Vault, sha256: str, size: int, kind: str, dev: str) -> None:
        """Remember what was offered; nothing is written yet."""
        self.vault = vault
        self.sha256, self.size, self.kind, self.dev = sha256, size, kind, dev
        self.part = vault.incoming / f"{secrets.token_hex(8)}.tmp"
        self.keep_part = False
        self._lock: BinaryIO | None = None

    def resume(self, header: str) -> None:
        """Go on where an earlier part ended.

        Raises Problem 409 that says how much is here, 503 while another call writes it.
        """
        part = self.vault.incoming / f"{self.sha256}.{self.dev}.part"
        self._lock = _alone_with(part)
        self.part = part
        self.keep_part = True
        if (asking := ASKING.fullmatch(header.strip())) and int(asking[1]) == self.size:
            return
        match = RANGE.fullmatch(header.strip())
        first, last, total = (int(text) for text in match.groups()) if match else (0, -1, -1)
        if match is None or total != self.size or not first <= last < total:
            raise Problem(
                422, "bad_range", f"Content-Range {header!r}", f"bytes FIRST-LAST/{self.size}"
            )
        here = self.received
        if first == 0:
            self._lock.truncate(0)
        elif first != here:
            raise Problem(409, "bad_offset", f"{here} bytes are here", f"bytes {here}-…")

    @property
    def received(self) -> int:
        """Bytes that are here."""
        return self.part.stat().st_size if self.part.exists() else 0

    async def write(self, chunks: AsyncIterator[bytes]) -> None:
        """Take the body.

        Raises Problem 413 for more bytes than were announced, 415 for another type.
        """
        room, beginning = self.size - self.received, not self.received
        with self.part.open("ab") as file:
            head = b""
            async for chunk in chunks:
                room -= len(chunk)
                if room < 0:
                    self.keep_part = False
                    raise Problem(413, "too_large", "more bytes than offered", f"{self.size}")
                if beginning and len(head) < HEAD:
                    head += chunk[:HEAD]
                    if len(head) >= HEAD:
                        self._check_type(head)
                await run_in_threadpool(file.write, chunk)
            await run_in_threadpool(_sync, file.fileno(), file.flush)

    def finish(self, max_pixels: int) -> Path:
        """Check the whole file and give it its name.

        Raises Problem 409, 415 or 422 for a file that is not what was offered.
        """
        self.keep_part = False
        with self.part.open("rb") as file:
            self._check_type(file.read(HEAD))
            file.seek(0)
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != self.sha256:
            self.vault.put_aside(self.sha256, self.part)
            raise HashDiffers(found, self.sha256)
        if self.kind in IMAGE_TYPES:
            check_picture(self.part, max_pixels)
        return self.vault.place(self.part, self.sha256)

    def clean(self) -> None:
        """Leave nothing behind but a part that may be continued."""
        if not self.keep_part:
            self.part.unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.close()

    def _check_type(self, head: bytes) -> None:
        if type_of(head) != self.kind:
            self.keep_part = False
            raise Problem(415, "wrong_type", f"the file is no {self.kind}", self.kind)


class SealedUpload(Upload):
    """One file that is encrypted before it touches the disk: held in memory, never in parts."""

    data = b""

    def resume(self, header: str) -> None:
        """Raises Problem 422: no part of it may lie there open."""
        raise Problem(422, "bad_range", f"Content-Range {header!r}", "the whole file at once")

    @property
    def received(self) -> int:
        """Bytes that are here."""
        return len(self.data)

    async def write(self, chunks: AsyncIterator[bytes]) -> None:
        """Take the body.

        Raises Problem 413 for more bytes than were announced.
        """
        parts: list[bytes] = []
        room = self.size
        async for chunk in chunks:
            room -= len(chunk)
            if room < 0:
                raise Problem(413, "too_large", "more bytes than offered", f"{self.size}")
            parts.append(chunk)
        self.data = b"".join(parts)

    def finish(self, max_pixels: int) -> Path:
        """Check the whole file and seal it.

        Raises Problem 409, 415 or 422 for a file that is not what was offered.
        """
        self._check_type(self.data[:HEAD])
        found = hashlib.sha256(self.data).hexdigest()
        if found != self.sha256:
            raise HashDiffers(found, self.sha256)
        if self.kind in IMAGE_TYPES:
            check_picture(io.BytesIO(self.data), max_pixels)
        return self.vault.place_sealed(self.data, self.sha256)


def router(
    store: Store, vault: Vault, limits: Evidence, arrived: Arrived, differs: Differing
) -> APIRouter:
    """Evidence. `arrived(sha256, type, size, device, sealed)` runs when a file is safely here.

    `differs(sha256, what)`: what was sent or lies here is another file.
    """
    api = APIRouter(tags=["evidence"], responses=ERRORS)

    def check_limits(size: int, kind: str, dev: str) -> bool:
        most = limits.max_image_mb if kind.startswith("image/") else limits.max_clip_mb
        if size > most * MB:
            raise Problem(413, "too_large", f"{size} bytes of {kind}", f"at most {most} MB")
        with store.read() as tx:
            used = evidence_store.bytes_of_a_day(tx, dev, now())
        if used + size > limits.max_device_mb_per_day * MB:
            raise Problem(
                503,
                "daily_limit",
                f"{dev} has sent {used} bytes in a day",
                coded("later_again", "try again later"),
            )
        return True

    def is_held(sha256: str) -> bool:
        with store.read() as tx:
            return bool(evidence_store.held(tx, [sha256])) and vault.is_here(sha256)

    def is_named_sealed(sha256: str) -> bool:
        with store.read() as tx:
            return refs.is_sealed(tx, sha256)

    def kept(sha256: str, *, sealed: bool) -> str:
        """The type of a file that is here and may be shown.

        Raises Problem 404, 403 for a sealed file where an open one is wanted, 409 for a bad one.
        """
        with store.read() as tx:
            kind = evidence_store.type_of(tx, sha256)
            is_sealed = evidence_store.is_sealed(tx, sha256) or refs.is_sealed(tx, sha256)
            fault = refs.fault_of(tx, sha256)
        if fault is not None:
            raise Problem(
                409,
                "kept_aside",
                coded("proves_nothing", "{file} proves nothing: {why}", file=sha256, why=fault),
                coded("another_file", "another file"),
            )
        if kind is None or not vault.is_here(sha256):
            raise not_found("evidence", sha256)
        if is_sealed and not sealed:
            raise Problem(
                403,
                "sealed",
                coded("an_original", "{file} is an original", file=sha256),
                coded("opening_needed", "POST …/opening with a reason"),
            )
        return kind

    @api.put(
        "/upload/{sha256}",
        status_code=201,
        response_model=Stored,
        responses={200: {"model": Stored}, 202: {"model": Stored}, 415: ERRORS[413]},
    )
    async def upload(
        request: Request,
        sha256: Sha256,
        dev: Annotated[str, Query(max_length=64)],
        size: Annotated[int, Query(ge=1)],
        kind: Annotated[str, Query(alias="type", max_length=32)],
        exp: int,
        sig: Annotated[str, Query(max_length=64)],
        sealed: Annotated[int, Query(ge=0, le=1)] = 0,
    ) -> Response:
        query = {"dev": dev, "size": size, "type": kind, "exp": exp, "sealed": sealed}
        check_signature(vault.key, sha256, query, sig, to_ms(now()))
        if kind not in SUFFIXES:
            raise Problem(415, "wrong_type", f"{kind} is not taken", ", ".join(SUFFIXES))
        if await run_in_threadpool(is_held, sha256):
            await run_in_threadpool(arrived, sha256, kind, size, dev, bool(sealed))
            return _stored(200, sha256, size, size)
        await run_in_threadpool(check_limits, size, kind, dev)
        is_sealed = bool(sealed) or await run_in_threadpool(is_named_sealed, sha256)
        if is_sealed and size > MOST_SEALED_MB * MB:
            raise Problem(413, "too_large", f"{size} bytes to seal", f"at most {MOST_SEALED_MB} MB")
        incoming = (SealedUpload if is_sealed else Upload)(vault, sha256, size, kind, dev)
        try:
            if (header := request.headers.get("content-range")) is not None:
                incoming.resume(header)
            await incoming.write(request.stream())
            if incoming.keep_part and incoming.received < size:
                return _stored(202, sha256, size, incoming.received)
            await run_in_threadpool(incoming.finish, limits.max_pixels)
            await run_in_threadpool(arrived, sha256, kind, size, dev, is_sealed)
        except HashDiffers as fault:
            what = coded(
                "sent_other", "{device} sent {found} under this name", device=dev, found=fault.found
            )
            await run_in_threadpool(differs, sha256, what)
            raise
        except ClientDisconnect:
            raise Problem(400, "cut_off", "the connection ended", "send the rest") from None
        except OSError as fault:
            if fault.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
                raise
            log.exception("Evidence cannot be written")
            raise Problem(
                503,
                "no_space",
                coded("no_room_for_file", "the file cannot be kept"),
                TRY_AGAIN,
            ) from None
        finally:
            incoming.clean()
        return _stored(201, sha256, size, size)

    @api.get(
        "/api/evidence/{sha256}",
        response_class=FileResponse,
        responses={200: {"content": {kind: {} for kind in SUFFIXES}}},
    )
    def evidence(
        sha256: Sha256, _actor: Annotated[Actor, Depends(need(Right.EVIDENCE))]
    ) -> FileResponse:
        kind = kept(sha256, sealed=False)
        try:
            vault.check(sha256)
        except Differs as fault:
            vault.put_aside(sha256)
            differs(sha256, words_of(fault))
            raise Problem(
                409,
                "kept_aside",
                coded("file_fault", "{file}: {why}", file=sha256, why=words_of(fault)),
                coded("another_file", "another file"),
            ) from None
        return FileResponse(
            vault.path(sha256),
            media_type=kind,
            headers={
                # Not for ever: what turns out to be bad must not be shown much longer.
                "Cache-Control": "private, max-age=300",
                "Content-Disposition": disposition(sha256, kind),
                "Content-Security-Policy": "default-src 'none'; sandbox",
            },
        )

    @api.post(
        "/api/evidence/{sha256}/opening",
        response_class=Response,
        responses={200: {"content": {kind: {} for kind in SUFFIXES}}},
    )
    def opening(
        sha256: Sha256,
        wanted: Opening,
        actor: Annotated[Actor, Depends(need(Right.SEE_ORIGINAL))],
    ) -> Response:
        kind = kept(sha256, sealed=True)
        try:
            data = vault.read(sha256)
        except Differs as fault:
            vault.put_aside(sha256)
            differs(sha256, words_of(fault))
            raise Problem(
                409,
                "kept_aside",
                coded("file_fault", "{file}: {why}", file=sha256, why=words_of(fault)),
                coded("another_file", "another file"),
            ) from None
        reason = wanted.reason.strip()
        act = audit.Entry(
            now(), actor.name, actor.role, "evidence", sha256, "see_original", note=reason
        )
        with store.write() as tx:  # before a byte of it leaves
            audit.append(tx, [act])
        return Response(
            data,
            media_type=kind,
            headers={
                "Cache-Control": "no-store",
                "Content-Disposition": disposition(sha256, kind),
                "Content-Security-Policy": "default-src 'none'; sandbox",
            },
        )

    return api


def forget_unfinished(vault: Vault) -> None:
    """Delete uploads that nobody went on with for a day."""
    vault.clear_incoming(now() - timedelta(days=1))


def _stored(status: int, sha256: str, size: int, received: int) -> JSONResponse:
    metrics.UPLOADS.labels(str(status)).inc()
    body = Stored(sha256=sha256, size=size, received=received)
    headers = {"Range": f"bytes=0-{received - 1}"} if received else {}
    return JSONResponse(body.model_dump(), status_code=status, headers=headers)


def _sync(descriptor: int, flush: Callable[[], None]) -> None:
    flush()
    os.fsync(descriptor)
