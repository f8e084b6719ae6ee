"""The same file sent by two calls at once, as a device does that lost its line and comes again."""

import asyncio
import json

import pytest

from hub.app import Hub, create_app
from tests.hub.client import Client
from tests.hub.evidence.test_upload import PICTURE, SHA, address
from tests.hub.world import make_site

HALF = len(PICTURE) // 2
WHOLE = (b"content-range", f"bytes 0-{len(PICTURE) - 1}/{len(PICTURE)}".encode())


@pytest.fixture
def hub(sqlite_store, tmp_path):
    site = make_site(sqlite_store, tmp_path)
    return Hub.build(site.config, sqlite_store)


async def put(app, target, chunks, headers):
    """A PUT whose body comes piece by piece; the status and the answer."""
    path, _, query = target.partition("?")
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "PUT",
        "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": query.encode(),
        "root_path": "", "headers": [(b"host", b"hub"), *headers],
        "client": ("127.0.0.1", 50000), "server": ("127.0.0.1", 8000),
    }  # fmt: skip
    sent = []

    async def receive():
        return {"type": "http.request", **await anext(chunks)}

    async def send(message):
        sent.append(message)

    await app(scope, receive, send)
    return sent[0]["status"], json.loads(b"".join(m.get("body", b"") for m in sent[1:]))


def test_two_calls_never_write_the_same_part(hub):
    app = create_app(hub.config, hub)

    async def play():
        half_is_here, go_on = asyncio.Event(), asyncio.Event()

        async def slow():
            yield {"body": PICTURE[:HALF], "more_body": True}
            half_is_here.set()
            await go_on.wait()
            yield {"body": PICTURE[HALF:], "more_body": False}

        async def quick():
            yield {"body": PICTURE, "more_body": False}

        first = asyncio.create_task(put(app, address(hub), slow(), [WHOLE]))
        await asyncio.wait_for(half_is_here.wait(), 60)
        refused = await put(app, address(hub), quick(), [WHOLE])
        go_on.set()
        return refused, await first

    (status, body), (first_status, _) = asyncio.run(play())
    assert (status, body["error"]["code"]) == (503, "being_sent")
    assert first_status == 201
    assert hub.site.vault.read(SHA) == PICTURE
    assert list(hub.site.vault.incoming.iterdir()) == []
    with Client(app) as client:
        assert client.put(address(hub), content=PICTURE).status_code == 200  # it is here


def test_a_part_is_free_again_when_its_call_has_ended(hub):
    client = Client(create_app(hub.config, hub))
    end = f"{HALF - 1}/{len(PICTURE)}"
    for _ in range(2):  # the second begins anew
        begun = client.put(
            address(hub), content=PICTURE[:HALF], headers={"Content-Range": f"bytes 0-{end}"}
        )
        assert (begun.status_code, begun.json()["received"]) == (202, HALF)
    rest = f"bytes {HALF}-{len(PICTURE) - 1}/{len(PICTURE)}"
    ended = client.put(address(hub), content=PICTURE[HALF:], headers={"Content-Range": rest})
    assert ended.status_code == 201
    assert hub.site.vault.read(SHA) == PICTURE
