"""One box: plates, grids, case numbers, words of an address."""

import pytest

from tests.hub.test_api import open_case


@pytest.fixture
def find(call):
    def ask(words, **query):
        answer = call("GET", "/api/search", params={"q": words} | query)
        assert answer.status_code == 200
        return [(hit["kind"], hit["title"]) for hit in answer.json()["items"]]

    return ask


@pytest.mark.parametrize("words", ["陕G00001", "陕G·00001", "陕g 00001", "g0000", "0001"])
def test_a_plate_however_it_is_written(find, words):
    assert ("vehicle", "陕G·00001") in find(words)


def test_a_case_by_number_and_by_its_words(find, call):
    case = open_case(call)
    number = case["number"]
    assert find(number)[0] == ("case", number)
    assert ("case", number) in find(number[-4:])
    assert ("case", number) in find("North gate")


def test_a_grid_by_code_and_name(find):
    assert find("q01")[0] == ("grid", "grid q01")
    assert ("grid", "grid city") in find("GRID CITY")


def test_a_camera_by_name(find, call):
    assert ("camera", "North gate") in find("north")
    hit = call("GET", "/api/search?q=north").json()["items"][0]
    assert hit["lat"] == pytest.approx(32.72)


def test_nothing_and_too_much(find, call):
    assert find("no such thing") == []
    assert find("100%") == []
    assert find("   ") == []
    assert len(find("g", limit=1)) == 1
    assert call("GET", "/api/search", params={"q": ""}).status_code == 422
