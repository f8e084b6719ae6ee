import json

import pytest

from scenes.truth import BadTruth, Truth, load_truth, measured

EVENT = {"label": "garbage", "from_s": 10, "until_s": 90, "place": [0.4, 0.5, 0.1, 0.2]}
SUMMARY = {"summary": {"seconds": 100.0, "dwell_s": 20.0, "alerts": 1}}


def alert(t_s, x=0.4, label="garbage"):
    box = {"label": label, "x": x, "y": 0.5, "w": 0.1, "h": 0.2}
    return {"kind": "alert", "state": "new", "label": label, "t_s": t_s, "boxes": [box]}


def truth_of(tmp_path, **document):
    path = tmp_path / "street.mp4.truth.json"
    path.write_text(json.dumps({"events": [EVENT], **document}))
    return load_truth(path)


@pytest.mark.parametrize(
    ("alerts", "expected"),
    [
        ([], {"found": 0, "precision": None, "recall": 0.0, "delay_s": None, "false": 0}),
        ([alert(31)], {"found": 1, "precision": 1.0, "recall": 1.0, "delay_s": 21.0, "false": 0}),
        (
            [alert(31), alert(40, x=0.8)],
            {"found": 1, "precision": 0.5, "recall": 1.0, "false": 1, "false_an_hour": 36.0},
        ),
        ([alert(31, label="unknown_object")], {"found": 0, "noticed": 1, "precision": 0.0}),
    ],
)
def test_a_summary_says_how_the_alerts_compare(tmp_path, alerts, expected):
    *lines, last = measured(truth_of(tmp_path), [*alerts, SUMMARY])
    assert lines == alerts
    assert {key: last["summary"]["truth"][key] for key in expected} == expected
    assert last["summary"]["alerts"] == 1


def test_what_must_not_be_reported_is_false(tmp_path):
    truth = truth_of(tmp_path, events=[{**EVENT, "want": "none"}])
    (*_, last) = measured(truth, [alert(31), SUMMARY])
    assert last["summary"]["truth"]["false"] == 1
    assert last["summary"]["truth"]["wanted"] == 0


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"events": [{"label": "stall", "from_s": 1}]}, "'stall'"),
        ({"events": [{"label": "garbage", "from_s": -1}]}, "from_s"),
        ({"events": [{"label": "garbage", "from_s": 1}]}, "events[0]: needs a place"),
        ({"events": [{**EVENT, "place": [0.4, 0.5, 2, 0.1]}]}, "place"),
        ({}, "events"),
    ],
)
def test_a_truth_file_with_faults_is_refused_by_name(tmp_path, document, said):
    path = tmp_path / "truth.json"
    path.write_text(json.dumps(document))
    with pytest.raises(BadTruth) as refused:
        load_truth(path)
    assert said in str(refused.value)
    assert str(path) in str(refused.value)


def test_no_truth_file_is_said(tmp_path):
    with pytest.raises(BadTruth, match="No such file"):
        load_truth(tmp_path / "nowhere.json")
    assert isinstance(truth_of(tmp_path), Truth)
