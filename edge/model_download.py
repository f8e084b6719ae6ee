"""A model's bundle from the hub: resumed where it was cut, checked, unpacked whole."""

import hashlib
import shutil
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

from wire.bundle import unpack
from wire.coded import coded
from wire.update import ModelUpdate

TIMEOUT_S = 30.0
CHUNK = 65_536
ROOM = 3
"""Times its size must be free on the disk: the bundle, its files, and air."""


class CannotHave(RuntimeError):
    """The bundle will not be had, however often it is tried; says why."""


class NewAddressNeeded(RuntimeError):
    """The address does not hold any more; the hub sends another."""


def fetch(
    update: ModelUpdate,
    folder: Path,
    told: Callable[[int], None],
    trust: ssl.SSLContext | None = None,
) -> Path:
    """Download a bundle, going on after what is here; `told` hears of the bytes received.

    Raises CannotHave, NewAddressNeeded, OSError when it was cut (try again).
    """
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{update.sha256}.zip"
    if target.is_file() and _sha256(target) == update.sha256:
        return target
    if urlsplit(update.url).scheme not in ("http", "https"):
        raise CannotHave(coded("no_http", "url: {url!r} must be http(s)", url=update.url))
    if shutil.disk_usage(folder).free < ROOM * update.size:
        message = "the disk has no room for {times} times {size} bytes"
        raise CannotHave(coded("no_room", message, times=ROOM, size=update.size))
    part = folder / f"{update.sha256}.part"
    if _size(part) < update.size:
        _receive(update, part, told, trust)
    if _size(part) != update.size:
        raise OSError(f"{_size(part)} of {update.size} bytes have come")
    if (found := _sha256(part)) != update.sha256:
        part.unlink()
        message = "SHA-256 of the bundle is {found}, announced was {wanted}"
        raise CannotHave(coded("other_bundle", message, found=found, wanted=update.sha256))
    part.replace(target)
    return target


def unpacked(bundle: Path, folder: Path) -> Path:
    """The bundle's files in `folder`, all or none.

    Raises BadBundle, OSError.
    """
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        unpack(bundle, part, 2 * bundle.stat().st_size + 1_000_000)
        shutil.rmtree(folder, ignore_errors=True)
        part.replace(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder


def _receive(
    update: ModelUpdate,
    part: Path,
    told: Callable[[int], None],
    trust: ssl.SSLContext | None,
) -> None:
    here = _size(part)
    headers = {"Range": f"bytes={here}-"} if here else {}
    request = urllib.request.Request(update.url, headers=headers)  # noqa: S310 - scheme checked
    try:
        with urllib.request.urlopen(  # noqa: S310
            request, timeout=TIMEOUT_S, context=trust
        ) as answer:
            if here and answer.status != HTTPStatus.PARTIAL_CONTENT:
                here = 0
            with part.open("ab" if here else "wb") as file:
                while chunk := answer.read(CHUNK):
                    here += len(chunk)
                    if here > update.size:
                        message = "more than the announced {size} bytes come"
                        raise CannotHave(coded("too_many_bytes", message, size=update.size))
                    file.write(chunk)
                    told(here)
    except urllib.error.HTTPError as answer:
        if answer.code in (HTTPStatus.FORBIDDEN, HTTPStatus.UNAUTHORIZED):
            raise NewAddressNeeded(f"the hub answered {answer.code}") from None
        if answer.code in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
            message = "the hub answered {status}: the bundle is not there"
            raise CannotHave(coded("no_bundle", message, status=answer.code)) from None
        if answer.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            part.unlink(missing_ok=True)
        raise


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
