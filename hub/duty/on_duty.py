"""Who of a role is on duty nearest to a place, by the duty table's posts and shifts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.engine import Connection

from hub.calendar.work_calendar import WorkCalendar
from hub.duty import store as duty_store
from hub.duty.duty import Person, Post
from hub.duty.shift import Shift


@dataclass(frozen=True)
class Roster:
    """The duty table as far as it says who is where and when."""

    posts: Sequence[Post]
    people: Sequence[Person]
    shifts: Sequence[Shift]


def load(tx: Connection) -> Roster:
    """The duty table."""
    return Roster(duty_store.load_posts(tx), duty_store.load_people(tx), duty_store.load_shifts(tx))


def on_duty(
    roster: Roster,
    role: str,
    path: Sequence[str],
    at: datetime,
    *,
    calendar: WorkCalendar,
) -> Person | None:
    """The person of a role whose shift runs in the smallest grid of a path that has one.

    Of several the one with the lowest id. `path`: grids, largest first.
    """
    runs = {
        each.code for each in roster.shifts if each.holds(at, calendar.zone, calendar) is not None
    }
    working = {post.code: post for post in roster.posts if runs.intersection(post.shifts)}
    people = sorted(
        (each for each in roster.people if each.role == role and each.post in working),
        key=lambda person: person.id,
    )
    for grid in reversed(path):
        for person in people:
            if grid in working[person.post].patrols:
                return person
    return None
