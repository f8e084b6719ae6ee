"""One file to one address: whole when it is small, in parts that go on after a cut when it is not.

The hub keeps the part that arrived. Asked with an empty `Content-Range: bytes */SIZE`, it says how
much that is; the rest follows from there.
"""

import hashlib
import http.client
import re
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

TIMEOUT_S = 30.0
CHUNK = 65_536
PART = 16_384
"""Of a live picture: between two of them an alert may go first."""
RESUMED_FROM = 262_144
"""Bytes from which a file is worth going on with; a smaller one is sent again."""

_RANGE = re.compile(r"bytes=0-(\d{1,15})")


class BadAddress(ValueError):
    """The hub named something that is no address to upload to."""


@dataclass(frozen=True)
class Answer:
    """What the hub said: the HTTP status, and the code of a refusal."""

    status: int
    body: bytes = b""

    @property
    def is_stored(self) -> bool:
        """Whether the whole file is there."""
        return self.status in {HTTPStatus.OK, HTTPStatus.CREATED}

    def says(self, code: str) -> bool:
        """Whether the hub refused it for that reason."""
        return f'"{code}"'.encode() in self.body


def upload(
    url: str,
    path: Path,
    kind: str,
    *,
    whole: bool = False,
    context: ssl.SSLContext | None = None,
    give_way: Callable[[], None] = lambda: None,
) -> Answer:
    """Send the file at `path`.

    `whole`: never in parts. `give_way`: called before each chunk; it returns when nothing more
    urgent waits. Raises OSError, http.client.HTTPException when the line is cut; BadAddress.
    """
    size = path.stat().st_size
    headers = {"Content-Type": kind}
    if whole or size < RESUMED_FROM:
        return _put(url, context, headers, _chunks(path, 0, give_way), size)
    asked = _put(url, context, headers | {"Content-Range": f"bytes */{size}"}, iter(()), 0)
    if asked.status != HTTPStatus.ACCEPTED:
        return asked
    begin = asked.received
    headers["Content-Range"] = f"bytes {begin}-{size - 1}/{size}"
    return _put(url, context, headers, _chunks(path, begin, give_way), size - begin)


class PictureLine:
    """Puts pictures to one address over one connection, made anew where it was cut."""

    def __init__(
        self,
        url: str,
        give_way: Callable[[], None] = lambda: None,
        context: ssl.SSLContext | None = None,
    ) -> None:
        """`give_way` as of `upload`. Raises BadAddress."""
        self._give_way = give_way
        self._connection = _connection(url, context)
        parts = urlsplit(url)
        self._target = f"{parts.path}?{parts.query}"
        self._is_used = False

    def put(self, data: bytes, headers: Mapping[str, str]) -> int:
        """Send a JPEG; the status of the answer. Raises OSError, http.client.HTTPException."""
        try:
            return self._put(data, headers)
        except (OSError, http.client.HTTPException):
            self.close()
            if not self._is_used:  # else the hub may have closed what lay idle
                raise
            self._is_used = False
            return self._put(data, headers)

    def close(self) -> None:
        """Hang up; the next picture calls again."""
        self._connection.close()

    def _put(self, data: bytes, headers: Mapping[str, str]) -> int:
        kind = {"Content-Type": "image/jpeg", "Content-Length": str(len(data))}
        self._connection.request("PUT", self._target, self._parts(data), {**kind, **headers})
        answer = self._connection.getresponse()
        answer.read()
        self._is_used = True
        return answer.status

    def _parts(self, data: bytes) -> Iterator[bytes]:
        for begin in range(0, len(data), PART):
            self._give_way()
            yield data[begin : begin + PART]


def is_intact(path: Path, sha256: str) -> bool:
    """Whether the file is still what it was when it was stored."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == sha256


@dataclass(frozen=True)
class _Partial(Answer):
    received: int = 0


def _put(
    url: str,
    context: ssl.SSLContext | None,
    headers: dict[str, str],
    body: Iterator[bytes],
    length: int,
) -> _Partial:
    parts = urlsplit(url)
    connection = _connection(url, context)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    try:
        # A hub that refuses says so before it has read all, and hangs up.
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.request("PUT", target, body, headers | {"Content-Length": str(length)})
        answer = connection.getresponse()
        match = _RANGE.fullmatch(answer.headers.get("Range", ""))
        return _Partial(answer.status, answer.read(CHUNK), int(match[1]) + 1 if match else 0)
    finally:
        connection.close()


def _connection(url: str, context: ssl.SSLContext | None) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return http.client.HTTPSConnection(
            parts.hostname, parts.port, timeout=TIMEOUT_S, context=context
        )
    if parts.scheme == "http" and parts.hostname:
        return http.client.HTTPConnection(parts.hostname, parts.port, timeout=TIMEOUT_S)
    raise BadAddress(f"the hub named {url!r} to upload to: must be http(s)://HOST/…")


def _chunks(path: Path, begin: int, give_way: Callable[[], None]) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(begin)
        while chunk := file.read(CHUNK):
            give_way()
            yield chunk
