import json
from pathlib import Path

import jsonschema
import pytest

from wire.codec import MESSAGES
from wire.schema import asyncapi, documents, json_schema

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "wire"
SAMPLES = sorted((Path(__file__).parent / "samples").glob("*.json"))


@pytest.mark.parametrize("name", documents())
def test_the_documents_say_what_the_types_say(name):
    written = (REFERENCE / name).read_text(encoding="utf-8")
    assert written == documents()[name], "run `make schema`"


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_samples_fit_the_schema(path):
    kind = MESSAGES[path.stem.split("-")[0]].__name__
    schema = json_schema() | {"$ref": f"#/$defs/{kind}"}
    jsonschema.validate(json.loads(path.read_bytes()), schema)


def test_every_message_has_a_channel_of_its_own():
    addresses = [channel["address"] for channel in asyncapi()["channels"].values()]
    assert len(set(addresses)) == len(MESSAGES)
