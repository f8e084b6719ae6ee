"""Who a caller is and what the role allows; the least right by default.

A person holds posts (岗位): a role, limited to a grid, a department or a class of matters where
the post says so. What he may do somewhere is what his posts there allow.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from wire.coded import coded


class Role(StrEnum):
    """What a person or program is; `service` is a program that reads.

    `collector` (采集员) reports and looks; `handler` (处置人员) does the department's work.
    """

    VIEWER = "viewer"
    COLLECTOR = "collector"
    HANDLER = "handler"
    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"
    SERVICE = "service"


class Right(StrEnum):
    """What an endpoint asks for. `handle`: the steps of the party that does the work."""

    READ = "read"
    EVIDENCE = "evidence"
    SEE_ORIGINAL = "see_original"
    DECIDE = "decide"
    HANDLE = "handle"
    ACT = "act"
    REPORT = "report"
    CALLER = "caller"
    FLEET = "fleet"
    PERSONAL = "personal"
    CONFIGURE = "configure"
    ADMIN = "admin"


RANK = {
    Role.VIEWER: 0,
    Role.SERVICE: 0,
    Role.COLLECTOR: 1,
    Role.HANDLER: 2,
    Role.OPERATOR: 3,
    Role.SUPERVISOR: 4,
    Role.ADMIN: 5,
}
_STREET = frozenset({Right.READ, Right.EVIDENCE, Right.REPORT})
_WORKING = _STREET | {Right.DECIDE, Right.HANDLE, Right.ACT}
RIGHTS = {
    Role.VIEWER: frozenset({Right.READ}),
    Role.SERVICE: frozenset({Right.READ, Right.REPORT}),
    Role.COLLECTOR: _STREET,
    Role.HANDLER: _STREET | {Right.HANDLE},
    Role.OPERATOR: _WORKING,
    Role.SUPERVISOR: _WORKING
    | {Right.SEE_ORIGINAL, Right.FLEET, Right.CONFIGURE, Right.CALLER, Right.PERSONAL},
    Role.ADMIN: frozenset(Right),
}


@dataclass(frozen=True)
class Spot:
    """What a post can be limited by: where a thing is, what it is about, whose work it is.

    `path`: grids, largest first. `departments`: those that have to do with it.
    """

    path: tuple[str, ...] = ()
    matter: str | None = None
    departments: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Post:
    """A role, and to what it is limited: None is no limit. `matter_class`: two digits (大类)."""

    role: Role
    grid: str | None = None
    department: str | None = None
    matter_class: str | None = None

    @property
    def is_limited(self) -> bool:
        """Whether it is for a part of the city only."""
        return (self.grid, self.department, self.matter_class) != (None, None, None)

    def covers(self, spot: Spot) -> bool:
        """Whether the thing is this post's business."""
        return (
            (self.grid is None or self.grid in spot.path)
            and (self.department is None or self.department in spot.departments)
            and (self.matter_class is None or (spot.matter or "")[:2] == self.matter_class)
        )


@dataclass(frozen=True)
class Actor:
    """Who calls. `by_cookie`: through a page's session rather than a token.

    `role`: the highest of the posts, or the one in force at the thing the call is about. Without
    posts the role holds for the whole city. `must_change`: only the password may be changed.
    """

    name: str
    role: Role
    by_cookie: bool = False
    posts: tuple[Post, ...] = ()
    must_change: bool = False

    def may(self, right: Right) -> bool:
        """Whether the role, or that of some post, has the right."""
        return any(right in RIGHTS[post.role] for post in self._held)

    def posts_with(self, right: Right) -> list[Post]:
        """The posts that give a right."""
        return [post for post in self._held if right in RIGHTS[post.role]]

    def is_limited(self, right: Right) -> bool:
        """Whether the right is held for a part of the city only."""
        return all(post.is_limited for post in self.posts_with(right))

    def at(self, spots: Iterable[Spot], right: Right) -> "Actor | None":
        """The actor with the posts he has at a thing; None when none of them gives the right.

        A thing at several spots is at each of them; without a spot it is the whole city's.
        """
        known = list(spots)
        here = [
            post
            for post in self._held
            if not post.is_limited or any(post.covers(spot) for spot in known)
        ]
        if not any(right in RIGHTS[post.role] for post in here):
            return None
        return replace(self, role=highest(post.role for post in here), posts=tuple(here))

    @property
    def grids(self) -> tuple[str, ...]:
        """The grids of the posts; empty for the whole city."""
        held = [post.grid for post in self._held]
        return () if None in held else tuple(dict.fromkeys(code for code in held if code))

    @property
    def department(self) -> str | None:
        """The department of the first post that names one."""
        return next((post.department for post in self.posts if post.department), None)

    @property
    def _held(self) -> tuple[Post, ...]:
        return self.posts or (Post(self.role),)


def highest(roles: Iterable[Role]) -> Role:
    """The role with the most rights."""
    return max(roles, key=RANK.__getitem__)


SYSTEM = Actor("system", Role.SERVICE)


def too_little(actor: Actor, needed: Role) -> str:
    """Why the role of this person is not enough; empty where it is."""
    if RANK[actor.role] >= RANK[needed]:
        return ""
    return coded(
        "needs_role",
        "needs the role {needed}, {who} is {role}",
        needed=needed,
        who=actor.name,
        role=actor.role,
    )
