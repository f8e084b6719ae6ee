"""Logging in and out over HTTP: a session by password, by token, or at a demonstration."""

import secrets
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import ColumnElement
from sqlalchemy.engine import Connection

from hub import audit
from hub.auth import COOKIE, by_token, check_csrf, hashed, identify, is_from_here
from hub.config import HubConfig
from hub.errors import Problem, not_found
from hub.http import ERRORS, Body, Listing, Utc, error_response
from hub.people import attempts, password, sessions, users
from hub.people.sessions import Kind, Session
from hub.people.users import User
from hub.roles import RIGHTS, Actor, Post, Right, Role
from hub.store import Store, now
from wire.coded import coded

SHOWN_OF_HASH = 16


class Opening(Body):
    """Open a session: with a name and a password, with a token, or, at a demonstration on this
    machine, without."""  # noqa: D205, D209

    name: Annotated[str, Field(max_length=64)] = ""
    password: Annotated[str, Field(max_length=1000)] = ""
    token: Annotated[str, Field(max_length=200)] = ""
    demo: bool = False


class PostItem(BaseModel):
    """A role, and to what it is limited."""

    role: Role
    grid: str | None
    department: str | None
    matter_class: str | None


class Who(BaseModel):
    """Whose session it is. `must_change`: nothing is allowed before the password was changed.

    `rights`: what the posts allow somewhere. `posts`: none for a role of the whole city.
    `time_zone`: the site's.
    """

    name: str
    role: Role
    display_name: str
    must_change: bool
    has_password: bool
    rights: list[Right]
    posts: list[PostItem]
    time_zone: str


class NewPassword(Body):
    """The password one has, and the one to come."""

    old: Annotated[str, Field(max_length=1000)]
    new: Annotated[str, Field(max_length=1000)]


class SessionItem(BaseModel):
    """A session of a person. `here`: the one that asks."""

    id: str
    opened_at: Utc
    seen_at: Utc
    expires_at: Utc
    address: str
    agent: str
    here: bool


class Ended(BaseModel):
    """How many sessions were ended."""

    ended: int


def post_item(post: Post) -> PostItem:
    """A post as pages see it."""
    return PostItem(**vars(post))


def open_session(tx: Connection, request: Request, config: HubConfig, kind: Kind, name: str) -> str:
    """Begin a session; the secret of its cookie."""
    at, secret = now(), secrets.token_urlsafe(32)
    session = Session(
        hashed(secret),
        kind,
        name,
        at,
        at,
        at + config.access.life,
        address_of(request),
        request.headers.get("user-agent", "")[:200],
    )
    sessions.add(tx, session)
    return secret


def set_cookie(response: Response, config: HubConfig, secret: str) -> None:
    """Give the browser its session."""
    response.set_cookie(
        COOKIE,
        secret,
        max_age=int(config.access.life.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=config.public_url.startswith("https://"),
    )


def router(store: Store, config: HubConfig) -> APIRouter:
    """One's own session, password and other sessions."""
    api = APIRouter(prefix="/api", tags=["access"], responses=ERRORS)

    @api.post("/session", responses={429: ERRORS[401]})
    def open_one(request: Request, response: Response, opening: Opening) -> Who:
        actor, kind, user = _opened(store, config, request, opening)
        with store.write() as tx:
            secret = open_session(tx, request, config, kind, actor.name)
            if user is not None:
                note_login(tx, user, "login", address_of(request))
        set_cookie(response, config, secret)
        return opened(actor, config, user)

    @api.get("/session", response_model=Who)
    def session(request: Request) -> Who | Response:
        actor = identify(request)
        if actor is not None:
            return opened(actor, config, _user_of(store, request, actor))
        refusal = error_response(
            401,
            "unauthorized",
            coded("no_session", "no valid token or session"),
            coded("a_token", "a token"),
        )
        demo = config.demo and is_from_here(request)
        oidc = config.access.oidc
        refusal.body = refusal.render(
            {
                "error": {"code": "unauthorized", "message": "no session", "allowed": "a token"},
                "demo": demo,
                "single_sign_on": oidc.label if oidc.issuer else None,
            }
        )
        refusal.headers["content-length"] = str(len(refusal.body))
        return refusal

    @api.delete("/session", status_code=204)
    def close_session(request: Request, response: Response) -> None:
        secret = request.cookies.get(COOKIE, "")
        if secret:
            check_csrf(request)
            with store.write() as tx:
                sessions.end(tx, sessions.sessions.c.hash == hashed(secret))
        response.delete_cookie(COOKIE)

    mine = Annotated[Session, Depends(_own_session(store))]

    @api.post("/session/password")
    def change(request: Request, response: Response, wanted: NewPassword, here: mine) -> Who:
        """Choose a password; every other session of the person ends."""
        check_csrf(request)
        at, address = now(), address_of(request)
        with store.write() as tx:
            user = _person(tx, here)
            attempts.admit(tx, user.name, address, at)
        if not password.is_right(wanted.old, user.hash):
            raise Problem(
                403,
                "wrong_password",
                coded("old_password", "the old password is not right"),
                coded("one_in_use", "the one in use"),
            )
        password.check(wanted.new, user.name, user.display_name)
        if wanted.new == wanted.old:
            raise Problem(
                422,
                "weak_password",
                coded("same_password", "the new password is the old one"),
                coded("another_one", "another one"),
            )
        with store.write() as tx:
            attempts.succeeded(tx, user.name, address)
            set_password(tx, user.name, wanted.new, must_change=False)
            act = audit.Entry(at, user.name, role_of(user), "user", user.name, "change_password")
            audit.append(tx, [act])
            secret = open_session(tx, request, config, here.kind, user.name)
            changed = _person(tx, here)
        set_cookie(response, config, secret)
        actor = changed.actor(by_cookie=True)
        if actor is None:
            raise Problem(
                401,
                "unauthorized",
                coded("session_over", "no valid session"),
                coded("a_session", "a session"),
            )
        return opened(actor, config, changed)

    @api.get("/sessions")
    def list_sessions(here: mine) -> Listing[SessionItem]:
        with store.read() as tx:
            found = sessions.load(tx, _like(here))
        at = now()
        items = [
            session_item(each, here=each.hash == here.hash)
            for each in found
            if not each.is_over(at, config.access.idle)
        ]
        return Listing(items=items, total=len(items))

    @api.delete("/sessions")
    def end_all(request: Request, here: mine) -> Ended:
        """Log out everywhere, here too."""
        check_csrf(request)
        with store.write() as tx:
            return Ended(ended=sessions.end(tx, _like(here)))

    @api.delete("/sessions/{session}", status_code=204)
    def end_one(request: Request, session: str, here: mine) -> None:
        check_csrf(request)
        named = sessions.sessions.c.hash.startswith(session, autoescape=True)
        with store.write() as tx:
            if len(session) != SHOWN_OF_HASH or not sessions.end(tx, _like(here), named):
                raise not_found("session", session)

    return api


def set_password(tx: Connection, name: str, new: str, *, must_change: bool) -> None:
    """Keep a password; every session of the person ends."""
    tx.execute(
        users.users.update()
        .where(users.users.c.name == name)
        .values(hash=password.hashed(new), must_change=must_change, password_at=now())
    )
    sessions.end(tx, sessions.of_user(name))


def note_login(tx: Connection, user: User, how: str, address: str) -> None:
    """Write down that a person came in."""
    at = now()
    act = audit.Entry(at, user.name, role_of(user), "user", user.name, how, note=address)
    audit.append(tx, [act])
    tx.execute(users.users.update().where(users.users.c.name == user.name).values(seen_at=at))


def _opened(
    store: Store, config: HubConfig, request: Request, opening: Opening
) -> tuple[Actor, Kind, User | None]:
    if opening.demo:
        if not (config.demo and is_from_here(request)):
            raise Problem(
                403,
                "forbidden",
                coded("token_needed", "this hub opens no session without a token"),
                coded("a_token", "a token"),
            )
        return Actor("demo", Role.OPERATOR), Kind.DEMO, None
    if opening.name or opening.password:
        user = _by_password(store, opening.name.strip().casefold(), opening.password, request)
        actor = user.actor(by_cookie=True)
        if actor is None:  # cannot be: `_by_password` has looked
            raise Problem(
                401,
                "unauthorized",
                coded("session_over", "no valid session"),
                coded("a_session", "a session"),
            )
        return actor, Kind.USER, user
    found = by_token(store, opening.token)
    if found is None:
        raise Problem(
            401,
            "unauthorized",
            coded("bad_token", "the token is not valid"),
            coded("hub_token", "a token of this hub"),
        )
    return found, Kind.TOKEN, None


def _by_password(store: Store, name: str, given: str, request: Request) -> User:
    """The person whose name and password these are; one answer for everything that is wrong."""
    at, address = now(), address_of(request)
    with store.write() as tx:
        attempts.admit(tx, name, address, at)
        user = users.load(tx, name)
    right = password.is_right(given, user.hash if user else "")
    if user is None or not right or user.actor(by_cookie=True) is None:
        raise Problem(
            401,
            "unauthorized",
            coded("wrong_name", "the name or the password is not right"),
            coded("hub_person", "a person of this hub"),
        )
    with store.write() as tx:
        attempts.succeeded(tx, name, address)
    return user


def _own_session(store: Store) -> Callable[[Request], Session]:
    def session_of(request: Request) -> Session:
        """The session of the caller, who may have to change the password."""
        secret = request.cookies.get(COOKIE, "")
        if not secret or identify(request) is None or "authorization" in request.headers:
            raise Problem(
                401,
                "unauthorized",
                coded("session_over", "no valid session"),
                coded("a_session", "a session"),
            )
        with store.read() as tx:
            return sessions.load(tx, sessions.sessions.c.hash == hashed(secret))[0]

    return session_of


def _person(tx: Connection, here: Session) -> User:
    user = users.load(tx, here.name) if here.kind in sessions.OF_PEOPLE else None
    if user is None or not user.hash:
        raise Problem(
            409,
            "no_password",
            coded("without_password", "{who} has no password here", who=here.name),
            coded("person_with_password", "a person with a password"),
        )
    return user


def _user_of(store: Store, request: Request, actor: Actor) -> User | None:
    """The person behind a session; None behind a token."""
    if not actor.by_cookie:
        return None
    with store.read() as tx:
        own = sessions.sessions.c.hash == hashed(request.cookies.get(COOKIE, ""))
        if not any(each.kind in sessions.OF_PEOPLE for each in sessions.load(tx, own)):
            return None
        return users.load(tx, actor.name)


def opened(actor: Actor, config: HubConfig, user: User | None = None) -> Who:
    """The session of a caller, as the page that asks sees it; `user`: the person, if one."""
    held = [post.role for post in actor.posts] or [actor.role]
    return Who(
        name=actor.name,
        role=actor.role,
        display_name=user.display_name if user else actor.name,
        must_change=actor.must_change,
        has_password=bool(user and user.hash),
        rights=[right for right in Right if any(right in RIGHTS[role] for role in held)],
        posts=[post_item(post) for post in actor.posts],
        time_zone=config.time_zone,
    )


def _like(here: Session) -> ColumnElement[bool]:
    if here.kind in sessions.OF_PEOPLE:
        return sessions.of_user(here.name)
    table = sessions.sessions.c
    return (table.kind == here.kind.value) & (table.name == here.name)


def session_item(each: Session, *, here: bool) -> SessionItem:
    """A session as pages see it."""
    return SessionItem(
        id=each.hash[:SHOWN_OF_HASH],
        opened_at=each.opened_at,
        seen_at=each.seen_at,
        expires_at=each.expires_at,
        address=each.address,
        agent=each.agent,
        here=here,
    )


def role_of(user: User) -> str:
    """A person's role as the history has it."""
    actor = user.actor(by_cookie=True)
    return actor.role.value if actor else ""


def address_of(request: Request) -> str:
    """Where a call comes from."""
    return request.client.host[:64] if request.client else ""
