"""People and their posts over HTTP, for administrators."""

import hashlib
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field
from sqlalchemy import ColumnElement, or_
from sqlalchemy.engine import Connection

from hub import audit
from hub.auth import COOKIE, hashed, need, tokens
from hub.errors import Problem, not_found, taken, unknown_grid
from hub.events import Change, record
from hub.exports import FILES, MOST, AskedForm, Several, Source, Word, sheet
from hub.http import ERRORS, Body, Listing, Page, Utc, page
from hub.people import password, person_names, sessions, users
from hub.people.session_api import (
    Ended,
    PostItem,
    SessionItem,
    post_item,
    session_item,
    set_password,
)
from hub.people.users import User
from hub.roles import RANK, RIGHTS, Actor, Post, Right, Role
from hub.store import Store, now
from wire.coded import coded

NAME = r"^[a-z][a-z0-9._-]{1,31}$"
PHONE = r"^(\+?[0-9][0-9 ()-]{2,39})?$"
Phone = Annotated[str, Field(pattern=PHONE)]
Code = Annotated[str, Field(min_length=1, max_length=64)]


class WantedPost(Body):
    """A role, limited to a grid, a department, a class of matters (two digits), or not at all."""

    role: Role
    grid: Code | None = None
    department: Code | None = None
    matter_class: Annotated[str, Field(pattern=r"^\d{2}$")] | None = None


Posts = Annotated[list[WantedPost], Field(min_length=1, max_length=100)]


class NewUser(Body):
    """A person to let in. `name`: what is typed to log in."""

    name: Annotated[str, Field(pattern=NAME)]
    display_name: Annotated[str, Field(min_length=1, max_length=100)]
    phone: Phone = ""
    posts: Posts


class UserChange(Body):
    """What is to be different; what is left out stays. `version`: of the person the caller saw."""

    version: Annotated[str, Field(max_length=64)] | None = None
    display_name: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    phone: Phone | None = None
    posts: Posts | None = None
    disabled: bool | None = None


class UserItem(BaseModel):
    """A person. `has_password`: not through the city's identity provider alone.

    `version` is another one as soon as somebody has changed what a change can change.
    """

    name: str
    version: str
    display_name: str
    phone: str
    posts: list[PostItem]
    must_change: bool
    has_password: bool
    single_sign_on: bool
    disabled_at: Utc | None
    created_at: Utc
    password_at: Utc | None
    seen_at: Utc | None


class RoleItem(BaseModel):
    """A role, and what it allows where the post is."""

    role: Role
    rights: list[Right]


class MadeUser(UserItem):
    """A new person, with a password to log in with once; it is not shown again."""

    password: str


Admin = Annotated[Actor, Depends(need(Right.ADMIN))]


def router(
    store: Store,
    idle: timedelta,
    is_grid: Callable[[str], bool],
    is_department: Callable[[Connection, str], bool],
) -> APIRouter:
    """People. `idle`: after which a session is over. `is_grid`, `is_department`: of a code."""
    api = APIRouter(prefix="/api", tags=["access"], responses=ERRORS)

    def checked(tx: Connection, wanted: list[WantedPost]) -> tuple[Post, ...]:
        held = tuple(Post(**post.model_dump()) for post in wanted)
        for post in held:
            if post.grid is not None and not is_grid(post.grid):
                raise unknown_grid(post.grid)
            if post.department is not None and not is_department(tx, post.department):
                raise Problem(
                    422,
                    "bad_department",
                    coded(
                        "department_unknown",
                        "department {department!r} does not exist",
                        department=post.department,
                    ),
                    coded("its_code", "its code"),
                )
        return held

    @api.get("/users")
    def list_users(
        _actor: Admin,
        part: Annotated[Page, Depends(page)],
        which: Annotated[list[ColumnElement[bool]], Depends(_filters)],
    ) -> Listing[UserItem]:
        """By name. `role`, `department`, `grid`: of people with a post that names it."""
        with store.read() as tx:
            found = users.listed(tx, *which, limit=part.limit, offset=part.offset)
            total = users.count(tx, *which)
        return Listing(items=[_item(user) for user in found], total=total)

    @api.get("/user-table", response_class=Response, responses=FILES)
    def user_table(
        actor: Admin,
        which: Annotated[list[ColumnElement[bool]], Depends(_filters)],
        form: AskedForm,
    ) -> Response:
        """The list as a table, without any secret; that it was taken out is written down."""
        found = list_users(actor, Page(limit=MOST, offset=0), which)
        with store.write() as tx:
            _note(
                tx,
                actor,
                "all",
                "export",
                coded("so_many_people", "{count} people", count=len(found.items)),
            )
        return sheet("users", found.items, COLUMNS, form)

    @api.post("/users", status_code=201)
    def add(wanted: NewUser, actor: Admin) -> MadeUser:
        once = secrets.token_urlsafe(12)
        with store.write() as tx:
            held = checked(tx, wanted.posts)
            user = User(
                wanted.name, wanted.display_name.strip(), now(), held, hash=password.hashed(once),
                must_change=True, phone=wanted.phone,
            )  # fmt: skip
            add_user(tx, user, actor)
        return MadeUser(**_item(user).model_dump(), password=once)

    @api.get("/users/{name}")
    def one(name: str, _actor: Admin) -> UserItem:
        with store.read() as tx:
            return _item(_found(tx, name))

    @api.patch("/users/{name}")
    def change(name: str, wanted: UserChange, actor: Admin) -> UserItem:
        with store.write() as tx:
            before = _found(tx, name)
            if wanted.version not in (None, _version(before)):
                raise Problem(
                    409,
                    "conflict",
                    coded(
                        "person_changed", "somebody else has changed {name} meanwhile", name=name
                    ),
                    coded(
                        "look_then_change", "look again, then change what is still to be changed"
                    ),
                )
            after = before
            if wanted.display_name is not None:
                after = replace(after, display_name=wanted.display_name.strip())
            if wanted.phone is not None:
                after = replace(after, phone=wanted.phone)
            if after != before:
                _note(tx, actor, name, "change")
            if wanted.disabled is not None and wanted.disabled != (before.disabled_at is not None):
                after = replace(after, disabled_at=now() if wanted.disabled else None)
                _note(tx, actor, name, "disable" if wanted.disabled else "enable")
            if wanted.posts is not None:
                after = replace(after, posts=checked(tx, wanted.posts))
                users.put_posts(tx, name, after.posts)
                _note(tx, actor, name, "posts", posts_text(after.posts))
            users.save(tx, after)
            if after.display_name != before.display_name:
                record(tx, [Change(person_names.NAME, name)], now())
            if after.disabled_at is not None:
                sessions.end(tx, sessions.of_user(name))
            _keep_an_administrator(tx, before)
            if after.posts != before.posts or after.disabled_at != before.disabled_at:
                _check_is_other(actor, name)
        return _item(after)

    @api.post("/users/{name}/password")
    def reset(name: str, actor: Admin) -> MadeUser:
        """A new password to log in with once; all sessions of the person end."""
        once = secrets.token_urlsafe(12)
        with store.write() as tx:
            _found(tx, name)
            _check_is_other(actor, name)
            set_password(tx, name, once, must_change=True)
            _note(tx, actor, name, "reset_password")
            user = _found(tx, name)
        return MadeUser(**_item(user).model_dump(), password=once)

    @api.delete("/users/{name}/single-sign-on")
    def unbind(name: str, actor: Admin) -> UserItem:
        """Forget whom the identity provider knows a person as; his next login there binds anew.

        Sessions through the provider end.
        """
        with store.write() as tx:
            before = _found(tx, name)
            _check_is_other(actor, name)
            if before.subject is None:
                message = coded(
                    "never_sign_on",
                    "{name} has never come in through the identity provider",
                    name=name,
                )
                raise Problem(
                    409,
                    "not_bound",
                    message,
                    coded("sign_on_person", "a person with single_sign_on"),
                )
            users.save(tx, replace(before, subject=None))
            sessions.end(
                tx, sessions.of_user(name), sessions.sessions.c.kind == sessions.Kind.SSO.value
            )
            _note(tx, actor, name, "unlink_oidc", before.subject)
            return _item(_found(tx, name))

    @api.get("/users/{name}/sessions")
    def open_sessions(request: Request, name: str, _actor: Admin) -> Listing[SessionItem]:
        at, own = now(), hashed(request.cookies.get(COOKIE, ""))
        with store.read() as tx:
            _found(tx, name)
            kept = sessions.load(tx, sessions.of_user(name))
        items = [
            session_item(each, here=each.hash == own) for each in kept if not each.is_over(at, idle)
        ]
        return Listing(items=items, total=len(items))

    @api.delete("/users/{name}/sessions")
    def end_sessions(name: str, actor: Admin) -> Ended:
        """Log a person out everywhere."""
        with store.write() as tx:
            _found(tx, name)
            ended = sessions.end(tx, sessions.of_user(name))
            _note(tx, actor, name, "end_sessions", str(ended))
        return Ended(ended=ended)

    @api.get("/roles")
    def roles(_actor: Admin) -> Listing[RoleItem]:
        """What each role allows, the least first."""
        items = [
            RoleItem(role=role, rights=[right for right in Right if right in RIGHTS[role]])
            for role in sorted(Role, key=RANK.__getitem__)
        ]
        return Listing(items=items, total=len(items))

    return api


def add_user(tx: Connection, user: User, actor: Actor) -> None:
    """Store a new person, and say who did. Raises Problem when the name is taken."""
    is_person = users.load(tx, user.name) is not None
    if (
        is_person
        or tx.execute(tokens.select().where(tokens.c.name == user.name)).first() is not None
    ):
        raise taken("person" if is_person else "token", user.name)
    users.add(tx, user)
    record(tx, [Change(person_names.NAME, user.name)], now())
    _note(tx, actor, user.name, "add", posts_text(user.posts))


def posts_text(held: Iterable[Post | PostItem]) -> str:
    """Posts in one line, for the history."""
    return "; ".join(" ".join([post.role, *_limits(post)]) for post in held)


def _limits(post: Post | PostItem) -> list[str]:
    return [post.grid or "*", post.department or "*", post.matter_class or "*"]


def _post_cell(post: PostItem) -> Several:
    return Several((Word(post.role, ("role",)), *_limits(post)), " ", kept=True)


COLUMNS: Mapping[str, Source] = {
    "name": "name", "display_name": "display_name", "phone": "phone",
    "posts": lambda user: Several([_post_cell(post) for post in user.posts]),
    "has_password": "has_password", "must_change": "must_change",
    "single_sign_on": "single_sign_on", "created_at": "created_at", "password_at": "password_at",
    "seen_at": "seen_at", "disabled_at": "disabled_at",
}  # fmt: skip


def _filters(
    q: Annotated[str, Query(max_length=100)] = "",
    disabled: bool | None = None,
    role: Role | None = None,
    department: Code | None = None,
    grid: Code | None = None,
) -> list[ColumnElement[bool]]:
    which = _searched(q, disabled=disabled)
    named = {"role": role, "department": department, "grid": grid}
    if any(named.values()):
        which.append(users.has_post(**{name: value for name, value in named.items() if value}))
    return which


def _searched(q: str, *, disabled: bool | None) -> list[ColumnElement[bool]]:
    table = users.users.c
    which: list[ColumnElement[bool]] = []
    if q:
        called = table.name.contains(q.casefold(), autoescape=True)
        texts = (table.display_name, table.phone)
        which.append(or_(called, *(text.contains(q, autoescape=True) for text in texts)))
    if disabled is not None:
        out = table.disabled_at.is_not(None)
        which.append(out if disabled else ~out)
    return which


def _check_is_other(actor: Actor, name: str) -> None:
    """Nobody gives himself a post, locks himself out or goes round his own old password."""
    if actor.name == name:
        raise Problem(
            409,
            "own_account",
            coded(
                "own_posts",
                "{name} cannot change his own posts, access or password here",
                name=name,
            ),
            coded(
                "other_administrator",
                "another administrator; one's own password: POST /api/session/password",
            ),
        )


def _keep_an_administrator(tx: Connection, before: User) -> None:
    """Nobody locks the hub: the last administrator stays, unless a token can take his place."""
    was_one = any(post.role is Role.ADMIN and not post.is_limited for post in before.posts)
    if not was_one or before.disabled_at is not None or users.administrators(tx):
        return
    keys = tokens.select().where(tokens.c.role == Role.ADMIN.value, tokens.c.expires_at.is_(None))
    if tx.execute(keys).first() is None:
        raise Problem(
            409,
            "last_administrator",
            coded("last_of_administrators", "{name} is the last administrator", name=before.name),
            coded("administrator_first", "make another one first"),
        )


def _found(tx: Connection, name: str) -> User:
    user = users.load(tx, name)
    if user is None:
        raise not_found("person", name)
    return user


def _note(tx: Connection, actor: Actor, name: str, action: str, note: str = "") -> None:
    entry = audit.Entry(now(), actor.name, actor.role, "user", name, action, note=note)
    audit.append(tx, [entry])


def _version(user: User) -> str:
    said = (user.display_name, user.phone, user.posts, user.disabled_at is not None)
    return hashlib.sha256(repr(said).encode()).hexdigest()[:16]


def _item(user: User) -> UserItem:
    return UserItem(
        name=user.name,
        version=_version(user),
        display_name=user.display_name,
        phone=user.phone,
        posts=[post_item(post) for post in user.posts],
        must_change=user.must_change,
        has_password=bool(user.hash),
        single_sign_on=user.subject is not None,
        disabled_at=user.disabled_at,
        created_at=user.created_at,
        password_at=user.password_at,
        seen_at=user.seen_at,
    )
