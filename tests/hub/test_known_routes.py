"""Routes that are known from another app are this app's all the same."""

import shutil
from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query
from starlette.testclient import TestClient

from tests.hub import known_routes
from tests.hub.stores import open_store
from tests.hub.test_api import caller, client_of, furnished, tokens_of


def may(word):
    def guard(said: str):
        if said != word:
            raise HTTPException(403)
        return said

    return guard


def app_of(answer, word="friend", most=5, default=1, kind=int):
    """An app like any other made here, but for what the arguments say."""
    router = APIRouter()

    @router.get("/it", dependencies=[Depends(may(word))])
    def it(
        said: str,
        count: Annotated[kind, Query(le=most)] = default,
    ) -> list[str]:
        return [answer, said, str(count)]

    app = FastAPI()
    app.include_router(router)
    return TestClient(app)


@pytest.fixture(autouse=True)
def counted(monkeypatch):
    """How often something new was read, in a process that knows nothing."""
    monkeypatch.setattr(known_routes, "_KNOWN", {})
    return lambda: sum(map(len, known_routes._KNOWN.values()))


def test_each_app_answers_for_itself_and_asks_its_own_guard(counted):
    first = app_of("one")
    assert first.get("/it?said=friend").json() == ["one", "friend", "1"]
    known = counted()
    second = app_of("two", word="foe")
    assert second.get("/it?said=foe&count=2").json() == ["two", "foe", "2"]
    assert first.get("/it?said=foe").status_code == 403
    assert second.get("/it?said=friend").status_code == 403
    assert counted() == known == 2


@pytest.mark.parametrize("other", [{"most": 9}, {"default": 3}, {"kind": float}])
def test_what_differs_is_read_anew(counted, other):
    app_of("one").get("/it?said=friend")
    known = counted()
    after = app_of("two", **other)
    count = next(
        each
        for each in after.get("/openapi.json").json()["paths"]["/it"]["get"]["parameters"]
        if each["name"] == "count"
    )
    maximum = count["schema"]["maximum"]
    assert (maximum, count["schema"]["default"], count["schema"]["type"]) == (
        other.get("most", 5),
        other.get("default", 1),
        "number" if "kind" in other else "integer",
    )
    assert counted() == 2 * known


def test_a_second_hub_is_the_first_over_again_on_its_own_store(
    counted, hub, tmp_path, sqlite_template
):
    first = client_of(hub).app.openapi()
    known = counted()
    assert known > 200
    folder = tmp_path / "second"
    folder.mkdir()
    store = open_store(f"sqlite:///{shutil.copy(sqlite_template, folder)}")
    other = furnished(folder, store)
    client = client_of(other)
    assert client.app.openapi() == first
    assert counted() == known
    call = caller(client, tokens_of(other))
    call("POST", "/api/reports", json={"channel": "letter", "content": "noise at night"})
    mine = caller(client_of(hub), tokens_of(hub))
    assert call("GET", "/api/reports").json()["total"] == 1
    assert mine("GET", "/api/reports").json()["total"] == 0
    store.close()
