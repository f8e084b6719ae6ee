"""The pictures of a look, or of a snapshot: noted under a key of their own, as an alert's are."""

import base64
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from hub.devices.orders.order import Order
from hub.evidence.refs import Told
from hub.looks.look import MOST_FILES, OP
from wire.alert import EvidenceRef
from wire.statement import Scene, look_subject, snapshot_subject

SNAPSHOT = "camera.snapshot"
MARK = "~"
"""Begins the key of a look; an alert's id is hexadecimal."""

_ORDER = re.compile(r"[0-9a-f]{27}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def key_of(order: str) -> str:
    """What pictures of an order are kept under: its id in twenty characters, as an alert's."""
    if not _ORDER.fullmatch(order):
        raise ValueError(f"{order!r} is no id of an order")
    packed = bytes.fromhex(f"0{order}")
    return MARK + base64.urlsafe_b64encode(packed).decode().rstrip("=")


def order_of(key: str) -> str | None:
    """The order that a key stands for; None for an alert's id."""
    if not key.startswith(MARK):
        return None
    return base64.urlsafe_b64decode(f"{key[1:]}=").hex()[1:]


def told(order: Order, at: datetime) -> dict[str, list[Told]]:
    """What the answer to an order says of files; it came `at` that time.

    A file that is told of in a way nobody understands is kept all the same, as one that nothing
    is proven of.
    """
    files = order.out.get("evidence")
    if order.op not in {OP, SNAPSHOT} or order.is_open or not isinstance(files, list):
        return {}
    clear, unclear = [], []
    for file in files[:MOST_FILES]:
        try:
            clear.append(msgspec.convert(file, EvidenceRef))
        except msgspec.ValidationError:
            if isinstance(file, dict) and _SHA256.fullmatch(str(file.get("sha256"))):
                unclear.append(_guessed(file))
    of_order = Told(order.device, scene_of(order), clear, at), Told(order.device, None, unclear, at)
    return {key_of(order.id): [each for each in of_order if each.refs]}


def scene_of(order: Order) -> Scene | None:
    """What the device signed; None when it does not say so, or speaks of another thing."""
    try:
        scene = msgspec.convert(order.out.get("scene"), Scene)
    except msgspec.ValidationError:
        return None
    return None if contradiction(order, scene) else scene


def contradiction(order: Order, said: Scene) -> str:
    """In what a scene is not that of an order; empty when it is."""
    camera, alert = (str(order.args.get(name) or "") for name in ("camera", "alert"))
    is_look = order.op == OP
    pairs = {
        "device": (said.dev, order.device),
        "source": (said.source, camera),
        "subject": (
            said.subject,
            look_subject(alert, camera) if is_look else snapshot_subject(camera),
        ),
    }
    for name, (signed, ordered) in pairs.items():
        if signed != ordered:
            return f"{name}: the statement says {signed!r}, the order {ordered!r}"
    return ""


def _guessed(file: Mapping[str, Any]) -> EvidenceRef:
    return EvidenceRef(
        str(file["sha256"]), 0, "image/jpeg", "clean", sealed=bool(file.get("sealed"))
    )
