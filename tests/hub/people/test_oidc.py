"""Logging in through a real, small provider on a socket here, which signs real tokens."""

import base64
import hashlib
import hmac
import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, build_opener

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey
from pydantic import ValidationError

from hub import audit
from hub.app import Hub, create_app
from hub.config import HubConfig
from hub.people import users
from hub.people.users import User
from hub.roles import Post, Role
from hub.store import now
from tests.hub.client import Client
from tests.hub.world import make_site

CLIENT = "tianyan"
SECRET = "s3cret/with:signs"
HERE = "http://127.0.0.1:8000"


def honestly(provider, claims):
    header = {"alg": "RS256", "kid": provider.key.kid}
    return jwt.encode(header, claims, provider.key)


class Provider:
    """Knows one person, who is always willing; hands out codes and tokens as the standard says."""

    def __init__(self):
        self.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
        self.person = {"sub": "4711", "preferred_username": "Li.Ming"}
        self.wrong = {}  # claims that are to be other ones
        self.sign = honestly
        self.codes, self.asked_for = {}, []
        handler = type("Handler", (_Handler,), {"provider": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.issuer = f"http://127.0.0.1:{self._server.server_port}/city"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def about(self):
        paths = ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint")
        return {"issuer": self.issuer} | {name: f"{self.issuer}/{name}" for name in paths}

    def authorize(self, query):
        assert (query["client_id"], query["response_type"]) == (CLIENT, "code")
        assert query["code_challenge_method"] == "S256"
        assert "openid" in query["scope"].split()
        code = f"code-{len(self.codes)}"
        self.codes[code] = query
        self.asked_for.append(query)
        back = {"code": code, "state": query["state"], "iss": self.issuer}
        return f"{query['redirect_uri']}?{urlencode(back)}"

    def token(self, form, authorization):
        pair = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        query = self.codes.pop(form["code"], None)  # a code is good once
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            pair != "tianyan:s3cret%2Fwith%3Asigns"
            or query is None
            or challenge != query["code_challenge"]
            or form["redirect_uri"] != query["redirect_uri"]
        ):
            return None
        at = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": at, "exp": at + 60}
        claims |= {"nonce": query["nonce"]} | self.person | self.wrong
        signed = self.sign(self, claims)
        return {"access_token": "access", "token_type": "Bearer", "id_token": signed}


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, *_args):
        pass

    def do_GET(self):
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        match parts.path.removeprefix("/city/"):
            case ".well-known/openid-configuration":
                self._say(200, self.provider.about())
            case "jwks_uri":
                self._say(200, KeySet([self.provider.key]).as_dict(private=False))
            case "userinfo_endpoint":
                assert self.headers["Authorization"] == "Bearer access"
                self._say(200, self.provider.person | {"employee": "li.ming"})
            case "authorization_endpoint":
                self.send_response(302)
                self.send_header("Location", self.provider.authorize(query))
                self.end_headers()

    def do_POST(self):
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        flat = {name: values[0] for name, values in form.items()}
        given = self.provider.token(flat, self.headers.get("Authorization", ""))
        self._say(*(400, {"error": "invalid_grant"}) if given is None else (200, given))

    def _say(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture(scope="module")
def running():
    made = Provider()
    yield made
    made.close()


@pytest.fixture
def provider(running):
    """The provider, honest and with its one person."""
    running.person = {"sub": "4711", "preferred_username": "Li.Ming"}
    running.wrong, running.sign = {}, honestly
    return running


@pytest.fixture
def hub(provider, store, tmp_path):
    return hub_of(provider, store, tmp_path)


def hub_of(provider, store, folder, **more):
    (folder / "oidc-secret").write_text(f"{SECRET}\n")
    oidc = {
        "issuer": provider.issuer,
        "client_id": CLIENT,
        "client_secret_file": str(folder / "oidc-secret"),
        "label": "市统一身份认证",
    }
    site = make_site(store, folder, access={"oidc": oidc | more}, public_url=HERE)
    with store.write() as tx:
        users.add(tx, User("li.ming", "李明", now(), (Post(Role.OPERATOR, grid="q01"),)))
        users.add(tx, User("out", "走了", now(), (Post(Role.ADMIN),), disabled_at=now()))
        users.add(tx, User("nothing", "无岗", now()))
    return Hub.build(site.config, store)


@contextmanager
def browser(hub):
    """A browser of its own; the hub's ingest does not run."""
    yield Client(create_app(hub.config, hub), base_url=HERE, follow_redirects=False)


def at_the_provider(address):
    """Where the provider sends the browser back to."""

    class Stay(HTTPRedirectHandler):
        def redirect_request(self, *_args, **_more):
            return None

    with pytest.raises(HTTPError) as answer:
        build_opener(Stay).open(address, timeout=30)
    answer.value.close()
    assert answer.value.code == 302
    return answer.value.headers["Location"].removeprefix(HERE)


def log_in(client):
    away = client.get("/api/session/oidc")
    assert away.status_code == 303
    return client.get(at_the_provider(away.headers["Location"]))


def test_somebody_known_comes_in_with_the_posts_he_has_here(hub, provider):
    with browser(hub) as client:
        assert client.get("/api/session").json()["single_sign_on"] == "市统一身份认证"
        answer = log_in(client)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/")
        cookie = answer.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        who = client.get("/api/session").json()
        assert (who["name"], who["role"]) == ("li.ming", "operator")
        assert [post["grid"] for post in who["posts"]] == ["q01"]
        assert client.get("/api/devices").status_code == 403  # his post is one grid
        assert len(client.get("/api/sessions").json()["items"]) == 1
        left = client.delete("/api/sessions", headers={"X-Tianyan": "1"})
        assert left.json() == {"ended": 1}
        assert client.get("/api/session").status_code == 401
    with hub.store.read() as tx:
        assert users.load(tx, "li.ming").subject == f"{provider.issuer} 4711"
        done = [act.action for act in audit.of(tx, "user", "li.ming")]
    assert done == ["link_oidc", "login_oidc"]
    asked = provider.asked_for[-1]
    assert asked["redirect_uri"] == f"{HERE}/api/session/oidc/callback"


@pytest.mark.parametrize(
    ("person", "wrong", "code"),
    [
        ({"preferred_username": "stranger"}, {}, "nobody"),
        ({"preferred_username": "out"}, {}, "nobody"),
        ({"preferred_username": "nothing"}, {}, "nobody"),
        ({"preferred_username": ""}, {}, "no_claim"),
        ({}, {"nonce": "another"}, "bad_token"),
        ({}, {"nonce": None}, "bad_token"),
        ({}, {"aud": "somebody-else"}, "bad_token"),
        ({}, {"iss": "https://other.example"}, "bad_token"),
        ({}, {"exp": 1_700_000_000}, "bad_token"),
        ({}, {"azp": "somebody-else"}, "bad_token"),
    ],
)
def test_who_is_not_known_or_not_vouched_for_stays_outside(hub, provider, person, wrong, code):
    provider.person |= person
    provider.wrong = wrong
    with browser(hub) as client:
        answer = log_in(client)
        assert answer.headers["Location"] == f"/?login={code}"
        assert client.get("/api/session").status_code == 401
    with hub.store.read() as tx:
        assert users.load(tx, "li.ming").subject is None


def by_public_key(provider, claims):
    """The old trick: a symmetric signature with the key that everybody knows."""

    def part(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=")

    signed = b".".join(part(json.dumps(x).encode()) for x in ({"alg": "HS256"}, claims))
    public = provider.key.as_pem(private=False)
    return (signed + b"." + part(hmac.digest(public, signed, "sha256"))).decode()


def unsigned(_provider, claims):
    header, body, _ = jwt.encode(
        {"alg": "HS256"}, claims, OctKey.generate_key(256), algorithms=["HS256"]
    ).split(".")
    del header
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    return f"{none}.{body}."


def by_another_key(_provider, claims):
    key = RSAKey.generate_key(2048, {"kid": "one"})
    return jwt.encode({"alg": "RS256", "kid": "one"}, claims, key)


@pytest.mark.parametrize("sign", [by_public_key, unsigned, by_another_key])
def test_a_token_that_the_provider_did_not_sign_is_refused(hub, provider, sign):
    provider.sign = sign
    with browser(hub) as client:
        assert log_in(client).headers["Location"] == "/?login=bad_token"
        assert client.get("/api/session").status_code == 401


def test_new_keys_of_the_provider_are_fetched(hub, provider):
    with browser(hub) as client:
        assert log_in(client).headers["Location"] == "/"
        before = provider.key
        provider.key = RSAKey.generate_key(2048, {"kid": "two", "use": "sig", "alg": "RS256"})
        try:
            assert log_in(client).headers["Location"] == "/"
        finally:
            provider.key = before


def test_an_answer_belongs_to_the_browser_that_asked_and_is_good_once(hub, provider):
    with browser(hub) as victim, browser(hub) as attacker:
        back = at_the_provider(attacker.get("/api/session/oidc").headers["Location"])
        assert victim.get(back).headers["Location"] == "/?login=expired"
        victim.get("/api/session/oidc")  # one of his own is under way
        assert victim.get(back).headers["Location"] == "/?login=expired"
        assert victim.get("/api/session").status_code == 401
        assert attacker.get(back).headers["Location"] == "/"
        assert attacker.get(back).headers["Location"] == "/?login=expired"
        # Somebody who saw the code and has a state of his own fails at the verifier.
        stolen = at_the_provider(attacker.get("/api/session/oidc").headers["Location"])
        code = parse_qs(urlsplit(stolen).query)["code"][0]
        mine = victim.get("/api/session/oidc").headers["Location"]
        state = parse_qs(urlsplit(mine).query)["state"][0]
        answer = victim.get("/api/session/oidc/callback", params={"code": code, "state": state})
        assert answer.headers["Location"] == "/?login=refused"
        denied = victim.get("/api/session/oidc").headers["Location"]
        state = parse_qs(urlsplit(denied).query)["state"][0]
        said = {"error": "access_denied", "state": state}
        assert (
            victim.get("/api/session/oidc/callback", params=said).headers["Location"]
            == "/?login=denied"
        )


def test_a_name_that_goes_to_somebody_else_at_the_provider_does_not_take_the_person_along(
    hub, provider
):
    with browser(hub) as client:
        assert log_in(client).headers["Location"] == "/"
        client.cookies.clear()
        provider.person["sub"] = "666"
        assert log_in(client).headers["Location"] == "/?login=other_person"
        assert client.get("/api/session").status_code == 401


def test_a_claim_of_the_citys_own_may_come_from_userinfo(provider, store, tmp_path):
    hub = hub_of(provider, store, tmp_path, claim="employee")
    with browser(hub) as client:
        assert log_in(client).headers["Location"] == "/"
        assert client.get("/api/session").json()["name"] == "li.ming"


def test_without_a_provider_there_is_nothing_of_it(sqlite_store, tmp_path):
    site = make_site(sqlite_store, tmp_path)
    with browser(Hub.build(site.config, sqlite_store)) as client:
        assert client.get("/api/session/oidc").status_code == 404
        assert client.get("/api/session").json()["single_sign_on"] is None


def test_a_provider_that_is_away_is_said_so(provider, sqlite_store, tmp_path):
    gone = Provider()
    gone.close()
    hub = hub_of(gone, sqlite_store, tmp_path)
    with browser(hub) as client:
        assert client.get("/api/session/oidc").headers["Location"] == "/?login=unreachable"


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "http://sso.example", "client_id": "x"},
        {"issuer": "https://sso.example"},
        {"client_id": "x"},
    ],
)
def test_a_half_set_up_provider_is_an_error_of_the_configuration(tmp_path, wrong):
    with pytest.raises(ValidationError):
        HubConfig.model_validate({"data_dir": tmp_path, "access": {"oidc": wrong}})
