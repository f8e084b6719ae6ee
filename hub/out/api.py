"""Webhooks over HTTP, for administrators."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from pydantic import BaseModel, Field
from sqlalchemy.engine import Connection

from hub import audit
from hub.auth import need
from hub.config import Out
from hub.errors import Problem, not_found, taken, unknown_grid
from hub.exports import FILES, MOST, AskedForm, Several, Source, Word, sheet, worded
from hub.http import ERRORS, Body, CodedText, Listing, Page, Utc, coded_of, page
from hub.intake.sealing import Seal
from hub.out import store as out_store
from hub.out.guard import NotAllowed, check_url
from hub.out.store import Message, Telling
from hub.out.template import fault_of
from hub.out.webhook import Topic, Webhook, new_secret
from hub.people import person_names
from hub.roles import Actor, Right
from hub.store import Store, now
from wire.coded import coded, words_of

MAIL = r"^mailto:[^@\s?&,:]+@[^@\s?&,:]+$"


class NewWebhook(Body):
    """Whom to tell (`https://…` or `mailto:…`), of what, and of which grid alone if named.

    `template`: text with places such as `${text}` that is sent in place of the whole message.
    """

    name: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^\S(.*\S)?$")]
    url: Annotated[str, Field(min_length=1, max_length=500)]
    topics: Annotated[list[Topic], Field(min_length=1)]
    grid: Annotated[str, Field(max_length=64)] | None = None
    template: Annotated[str, Field(max_length=4000)] = ""


class WebhookItem(BaseModel):
    """A webhook. `waiting`: messages not sent yet; `dead`: given up after twelve attempts."""

    id: int
    name: str
    url: str
    topics: list[Topic]
    grid: str | None
    template: str
    made_at: Utc
    made_by: str
    paused_at: Utc | None
    waiting: int
    dead: int


class MadeWebhook(WebhookItem):
    """A new webhook; this is the only time the secret of its signatures is shown."""

    secret: str


class Pause(Body):
    """Whether it is told nothing for now."""

    paused: bool


class MessageItem(BaseModel):
    """A message and how its last attempt went. `next_at`: empty when sent or given up."""

    id: int
    topic: str
    made_at: Utc
    attempts: int
    next_at: Utc | None
    sent_at: Utc | None
    status: int | None
    fault: str
    coded: dict[str, CodedText] = {}


FIELDS = [name for name in MessageItem.model_fields if name != "coded"]
"""Of a message as it is kept."""
Admin = Annotated[Actor, Depends(need(Right.ADMIN))]


def router(store: Store, seal: Seal, out: Out, is_grid: Callable[[str], bool]) -> APIRouter:
    """Webhooks and what they were told."""
    api = APIRouter(prefix="/api", tags=["webhooks"], responses=ERRORS)

    @api.get("/webhooks")
    def list_webhooks(_actor: Admin) -> Listing[WebhookItem]:
        with store.read() as tx:
            items = _items(tx)
        return Listing(items=items, total=len(items))

    @api.get("/webhook-table", response_class=Response, responses=FILES)
    def webhook_table(actor: Admin, form: AskedForm) -> Response:
        """The list as a table; of an address what names a service, for the rest may be a key."""
        items = list_webhooks(actor).items
        with store.read() as tx:
            who = person_names.column(tx, items, "made_by")
        return sheet("webhooks", items, {**COLUMNS, "made_by": who}, form)

    @api.get("/delivery-table", response_class=Response, responses=FILES)
    def message_table(_actor: Admin, form: AskedForm, webhook: int | None = None) -> Response:
        """What was told to one webhook or to all, the newest first; not what the messages say."""
        with store.read() as tx:
            names = {hook.id: hook.name for hook, _ in out_store.listed(tx)}
            found, _ = out_store.messages_of(tx, webhook, MOST, 0)
        columns: dict[str, Source] = {"webhook": lambda told: names.get(told.webhook, told.webhook)}
        columns |= {name: name for name in FIELDS} | {"topic": worded("topic", "topic")}
        # What is said of a failed attempt may name the address, and that a key.
        columns["fault"] = lambda told: re.sub(r"\?\S+", "?…", told.fault)
        return sheet("deliveries", found, columns, form)

    @api.post("/webhooks", status_code=201)
    def make(wanted: NewWebhook, actor: Admin) -> MadeWebhook:
        _check(wanted, out, is_grid)
        secret = new_secret()
        with store.write() as tx:
            _check_is_free(tx, wanted.name)
            hook = Webhook(
                0, wanted.name, wanted.url, frozenset(wanted.topics), wanted.grid, secret, now(),
                actor.name, template=wanted.template,
            )  # fmt: skip
            number = out_store.add(tx, hook, seal.close_text(secret))
            _note(tx, actor, wanted.name, "add", " ".join(sorted(wanted.topics)))
            (item,) = [each for each in _items(tx) if each.id == number]
        return MadeWebhook(**item.model_dump(), secret=secret)

    @api.put("/webhooks/{webhook}")
    def change(webhook: int, wanted: NewWebhook, actor: Admin) -> WebhookItem:
        """All of it but the secret; what waits goes to the new address."""
        _check(wanted, out, is_grid)
        with store.write() as tx:
            before = _one(tx, webhook)
            _check_is_free(tx, wanted.name, but=webhook)
            hook = Webhook(
                webhook, wanted.name, wanted.url, frozenset(wanted.topics), wanted.grid, "",
                before.made_at, before.made_by, template=wanted.template,
            )  # fmt: skip
            out_store.change(tx, hook)
            after = _one(tx, webhook)
            # The address may hold a key: that it changed is written down, not to what.
            names = ("name", "url", "topics", "grid", "template")
            differ = [name for name in names if getattr(after, name) != getattr(before, name)]
            _note(tx, actor, wanted.name, "change", " ".join(differ))
            return after

    @api.post("/webhooks/{webhook}/secret")
    def renew_secret(webhook: int, actor: Admin) -> MadeWebhook:
        """Sign with a new secret from now on; it is shown this once."""
        secret = new_secret()
        with store.write() as tx:
            item = _one(tx, webhook)
            out_store.put_secret(tx, webhook, seal.close_text(secret))
            _note(tx, actor, item.name, "renew_secret")
        return MadeWebhook(**item.model_dump(), secret=secret)

    @api.put("/webhooks/{webhook}/pause")
    def pause(webhook: int, wanted: Pause, actor: Admin) -> WebhookItem:
        with store.write() as tx:
            item = _one(tx, webhook)
            out_store.pause(tx, webhook, now() if wanted.paused else None)
            _note(tx, actor, item.name, "pause" if wanted.paused else "resume")
            return _one(tx, webhook)

    @api.delete("/webhooks/{webhook}", status_code=204)
    def remove(webhook: int, actor: Admin) -> None:
        with store.write() as tx:
            item = _one(tx, webhook)
            out_store.remove(tx, webhook)
            _note(tx, actor, item.name, "remove")

    @api.post("/webhooks/{webhook}/test", status_code=202)
    def test(webhook: int, actor: Admin) -> WebhookItem:
        """Put a message that tells of nothing into the outbox."""
        at = now()
        words = {"topic": "test", "text": f"测试 test {actor.name}", "number": "", "state": "",
                 "matter": "", "grid": "", "at": at.isoformat(), "link": ""}  # fmt: skip
        body = json.dumps({"topic": "test", "words": words}, ensure_ascii=False)
        with store.write() as tx:
            _one(tx, webhook)
            key = f"test-{int(at.timestamp() * 1000)}"
            out_store.put(tx, [Telling(webhook, key, "test", body)], at)
            return _one(tx, webhook)

    @api.get("/webhooks/{webhook}/messages")
    def messages(
        webhook: int, _actor: Admin, part: Annotated[Page, Depends(page)]
    ) -> Listing[MessageItem]:
        with store.read() as tx:
            _one(tx, webhook)
            found, total = out_store.messages_of(tx, webhook, part.limit, part.offset)
        return Listing(items=[_message(each) for each in found], total=total)

    @api.post("/webhooks/{webhook}/messages/{message}/again", status_code=202)
    def again(webhook: int, message: int, actor: Admin) -> WebhookItem:
        with store.write() as tx:
            item = _one(tx, webhook)
            if not out_store.again(tx, webhook, message, now()):
                raise not_found("message", message)
            _note(tx, actor, item.name, "again", str(message))
            return _one(tx, webhook)

    return api


def _service(hook: WebhookItem) -> str:
    """Whom an address is of: of a web address its host, of a mailbox all of it."""
    parts = urlsplit(hook.url)
    return f"{parts.scheme}://{parts.hostname}" if parts.hostname else hook.url


COLUMNS: Mapping[str, Source] = {
    "name": "name", "to": _service,
    "topics": lambda hook: Several([Word(topic, ("topic",)) for topic in hook.topics], " "),
    "grid": "grid",
    "made_at": "made_at", "made_by": "made_by", "paused_at": "paused_at", "waiting": "waiting",
    "dead": "dead",
}  # fmt: skip


def _check(wanted: NewWebhook, out: Out, is_grid: Callable[[str], bool]) -> None:
    if wanted.url.startswith("mailto:"):
        if not re.match(MAIL, wanted.url):
            raise Problem(
                422,
                "bad_url",
                coded("no_address", "{url!r} is no address", url=wanted.url),
                "mailto:NAME@HOST",
            )
        if not out.smtp.host:
            raise Problem(
                422, "no_mail", coded("smtp_unset", "out.smtp is not set in hub.yaml"), "https://…"
            )
    else:
        try:
            check_url(wanted.url, out.allow)
        except NotAllowed as fault:
            raise Problem(
                422, "bad_url", words_of(fault), coded("public_https", "a public https address")
            ) from None
    if wanted.grid is not None and not is_grid(wanted.grid):
        raise unknown_grid(wanted.grid)
    if wanted.template and (wrong := fault_of(wanted.template)):
        raise Problem(
            422,
            "bad_template",
            coded("template_fault", "the template {why}", why=wrong),
            coded("template_text", "text with ${{text}}"),
        )


def _check_is_free(tx: Connection, name: str, but: int | None = None) -> None:
    named = out_store.listed(tx, out_store.webhooks.c.name == name)
    if any(hook.id != but for hook, _ in named):
        raise taken("webhook", name)


def _one(tx: Connection, number: int) -> WebhookItem:
    found = [each for each in _items(tx) if each.id == number]
    if not found:
        raise not_found("webhook", number)
    return found[0]


def _items(tx: Connection) -> list[WebhookItem]:
    hooks = [hook for hook, _ in out_store.listed(tx)]
    counts = out_store.waiting(tx, [hook.id for hook in hooks])
    names = ("id", "name", "url", "grid", "template", "made_at", "made_by", "paused_at")
    items = []
    for hook in hooks:
        left, dead = counts.get(hook.id, (0, 0))
        values = {name: getattr(hook, name) for name in names}
        items.append(WebhookItem(**values, topics=sorted(hook.topics), waiting=left, dead=dead))
    return items


def _message(message: Message) -> MessageItem:
    return MessageItem(
        **{name: getattr(message, name) for name in FIELDS},
        coded=coded_of({"fault": message.fault}),
    )


def _note(tx: Connection, actor: Actor, name: str, action: str, note: str = "") -> None:
    entry = audit.Entry(now(), actor.name, actor.role, "webhook", name, action, note=note)
    audit.append(tx, [entry])
