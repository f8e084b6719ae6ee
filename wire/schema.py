"""JSON Schema and AsyncAPI documents, made from the message types.

`python -m wire.schema FOLDER` writes them; a test fails when the ones in `docs/reference/wire`
are not what the types say.
"""

import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from wire.codec import MESSAGES
from wire.topics import DOWN, ROOT, UP
from wire.version import VERSION

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """One schema document; each message is in `$defs` under its class name."""
    _, components = msgspec.json.schema_components(MESSAGES.values(), ref_template="#/$defs/{name}")
    return {"$schema": _DIALECT, "title": f"Tianyan wire v{VERSION}", "$defs": components}


def asyncapi() -> dict[str, Any]:
    """AsyncAPI 3.0: which message travels on which topic, seen from the hub."""
    channels = {name: _channel(name) for name in MESSAGES}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Tianyan wire", "version": str(VERSION)},
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": {name: _operation(name) for name in MESSAGES},
        "components": {"messages": {name: _message(name) for name in MESSAGES}},
    }


def _address(name: str) -> str:
    if name in UP:
        return f"{ROOT}/{{dev}}/up/{name}"
    return f"{ROOT}/{{dev}}/down/{name}" if name in DOWN else f"{ROOT}/host/{{hub}}/state"


def _channel(name: str) -> dict[str, Any]:
    parameter = "hub" if name == "host" else "dev"
    return {
        "address": _address(name),
        "parameters": {parameter: {"description": f"id of the {parameter}"}},
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
    }


def _operation(name: str) -> dict[str, Any]:
    action = "receive" if name in UP else "send"
    return {"action": action, "channel": {"$ref": f"#/channels/{name}"}}


def _message(name: str) -> dict[str, Any]:
    kind = MESSAGES[name]
    summary = (kind.__doc__ or "").splitlines()[0]
    return {
        "name": name,
        "summary": summary,
        "payload": {"$ref": f"wire.schema.json#/$defs/{kind.__name__}"},
    }


def documents() -> dict[str, str]:
    """File name → text of every document."""
    made = {"wire.schema.json": json_schema(), "asyncapi.json": asyncapi()}
    return {
        name: json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
        for name, document in made.items()
    }


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in documents().items():
        (folder / name).write_text(text, encoding="utf-8")
