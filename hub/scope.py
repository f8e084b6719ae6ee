"""The one home of where a person may read and act: posts limit it to grids, departments, matters.

A call about one thing (`/api/cases/{case_id}/…`) is allowed where a post with the right covers the
thing; `Whereabouts` says where things are. A list says how it deals with limits (`Reach`): one that
says nothing is refused to people whose posts are limited, so nothing is shown by oversight.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_, true
from sqlalchemy.engine import Connection

from hub.roles import Actor, Right, Spot
from hub.store import lies_in

Find = Callable[[Connection, Mapping[str, Any]], Sequence[Spot] | None]
"""Where a thing is, by the parameters of the path; None for a thing that is not there."""

Whereabouts = Mapping[str, Find]
"""By the first word of a path: `cases` for `/api/cases/{case_id}/…`."""

DepartmentIs = Callable[[str], ColumnElement[bool]]


EVERYTHING: ColumnElement[bool] = true()


class Reach(StrEnum):
    """What an endpoint that is about no single thing shows to people whose posts are limited."""

    CITY = "city"
    """Of the whole city: refused to them."""
    POSTS = "posts"
    """What their posts cover: it uses `within`."""
    ALL = "all"
    """Nothing that belongs to a place, a department or a matter: the same for everybody."""
    GRID = "grid"
    """One grid, that of `?grid=`: they must name one of theirs."""


def within(
    actor: Actor,
    right: Right,
    *,
    path: ColumnElement[Any],
    matter: ColumnElement[Any] | None = None,
    department: DepartmentIs | None = None,
) -> ColumnElement[bool]:
    """Rows that the actor's posts with a right cover.

    `department`: the condition that a row is a department's; without it (or `matter`) a post that
    is limited by it covers no row.
    """
    if not actor.is_limited(right):
        return true()
    covered: list[ColumnElement[bool]] = []
    for post in actor.posts_with(right):
        limits: list[ColumnElement[bool]] = []
        if post.grid is not None:
            limits.append(lies_in(path, post.grid))
        if post.department is not None:
            limits.append(false() if department is None else department(post.department))
        if post.matter_class is not None:
            limits.append(
                false() if matter is None else matter.startswith(post.matter_class, autoescape=True)
            )
        covered.append(and_(*limits))
    return or_(false(), *covered)
