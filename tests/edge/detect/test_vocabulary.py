import pytest

from edge.config import CameraConfig
from edge.detect.vocabulary import vocabulary_faults
from wire.zone import ZoneConfig

CORNERS = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)]
COCO = ("person", "handbag", "car")
STREET = ("street_vending", "garbage", "illegal_structure", "person")


@pytest.mark.parametrize(
    ("says", "asked", "lacking"),
    [
        (STREET, {}, None),
        (STREET, {"labels": ["garbage", "unknown_object"]}, None),
        (COCO, {"labels": ["street_vending"]}, None),
        (("person", "car"), {"labels": ["street_vending"]}, "street_vending"),
        (COCO, {"labels": ["garbage", "street_vending"]}, "garbage"),
        (COCO, {}, None),
        (("cat",), {}, "street_vending, garbage, illegal_structure"),
        (("cat",), {"labels": ["unknown_object"]}, None),
        (COCO, {"labels": ["illegal_structure"]}, "illegal_structure"),
        (COCO, {"labels": ["illegal_structure"], "no_build": True}, None),
    ],
)
def test_a_zone_that_asks_for_more_than_the_model_says_is_named(says, asked, lacking):
    zone = ZoneConfig(id="corner", polygon=CORNERS, **asked)
    told = list(vocabulary_faults(CameraConfig(id="gate", zones=[zone]), says))
    said = [words.partition(";")[0] for words in told]
    assert said == ([f"zones.0.labels: the model says nothing of {lacking}"] if lacking else [])
    assert all(words.endswith("unknown_object") for words in told), "what is allowed"
