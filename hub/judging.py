"""Vehicles judged by their rules, after their fixes are safely stored: start at `Judge.work`.

The second step of a fix, in a thread and transactions of its own, so that nothing it does delays a
receipt or an alert. What waits is a row (`vehicles.unjudged_ms`), and the rows a round makes
(state, episodes, alerts, the mark itself) are written in one transaction: a hub killed in between
begins again where it was, and nothing is judged twice or never.

A fix that comes late takes its true place: its vehicle is judged again from the hour before it,
without ringing. What turns out otherwise is superseded and stays to be seen.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from hub import events, metrics
from hub.alerts import store as alert_store, track_evidence, vehicle as vehicle_alerts
from hub.alerts.track_evidence import Stretch
from hub.alerts.vehicle import Look, Mover
from hub.devices import store as device_store
from hub.events import Change
from hub.grid.crossing import Crossing
from hub.grid.hours import Hours
from hub.permits import store as permit_store
from hub.permits.rules import permit_rule
from hub.permits.store import Permits, haul_of
from hub.pipeline import Seen, Site, judged, open_cases
from hub.roles import SYSTEM
from hub.store import Store, now, to_ms
from hub.tracks import fence_store, judged_store, silence
from hub.tracks.episode import Episode, Kind
from hub.tracks.fence_store import Fences
from hub.tracks.geofence import WATCHED, Geofence
from hub.tracks.judged_store import Pending, Stored
from hub.tracks.judgement import (
    HOUR_MS,
    Court,
    Found,
    Heard,
    Judged,
    JudgeState,
    Key,
    dump,
    judge,
    lasting,
    load,
    point_of,
)
from hub.tracks.settings import settings_of
from hub.tracks.store import fixes_between
from hub.tracks.track import Regime, live_rules
from wire.track import VALID

log = logging.getLogger(__name__)

MOST_VEHICLES = 40
PAUSE_S = 0.5
RETRY_S = 5.0
ASIDE_S = 600.0
BUSY_SHARE = 15.0
"""While messages wait to be stored, judging rests fifteen times as long as it works."""
LOOK_FOR_SILENCE_S = 30.0
LOST_FOR = timedelta(hours=1)


@dataclass(frozen=True)
class Again:
    """What is judged again: from the beginning of an hour, over the episodes known since.

    `newest`: the newest fix judged before; what lies before it has been rung or has not.
    """

    hour: int
    newest: Key | None
    known: list[Stored]


@dataclass(frozen=True)
class Hearing:
    """One vehicle's turn: the state to begin with and the fixes to take."""

    seen: Pending
    state: JudgeState
    heard: list[Heard]
    court: Court
    again: Again | None = None


class Judge:
    """The thread that judges, on one hub process of a database."""

    def __init__(self, store: Store, site: Site, is_busy: Callable[[], bool]) -> None:
        """Prepare. `is_busy`: whether messages wait to be stored; then judging gives way.

        Raises TrackError for a threshold that does not exist.
        """
        self._store, self._site, self._is_busy = store, site, is_busy
        self._settings = settings_of(site.config.vehicles.thresholds)
        self._fences, self._permits = Fences(), Permits()
        self._courts: dict[tuple[str, str, str], Court] = {}
        self._aside: dict[str, float] = {}
        self._stopping = threading.Event()
        self._looked_s = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="judge", daemon=True)

    def start(self) -> None:
        """Judge from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the round and stop."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(5.0)

    def _run(self) -> None:
        while not self._stopping.is_set():
            begun_s = time.monotonic()
            try:
                done = self.work()
                if begun_s - self._looked_s >= LOOK_FOR_SILENCE_S:
                    self._looked_s = begun_s
                    self.look_for_silence(now())
            except DBAPIError as fault:
                log.warning("Judging waits for the database: %s", fault.orig)
                self._stopping.wait(RETRY_S)
                continue
            except Exception:
                log.exception("Judging failed; trying again")
                self._stopping.wait(RETRY_S)
                continue
            took_s = time.monotonic() - begun_s
            if self._is_busy():
                self._stopping.wait(max(PAUSE_S, BUSY_SHARE * took_s))
            elif not done:
                self._stopping.wait(PAUSE_S)

    def work(self) -> int:
        """Judge what waits of some vehicles; returns of how many."""
        with self._store.read() as tx:
            if fence_store.refresh(tx, self._fences) | permit_store.refresh(tx, self._permits):
                self._courts.clear()
            waiting = [
                each for each in judged_store.pending(tx, MOST_VEHICLES) if not self._is_aside(each)
            ]
            hearings = [self._hearing(tx, each) for each in waiting]
        results = [(each, result) for each in hearings if (result := self._judge(each)) is not None]
        if not results:
            return 0
        with self._store.write() as tx:
            changes: list[Change] = []
            for hearing, result in results:
                changes += self._keep(tx, hearing, result)
            events.record(tx, changes, now())
        metrics.JUDGED.inc(sum(len(hearing.heard) for hearing, _ in results))
        return len(results)

    def look_for_silence(self, at: datetime) -> int:
        """Tell of vehicles that should have been heard by now; returns how many were told."""
        settings = self._settings
        least_s = min(settings.silent_min_s, settings.offline_min_s)
        longest = timedelta(seconds=max(settings.silent_min_s, settings.offline_min_s)) + LOST_FOR
        with self._store.read() as tx:
            names = judged_store.silent(tx, at - longest, at - timedelta(seconds=least_s), 1000)
        told = 0
        for name in names:
            with self._store.write() as tx:
                changes = self._tell_silence(tx, name, at)
                events.record(tx, changes, at)
            told += bool(changes)
        return told

    def _tell_silence(self, tx: Connection, name: str, at: datetime) -> list[Change]:
        seen, body = judged_store.facts_of(tx, name), judged_store.state_of(tx, name)
        if seen is None or body is None:
            return []
        state = load(body, self._court(seen).rules)
        heard = state.track.rules.get("silence") if state is not None else None
        changes: list[Change] = []
        for episode in silence.due(heard, at, self._settings):
            known = judged_store.of_starts(tx, name, [episode.start])
            if any(each.episode.key == episode.key for each in known):
                continue
            ms = to_ms(episode.start)
            number = judged_store.add(
                tx, name, episode, begun_ms=ms, known_ms=ms, late=False, at=at
            )
            changes += self._ring(tx, seen, number, episode, delayed=False)
        return changes

    # -- one vehicle

    def _is_aside(self, seen: Pending) -> bool:
        return time.monotonic() < self._aside.get(seen.id, 0.0)

    def _court(self, seen: Pending) -> Court:
        key = (seen.id, seen.plate, seen.kind)
        court = self._courts.get(key)
        if court is None:
            if len(self._courts) > 20_000:
                self._courts.clear()
            court = self._courts[key] = self._make_court(seen)
        return court

    def _make_court(self, seen: Pending) -> Court:
        config, index = self._site.config, self._fences.index
        given = config.vehicles
        names = (seen.id, seen.vehicle, seen.plate)
        night = [list(pair) for pair in given.night] if seen.kind in given.night_kinds else []
        regime = Regime(
            config.zone,
            given.limit_kmh(seen.kind),
            Hours.read(night) if night else None,
            index,
            frozenset(n for n, f in enumerate(index.fences) if f.concerns(names, seen.kind)),
        )
        rules = live_rules(regime)
        warrants = self._permits.of(names)
        if warrants or (self._permits.are_kept and seen.kind in given.trucks):
            haul = haul_of(warrants, self._fences, config.zone)
            rules = (*rules, permit_rule(haul))
        return Court(rules, self._settings, config.zone, self._fences.sites)

    def _hearing(self, tx: Connection, seen: Pending) -> Hearing:
        court = self._court(seen)
        body = judged_store.state_of(tx, seen.id)
        state = JudgeState() if body is None else load(body, court.rules)
        since_ms = seen.unjudged_ms
        new = judged_store.heard_since(tx, seen.id, since_ms, after=seen.judged, until=seen.heard)
        if state is not None and (not new or state.last is None or state.last < new[0].key):
            return Hearing(seen, state, new, court)
        hour = since_ms // HOUR_MS
        before = judged_store.state_before(tx, seen.id, hour)
        first = hour if before is None else before[0]
        base = None if before is None else load(before[1], court.rules)
        first_ms = first * HOUR_MS
        known = judged_store.open_or_known_since(tx, seen.id, first_ms)
        heard = judged_store.heard_since(tx, seen.id, first_ms, until=seen.heard)
        newest = state.last if state is not None else None
        return Hearing(seen, base or JudgeState(), heard, court, Again(first, newest, known))

    def _judge(self, hearing: Hearing) -> Judged | None:
        index = self._fences.index
        try:
            index.prepare([point_of(each.fix) for each in hearing.heard if each.fix.flags & VALID])
            return judge(hearing.state, hearing.heard, hearing.court)
        except Exception:
            log.exception("Vehicle %s cannot be judged; put aside for a while", hearing.seen.id)
            self._aside[hearing.seen.id] = time.monotonic() + ASIDE_S
            return None
        finally:
            index.forget()

    def _keep(self, tx: Connection, hearing: Hearing, result: Judged) -> list[Change]:
        seen, again = hearing.seen, hearing.again
        placed_before = _placed(hearing, result)
        if not judged_store.mark_judged(tx, seen):
            return []
        if again is not None:
            judged_store.forget_hours(tx, seen.id, again.hour)
        last = hearing.state.last
        last_ms = 0 if last is None else last[0]
        judged_store.keep_state(tx, seen.id, last_ms, dump(hearing.state), result.hours)
        judged_store.note_cells(tx, seen.id, result.cells)
        if again is None:
            return self._append(tx, seen, result.found)
        self._put_crossings_right(tx, hearing, placed_before)
        return self._correct(tx, hearing, result.found)

    # -- episodes

    def _append(self, tx: Connection, seen: Pending, found: Sequence[Found]) -> list[Change]:
        words = _last_words(found)
        if not words:
            return []
        known = {
            each.episode.key: each
            for each in judged_store.of_starts(tx, seen.id, {key[2] for key in words})
        }
        changes: list[Change] = []
        for key, (begun_ms, word) in words.items():
            changes += self._put(tx, seen, known.get(key), word, begun_ms, ring=True)
        return changes

    def _put(
        self,
        tx: Connection,
        seen: Pending,
        known: Stored | None,
        word: Found,
        begun_ms: int,
        *,
        ring: bool,
    ) -> list[Change]:
        at = now()
        if known is not None:
            judged_store.change(tx, known.id, word.episode, word.known_ms, at)
            return self._go_on(tx, known, word.episode, at)
        number = judged_store.add(
            tx,
            seen.id,
            word.episode,
            begun_ms=begun_ms,
            known_ms=word.known_ms,
            late=not ring,
            at=at,
        )
        # A silence that was over when it was first heard of is history: a terminal's backlog came.
        is_past = word.episode.kind in silence.KINDS and word.episode.over
        if not ring or is_past:
            return []
        return self._ring(tx, seen, number, word.episode, delayed=word.delayed)

    def _correct(self, tx: Connection, hearing: Hearing, found: Sequence[Found]) -> list[Change]:
        """Put the episodes right after judging again: nothing rings that lies in the past."""
        seen, again, at = hearing.seen, hearing.again, now()
        if again is None:
            return []
        words = _last_words(found)
        first_ms, newest_ms = again.hour * HOUR_MS, again.newest[0] if again.newest else 0
        still = {each.key: each for each in lasting(hearing.state, hearing.court, at)}
        changes: list[Change] = []
        gone: list[int] = []
        for known in again.known:
            episode = known.episode
            begun_ms, word = words.pop(episode.key, (known.begun_ms, None))
            told = word.episode if word is not None else None
            lasts = known.begun_ms < first_ms or not episode.over
            if told is None and lasts and episode.key in still:
                told = still[episode.key]
                if not episode.over:
                    continue
            if told == episode:
                continue
            if told is not None and not episode.over:
                judged_store.change(tx, known.id, told, _ms(word, known), at)
                changes += self._go_on(tx, known, told, at)
                continue
            gone.append(known.id)
            if told is not None:
                judged_store.add(
                    tx,
                    seen.id,
                    told,
                    begun_ms=begun_ms,
                    known_ms=_ms(word, known),
                    late=True,
                    at=at,
                    alert=known.alert,
                )
        judged_store.supersede(tx, gone, at)
        for begun_ms, word in words.values():
            changes += self._put(tx, seen, None, word, begun_ms, ring=begun_ms > newest_ms)
        return changes

    def _put_crossings_right(
        self, tx: Connection, hearing: Hearing, before: tuple[float, float] | None
    ) -> None:
        again = hearing.again
        fixes = [each.fix for each in hearing.heard if each.fix.flags & VALID]
        if again is None or not fixes:
            return
        places = [*([before] if before else []), *((fix.lat, fix.lon) for fix in fixes)]
        paths = self._site.places.locate(places)
        times = [*([0] if before else []), *(fix.ts for fix in fixes)]
        steps = list(zip(times, paths, strict=True))
        if not before:
            steps.insert(0, (0, ()))
        rows: list[tuple[str, str, int]] = []
        for (_, left), (at_ms, entered) in pairwise(steps):
            rows += [(code, Crossing.EXIT.value, at_ms) for code in left if code not in entered]
            rows += [(code, Crossing.ENTER.value, at_ms) for code in entered if code not in left]
        span = (again.hour * HOUR_MS - 1, fixes[-1].ts)
        judged_store.replace_crossings(tx, hearing.seen.id, span, rows)

    # -- alerts

    def _ring(
        self, tx: Connection, seen: Pending, number: int, episode: Episode, *, delayed: bool
    ) -> list[Change]:
        look = vehicle_alerts.look_of(episode)
        if look is None or look.label not in self._site.config.vehicles.alerts:
            return []
        if not _is_watched(episode, self._fences.index.fences):
            return []
        again = timedelta(seconds=self._site.config.vehicles.again_s)
        span = (episode.start - again, episode.start)
        last = judged_store.last_alert(tx, seen.id, episode.kind, episode.subject, span)
        first = alert_store.load(tx, [last]).get(last) if last else None
        at = now()
        if first is not None and episode.start - first.since < again:
            alert_store.save(tx, [vehicle_alerts.joined(first, episode, at)])
            judged_store.link(tx, number, first.id)
            return [Change("alert", first.id)]
        return self._raise(tx, seen, number, episode, look, delayed=delayed, at=at)

    def _raise(
        self,
        tx: Connection,
        seen: Pending,
        number: int,
        episode: Episode,
        look: Look,
        *,
        delayed: bool,
        at: datetime,
    ) -> list[Change]:
        generated = device_store.known(tx, [seen.device])
        mover = Mover(
            seen.id,
            seen.device,
            seen.vehicle,
            seen.plate,
            seen.device in generated and generated[seen.device].generated,
        )
        (path,) = self._site.places.locate([(episode.lat, episode.lon)])
        alert = vehicle_alerts.alert_of(episode, look, mover, path, delayed=delayed, at=at)
        alert_store.save(tx, [alert])
        judged_store.link(tx, number, alert.id)
        self._keep_stretch(tx, alert.id, seen.id, episode)
        opened = open_cases(tx, self._site, judged(self._site, [Seen(alert, is_new=True)]), SYSTEM)
        return [Change("alert", alert.id), *opened]

    def _go_on(self, tx: Connection, known: Stored, episode: Episode, at: datetime) -> list[Change]:
        """A later word about an episode with an alert: the alert and its evidence go on too."""
        alert = alert_store.load(tx, [known.alert]).get(known.alert) if known.alert else None
        if alert is None:
            return []
        alert_store.save(tx, [vehicle_alerts.gone_on(alert, episode, at)])
        if alert.since == episode.start:
            self._keep_stretch(tx, alert.id, f"{alert.device}/{alert.source}", episode)
        return [Change("alert", alert.id)]

    def _keep_stretch(self, tx: Connection, alert: str, vehicle: str, episode: Episode) -> None:
        fixes = fixes_between(tx, vehicle, *track_evidence.span(episode))
        located = [fix for fix in fixes if fix.flags & VALID]
        track_evidence.keep(tx, Stretch(alert, vehicle, episode, located))


def _last_words(found: Iterable[Found]) -> dict[tuple[Kind, str, datetime], tuple[int, Found]]:
    """The last word about each episode, with the time of the fix that told it first."""
    words: dict[tuple[Kind, str, datetime], tuple[int, Found]] = {}
    for each in found:
        begun_ms, _ = words.get(each.episode.key, (each.known_ms, each))
        words[each.episode.key] = (begun_ms, each)
    return words


def _ms(word: Found | None, known: Stored) -> int:
    return known.known_ms if word is None else word.known_ms


def _placed(hearing: Hearing, result: Judged) -> tuple[float, float] | None:
    """Where the vehicle was before the fixes of a hearing, by the state it began with."""
    if not result.hours:
        return None
    before = load(result.hours[0][1], hearing.court.rules)
    placed = before.placed if before is not None else None
    return None if placed is None else (placed[1], placed[2])


def _is_watched(episode: Episode, fences: Sequence[Geofence]) -> bool:
    """Whether a fence's watch names what happened there; what is about no fence is watched."""
    wanted = WATCHED.get(episode.kind)
    return wanted is None or any(
        fence.code == episode.subject and wanted in fence.watch for fence in fences
    )
