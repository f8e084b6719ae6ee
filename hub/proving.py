"""What the hub does with evidence: notes it, proves it, keeps aside what differs, trusts keys."""

import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy.engine import Connection

from hub import audit, events
from hub.alerts import store as alert_store
from hub.alerts.alert import alert_id
from hub.devices import keys as device_keys
from hub.devices.orders import store as order_store
from hub.errors import Problem
from hub.events import Change
from hub.evidence import refs, store as evidence_store
from hub.evidence.order_key import key_of, order_of
from hub.evidence.proof import BadKeyText, TrustedKey, public_key
from hub.inbox import Received
from hub.roles import SYSTEM, Actor
from hub.store import Store, now
from wire.alert import Alert as AlertMessage
from wire.coded import coded
from wire.statement import scene_of
from wire.status import Birth

log = logging.getLogger(__name__)

PHOTO = "terminal.photo"


def trusted_keys(tx: Connection, devices: Collection[str]) -> dict[str, list[TrustedKey]]:
    """The keys by which evidence of these devices is judged."""
    return {
        device: [TrustedKey(*each) for each in listed]
        for device, listed in device_keys.accepted(tx, devices).items()
    }


def note_pictures(tx: Connection, arrived: Sequence[Received[AlertMessage]]) -> None:
    """Keep what messages say of files, and how far that is proven."""
    told: dict[str, list[refs.Told]] = {}
    for each in arrived:
        if each.message.evidence:
            files = each.message.evidence
            said = refs.Told(each.dev, scene_of(each.message), files, each.received_at)
            told.setdefault(alert_id(each.message), []).append(said)
    note_files(tx, told)


def answers(
    tx: Connection, arrived: Sequence[Received[AlertMessage]]
) -> dict[str, list[Received[AlertMessage]]]:
    """By order: what only shows the photograph an order asked a vehicle for. No alerts.

    What names an order that is none, or one of another vehicle, is an alert as any other.
    """
    found: dict[str, list[Received[AlertMessage]]] = {}
    named = sorted({each.message.order for each in arrived} - {""})
    known = order_store.load(tx, named) if named else {}
    for each in arrived:
        order = known.get(each.message.order)
        if order is None or (order.device, order.op) != (each.dev, PHOTO):
            continue
        if order.args.get("vehicle") == each.message.source:
            found.setdefault(order.id, []).append(each)
    return found


def note_answers(
    tx: Connection, found: Mapping[str, Sequence[Received[AlertMessage]]]
) -> list[Change]:
    """Keep the files with the orders that asked for them."""
    told = {
        key_of(order): [
            refs.Told(each.dev, None, each.message.evidence, each.received_at) for each in listed
        ]
        for order, listed in found.items()
    }
    note_files(tx, told)
    return [Change("order", order) for order in found]


def note_files(tx: Connection, told: dict[str, list[refs.Told]]) -> None:
    """The same for any subject: an alert by its id, or an order by its key (`order_key`)."""
    if told:
        said = [each for listed in told.values() for each in listed]
        hashes = {ref.sha256 for each in said for ref in each.refs}
        held = evidence_store.held(tx, hashes)
        refs.add_pictures(tx, told, held, trusted_keys(tx, {each.device for each in said}))


def file_arrived(
    store: Store, sha256: str, kind: str, size: int, device: str, *, sealed: bool = False
) -> None:
    """A file is safely here: the alerts and looks it shows can show it."""
    with store.write() as tx:
        at = now()
        evidence_store.add(tx, sha256, kind=kind, size=size, device=device, at=at, sealed=sealed)
        alerts = refs.picture_arrived(tx, sha256, trusted_keys(tx, [device]))
        _tell(tx, alerts, at)


def file_differs(store: Store, sha256: str, what: str) -> None:
    """What lies under a name is not that file: it shows nothing any more, and may be sent again."""
    log.error("Evidence %s is kept aside: %s", sha256, what)
    with store.write() as tx:
        at = now()
        evidence_store.forget(tx, sha256)
        alerts = refs.picture_differs(tx, sha256, what)
        audit.append(tx, [_act(at, SYSTEM, ("evidence", sha256), "keep_aside", what)])
        _tell(tx, alerts, at)


def key_heard(tx: Connection, received: Received[Birth]) -> list[Change]:
    """The key a device signs with: the first is trusted, a later one waits for an admin."""
    device, key, at = received.dev, received.message.key, received.received_at
    if not key:
        return []
    try:
        public_key(key)
    except BadKeyText as fault:
        log.warning("Device %s: %s", device, fault)
        return []
    if device_keys.heard(tx, device, key, at):
        audit.append(tx, [_act(at, SYSTEM, ("device", device), "pin_key", key)])
        return _proven_anew(tx, device)
    if key != device_keys.current(tx, [device]).get(device):
        log.error("Device %s signs with another key than the one it is known by: %s", device, key)
    return []


def accept_key(store: Store, device: str, key: str, note: str, actor: Actor) -> None:
    """An admin says that a device's new key is the device's.

    Raises Problem 409 when no such key waits.
    """
    with store.write() as tx:
        at = now()
        if not device_keys.accept(tx, device, key, actor.name, at):
            raise Problem(
                409,
                "no_such_key",
                coded(
                    "key_not_waiting",
                    "{device} has no key {key} that waits",
                    device=device,
                    key=key,
                ),
                "GET /api/devices",
            )
        audit.append(
            tx, [_act(at, actor, ("device", device), "accept_key", f"{key} {note}".strip())]
        )
        changes = [Change("device", device), *_proven_anew(tx, device)]
        events.record(tx, changes, at)


def _proven_anew(tx: Connection, device: str) -> list[Change]:
    alerts = refs.key_accepted(tx, device, trusted_keys(tx, [device])[device])
    return [_change(name) for name in alerts]


def _change(subject: str) -> Change:
    order = order_of(subject)
    return Change("alert", subject) if order is None else Change("order", order)


def _tell(tx: Connection, alerts: Sequence[str], at: datetime) -> None:
    cases = {alert.case_id for alert in alert_store.load(tx, alerts).values()} - {None}
    changes = [_change(name) for name in alerts]
    changes += [Change("case", str(case)) for case in cases]
    events.record(tx, changes, at)


def _act(at: datetime, actor: Actor, of: tuple[str, str], action: str, note: str) -> audit.Entry:
    return audit.Entry(at, actor.name, actor.role, *of, action, note=note)
