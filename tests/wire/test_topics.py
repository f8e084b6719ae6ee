import pytest

from wire.topics import BadTopic, UpTopic, check_device_id, down, parse_up, up


def test_a_topic_is_read_back_as_it_was_made():
    assert parse_up(up("cam-0007", "alert")) == UpTopic("cam-0007", "alert")
    assert down("cam-0007", "receipt") == "ty/v1/cam-0007/down/receipt"


@pytest.mark.parametrize(
    "topic",
    [
        "ty/v1/cam-0007/up",
        "ty/v1/cam-0007/up/alert/more",
        "ty/v2/cam-0007/up/alert",
        "ty/v1/cam-0007/down/alert",
        "ty/v1/cam-0007/up/receipt",
        "ty/v1/host/up/state",
        "ty/v1/CAM/up/alert",
        "ty/v1//up/alert",
    ],
)
def test_any_other_topic_is_refused_by_name(topic):
    with pytest.raises(BadTopic, match=r"must be|device id"):
        parse_up(topic)


@pytest.mark.parametrize("dev", ["ab", "host", "-ab", "a b c", "a" * 65, "é-1"])
def test_a_device_id_outside_the_rule_is_refused(dev):
    with pytest.raises(BadTopic, match=r"3 to 64"):
        check_device_id(dev)
