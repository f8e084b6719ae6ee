"""Who a caller is and what the role allows; the least right by default."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a person or program is; `service` is a program that reads."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"
    SERVICE = "service"


class Right(StrEnum):
    """What an endpoint asks for."""

    READ = "read"
    EVIDENCE = "evidence"
    SEE_ORIGINAL = "see_original"
    DECIDE = "decide"
    ACT = "act"
    REPORT = "report"
    CALLER = "caller"
    FLEET = "fleet"
    CONFIGURE = "configure"
    ADMIN = "admin"


RANK = {Role.VIEWER: 0, Role.SERVICE: 0, Role.OPERATOR: 1, Role.SUPERVISOR: 2, Role.ADMIN: 3}
_WORKING = frozenset({Right.READ, Right.EVIDENCE, Right.DECIDE, Right.ACT, Right.REPORT})
RIGHTS = {
    Role.VIEWER: frozenset({Right.READ}),
    Role.SERVICE: frozenset({Right.READ, Right.REPORT}),
    Role.OPERATOR: _WORKING,
    Role.SUPERVISOR: _WORKING | {Right.SEE_ORIGINAL, Right.FLEET, Right.CONFIGURE, Right.CALLER},
    Role.ADMIN: frozenset(Right),
}


@dataclass(frozen=True)
class Actor:
    """Who calls. `by_cookie`: through a page's session rather than a token."""

    name: str
    role: Role
    by_cookie: bool = False

    def may(self, right: Right) -> bool:
        """Whether the role has the right."""
        return right in RIGHTS[self.role]


SYSTEM = Actor("system", Role.SERVICE)
