"""Logging in through the city's identity provider: OpenID Connect, authorization code and PKCE.

Nothing the browser brings is believed before it is checked: the state against the one this browser
was sent away with, the code against the verifier, and of the identity token its signature, issuer,
audience, nonce and time (OpenID Connect Core 1.0 §3.1.3.7). Tokens are used once and not kept.
"""

import json
import logging
import secrets
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from hub.config import Oidc, is_loopback
from hub.errors import HubError
from hub.store import now

log = logging.getLogger(__name__)

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")
"""Signatures by a key that the provider alone has."""
NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")
KEPT = timedelta(hours=1)
TIMEOUT_S = 10
LEEWAY_S = 60
MOST_BYTES = 1 << 20


class Denied(HubError):
    """Why somebody does not come in: a fixed code for the page, and what is wrong for the log."""

    def __init__(self, code: str, message: str) -> None:
        """Keep both."""
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Asked:
    """What one browser was sent away with; it brings it back in a cookie of ten minutes."""

    state: str
    nonce: str
    verifier: str

    @classmethod
    def anew(cls) -> "Asked":
        """256 random bits each."""
        return cls(*(secrets.token_urlsafe(32) for _ in range(3)))

    @classmethod
    def read(cls, cookie: str) -> "Asked | None":
        """What a cookie says; None for none of ours."""
        parts = cookie.split(".")
        return cls(*parts) if len(parts) == 3 and all(len(p) >= 43 for p in parts) else None

    def written(self) -> str:
        """As a cookie."""
        return f"{self.state}.{self.nonce}.{self.verifier}"


@dataclass(frozen=True)
class Known:
    """What a provider says of itself, and its keys."""

    about: Mapping[str, Any]
    keys: KeySet
    at: datetime


class Provider:
    """The city's identity provider, as this hub knows it."""

    def __init__(self, config: Oidc, redirect_uri: str) -> None:
        """Nothing is fetched before somebody logs in."""
        self._config = config
        self._redirect_uri = redirect_uri
        self._known: Known | None = None

    @property
    def label(self) -> str:
        """What the button says, empty for its own words."""
        return self._config.label

    def address(self, asked: Asked) -> str:
        """Where a browser is sent to log in. Raises Denied."""
        scopes = dict.fromkeys(["openid", *self._config.scopes])
        return str(
            prepare_grant_uri(
                self._about()["authorization_endpoint"],
                self._config.client_id,
                "code",
                redirect_uri=self._redirect_uri,
                scope=" ".join(scopes),
                state=asked.state,
                nonce=asked.nonce,
                code_challenge=create_s256_code_challenge(asked.verifier),
                code_challenge_method="S256",
            )
        )

    def claims(self, code: str, asked: Asked) -> dict[str, Any]:
        """What the provider says of the person who came back with a code. Raises Denied."""
        given = self._exchange(code, asked)
        token = given.get("id_token")
        if not isinstance(token, str):
            raise Denied("bad_answer", "the provider gave no identity token")
        claims = self._checked(token, str(given.get("access_token", "")), asked.nonce)
        endpoint = self._about().get("userinfo_endpoint")
        if self._config.claim not in claims and endpoint:
            access = str(given.get("access_token", ""))
            more = _fetch(str(endpoint), headers={"Authorization": f"Bearer {access}"})
            if more.get("sub") != claims["sub"]:
                raise Denied("bad_token", "userinfo speaks of somebody else")
            claims = {**more, **claims}
        return claims

    def _exchange(self, code: str, asked: Asked) -> dict[str, Any]:
        config = self._config
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "client_id": config.client_id,
            "code_verifier": asked.verifier,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if config.client_secret_file is not None:
            try:
                secret = config.client_secret_file.read_text(encoding="utf-8").strip()
            except OSError as fault:
                raise Denied("not_set_up", f"access.oidc.client_secret_file: {fault}") from None
            ways = self._about().get("token_endpoint_auth_methods_supported")
            if ways and "client_secret_basic" not in ways:
                form["client_secret"] = secret
            else:
                pair = f"{quote(config.client_id, safe='')}:{quote(secret, safe='')}"
                headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        return _fetch(self._about()["token_endpoint"], urlencode(form).encode(), headers)

    def _checked(self, token: str, access: str, nonce: str) -> dict[str, Any]:
        try:
            try:
                found = jwt.decode(token, self._read().keys, algorithms=list(ALGORITHMS))
            except (JoseError, ValueError):  # it may have new keys
                found = jwt.decode(token, self._read(anew=True).keys, algorithms=list(ALGORITHMS))
            claims = CodeIDToken(
                found.claims,
                found.header,
                {
                    "iss": {"essential": True, "value": self._config.issuer},
                    "aud": {"essential": True, "value": self._config.client_id},
                    "nonce": {"essential": True, "value": nonce},
                },
                {"nonce": nonce, "client_id": self._config.client_id, "access_token": access},
            )
            claims.validate(leeway=LEEWAY_S)
        except (JoseError, ValueError, KeyError, TypeError) as fault:
            raise Denied("bad_token", f"the identity token is refused: {fault}") from None
        if not isinstance(claims.get("sub"), str) or not claims["sub"]:
            raise Denied("bad_token", "the identity token names nobody")
        return dict(claims)

    def _about(self) -> Mapping[str, Any]:
        return self._read().about

    def _read(self, *, anew: bool = False) -> Known:
        known = self._known
        if known is not None and not anew and now() - known.at < KEPT:
            return known
        issuer = self._config.issuer
        about = _fetch(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if about.get("issuer") != issuer:
            raise Denied("not_set_up", f"{issuer} calls itself {about.get('issuer')!r}")
        for name in NEEDED:
            if not is_guarded(str(about.get(name, ""))):
                raise Denied("not_set_up", f"{issuer}: {name} is no https address")
        try:
            keys = KeySet.import_key_set(_fetch(about["jwks_uri"]))  # type: ignore[arg-type]
        except (JoseError, ValueError, KeyError, TypeError) as fault:
            raise Denied("bad_answer", f"{about['jwks_uri']}: no keys: {fault}") from None
        self._known = Known(about, keys, now())
        return self._known


def is_guarded(url: str) -> bool:
    """Whether what is said at an address is heard there alone: https, or this machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))


class _Stay(urllib.request.HTTPRedirectHandler):
    """A code or a token goes to the address that was named, and to no other."""

    def redirect_request(self, *_args: Any, **_more: Any) -> None:
        """Follow nothing."""


_OPENER = urllib.request.build_opener(_Stay)


def _fetch(
    url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The JSON object at an address. Raises Denied."""
    if not is_guarded(url):
        raise Denied("not_set_up", f"{url} is no https address")
    request = urllib.request.Request(  # noqa: S310 - https, or http to this machine
        url, body, {"Accept": "application/json", **(headers or {})}
    )
    try:
        with _OPENER.open(request, timeout=TIMEOUT_S) as answer:
            text = answer.read(MOST_BYTES + 1)
    except urllib.error.HTTPError as fault:
        said = fault.read(300).decode(errors="replace")
        fault.close()
        code = "refused" if fault.code == HTTPStatus.BAD_REQUEST else "unreachable"
        raise Denied(code, f"{url} answered {fault.code}: {said}") from None
    except (OSError, ValueError) as fault:
        raise Denied("unreachable", f"{url}: {fault}") from None
    try:
        found = json.loads(text) if len(text) <= MOST_BYTES else None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Denied("bad_answer", f"{url} gave no JSON object")
    return found
