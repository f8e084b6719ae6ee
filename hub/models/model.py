"""A model as the hub keeps it: its bundle by SHA-256, and what its manifest says."""

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import yaml

from hub.errors import Problem
from wire import bundle
from wire.bundle import MANIFEST, BadBundle
from wire.coded import coded, joined

NEEDED = ("name", "version", "file", "sha256", "labels", "licence")


@dataclass(frozen=True)
class Model:
    """One model. `sha256`, `size`: of its bundle; `weights`: SHA-256 that its manifest names."""

    name: str
    version: str
    sha256: str
    size: int
    weights: str
    labels: tuple[str, ...]
    licence: str
    promotion: dict[str, Any] = field(default_factory=dict)
    added_at: datetime | None = None
    added_by: str = ""


def read_bundle(file: Path) -> Model:
    """What a bundle holds, checked as far as it can be without running it.

    Raises Problem 422 that names what does not fit.
    """
    try:
        manifest = yaml.safe_load(bundle.read(file, MANIFEST))
        faults = list(_faults(manifest))
        if faults:
            raise Problem(
                422,
                "bad_model",
                coded("manifest_faults", "{file}: {faults}", file=MANIFEST, faults=joined(faults)),
                ", ".join(NEEDED),
            )
        files = {manifest["file"]: manifest["sha256"], **(manifest.get("more_files") or {})}
        for name, expected in files.items():
            found = hashlib.sha256(bundle.read(file, str(name))).hexdigest()
            if found != expected:
                text = coded(
                    "hash_not_as_said",
                    "{file}: SHA-256 is {found}, the manifest says {wanted}",
                    file=name,
                    found=found,
                    wanted=expected,
                )
                raise Problem(
                    422, "bad_model", text, coded("promoted_file", "the file that was promoted")
                )
    except (BadBundle, yaml.YAMLError) as fault:
        what = " ".join(str(fault).split())
        if isinstance(fault, yaml.YAMLError):
            what = coded("no_yaml", "{file}: is not YAML: {why}", file=MANIFEST, why=what)
        remedy = coded("as_promoted", "what tianyan model promote writes")
        raise Problem(422, "bad_model", what, remedy) from None
    about = manifest.get("about") or {}
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return Model(
        name=manifest["name"],
        version=str(manifest["version"]),
        sha256=digest,
        size=file.stat().st_size,
        weights=manifest["sha256"],
        labels=tuple(manifest["labels"]),
        licence=str(manifest["licence"]),
        promotion=dict(about.get("promotion") or {}) if isinstance(about, dict) else {},
    )


def _faults(manifest: object) -> list[str]:
    if not isinstance(manifest, dict):
        return [coded("no_mapping", "is not a mapping")]
    faults: list[str] = [
        coded("key_missing", "{key} is missing", key=name)
        for name in NEEDED
        if not manifest.get(name)
    ]
    labels = manifest.get("labels")
    if labels and not (isinstance(labels, list) and all(isinstance(x, str) for x in labels)):
        faults.append(coded("labels_no_list", "labels must be a list of names"))
    for key, most in (("name", 64), ("version", 64)):
        if len(str(manifest.get(key, ""))) > most:
            faults.append(coded("key_long", "{key} is longer than {most}", key=key, most=most))
    if manifest.get("more_files") is not None and not isinstance(manifest["more_files"], dict):
        faults.append(coded("more_files_no_map", "more_files must map names to SHA-256"))
    return faults


def download_path(key: bytes, sha256: str, *, dev: str, exp: int) -> str:
    """The address of a bundle for one device, good until `exp` (ms UTC)."""
    query = urlencode({"dev": dev, "exp": exp, "sig": _signature(key, sha256, dev, exp)},
                      quote_via=quote)  # fmt: skip
    return f"/download/models/{sha256}?{query}"


def check_address(key: bytes, sha256: str, *, dev: str, exp: int, sig: str, now_ms: int) -> None:
    """Raises Problem 403 unless the address is ours, unchanged and not over."""
    if not hmac.compare_digest(_signature(key, sha256, dev, exp).encode(), sig.encode()):
        text = "the signature does not belong to this address"
        raise Problem(403, "bad_signature", text, "wait for a new address")
    if exp < now_ms:
        text = "the address has run out"
        raise Problem(403, "bad_signature", text, "wait for a new address")


def _signature(key: bytes, sha256: str, dev: str, exp: int) -> str:
    words = "\n".join(["GET model", sha256, dev, str(exp)])
    return hmac.new(key, words.encode(), hashlib.sha256).hexdigest()
