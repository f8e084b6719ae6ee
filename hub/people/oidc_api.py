"""Logging in through the city's identity provider over HTTP: away, and back with a code.

Who comes back is somebody this hub knows, by name, with posts given here; the provider grants
nothing. The first time his number at the provider is kept beside his name: from then on nobody
else comes in under it, whatever the provider calls him.
"""

import hmac
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse
from sqlalchemy.engine import Connection

from hub import audit
from hub.config import HubConfig
from hub.errors import HubError
from hub.http import ERRORS
from hub.people import users
from hub.people.session_api import address_of, note_login, open_session, role_of, set_cookie
from hub.people.sessions import Kind
from hub.people.users import User
from hub.store import Store, now

log = logging.getLogger(__name__)

PATH = "/api/session/oidc"
COOKIE = "tianyan_login"
LIFE_S = 600
LONGEST_SUBJECT = 300


def router(store: Store, config: HubConfig) -> APIRouter:
    """The way out and the way back. Raises HubError where the library is missing."""
    try:
        from hub.people.oidc import Asked, Denied, Provider  # noqa: PLC0415 - an extra
    except ImportError as fault:
        raise HubError(f"access.oidc: {fault} (pip install 'tianyan[oidc]')") from None
    provider = Provider(config.access.oidc, f"{config.base_url}{PATH}/callback")
    is_secure = config.base_url.startswith("https://")
    api = APIRouter(prefix=PATH, tags=["access"], responses=ERRORS)

    def refused(fault: Denied) -> RedirectResponse:
        log.warning("Login through the provider failed: %s: %s", fault.code, fault)
        answer = RedirectResponse(f"/?login={quote(fault.code)}", 303)
        answer.delete_cookie(COOKIE, path=PATH)
        return answer

    def checked(request: Request, state: str, iss: str) -> Asked:
        """What this browser was sent away with. Raises Denied for another's answer."""
        asked = Asked.read(request.cookies.get(COOKIE, ""))
        if asked is None or not hmac.compare_digest(asked.state.encode(), state.encode()):
            raise Denied("expired", "no login of this browser is under way")
        if iss and iss != config.access.oidc.issuer:  # RFC 9207
            raise Denied("bad_token", f"the answer is from {iss}")
        return asked

    def refusal(error: str) -> str:
        """Raises Denied: there is no code."""
        raise Denied("denied", f"the provider said {error!r}")

    def person(tx: Connection, claims: Mapping[str, Any]) -> User:
        """Whom the provider speaks of. Raises Denied."""
        wanted, subject = config.access.oidc, f"{config.access.oidc.issuer} {claims['sub']}"
        value = claims.get(wanted.claim)
        if not isinstance(value, str) or not value.strip() or len(subject) > LONGEST_SUBJECT:
            raise Denied("no_claim", f"the provider gave no {wanted.claim}")
        if wanted.claim == "email" and claims.get("email_verified") is not True:
            raise Denied("no_claim", f"the provider has not verified {value}")
        user = users.load(tx, value.strip().casefold())
        if user is None or user.actor(by_cookie=True) is None:
            raise Denied("nobody", f"{value!r} is nobody who may come in")
        bound = users.by_subject(tx, subject)
        if (bound is not None and bound.name != user.name) or user.subject not in (None, subject):
            raise Denied("other_person", f"{user.name} is known as another one at the provider")
        if user.subject is None:
            user = replace(user, subject=subject)
            users.save(tx, user)
            act = audit.Entry(
                now(), user.name, role_of(user), "user", user.name, "link_oidc", note=subject
            )
            audit.append(tx, [act])
        return user

    @api.get("", status_code=303, response_class=RedirectResponse)
    def away() -> RedirectResponse:
        """Send the browser to the provider."""
        asked = Asked.anew()
        try:
            answer = RedirectResponse(provider.address(asked), 303)
        except Denied as fault:
            return refused(fault)
        answer.set_cookie(
            COOKIE, asked.written(), max_age=LIFE_S, path=PATH, httponly=True, secure=is_secure,
            samesite="lax",  # it has to come along when the provider sends the browser back
        )  # fmt: skip
        return answer

    @api.get("/callback", status_code=303, response_class=RedirectResponse)
    def back(
        request: Request,
        state: Annotated[str, Query(max_length=200)] = "",
        code: Annotated[str, Query(max_length=4000)] = "",
        iss: Annotated[str, Query(max_length=500)] = "",
        error: Annotated[str, Query(max_length=200)] = "",
    ) -> RedirectResponse:
        """Take the browser back: open its session, or say on the login page why not."""
        try:
            asked = checked(request, state, iss)
            claims = provider.claims(code or refusal(error), asked)
            with store.write() as tx:
                user = person(tx, claims)
                secret = open_session(tx, request, config, Kind.SSO, user.name)
                note_login(tx, user, "login_oidc", address_of(request))
        except Denied as fault:
            return refused(fault)
        answer = RedirectResponse("/", 303)
        answer.delete_cookie(COOKIE, path=PATH)
        set_cookie(answer, config, secret)
        return answer

    return api
