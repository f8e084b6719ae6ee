from datetime import UTC, datetime
from pathlib import Path

import pynmea2
import pytest

from tianyan import street


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    return street.vehicles(tmp_path_factory.mktemp("street"))


def test_nobody_of_the_demo_went_off_duty_while_driving(fleet):
    logs = [
        receiver["source"]
        for receiver in fleet.settings["receivers"]
        if receiver["id"].endswith("-yesterday")
    ]
    assert logs
    for log in logs:
        lines = Path(log).read_text(encoding="ascii").splitlines()
        last = pynmea2.parse([line for line in lines if "RMC" in line][-1])
        assert last.spd_over_grnd < 1
        assert last.datetime.replace(tzinfo=UTC) < datetime.now(UTC)
