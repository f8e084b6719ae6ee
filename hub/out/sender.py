"""Sending what is in the outbox: some at a time, again and again with growing waits."""

import asyncio
import http.client
import json
import logging
import smtplib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from email.message import EmailMessage
from urllib.parse import unquote

from sqlalchemy.exc import DBAPIError

from hub.config import Out, Smtp
from hub.grid.places import Places
from hub.intake.sealing import Seal
from hub.out import guard, store as out_store, teller
from hub.out.guard import NotAllowed
from hub.out.store import Message
from hub.out.template import filled, is_json
from hub.out.webhook import Webhook, headers, wait_after
from hub.store import Store, now
from hub.threads import to_end
from wire.coded import coded, words_of

log = logging.getLogger(__name__)

LOOK_EVERY_S = 2.0
AT_ONCE = 8
LEASE = timedelta(minutes=2)


async def keep_telling(
    store: Store, places: Places, seal: Seal, out: Out, base_url: Callable[[], str]
) -> None:
    """Every two seconds write down what is new and send what is due."""
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        try:
            await to_end(teller.tell, store, places, base_url())
            while await to_end(send_due, store, seal, out, now()):
                pass
        except DBAPIError as fault:
            log.warning("Webhooks wait for the database: %s", fault.orig)
        except Exception:
            log.exception("Webhooks could not be told")


def send_due(store: Store, seal: Seal, out: Out, at: datetime) -> int:
    """Try what is due, once; returns how many messages were tried."""
    with store.read() as tx:
        if not out_store.is_due(tx, at):
            return 0
    with store.write() as tx:
        due = out_store.due(tx, at, AT_ONCE, LEASE)
        hooks = {hook.id: (hook, sealed) for hook, sealed in out_store.listed(tx)}
    if not due:
        return 0
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="webhook") as pool:
        for message in due:
            pool.submit(_try, store, seal, out, message, hooks.get(message.webhook))
    return len(due)


def _try(
    store: Store, seal: Seal, out: Out, message: Message, known: tuple[Webhook, bytes] | None
) -> None:
    status: int | None = None
    fault: str = coded("webhook_gone", "the webhook is gone")
    if known is not None:
        hook, sealed = known
        try:
            status, fault = attempt(hook, seal.open_text(sealed), message, out)
        except NotAllowed as refused:
            fault = words_of(refused)
        except (OSError, http.client.HTTPException, smtplib.SMTPException) as broken:
            fault = coded("not_delivered", "{kind}: {why}", kind=type(broken).__name__, why=broken)
        except Exception as broken:
            log.exception("Webhook %s failed", hook.name)
            fault = f"{type(broken).__name__}"
    at = now()
    wait = wait_after(message.attempts + 1) if fault and known is not None else None
    if fault and wait is None:
        log.warning(
            "Message %s to webhook %d is given up: %s", message.name, message.webhook, fault
        )
    with store.write() as tx:
        out_store.settle(
            tx,
            message.id,
            sent_at=None if fault else at,
            next_at=at + wait if wait is not None else None,
            status=status,
            fault=fault,
        )


def attempt(hook: Webhook, secret: str, message: Message, out: Out) -> tuple[int | None, str]:
    """Send a message; the status, and what is wrong (empty for nothing)."""
    words = json.loads(message.body)["words"]
    if hook.url.startswith("mailto:"):
        send_mail(out.smtp, unquote(hook.url.removeprefix("mailto:")), hook.template, words)
        return None, ""
    text = message.body
    if hook.template:
        text = filled(hook.template, words)
    body, at = text.encode(), now()
    sent = headers(secret, message.name, at, body)
    if hook.template and not is_json(hook.template):
        sent["Content-Type"] = "application/x-www-form-urlencoded; charset=utf-8"
    answer = guard.post(hook.url, body, sent, allowed=out.allow)
    if 200 <= answer.status < 300:
        return answer.status, ""
    said = coded(
        "answered", "answered {status}: {body}", status=answer.status, body=answer.body[:200]
    )
    return answer.status, said


def send_mail(smtp: Smtp, to: str, template: str, words: dict[str, str]) -> None:
    """Send a mail. Raises OSError or SMTPException."""
    if not smtp.host:
        raise ConnectionError("out.smtp.host is not set")
    mail = EmailMessage()
    mail["From"], mail["To"] = smtp.sender or smtp.username, to
    mail["Subject"] = words["text"].replace("\n", " ")[:200]
    mail.set_content(filled(template, words) if template else f"{words['text']}\n{words['link']}\n")
    kind = smtplib.SMTP_SSL if smtp.tls == "tls" else smtplib.SMTP
    with kind(smtp.host, smtp.port, timeout=15) as server:
        if smtp.tls == "starttls":
            server.starttls()
        if smtp.username and smtp.password_file:
            server.login(smtp.username, smtp.password_file.read_text().splitlines()[0])
        server.send_message(mail)
