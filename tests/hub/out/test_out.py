"""Webhooks: signed, guarded, tried again, given up; told once of each thing."""

import base64
import hashlib
import hmac
import json
import smtplib
import socket
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import pairwise

import pytest

from hub import audit
from hub.config import HubConfig, Smtp
from hub.intake.sealing import Seal
from hub.out import guard, sender, store as out_store, teller
from hub.out.guard import NotAllowed, check_url, resolve
from hub.out.template import fault_of, filled
from hub.out.webhook import MOST_ATTEMPTS, headers, new_secret, wait_after
from hub.roles import Role
from hub.store import now
from tests.hub.test_api import call, client, hub, open_case, tokens  # noqa: F401
from tests.hub.world import LAT, LON, NOON

LOOPBACK = {"out": {"allow": ["127.0.0.1"]}}


class Listener(HTTPServer):
    """A server that keeps what it is told and answers as it is asked to."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.heard = []
        self.answers = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/told"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.heard.append((dict(self.headers), body))
        status = self.server.answers.pop(0) if self.server.answers else 204
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "http://127.0.0.1:1/")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def listener():
    server = Listener()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def allowed(hub, client):  # noqa: F811
    """The hub may call this machine."""
    config = HubConfig.model_validate({"data_dir": hub.config.data_dir, **LOOPBACK})
    hub.config.out.allow.extend(config.out.allow)
    return hub


def make(call, url, topics=("case.opened", "case.moved"), **more):  # noqa: F811
    body = {"name": "bridge", "url": url, "topics": list(topics)} | more
    return call("POST", "/api/webhooks", json=body)


def tell_and_send(hub, at=None):  # noqa: F811
    teller.tell(hub.store, hub.site.places, "https://city.example")
    sent = 0
    while count := sender.send_due(
        hub.store, Seal(hub.config.data_dir), hub.config.out, at or now()
    ):
        sent += count
    return sent


def verified(secret, heard):
    """What a receiver does by the specification."""
    sent, body = heard
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{sent['webhook-id']}.{sent['webhook-timestamp']}.".encode() + body
    good = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return sent["webhook-signature"] == f"v1,{good}"


def test_a_case_is_told_signed_and_once(allowed, call, listener):  # noqa: F811
    teller.tell(allowed.store, allowed.site.places, "")
    made = make(call, listener.url)
    assert made.status_code == 201
    secret = made.json()["secret"]
    assert secret not in call("GET", "/api/webhooks").text
    case = open_case(call)
    step = {"action": "file", "version": 1, "note": "SECRET NOTE"}
    call("POST", f"/api/cases/{case['id']}/actions", json=step)
    assert tell_and_send(allowed) == 2
    assert tell_and_send(allowed) == 0
    told = [json.loads(body) for _, body in listener.heard]
    assert sorted(each["topic"] for each in told) == ["case.moved", "case.opened"]
    opened = next(each for each in told if each["topic"] == "case.opened")
    assert opened["case"]["number"] == case["number"]
    assert opened["words"]["link"] == f"https://city.example/#/cases/{case['id']}"
    assert all(verified(secret, each) for each in listener.heard)
    assert not verified(new_secret(), listener.heard[0])
    text = str(told)
    assert "SECRET" not in text
    assert "admin-1" not in text


def test_what_was_before_is_not_told_and_other_topics_and_grids_neither(allowed, call, listener):  # noqa: F811
    teller.tell(allowed.store, allowed.site.places, "")
    make(call, listener.url, ["alert.decided"], grid="q10")
    make(call, listener.url, ["report.received"], name="reports", grid="q01")
    open_case(call)
    secret = {"channel": "phone", "content": "SECRET", "caller": {"phone": "13812345678"}}
    call("POST", "/api/reports", json=secret | {"lat": LAT, "lon": LON, "matter": "09001"})
    assert tell_and_send(allowed) == 1
    (told,) = [json.loads(body) for _, body in listener.heard]
    assert told["topic"] == "report.received"
    assert "SECRET" not in str(told)
    assert "138" not in str(told)


def test_an_alert_is_told_once_however_often_it_changes(allowed, call, listener):  # noqa: F811
    make(call, listener.url, ["alert.new"])
    from hub import events
    from hub.events import Change
    from tests.hub.test_api import ALERT

    with allowed.store.write() as tx:
        out_store.cursor(tx, "events", 0)
        out_store.cursor(tx, "audit", 0)
    for _ in range(3):
        with allowed.store.write() as tx:
            events.record(tx, [Change("alert", ALERT)], NOON)
        tell_and_send(allowed)
    (told,) = [json.loads(body) for _, body in listener.heard]
    assert told["alert"]["id"] == ALERT


def test_it_is_tried_again_with_growing_waits_and_given_up(allowed, call, listener):  # noqa: F811
    made = make(call, listener.url).json()
    call("POST", f"/api/webhooks/{made['id']}/test")
    listener.answers = [500] * (MOST_ATTEMPTS - 1) + [302]
    waits, at = [], now()
    for _ in range(MOST_ATTEMPTS):
        assert sender.send_due(allowed.store, Seal(allowed.config.data_dir), allowed.config.out, at)
        path = f"/api/webhooks/{made['id']}/messages"
        (message,) = call("GET", path).json()["items"]
        if message["next_at"]:
            with allowed.store.read() as tx:
                ((kept,), _) = out_store.messages_of(tx, made["id"], 1, 0)
            waits.append(kept.next_at - now())
            at = kept.next_at
    assert message["attempts"] == MOST_ATTEMPTS
    assert (message["status"], message["next_at"], message["sent_at"]) == (302, None, None)
    assert all(b > a for a, b in pairwise(waits[:6]))
    ids = {sent["webhook-id"] for sent, _ in listener.heard}
    assert len(ids) == 1
    assert call("GET", "/api/webhooks").json()["items"][0]["dead"] == 1
    again = f"/api/webhooks/{made['id']}/messages/{message['id']}/again"
    assert call("POST", again).json()["waiting"] == 1
    assert tell_and_send(allowed) == 1
    assert call("GET", "/api/webhooks").json()["items"][0]["dead"] == 0


def test_a_closed_door_is_a_failure_and_no_crash(allowed, call):  # noqa: F811
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    made = make(call, f"http://127.0.0.1:{port}/").json()
    call("POST", f"/api/webhooks/{made['id']}/test")
    assert tell_and_send(allowed) == 1
    (message,) = call("GET", f"/api/webhooks/{made['id']}/messages").json()["items"]
    assert "Connection" in message["fault"]
    assert call("PUT", f"/api/webhooks/{made['id']}/pause", json={"paused": True}).json()[
        "paused_at"
    ]
    assert call("DELETE", f"/api/webhooks/{made['id']}").status_code == 204
    assert call("GET", f"/api/webhooks/{made['id']}/messages").status_code == 404


# where it may go


@pytest.mark.parametrize(
    ("url", "allow", "fine"),
    [
        ("https://hooks.example.cn/x", [], True),
        ("http://hooks.example.cn/x", [], False),
        ("http://hooks.example.cn/x", ["hooks.example.cn"], True),
        ("https://127.0.0.1/", [], False),
        ("https://[::1]/", [], False),
        ("https://[::ffff:10.0.0.1]/", [], False),
        ("https://169.254.169.254/latest/meta-data", [], False),
        ("https://10.1.2.3/", ["10.0.0.0/8"], True),
        ("https://8.8.8.8/", [], True),
        ("https://user:pw@example.cn/", [], False),
        ("https://example.cn:99999/", [], False),
        ("ftp://example.cn/", [], False),
        ("file:///etc/passwd", [], False),
        ("https:///x", [], False),
        ("javascript:alert(1)", [], False),
    ],
)
def test_the_form_of_an_address(url, allow, fine):
    if fine:
        check_url(url, allow)
    else:
        with pytest.raises(NotAllowed):
            check_url(url, allow)


@pytest.mark.parametrize(
    "answers",
    [["127.0.0.1"], ["10.0.0.7"], ["8.8.8.8", "192.168.1.1"], ["::1"], ["fe80::1%eth0"],
     ["100.64.0.1"], ["0.0.0.0"], ["224.0.0.1"]],
)  # fmt: skip
def test_a_name_that_leads_inside_is_not_called(monkeypatch, answers):
    def resolved(host, port, **_):
        family = socket.AF_INET6 if ":" in answers[0] else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 0, "", (each, port)) for each in answers]

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    with pytest.raises(NotAllowed):
        resolve("inside.example", 443, [])
    with pytest.raises(NotAllowed):
        guard.post("https://inside.example/", b"", {}, allowed=[])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"url": "http://127.0.0.1/"}, "bad_url"),
        ({"url": "mailto:x"}, "bad_url"),
        ({"url": "mailto:x@example.cn"}, "no_mail"),
        ({"topics": []}, "invalid"),
        ({"topics": ["case.eaten"]}, "invalid"),
        ({"grid": "nowhere"}, "bad_grid"),
        ({"template": "${secret}"}, "bad_template"),
        ({"template": "5 $ a day"}, "bad_template"),
        ({"template": '{"a": ${text}}'}, "bad_template"),
    ],
)
def test_what_is_wrong_with_a_webhook_is_said(call, changes, code):  # noqa: F811
    answer = make(call, **({"url": "https://hooks.example.cn/"} | changes))
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == code
    assert call("GET", "/api/webhooks").json()["total"] == 0
    assert make(call, "https://x.cn/", name="y").status_code == 201
    assert make(call, "https://x.cn/", name="y").status_code == 409
    refused = call("POST", "/api/webhooks", role=Role.SUPERVISOR, json={})
    assert refused.status_code == 403


def test_a_webhook_is_changed_and_signs_anew(allowed, call, listener):  # noqa: F811
    teller.tell(allowed.store, allowed.site.places, "")
    first = make(call, "https://hooks.example.cn/old?key=SECRET").json()
    make(call, "https://hooks.example.cn/", name="other", topics=["report.received"])
    path = f"/api/webhooks/{first['id']}"
    body = {"name": "bridge", "url": listener.url, "topics": ["case.opened"], "grid": "q01"}
    for changes, status in [
        ({"name": "other"}, 409),
        ({"url": "http://10.0.0.1/"}, 422),
        ({"grid": "nowhere"}, 422),
        ({"template": "${secret}"}, 422),
    ]:
        assert call("PUT", path, json=body | changes).status_code == status
    assert call("PUT", "/api/webhooks/99", json=body).status_code == 404
    changed = call("PUT", path, json=body).json()
    assert (changed["url"], changed["topics"], changed["grid"]) == (
        listener.url,
        ["case.opened"],
        "q01",
    )
    renewed = call("POST", f"{path}/secret").json()["secret"]
    assert renewed != first["secret"]
    open_case(call)
    assert tell_and_send(allowed) == 1
    assert verified(renewed, listener.heard[0])
    assert not verified(first["secret"], listener.heard[0])
    with allowed.store.read() as tx:
        history = audit.of(tx, "webhook", "bridge")
    assert [(act.action, act.note) for act in history][1:] == [
        ("change", "url topics grid"),
        ("renew_secret", ""),
    ]
    assert "SECRET" not in str(history)


def test_a_paused_webhook_is_not_tried(allowed, call, listener):  # noqa: F811
    made = make(call, listener.url).json()
    path = f"/api/webhooks/{made['id']}"
    call("POST", f"{path}/test")
    call("PUT", f"{path}/pause", json={"paused": True})
    assert tell_and_send(allowed, now() + timedelta(hours=1)) == 0
    call("PUT", f"{path}/pause", json={"paused": False})
    assert tell_and_send(allowed, now() + timedelta(hours=1)) == 1
    assert len(listener.heard) == 1


# templates and mail


def test_a_template_writes_values_as_json_strings(allowed, call, listener):  # noqa: F811
    teller.tell(allowed.store, allowed.site.places, "")
    wecom = '{"msgtype": "text", "text": {"content": "${text} ${link}"}}'
    make(call, listener.url, template=wecom)
    case = open_case(call)
    tell_and_send(allowed)
    (sent, body) = listener.heard[0]
    told = json.loads(body)
    assert told["text"]["content"].startswith(f"新案件 {case['number']} 暴露垃圾")
    assert sent["Content-Type"] == "application/json"
    assert (
        json.loads(filled(wecom, {"text": 'a"b\\\n', "link": ""}))["text"]["content"] == 'a"b\\\n '
    )
    assert fault_of("phone=138&text=${text}") == ""


def test_mail_goes_by_the_citys_server(monkeypatch):
    sent = []

    class Server:
        def __init__(self, host, port, **_):
            sent.append((host, port))

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def starttls(self):
            sent.append("tls")

        def send_message(self, mail):
            sent.append(mail)

    monkeypatch.setattr(smtplib, "SMTP", Server)
    smtp = Smtp(host="mail.city.example", sender="tianyan@city.example")
    words = {"text": "新案件 AK1\nBcc: all@x.example", "link": "https://city.example/"}
    sender.send_mail(smtp, "chief@city.example", "", words)
    assert sent[:2] == [("mail.city.example", 587), "tls"]
    mail = sent[2]
    assert (mail["To"], mail["Bcc"]) == ("chief@city.example", None)
    assert "https://city.example/" in mail.get_content()
    with pytest.raises(ConnectionError):
        sender.send_mail(Smtp(), "chief@city.example", "", words)


def test_waits_grow_to_six_hours():
    waits = [wait_after(n) for n in range(1, MOST_ATTEMPTS)]
    assert waits[0] == timedelta(seconds=10)
    assert waits == sorted(waits)
    assert waits[-1] == timedelta(hours=6)
    assert wait_after(MOST_ATTEMPTS) is None


def test_the_signature_of_the_specification():
    # The published example of Standard Webhooks.
    from datetime import UTC, datetime

    made = headers(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        datetime.fromtimestamp(1614265330, UTC),
        b'{"test": 2432232314}',
    )
    assert made["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
