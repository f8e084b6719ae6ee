from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hub.grid.errors import GridError
from hub.tracks.sites import at_place, open_at, read_sites
from tests.hub.grid.shapes import collection, square
from tests.hub.tracks.reports import NOON


def site(ring: Any, **properties: Any) -> dict[str, Any]:
    geometry = {"type": "Polygon", "coordinates": [ring]}
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def test_sites_may_overlap_and_have_hours_of_their_own() -> None:
    sites = read_sites(
        collection(
            site(square(109, 32), name="a", hours=[["06:00", "10:00"]]),
            site(square(109.005, 32), name="b", hours=[["11:00", "13:00"]]),
            site(square(109, 32), name="c"),
        )
    )
    here = at_place(sites, 32.005, 109.007)
    assert [each.name for each in here] == ["a", "b", "c"]
    found = open_at(here, NOON, ZoneInfo("Asia/Shanghai"))
    assert found is not None
    assert found.name == "b"
    assert open_at(here[:1], NOON, ZoneInfo("Asia/Shanghai")) is None


def test_every_problem_of_a_file_of_sites_is_told_at_once() -> None:
    document = collection(
        site(square(109, 32), name="a", hours=["06:00", "10:00"]),
        site(square(109, 32)),
        site(square(109, 32)[:-1], name="c"),
        site(square(109, 32), name="d"),
    )
    with pytest.raises(GridError) as error:
        read_sites(document)
    places = [problem.where for problem in error.value.problems]
    assert sorted(place.split(".")[0] for place in places) == [
        "features[0]",
        "features[1]",
        "features[2]",
    ]
