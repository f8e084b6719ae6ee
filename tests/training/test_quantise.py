"""int8 that sees what float sees, and one that does not (extra [train])."""

import re
from collections import Counter

import pytest

from edge.detect.detectors import open_detector
from edge.detect.manifest import find_manifest
from edge.detect.selftest import SelfTestFailed
from tests.edge.detect.scripted import Scripted
from training.quantise import prove

FLOAT = "street-n"


def test_the_float_model_agrees_with_itself(tmp_path):
    detector = open_detector(FLOAT)
    prove(detector, detector, tmp_path)
    assert sorted(p.suffix for p in tmp_path.iterdir()) == [".jpg"] * 3 + [".json"]


def test_a_model_that_sees_nothing_is_refused(tmp_path):
    with pytest.raises(SelfTestFailed, match="does not see"):
        prove(open_detector(FLOAT), Scripted(lambda _: []), tmp_path)


def test_the_shipped_int8_model_sees_what_the_float_model_sees():
    pytest.importorskip("openvino")
    from edge.detect.selftest import self_test

    folder = find_manifest("street-n-int8").parent
    assert self_test(open_detector("street-n-int8"), folder) > 0


def test_a_convolution_of_the_shipped_int8_model_takes_its_activation_in():
    """x · sigmoid(x) in two operations is quantised thrice and kept apart."""
    graph = next(find_manifest("street-n-int8").parent.glob("*.xml")).read_text()
    kinds = Counter(re.findall(r'<layer [^>]*type="(\w+)"', graph))
    assert kinds["Swish"] > kinds["Convolution"] / 2
    assert kinds["Sigmoid"] == 1  # the scores
