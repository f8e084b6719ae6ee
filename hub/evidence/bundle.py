"""Evidence handed to somebody who has no hub: files, what was signed of them, and the check.

A bundle is a folder:

    bundle.json        what it is, and the public keys of the devices
    statements.jsonl   a line a file: its name here, the statement, the signature
    files/             the files

Whoever has the devices' keys from elsewhere gives them to the check; the keys in the bundle only
show that it is of one piece.
"""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from hub.errors import HubError
from hub.evidence.proof import BAD, UNSIGNED, VERIFIED, is_signed, read_statement
from wire.media import SUFFIXES

FORMAT = "tianyan evidence bundle 1"
BUNDLE, STATEMENTS, FILES = "bundle.json", "statements.jsonl", "files"

READ_ME = """\
Evidence from a Tianyan hub. Each line of statements.jsonl is a file of the folder files/, what the
camera's device signed of it (its SHA-256 together with alert, camera, place, time, model and
configuration), and the Ed25519 signature over "tianyan evidence 1\\n" followed by the statement as
JSON without spaces, keys sorted. Check it:   tianyan evidence verify THIS_FOLDER

天眼证据包：statements.jsonl 每行对应 files/ 中的一个文件、设备对其签名的内容（SHA-256、告警、
摄像机、位置、时间、模型、配置版本）及 Ed25519 签名。核验：tianyan evidence verify 本文件夹
"""


class BadBundle(HubError):
    """Not a bundle; says which part is missing or cannot be read."""


@dataclass(frozen=True)
class Exported:
    """A file to be handed over: its bytes, its statement as it is kept, its signature."""

    alert: str
    data: bytes
    statement: str
    sig: str


def write_bundle(
    folder: Path, about: Mapping[str, object], keys: Mapping[str, Sequence[str]],
    files: Sequence[Exported],
) -> None:  # fmt: skip
    """Write a bundle into a folder that is not there yet, or is empty.

    Raises BadBundle when the folder holds something.
    """
    if folder.exists() and any(folder.iterdir()):
        raise BadBundle(f"{folder}: is not empty; name a new folder")
    (folder / FILES).mkdir(parents=True, exist_ok=True)
    lines = []
    for number, each in enumerate(files, 1):
        said = json.loads(each.statement)
        name = f"{number:03}-{said['role']}{'-original' if said.get('sealed') else ''}"
        name += f"-{said['sha256'][:8]}.{SUFFIXES[said['type']]}"
        (folder / FILES / name).write_bytes(each.data)
        lines.append({"file": name, "alert": each.alert, "statement": said, "sig": each.sig})
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    (folder / STATEMENTS).write_text(text, encoding="utf-8")
    what = {"format": FORMAT, **about, "keys": keys, "files": len(lines)}
    (folder / BUNDLE).write_text(json.dumps(what, ensure_ascii=False, indent=1), encoding="utf-8")
    (folder / "README.txt").write_text(READ_ME, encoding="utf-8")


def is_bundle(folder: Path) -> bool:
    """Whether the folder looks like one."""
    return (folder / BUNDLE).is_file()


def verify_bundle(folder: Path, trusted: Collection[str] = ()) -> Iterator[dict[str, Any]]:
    """A line a file: proven, unsigned, or what differs; offline.

    `trusted`: the devices' keys as known from elsewhere; without them the bundle's own.
    Raises BadBundle.
    """
    about, lines = _read(folder)
    named = set()
    for number, line in enumerate(lines, 1):
        name = str(line.get("file", ""))
        named.add(name)
        yield _judged(folder, about, line, name or f"line {number}", trusted)
    here = {path.name for path in (folder / FILES).glob("*")}
    for stranger in sorted(here - named):
        yield {"file": stranger, "state": BAD, "fault": "no statement speaks of it"}
    if about.get("files") != len(lines):
        fault = f"{about.get('files')} files were exported, {len(lines)} are told of"
        yield {"file": STATEMENTS, "state": BAD, "fault": fault}


def _judged(
    folder: Path, about: dict[str, Any], line: dict[str, Any], name: str, trusted: Collection[str]
) -> dict[str, Any]:
    told: dict[str, Any] = {"file": name, "alert": line.get("alert")}
    try:
        statement = read_statement(json.dumps(line["statement"]))
    except (msgspec.MsgspecError, KeyError, TypeError) as fault:
        return told | {"state": BAD, "fault": f"its statement cannot be read: {fault}"}
    told |= {
        "role": statement.role,
        "sha256": statement.sha256,
        "device": statement.dev,
        "source": statement.source,
        "model": statement.model,
        "config_rev": statement.config_rev,
        "at_ms": statement.at,
    }
    path = folder / FILES / name
    if Path(name).name != name or not path.is_file():
        return told | {"state": BAD, "fault": "the file is missing"}
    data = path.read_bytes()
    if (found := hashlib.sha256(data).hexdigest()) != statement.sha256:
        return told | {"state": BAD, "fault": f"the file's SHA-256 is {found}"}
    signature = str(line.get("sig", ""))
    if not signature:
        return told | {"state": UNSIGNED}
    keys = trusted or about.get("keys", {}).get(statement.dev, [])
    if not any(is_signed(statement, signature, str(key)) for key in keys):
        return told | {"state": BAD, "fault": f"the signature is not by a key of {statement.dev}"}
    return told | {"state": VERIFIED}


def _read(folder: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    try:
        about = json.loads((folder / BUNDLE).read_text(encoding="utf-8"))
        text = (folder / STATEMENTS).read_text(encoding="utf-8")
        lines = [json.loads(line) for line in text.splitlines() if line.strip()]
    except (OSError, ValueError) as fault:
        raise BadBundle(f"{folder}: cannot be read as a bundle: {fault}") from None
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise BadBundle(f"{folder / BUNDLE}: format must be {FORMAT!r}")
    if not all(isinstance(line, dict) for line in lines):
        raise BadBundle(f"{folder / STATEMENTS}: each line must be an object")
    return about, lines
