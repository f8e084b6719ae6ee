"""The pictures of a look, or of a snapshot: noted under a key of their own, as an alert's are."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from hub.devices.orders.order import Order
from hub.evidence.order_key import key_of
from hub.evidence.refs import Told
from hub.looks.look import MOST_FILES, OP
from hub.store import to_ms
from wire.alert import EvidenceRef
from wire.statement import Scene, look_subject, snapshot_subject

SNAPSHOT = "camera.snapshot"
CLOCKS_APART = timedelta(minutes=10)
"""By so much a device's clock may be behind the hub's."""

_SHA256 = re.compile(r"[0-9a-f]{64}")


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
    files = order.out.get("evidence")
    told_of = [file for file in files if isinstance(file, dict)] if isinstance(files, list) else []
    taken = [file.get("at", 0) for file in told_of]
    return None if contradiction(order, scene, taken) else scene


def contradiction(order: Order, said: Scene, taken: Iterable[object]) -> str:
    """In what a scene is not that of an order; empty when it is.

    `taken`: when its pictures were, ms UTC as signed. Devices of before do not sign which order
    they answer: of theirs, a picture that is older than the order answers another one.
    """
    camera, alert = (str(order.args.get(name) or "") for name in ("camera", "alert"))
    subjects = [
        look_subject(alert, camera, name) if order.op == OP else snapshot_subject(camera, name)
        for name in (order.id, "")
    ]
    pairs = {"device": (said.dev, order.device), "source": (said.source, camera)}
    if said.subject not in subjects:
        pairs["subject"] = (said.subject, subjects[0])
    for name, (signed, ordered) in pairs.items():
        if signed != ordered:
            return f"{name}: the statement says {signed!r}, the order {ordered!r}"
    if said.subject == subjects[1]:
        first_ms = to_ms(order.made_at - CLOCKS_APART)
        if any(not isinstance(at, int) or at < first_ms for at in taken):
            return f"subject: {said.subject!r} names no order; a picture is older than this order"
    return ""


def _guessed(file: Mapping[str, Any]) -> EvidenceRef:
    return EvidenceRef(
        str(file["sha256"]), 0, "image/jpeg", "clean", sealed=bool(file.get("sealed"))
    )
