import csv
import io
import random
from dataclasses import replace
from datetime import timedelta

import openpyxl
import pytest
from sqlalchemy import update

from hub.cases.store import cases
from hub.grid.geodesy import distance_m
from hub.proof.ledger import Occurrence, Standing, long_standing, recurring
from hub.store import now
from tests.hub.proof.test_proof_api import Street
from tests.hub.world import LAT, LON, after

M = 1 / 111_200  # a metre in degrees of latitude


def seen(n, north_m, matter="06010", east_m=0.0):
    return Occurrence(
        "case", f"c{n}", n, matter, LAT + north_m * M, LON + east_m * M / 0.841, after(n)
    )


@pytest.mark.parametrize(
    ("case", "old", "put_off"),
    [
        (Standing(1, after(-31 * 86_400)), True, False),
        (Standing(1, after(-29 * 86_400)), None, None),
        (Standing(1, after(-86_400), suspensions=1, extensions=1), False, True),
        (Standing(1, after(-86_400), extensions=1), None, None),
    ],
)
def test_what_is_long_standing(case, old, put_off):
    found = long_standing([case], after(0), days=30, times=2)
    assert [(each.is_old, each.is_put_off) for each in found] == (
        [] if old is None else [(old, put_off)]
    )


def test_a_place_is_a_circle_and_not_a_street():
    street = [seen(n, 40 * n) for n in range(12)]
    places = recurring(street, 50, 3)
    assert [len(place.occurrences) for place in places] == [3, 3, 3, 3]
    for place in places:
        away = [distance_m(place.lat, place.lon, o.lat, o.lon) for o in place.occurrences]
        assert max(away) <= 50


def test_matters_are_not_mixed_and_few_are_no_place():
    told = [seen(1, 0), seen(2, 5), seen(3, 9, matter="06012"), seen(4, 300), seen(5, 301)]
    assert recurring(told, 50, 3) == []
    (place,) = recurring([*told, seen(6, 10)], 50, 3)
    assert (place.cases, place.first_at, place.last_at) == ((1, 2, 6), after(1), after(6))


def test_the_ledger_is_the_same_in_whatever_order_the_facts_come():
    rng = random.Random(7)
    told = [seen(n, rng.uniform(0, 900), east_m=rng.uniform(0, 900)) for n in range(300)]
    first = recurring(told, 50, 4)
    for _ in range(3):
        rng.shuffle(told)
        assert recurring(told, 50, 4) == first
    assert first


def test_nothing_counts_in_two_places():
    rng = random.Random(8)
    told = [seen(n, rng.uniform(0, 400), east_m=rng.uniform(0, 400)) for n in range(200)]
    counted = [o.id for place in recurring(told, 50, 3) for o in place.occurrences]
    assert len(counted) == len(set(counted))


def test_a_case_that_came_back_counts_each_time():
    told = [seen(1, 0), replace(seen(1, 0), kind="rebound", id="c1/1"), seen(2, 3)]
    (place,) = recurring(told, 50, 3)
    assert place.cases == (1, 2)


def test_the_ledgers_open_into_their_cases_and_go_on_in_a_spreadsheet(tmp_path, sqlite_store):
    world = Street(tmp_path, sqlite_store)
    case = world.report()["case_id"]
    world.closed(case, 1)
    world.report()  # it came back
    other = world.report(north=0.0006, content="next to it")["case_id"]
    assert other != case
    with sqlite_store.write() as tx:
        old = now() - timedelta(days=40)
        tx.execute(update(cases).where(cases.c.id == other).values(opened_at=old))

    (place,) = world.call("GET", "/api/ledgers/recurring?radius_m=80").json()["items"]
    assert (place["times"], place["rebounds"], place["case_count"]) == (3, 1, 2)
    assert [each["id"] for each in place["cases"]] == [case, other]
    assert world.call("GET", "/api/ledgers/recurring?radius_m=20").json()["total"] == 0

    (item,) = world.call("GET", "/api/ledgers/long-standing").json()["items"]
    assert (item["case"]["id"], item["old"], round(item["days"])) == (other, True, 40)

    told = world.call("GET", "/api/ledgers/long-standing/file?format=csv").content
    rows = list(csv.reader(io.StringIO(told.decode("utf-8-sig"))))
    assert rows[1][0] == item["case"]["number"]
    book = world.call("GET", "/api/ledgers/recurring/file?radius_m=80").content
    sheet = openpyxl.load_workbook(io.BytesIO(book)).active
    assert sheet.cell(2, 5).value == 3
    assert place["cases"][0]["number"] in sheet.cell(2, 9).value
