"""Who of a role is on duty nearest to a place, by the duty table's posts and shifts."""

from collections.abc import Collection, Mapping, Sequence
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
    return _nearest(working, roster.people, [role], path)


def at_post(roster: Roster, roles: Collection[str], path: Sequence[str]) -> Person | None:
    """The person of one of the roles posted in the smallest grid of a path, on duty or not."""
    return _nearest({post.code: post for post in roster.posts}, roster.people, roles, path)


def _nearest(
    posts: Mapping[str, Post],
    people: Sequence[Person],
    roles: Collection[str],
    path: Sequence[str],
) -> Person | None:
    found = [each for each in people if each.role in roles and each.post in posts]
    found.sort(key=lambda person: person.id)
    for grid in reversed(path):
        for person in found:
            if grid in posts[person.post].patrols:
                return person
    return None
