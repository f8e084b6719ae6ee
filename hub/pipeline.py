"""What happens to a message, step by step: start reading here.

An alert is located, put together with what is known of it, held back where its like was false again
and again, compared with what was seen before, judged by the site's rule, and may open a case. A fix
is stored, moves its vehicle, and may cross a border. Every step takes values and gives values; the
stores are asked before and told after, all in the one transaction that also keeps the message. Each
function here returns what changed.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy.engine import Connection

from hub import audit, events, inbox
from hub.alerts import rules, store as alert_store, suppression, suppression_store
from hub.alerts.alert import (
    Alert,
    Surroundings,
    alert_id,
    is_in_passing,
    taken,
)
from hub.alerts.dedup import Neighbourhood
from hub.alerts.suppression import URGENT
from hub.cases import store as case_store
from hub.cases.case import (
    Case,
    State,
)
from hub.cases.opening import open_all
from hub.config import HubConfig
from hub.courier import Source
from hub.devices import store as device_store
from hub.devices.orders import store as order_store
from hub.devices.revisions import store as revision_store
from hub.events import Change
from hub.evidence import store as evidence_store
from hub.evidence.file import signed_path
from hub.evidence.order_key import key_of
from hub.evidence.store import Vault
from hub.grid import store as grid_store
from hub.grid.crossing import Crossing
from hub.grid.places import Path, Places
from hub.inbox import CLOCK_TOLERANCE, Received, Refusal
from hub.intake.report import Channel
from hub.looks import pictures as look_pictures
from hub.matters import matter
from hub.models import store as model_store
from hub.patrol import store as patrol_store
from hub.proof import checking, watching
from hub.proof.album import Album
from hub.proof.desk import ProofDesk
from hub.proof.picture import Cover
from hub.proof.rebound import Coming
from hub.proving import answers, key_heard, note_answers, note_files, note_pictures
from hub.roles import SYSTEM, Actor
from hub.store import from_ms, now, to_ms
from hub.tracks import drivers, store as track_store
from hub.tracks.store import Run, Vehicle
from wire.alert import Alert as AlertMessage
from wire.codec import Code, Refused
from wire.coded import coded
from wire.command import Reply
from wire.driver import DriverCard
from wire.receipt import EvidenceOffer, Grant, GrantedFile, OfferedFile
from wire.revision import SettingsReport, revision_of
from wire.status import Birth, CameraState, Gap, Health, State as DeviceState
from wire.track import VALID, Track, TrackPoint

log = logging.getLogger(__name__)

ADMIT_FOR = timedelta(seconds=5)

NO_MATTER = {
    "unknown_object": "不明物体",
    "illegal_dumping": "疑似违规倾倒",
    "no_permit": "无处置证运输",
    "off_hours": "不按时段运输",
    "off_route": "偏离核准路线",
    "wrong_site": "进入非核准场地",
    "uncovered_load": "未密闭运输",
    "overspeed": "超速",
    "night_running": "夜间行驶",
    "silent_moving": "行驶中失联",
    "offline": "离线",
    "jump": "位置跳变",
    "idle": "怠速停车",
    "fence_enter": "进入围栏",
    "fence_exit": "离开围栏",
    "fence_inside": "滞留围栏",
    "fence_cross": "穿越围栏",
}
"""What people call an alert the standard has no matter for."""


@dataclass(frozen=True)
class Site:
    """What the steps need to know of the place they run at.

    `admitted`: devices let in lately and when; a device is asked for again after some seconds.
    `album`: the photos of fixes by fingerprint. `cover`: covers faces and plates, where that can
    be done.
    """

    config: HubConfig
    places: Places
    vault: Vault
    admitted: dict[str, datetime] = field(default_factory=dict)
    album: Album = field(default_factory=Album)
    cover: Cover | None = None

    @property
    def proof(self) -> ProofDesk:
        """What photos of fixes are judged with."""
        return ProofDesk(self.config, self.vault, self.album, self.cover)


@dataclass
class Outcome:
    """What became of messages: numbers stored or known, refusals, files to be fetched."""

    stored: list[tuple[Received[Any], list[int]]] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    grants: list[Grant] = field(default_factory=list)


# ---------------------------------------------------------------- alerts


@dataclass(frozen=True)
class Seen:
    """An alert on its way through the steps, with the messages that brought it here."""

    alert: Alert
    is_new: bool


def take_alerts(tx: Connection, site: Site, arrived: Sequence[Received[AlertMessage]]) -> Outcome:
    """Store alerts, each message once."""
    sorted_out = inbox.sort_out(tx, "alert", arrived)
    outcome = _answered(sorted_out.new, sorted_out.repeated, sorted_out.refused)
    if not sorted_out.new:
        return outcome
    answered = answers(tx, sorted_out.new)
    subjects = {inbox.key(each.message): alert_id(each.message) for each in sorted_out.new}
    for order, listed in answered.items():
        subjects |= {inbox.key(each.message): key_of(order) for each in listed}
    inbox.keep(tx, "alert", sorted_out.new, subjects)
    news = note_answers(tx, answered)
    of_orders = {inbox.key(each.message) for listed in answered.values() for each in listed}
    alerts = [each for each in sorted_out.new if inbox.key(each.message) not in of_orders]
    if alerts:
        news += _taken_alerts(tx, site, alerts)
    events.record(tx, news, sorted_out.new[-1].received_at)
    return outcome


def _taken_alerts(
    tx: Connection, site: Site, arrived: Sequence[Received[AlertMessage]]
) -> list[Change]:
    seen = together(tx, arrived, located(tx, site, arrived))
    seen = held_back(tx, site, seen)
    seen = compared(tx, site, seen)
    changed = {each.alert.id: each.alert for each in seen}
    alert_store.save(tx, changed.values())
    note_pictures(tx, arrived)
    opened = open_cases(tx, site, judged(site, seen), SYSTEM)
    told = dict.fromkeys(name for each in changed.values() for name in (each.id, each.head))
    return [*(Change("alert", name) for name in told), *opened]


def located(
    tx: Connection, site: Site, arrived: Sequence[Received[AlertMessage]]
) -> list[Surroundings]:
    """Step 1: the grids each alert lies in, and who saw it."""
    paths = site.places.locate([(each.message.lat, each.message.lon) for each in arrived])
    sources = {f"{each.dev}/{each.message.source}" for each in arrived}
    names = device_store.camera_names(tx, sources)
    names |= track_store.plates(tx, sources - names.keys())
    devices = device_store.known(tx, {each.dev for each in arrived})
    return [
        Surroundings(
            path=path,
            source_name=names.get(f"{each.dev}/{each.message.source}", ""),
            generated=each.dev in devices and devices[each.dev].generated,
        )
        for each, path in zip(arrived, paths, strict=True)
    ]


def together(
    tx: Connection, arrived: Sequence[Received[AlertMessage]], around: Sequence[Surroundings]
) -> list[Seen]:
    """Step 2: each message joins what is known of its alert."""
    ids = [alert_id(each.message) for each in arrived]
    before = alert_store.load(tx, set(ids))
    now_known = dict(before)
    for name, each, surroundings in zip(ids, arrived, around, strict=True):
        now_known[name] = taken(now_known.get(name), each, surroundings)
    return [Seen(now_known[name], name not in before) for name in dict.fromkeys(ids)]


def held_back(tx: Connection, site: Site, seen: Sequence[Seen]) -> list[Seen]:
    """Step 3: a new alert where its like was false again and again is kept from the queue.

    One that has become urgent since is kept no longer.
    """
    new = [each.alert for each in seen if each.is_new]
    since = min((alert.at for alert in new), default=now())
    known = suppression_store.in_force(tx, {alert.device for alert in new}, since) if new else []
    result = []
    for each in seen:
        alert = each.alert
        if alert.level >= URGENT and alert.suppressed_by is not None:
            alert = replace(alert, suppressed_by=None, suppressed_until=None)
        elif each.is_new:
            for one in known:
                if suppression.covers(one, alert, site.config.suppression.overlap):
                    alert = replace(alert, suppressed_by=one.id, suppressed_until=one.until)
        result.append(replace(each, alert=alert))
    return result


def compared(tx: Connection, site: Site, seen: Sequence[Seen]) -> list[Seen]:
    """Step 4: a new alert of something seen before is noted on the first one."""
    new = [each.alert for each in seen if each.is_new]
    if not new:
        return list(seen)
    near = site.config.dedupe
    before_us = alert_store.around(tx, new, near)
    # What is cleaned up and lies there again is another case, or the same one reopened.
    done = case_store.finished(tx, {a.case_id for a in before_us if _was_passed(a)})
    closed = case_store.closed_at(tx, {a.case_id for a in before_us})
    known = Neighbourhood((a for a in before_us if a.case_id not in done), near)
    result: dict[str, Seen] = {}
    for each in seen:
        alert = each.alert
        if not each.is_new:
            before = known.get(alert.id)
            if before is not None and before.times_seen > alert.times_seen:
                alert = replace(alert, times_seen=before.times_seen)
        elif (first := known.find(alert)) is not None and not _came_after(alert, first, closed):
            counted = replace(first, times_seen=first.times_seen + 1, updated_at=alert.updated_at)
            known.put(counted)
            result[first.id] = replace(result.get(first.id, Seen(counted, False)), alert=counted)
            alert = replace(alert, duplicate_of=first.id, case_id=first.case_id)
        if alert.duplicate_of is None:
            known.put(alert)
        result[alert.id] = replace(each, alert=alert)
    return list(result.values())


def _came_after(alert: Alert, first: Alert, closed: Mapping[int, datetime]) -> bool:
    """Whether an alert began after the case of the one it resembles was closed."""
    closed_at = closed.get(first.case_id or 0)
    return closed_at is not None and alert.since > closed_at


def _was_passed(alert: Alert) -> bool:
    return is_in_passing(alert.label, alert.place)


def judged(site: Site, seen: Sequence[Seen]) -> list[Alert]:
    """Step 5: the alerts that open a case by the site's rule."""
    return [
        each.alert
        for each in seen
        if rules.opens_case(each.alert, site.config.rule(each.alert.label))
    ]


def open_cases(
    tx: Connection, site: Site, opening: Sequence[Alert], actor: Actor, note: str = ""
) -> list[Change]:
    """Step 6: a case for each thing, with all alerts of it."""
    first_of_its_thing = {alert.duplicate_of or alert.id: alert for alert in reversed(opening)}
    things = list(first_of_its_thing.values())[::-1]
    if not things:
        return []
    at, config = now(), site.config
    known = _with_cases(tx, site, things, actor, at)
    drafts = [
        partial(_new_case, alert, config.standard_ref, at) for alert, case in known if case is None
    ]
    made = iter(
        open_all(
            tx, drafts, prefix=config.case_prefix, zone=config.zone, at=at, actor=actor, note=note
        )
    )
    changes = []
    for alert, found in known:
        case = found or next(made)
        members = alert_store.group(tx, alert)
        alert_store.set_case(tx, members, case.id)
        changes += [Change("case", str(case.id)), *(Change("alert", name) for name in members)]
    return changes


def _with_cases(
    tx: Connection, site: Site, things: Sequence[Alert], actor: Actor, at: datetime
) -> list[tuple[Alert, Case | None]]:
    """The case that each alert belongs to, None for a new one.

    That is one that people told of, or a watched one, reopened. What a camera has gone on seeing
    since before the closing opens nothing by itself: such an alert is left to a person.
    """
    known: list[tuple[Alert, Case | None]] = []
    for alert in things:
        case = _told_of(tx, site, alert)
        found = None if case else watching.of_alert(tx, site.config, alert)
        if found is not None:
            if found.coming is Coming.PERSISTED and actor is SYSTEM:
                continue
            case = found.case
            if found.coming is not Coming.BEFORE:
                case = watching.reopen(tx, site.config, found, kind="alert", cause=alert.id, at=at)
        known.append((alert, case))
    return known


def _told_of(tx: Connection, site: Site, alert: Alert) -> Case | None:
    """The open case of the same matter there that people reported and no camera has seen yet."""
    near = case_store.open_near(
        tx, alert.matter, alert.lat, alert.lon, site.config.intake.same_case_m
    )
    reported = [case for case in near if case.source in list(Channel)]
    seen = alert_store.of_case(tx, [case.id for case in reported])
    return next((case for case in reported if not seen[case.id]), None)


def _new_case(alert: Alert, standard_ref: str, at: datetime, number: str) -> Case:
    known = matter(alert.matter)
    what = known.name_zh if known is not None else NO_MATTER.get(alert.label, alert.label)
    return Case(
        id=0,
        number=number,
        state=State.REPORTED,
        version=1,
        title=f"{what} · {alert.source_name}"[:300],
        label=alert.label,
        matter=alert.matter,
        standard_ref=standard_ref,
        level=alert.level,
        lat=alert.lat,
        lon=alert.lon,
        path=alert.path,
        source="vehicle" if alert.place == "vehicle" else "camera",
        generated=alert.generated,
        opened_at=at,
        updated_at=at,
    )


# ---------------------------------------------------------------- tracks


def take_tracks(tx: Connection, site: Site, arrived: Sequence[Received[Track]]) -> Outcome:
    """Store fixes, each once; a newer one moves its vehicle."""
    known = track_store.known_vehicles(tx, arrived)
    kept = track_store.keep(tx, arrived, known)
    places, crossings = moved(site, kept.runs, known)
    track_store.move(tx, kept, places, known)
    track_store.cross(tx, crossings)
    patrol_store.note_late(tx, kept.runs, site.config.zone)
    return Outcome(stored=kept.stored, refused=kept.refused)


def take_drivers(tx: Connection, _site: Site, arrived: Sequence[Received[DriverCard]]) -> Outcome:
    """Drivers' cards put in and taken out."""
    sorted_out = inbox.sort_out(tx, "driver", arrived)
    inbox.keep(tx, "driver", sorted_out.new, {})
    if sorted_out.new:
        changes = drivers.keep(tx, sorted_out.new)
        events.record(tx, changes, sorted_out.new[-1].received_at)
    return _answered(sorted_out.new, sorted_out.repeated, sorted_out.refused)


def moved(
    site: Site, runs: Sequence[Run], known: Mapping[str, Vehicle]
) -> tuple[dict[str, tuple[TrackPoint, Path]], list[tuple[str, str, str, int]]]:
    """Last positions and crossings; a late fix takes its place in history and moves nothing."""
    ahead: list[tuple[str, TrackPoint]] = []
    latest = {name: vehicle.at_ms for name, vehicle in known.items()}
    for run in runs:
        limit = to_ms(run.received.received_at + CLOCK_TOLERANCE)
        for fix in run.fixes:
            if fix.flags & VALID and latest[run.vehicle] < fix.ts <= limit:
                latest[run.vehicle] = fix.ts
                ahead.append((run.vehicle, fix))
    paths = site.places.locate([(fix.lat, fix.lon) for _, fix in ahead])
    where = {name: vehicle.path for name, vehicle in known.items()}
    places: dict[str, tuple[TrackPoint, Path]] = {}
    crossings: list[tuple[str, str, str, int]] = []
    for (name, fix), path in zip(ahead, paths, strict=True):
        before = where[name]
        if path is not before and path != before:
            left = (code for code in before if code not in path)
            entered = (code for code in path if code not in before)
            crossings += [(name, code, Crossing.EXIT.value, fix.ts) for code in left]
            crossings += [(name, code, Crossing.ENTER.value, fix.ts) for code in entered]
        where[name] = path
        places[name] = (fix, path)
    return places, crossings


# ---------------------------------------------------------------- devices


def take_states(tx: Connection, _site: Site, arrived: Sequence[Received[DeviceState]]) -> Outcome:
    """Devices that come and go."""
    return _each(tx, arrived, device_store.take_state)


def take_births(tx: Connection, site: Site, arrived: Sequence[Received[Birth]]) -> Outcome:
    """What devices are; their cameras and vehicles."""

    def born(tx: Connection, received: Received[Birth]) -> list[Change]:
        if received.message.more:
            return track_store.take_birth(tx, received)
        changes = device_store.take_birth(tx, received, site.places.locate)
        changes += _take_reported(tx, received)
        changes += key_heard(tx, received)
        return changes + track_store.take_birth(tx, received)

    return _each(tx, arrived, born)


def take_healths(tx: Connection, site: Site, arrived: Sequence[Received[Health]]) -> Outcome:
    """How devices are."""

    def well(tx: Connection, received: Received[Health]) -> list[Change]:
        changes = device_store.take_health(tx, received) + _take_reported(tx, received)
        changes += _lift_where_turned(tx, site, received)
        return changes + model_store.take_health(tx, received)

    return _each(tx, arrived, well)


def _lift_where_turned(tx: Connection, site: Site, received: Received[Health]) -> list[Change]:
    """A camera that was turned shows another place where false alarms were: they count no more."""
    turned = {
        camera.id: from_ms(camera.since)
        for camera in received.message.cameras
        if camera.state == CameraState.MOVED
    }
    if not turned:
        return []
    changes: list[Change] = []
    for one in suppression_store.in_force(tx, [received.dev], received.received_at):
        if one.source in turned and one.since < turned[one.source]:
            suppression_store.end(tx, one.id, by=SYSTEM.name, at=received.received_at)
            note = coded(
                "camera_turned", "{camera} was turned", camera=f"{one.device}/{one.source}"
            )
            audit.append(tx, [audit.Entry(
                received.received_at, SYSTEM.name, SYSTEM.role, "suppression", str(one.id), "lift",
                note=note,
            )])  # fmt: skip
            freed = suppression_store.release(tx, one.id, active_only=False)
            changes += [Change("alert", alert.id) for alert in freed]
            opening = judged(site, [Seen(alert, is_new=False) for alert in freed])
            changes += open_cases(tx, site, opening, SYSTEM)
    return changes


def take_settings(
    tx: Connection, _site: Site, arrived: Sequence[Received[SettingsReport]]
) -> Outcome:
    """What cameras run with."""
    return _each(tx, arrived, revision_store.take_settings)


def _take_reported(tx: Connection, received: Received[Birth] | Received[Health]) -> list[Change]:
    rev = received.message.revision
    return revision_store.take_reported(tx, received.dev, rev, received.received_at)


def take_replies(tx: Connection, site: Site, arrived: Sequence[Received[Reply]]) -> Outcome:
    """What devices say of their orders and of their configuration."""

    def said(tx: Connection, received: Received[Reply]) -> list[Change]:
        if revision_of(received.message.id) is not None:
            return revision_store.take_reply(tx, received)
        answered = order_store.take_reply(tx, received)
        if answered is None:
            return []
        order, changes = answered
        note_files(tx, look_pictures.told(order, received.received_at))
        return changes + checking.answered(tx, site.proof, order, received.received_at)

    return _each(tx, arrived, said)


def take_gaps(tx: Connection, _site: Site, arrived: Sequence[Received[Gap]]) -> Outcome:
    """What devices had to discard."""
    sorted_out = inbox.sort_out(tx, "gap", arrived)
    inbox.keep(tx, "gap", sorted_out.new, {})
    _each(tx, sorted_out.new, device_store.take_gap)
    return _answered(sorted_out.new, sorted_out.repeated, sorted_out.refused)


def take_offers(tx: Connection, site: Site, arrived: Sequence[Received[EvidenceOffer]]) -> Outcome:
    """Files that devices hold: a signed address for each that is not here."""
    here = evidence_store.held(tx, {f.sha256 for each in arrived for f in each.message.files})
    at = now()
    exp = to_ms(at) + site.config.evidence.grant_s * 1000
    return Outcome(grants=[_grant(site, each, here, exp) for each in arrived])


def _grant(site: Site, offered: Received[EvidenceOffer], here: set[str], exp: int) -> Grant:
    def url(file: OfferedFile) -> str:
        if file.sha256 in here:
            return ""
        path = signed_path(
            site.vault.key, file.sha256,
            dev=offered.dev, size=file.size, kind=file.type, exp=exp, sealed=file.sealed,
        )  # fmt: skip
        return site.config.base_url + path

    files = [GrantedFile(file.sha256, url(file)) for file in offered.message.files]
    return Grant(dev=offered.dev, files=files, exp=exp)


def _each(
    tx: Connection,
    arrived: Sequence[Received[Any]],
    take: Callable[[Connection, Received[Any]], list[Change]],
) -> Outcome:
    for received in arrived:
        events.record(tx, take(tx, received), received.received_at)
    return Outcome()


def _answered(
    new: Iterable[Received[Any]], repeated: Iterable[Received[Any]], refused: list[Refusal]
) -> Outcome:
    stored = [(each, [each.message.seq]) for each in (*new, *repeated)]
    return Outcome(stored=stored, refused=refused)


TAKE: dict[str, Callable[[Connection, Site, Sequence[Received[Any]]], Outcome]] = {
    "alert": take_alerts,
    "track": take_tracks,
    "driver": take_drivers,
    "state": take_states,
    "birth": take_births,
    "health": take_healths,
    "gap": take_gaps,
    "evidence": take_offers,
    "reply": take_replies,
    "settings": take_settings,
}

DOWN = (order_store.SOURCE, revision_store.SOURCE)


def down(site: Site) -> tuple[Source, ...]:
    """What is sent down to devices."""
    return (*DOWN, model_store.source(lambda: site.config.base_url, site.vault.key))


def take(tx: Connection, site: Site, name: str, arrived: Sequence[Received[Any]]) -> Outcome:
    """Everything that happens to messages called `name`, in the caller's transaction."""
    grid_store.refresh(tx, site.places)
    strangers = not_admitted(tx, site, {each.dev for each in arrived}, arrived[-1].received_at)
    if not strangers:
        return TAKE[name](tx, site, arrived)
    outcome = TAKE[name](tx, site, [each for each in arrived if each.dev not in strangers])
    for each in arrived:
        if each.dev in strangers:
            fault = Refused(
                Code.DEVICE,
                coded("not_enrolled", "device {device} is not enrolled", device=each.dev),
            )
            outcome.refused.append(Refusal(each, fault, getattr(each.message, "seq", -1)))
    return outcome


def not_admitted(tx: Connection, site: Site, devices: set[str], at: datetime) -> set[str]:
    """Those of the devices whose messages are not taken."""
    lately = site.admitted
    asked = {name for name in devices if name not in lately or at - lately[name] > ADMIT_FOR}
    if not asked:
        return set()
    open_to_all = site.config.enrol == "open"
    admitted = device_store.admit(tx, asked, at, open_to_all=open_to_all)
    lately.update(dict.fromkeys(admitted, at))
    return asked - admitted.keys()


# ---------------------------------------------------------------- grids


def grids_changed(tx: Connection, places: Places) -> None:
    """New grids are in force: cameras and vehicles lie in them; alerts and cases keep theirs."""
    device_store.move_cameras(tx, places.locate)
    rows = track_store.placed(tx)
    paths = places.locate([(row.lat, row.lon) for row in rows])
    track_store.relocate(tx, [(r.id, path) for r, path in zip(rows, paths, strict=True)])
