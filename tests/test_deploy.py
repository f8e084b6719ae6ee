"""The files an integrator copies say what the programs understand."""

from pathlib import Path

import pytest
import yaml

from edge.config import EdgeConfig
from hub.config import HubConfig

DEPLOY = Path(__file__).parents[1] / "deploy"


@pytest.mark.parametrize("name", ["box-0001.yaml", "car-0001.yaml", "gateway-0001.yaml"])
def test_the_example_of_a_device_is_a_valid_configuration(name):
    EdgeConfig.model_validate(yaml.safe_load((DEPLOY / name).read_text(encoding="utf-8")))


def test_the_example_of_the_hub_is_a_valid_configuration():
    HubConfig.model_validate(yaml.safe_load((DEPLOY / "hub.yaml").read_text(encoding="utf-8")))
