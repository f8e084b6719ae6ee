"""What `tianyan evidence verify` and `tianyan evidence export` do."""

import getpass
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.engine import Connection, Row

from hub import audit, proving
from hub.alerts import store as alert_store
from hub.alerts.store import alerts
from hub.cases import store as case_store
from hub.commands import load
from hub.config import HubConfig
from hub.devices.orders import store as order_store
from hub.devices.orders.order import Order
from hub.errors import HubError
from hub.evidence import refs
from hub.evidence.bundle import Exported, is_bundle, verify_bundle, write_bundle
from hub.evidence.order_key import key_of, order_of
from hub.evidence.proof import BAD, UNSIGNED, VERIFIED, TrustedKey, judge, kept_statement
from hub.evidence.refs import KEPT_ASIDE, pictures
from hub.evidence.store import Differs, Vault
from hub.looks import store as look_store
from hub.looks.pictures import contradiction
from hub.store import Store, now
from wire.coded import coded, words_of

WAITING = "waiting"
"""The device has told of the file and not sent it yet."""

ORDERS_AT_ONCE = 500
CONFIG, DATABASE = "hub.yaml", "hub.sqlite"


@dataclass(frozen=True)
class _Hub:
    name: str
    store: Store
    vault: Vault


def verify(
    what: str | None, hub: Path | None = None, keys: Collection[str] = ()
) -> Iterator[dict[str, Any]]:
    """A line a file: `verified`, `unsigned`, `waiting`, or `bad` with what differs; a summary.

    `what`: a bundle, the hub itself, an alert or a case with the looks asked for it, the order of
    a look; None is all of the hub at `hub`. A file of the hub that differs is put aside.
    Raises HubError.
    """
    given = Path(what) if what else None
    if given is not None and is_bundle(given):
        yield from _with_summary(verify_bundle(given, keys))
        return
    if given is not None and (given.is_dir() or given.suffix in {".yaml", ".yml"}):
        hub, what = given, None
    with _opened(hub) as opened:
        yield from _with_summary(_verified(opened, what))


def export(
    what: str, out: Path, hub: Path | None = None, originals_because: str = ""
) -> Iterator[dict[str, Any]]:
    """Write the evidence of an alert or a case as a bundle; a summary.

    `originals_because`: the sealed originals too, and why; it is written into the history.
    Raises HubError.
    """
    with _opened(hub) as opened:
        with opened.store.read() as tx:
            rows = [row for row in _rows(tx, what) if row.held and row.statement]
            keys = proving.trusted_keys(tx, {row.device for row in rows})
        if not originals_because:
            rows = [row for row in rows if not row.sealed]
        files, left = [], []
        for row in rows:
            try:
                data = opened.vault.read(row.sha256)
            except Differs as fault:
                left.append({"sha256": row.sha256, "fault": str(fault)})
                continue
            subject = order_of(row.alert) or row.alert
            files.append(Exported(subject, data, row.statement, row.sig))
        if originals_because:
            _write_down(opened.store, [row for row in rows if row.sealed], originals_because)
        about = {"hub": opened.name, "subject": what, "made_at": now().isoformat()}
        listed = {device: [each.key for each in trusted] for device, trusted in keys.items()}
        write_bundle(out, about, listed, files)
        yield {"summary": {"folder": str(out), "files": len(files), "left_out": left}}


def _with_summary(lines: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    counts = dict.fromkeys((VERIFIED, UNSIGNED, WAITING, BAD), 0)
    for line in lines:
        counts[line["state"]] += 1
        yield line
    yield {"summary": {"files": sum(counts.values()), **counts}}


def _verified(hub: _Hub, what: str | None) -> Iterator[dict[str, Any]]:
    with hub.store.read() as tx:
        rows = _rows(tx, what)
        keys = proving.trusted_keys(tx, {row.device for row in rows})
        orders = _orders(tx, rows)
    differing: dict[str, str] = {}
    for row in rows:
        order = order_of(row.alert)
        told = {
            "sha256": row.sha256,
            **({"alert": row.alert} if order is None else {"look": order}),
            "role": row.role,
            "type": row.type,
            "sealed": row.sealed,
            "device": row.device,
        }
        # One file may show several alerts: all of them lost it for the same reason.
        state, fault = (
            (BAD, differing[row.sha256])
            if row.sha256 in differing
            else _state(hub, row, keys.get(row.device, []), orders.get(row.alert))
        )
        if fault.startswith(KEPT_ASIDE):
            differing[row.sha256] = fault
        yield told | {"state": state} | ({"fault": fault} if fault else {})


def _orders(tx: Connection, rows: Collection[Row[Any]]) -> dict[str, Order]:
    """The orders that files came of, as far as they are kept, by the key of their pictures."""
    ids = sorted({name for row in rows if (name := order_of(row.alert)) is not None})
    found: dict[str, Order] = {}
    for first in range(0, len(ids), ORDERS_AT_ONCE):
        loaded = order_store.load(tx, ids[first : first + ORDERS_AT_ONCE])
        found |= {key_of(name): order for name, order in loaded.items()}
    return found


KEY_GONE = "it was proven with a key that is not known any more"


def _state(
    hub: _Hub, row: Row[Any], keys: list[TrustedKey], order: Order | None
) -> tuple[str, str]:
    if row.fault.startswith(KEPT_ASIDE):
        return BAD, row.fault
    if not row.held:
        return WAITING, ""
    try:
        if row.sealed and hub.vault.path(row.sha256).is_file():
            raise Differs(coded("lies_open", "the original lies open"))  # noqa: TRY301
        hub.vault.read(row.sha256)
    except Differs as fault:
        hub.vault.put_aside(row.sha256)
        proving.file_differs(hub.store, row.sha256, words_of(fault))
        return BAD, f"{KEPT_ASIDE}{fault}"
    fault_text = _contradiction(row, order)
    if not fault_text:
        proof = judge(kept_statement(row.statement), row.sig, keys, row.noted_at)
        is_lost = row.proof != UNSIGNED and proof.state == UNSIGNED
        if proof.state != BAD and not is_lost:
            return proof.state, ""
        fault_text = proof.fault or KEY_GONE
    with hub.store.write() as tx:
        refs.mark_bad(tx, row.alert, row.sha256, fault_text)
    return BAD, fault_text


def _contradiction(row: Row[Any], order: Order | None) -> str:
    """What the database says otherwise than the statement it keeps; empty when they agree."""
    try:
        said = kept_statement(row.statement)
    except msgspec.MsgspecError as fault:
        return f"its statement cannot be read: {fault}"
    if said is None:
        return ""
    pairs = {
        "sha256": (said.sha256, row.sha256),
        "role": (said.role, row.role),
        "type": (said.type, row.type),
        "size": (said.size, row.size),
        "sealed": (said.sealed, row.sealed),
        "original": (said.original, row.original),
        "device": (said.dev, row.device),
        "epoch": (said.epoch, row.alert_epoch or said.epoch),
        "alert": (said.subject, row.alert_name or said.subject),
        "source": (said.source, row.alert_source or said.source),
    }
    for name, (signed, stored) in pairs.items():
        if signed != stored:
            return f"{name}: the statement says {signed!r}, the database {stored!r}"
    return contradiction(order, said, [said.at]) if order is not None else ""


def _rows(tx: Connection, what: str | None) -> list[Row[Any]]:
    """The files of an alert or a case and of the looks asked for it, of a look, or all."""
    found = (
        select(
            pictures,
            alerts.c.epoch.label("alert_epoch"),
            alerts.c.alert.label("alert_name"),
            alerts.c.source.label("alert_source"),
        )
        .join(alerts, alerts.c.id == pictures.c.alert, isouter=True)
        .order_by(pictures.c.alert, pictures.c.noted_at, pictures.c.place)
    )
    if what is None:
        return list(tx.execute(found))
    subjects = _subjects(tx, what)
    rows = list(tx.execute(found.where(pictures.c.alert.in_(subjects or [what]))))
    if not rows and not subjects:
        raise HubError(f"{what}: is no alert's id, no case's number, no bundle and no hub")
    return rows


def _subjects(tx: Connection, what: str) -> list[str]:
    """What the files of an alert, a case or a look are kept under; none when it is none."""
    if (case := case_store.by_number(tx, what)) is not None:
        members = alert_store.of_case(tx, [case.id])[case.id]
        looks = look_store.of_case(tx, case.id, members)
    elif (alert := alert_store.load(tx, [what]).get(what)) is not None:
        members, looks = [alert.id], look_store.of_alert(tx, alert)
    else:
        return [key_of(name) for name in order_store.load(tx, [what])]
    return [*members, *(key_of(look.order.id) for look in looks)]


def _write_down(store: Store, rows: Collection[Row[Any]], reason: str) -> None:
    at, who = now(), f"{getpass.getuser()} (command line)"
    acts = [
        audit.Entry(at, who, "admin", "evidence", row.sha256, "export_original", note=reason)
        for row in rows
    ]
    with store.write() as tx:
        audit.append(tx, acts)


@contextmanager
def _opened(hub: Path | None) -> Iterator[_Hub]:
    config = _config(hub or Path(CONFIG))
    if not (config.data_dir / "evidence").is_dir():
        raise HubError(f"{config.data_dir}: holds no evidence; name the hub's configuration")
    store = Store(config.database_url)
    try:
        before, head = store.check_schema()
        if before != head:
            raise HubError(f"{store.name}: schema {before}, needed {head}: tianyan hub migrate")
        yield _Hub(config.name, store, Vault(config.data_dir / "evidence"))
    finally:
        store.close()


def _config(path: Path) -> HubConfig:
    """A hub by its configuration file, or by its data_dir where it has its own database."""
    if not path.is_dir():
        return load(path)
    if (path / DATABASE).is_file():
        return HubConfig(data_dir=path.resolve())
    if (path / CONFIG).is_file():
        return load(path / CONFIG)
    raise HubError(f"{path}: holds neither {DATABASE}, {CONFIG} nor an evidence bundle")
