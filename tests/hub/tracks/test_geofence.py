import pytest

from hub.grid.datum import Datum, convert
from hub.grid.errors import GridError
from hub.grid.fence import contains
from hub.tracks.geofence import Purpose, Watched, feature_of, read_fences

LAT, LON = 32.69, 109.02


def feature(kind="Point", coordinates=None, **properties):
    given = {"code": "f1", "name": "Fence", **properties}
    return {
        "type": "Feature",
        "properties": given,
        "geometry": {"type": kind, "coordinates": coordinates or [LON, LAT]},
    }


RING = [[109.0, 32.6], [109.1, 32.6], [109.1, 32.7], [109.0, 32.7], [109.0, 32.6]]
HOLE = [[109.04, 32.64], [109.04, 32.66], [109.06, 32.66], [109.06, 32.64], [109.04, 32.64]]
ROUTE = [[109.0, 32.6], [109.05, 32.62], [109.1, 32.6]]


@pytest.mark.parametrize(
    ("given", "inside", "outside"),
    [
        pytest.param(feature(radius_m=100), (LAT, LON), (LAT + 0.002, LON), id="circle"),
        pytest.param(
            feature("LineString", ROUTE, half_width_m=50),
            (32.62, 109.05),
            (32.63, 109.05),
            id="way",
        ),
        pytest.param(
            feature("Polygon", [RING, HOLE]), (32.61, 109.01), (32.65, 109.05), id="with a hole"
        ),
        pytest.param(
            feature("MultiPolygon", [[RING], [[[110, 33], [111, 33], [111, 34], [110, 33]]]]),
            (33.1, 110.8),
            (32.8, 109.5),
            id="two parts",
        ),
    ],
)
def test_shapes_read_and_write_back(given, inside, outside):
    (fence,) = read_fences(given)
    assert contains(fence.shape, *inside)
    assert not contains(fence.shape, *outside)
    assert read_fences(feature_of(fence)) == [fence]


def test_everything_about_a_fence_is_kept():
    given = feature(
        radius_m=80.0,
        purpose="dump",
        hours=[["22:00", "05:00"]],
        days=[1, 5],
        until="2026-12-31",
        vehicles=["陕G·00001"],
        kinds=["spoil_truck"],
        watch=["enter", "inside"],
        inside_min_s=60,
        limit_kmh=20,
    )
    given["properties"]["from"] = "2026-01-01"
    (fence,) = read_fences(given)
    assert fence.purpose is Purpose.DUMP
    assert fence.watch == {Watched.ENTER, Watched.INSIDE}
    assert read_fences({"type": "FeatureCollection", "features": [feature_of(fence)]}) == [fence]
    assert fence.concerns(["陕G·00001"], "")
    assert fence.concerns([], "spoil_truck")
    assert not fence.concerns(["陕G·00002"], "sweeper")


@pytest.mark.parametrize("datum", [Datum.GCJ02, Datum.BD09])
def test_another_datum_is_turned_at_the_rim(datum):
    lats, lons = convert([LAT], [LON], Datum.WGS84, datum)
    (fence,) = read_fences(feature(coordinates=[lons[0], lats[0]], radius_m=5), datum)
    assert fence.shape.lat == pytest.approx(LAT, abs=1e-9)
    assert fence.shape.lon == pytest.approx(LON, abs=1e-9)
    shown = feature_of(fence, datum)["geometry"]["coordinates"]
    assert shown == pytest.approx((lons[0], lats[0]), abs=1e-9)


@pytest.mark.parametrize(
    ("given", "at", "says"),
    [
        (feature(), "geometry", "radius_m None is no number"),
        (feature(radius_m=-1), "geometry", "radius_m -1"),
        (feature(coordinates=[LAT, LON], radius_m=5), "geometry", "no position"),
        (feature("Polygon", [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]), "geometry", "invalid"),
        (feature("Polygon", "x"), "geometry", "no geometry"),
        (feature(radius_m=5, hours=[["25:00", "26:00"]]), "properties.hours", "25:00"),
        (feature(radius_m=5, days=[0]), "properties.days", "[0]"),
        (feature(radius_m=5, watch=["leave"]), "properties.watch", "leave"),
        (feature(radius_m=5, purpose="park"), "properties.purpose", "park"),
        (feature(radius_m=5, limit_kmh=True), "properties.limit_kmh", "True"),
        (feature(radius_m=5, until="soon"), "properties.until", "soon"),
        (feature(radius_m=5, colour="red"), "properties.colour", "unknown property"),
        (feature(radius_m=5, code=""), "properties.code", "no code"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(given, at, says):
    good = feature(radius_m=5, code="good")
    with pytest.raises(GridError) as caught:
        read_fences({"type": "FeatureCollection", "features": [good, given]})
    (problem,) = caught.value.problems
    assert problem.where == f"features[1].{at}"
    assert says in problem.message
    assert problem.allowed


@pytest.mark.parametrize("given", [None, [], {}, {"type": "FeatureCollection", "features": []}])
def test_what_is_no_collection_is_refused(given):
    with pytest.raises(GridError):
        read_fences(given)


def test_every_bad_fence_is_named_at_once():
    features = [feature(radius_m=-1, code=f"f{n}") for n in range(50)]
    features.append(feature(radius_m=5, code="twice"))
    features.append(feature(radius_m=5, code="twice"))
    with pytest.raises(GridError) as caught:
        read_fences({"type": "FeatureCollection", "features": features})
    assert len(caught.value.problems) == 51
