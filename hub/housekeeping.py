"""What has to be done now and then: silent devices, clocks, bounds of what is kept."""

import asyncio
import logging
from datetime import datetime, timedelta

from sqlalchemy.exc import DBAPIError

from hub import decisions, events, quarantine, records, steps
from hub.alerts import attention_store
from hub.devices import store as device_store
from hub.devices.orders import store as order_store
from hub.devices.revisions import store as revision_store
from hub.devices.revisions.site_calendar import site_calendar
from hub.evaluation.making import Maker
from hub.evidence.api import forget_unfinished
from hub.grid import store as grid_store
from hub.intake import store as intake_store
from hub.models import store as model_store
from hub.out import store as out_store
from hub.patrol import phone as phone_patrol, store as patrol_store
from hub.patrol.judge import Work, look_at_recent
from hub.people import attempts, sessions
from hub.pipeline import Site
from hub.proof import checking, watching
from hub.store import Store, now
from hub.threads import to_end
from hub.tracks import drivers, judged_store, store as track_store

log = logging.getLogger(__name__)

LOOK_EVERY_S = 10.0
REPORTS_EVERY_S = 900.0
SWEEP_EVERY = timedelta(minutes=10)
PATROL_OVERLAP = timedelta(minutes=10)
"""A message may be stored so long after it came, when the database was away."""


async def keep_house(store: Store, site: Site) -> None:
    """Every ten seconds look for silent devices and clocks that ran out; sweep now and then."""
    swept_at = now() - SWEEP_EVERY
    started_at = now()
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        at = now()
        try:
            silent_before = at - timedelta(seconds=site.config.silent_after_s)
            if silent_before > started_at:
                await to_end(find_silent, store, silent_before, at)
            await to_end(end_unanswered, store, at)
            await to_end(go_on_with_rollouts, store, at)
            await to_end(records.resume_suspended, store, site, at)
            await to_end(steps.say_what_is_due, store, at)
            await to_end(records.say_unanswered, store, at)
            await to_end(settle_checks, store, site, at)
            owed = intake_store.owed_a_reply
            await to_end(watching.look_after, store, site.config, owed, at)
            if at - swept_at >= SWEEP_EVERY:
                swept_at = at
                await to_end(sweep, store, site, at)
        except DBAPIError as fault:
            log.warning("Housekeeping waits for the database: %s", fault.orig)
        except Exception:
            log.exception("Something could not be done")


async def watch_patrols(store: Store, site: Site) -> None:
    """Find the visits in what was heard of patrols, all of them at first, then what is new."""
    heard_since: datetime | None = None
    while True:
        began = now()
        try:
            await to_end(judge_patrols, store, site, heard_since)
            heard_since = began - PATROL_OVERLAP
        except DBAPIError as fault:
            log.warning("Patrols wait for the database: %s", fault.orig)
        except Exception:
            log.exception("Patrols could not be judged")
        await asyncio.sleep(site.config.patrol.every_s)


async def make_reports(store: Store, maker: Maker) -> None:
    """Every quarter of an hour make the reports of periods that have ended."""
    while True:
        await asyncio.sleep(REPORTS_EVERY_S)
        try:
            for made in await to_end(maker.make_due, now()):
                log.info("Report of %s made as %s", made.period, made.form)
        except DBAPIError as fault:
            log.warning("Reports wait for the database: %s", fault.orig)
        except Exception:
            log.exception("Reports could not be made on %s", store.name)


def judge_patrols(store: Store, site: Site, heard_since: datetime | None) -> int:
    """Judge the recent days of patrols heard since; returns how many days were judged."""
    grid_store.load(store, site.places)
    revision, index = site.places.index
    return look_at_recent(store, Work(site.config, index, revision), heard_since)


def go_on_with_rollouts(store: Store, at: datetime) -> None:
    """Stages that were clean for long enough give way to the next."""
    with store.write() as tx:
        events.record(tx, model_store.advance(tx, at), at)


def find_silent(store: Store, before: datetime, at: datetime) -> None:
    """Devices not heard of since `before` are offline."""
    with store.write() as tx:
        events.record(tx, device_store.silence(tx, before, at), at)


def end_unanswered(store: Store, at: datetime) -> None:
    """Orders that no device has answered in time are over."""
    with store.write() as tx:
        events.record(tx, order_store.expire(tx, at), at)


def settle_checks(store: Store, site: Site, at: datetime) -> None:
    """Checks whose camera has given no answer go on with a person."""
    with store.write() as tx:
        events.record(tx, checking.settle_all(tx, site.proof, at), at)


def sweep(store: Store, site: Site, at: datetime) -> None:
    """Bring everything that is bounded within its bounds."""
    config = site.config
    with store.write() as tx:
        quarantine.forget_old(tx, config.quarantine, at)
        events.forget_old(tx, config.retention.event_rows)
        sessions.forget_old(tx, at, config.access.idle)
        attempts.forget_old(tx, at)
        out_store.forget_old(tx, at - timedelta(days=config.out.keep_days))
        attention_store.forget_old(tx, at)
        order_store.forget_old(tx, at - timedelta(days=config.retention.order_days))
    with store.write() as tx:
        calendar = site_calendar(tx, at.year)
        events.record(tx, revision_store.renew_calendars(tx, calendar, at), at)
    decisions.end_suppressions(store, site, at)
    records.escalate_overdue(store, site, at)
    with store.write() as tx:
        oldest = at - timedelta(days=config.retention.track_days)
        track_store.forget_old(tx, oldest)
        patrol_store.forget_old(tx, oldest.date())
        phone_patrol.forget_old(tx, oldest)
        judged_store.forget_old(tx, oldest, at)
        drivers.forget_old(tx, oldest)
    forget_unfinished(site.vault)
