"""Messages for other systems' addresses: SMS gateways, WeCom, DingTalk, e-mail, by a template.

A template is text with places such as `${text}`; in one that is JSON, values are written as JSON
strings are. What the whole message says stands in `PLACES`.
"""

import json
from collections.abc import Mapping
from string import Template

from wire.coded import coded

PLACES = ("topic", "text", "number", "state", "matter", "grid", "at", "link", "person", "phone")


def fault_of(template: str) -> str:
    """What is wrong with a template; empty when nothing is."""
    try:
        names = set(Template(template).get_identifiers())
        if not Template(template).is_valid():
            return coded("lone_dollar", "has a $ that begins no place; write $$")
    except ValueError as fault:
        return str(fault)
    if unknown := sorted(names - set(PLACES)):
        return coded(
            "no_place_named",
            "${{{place}}} is no place; possible are {places}",
            place=unknown[0],
            places=", ".join(PLACES),
        )
    if is_json(template):
        try:
            json.loads(filled(template, dict.fromkeys(PLACES, 'x"\n')))
        except ValueError as fault:
            return coded("filled_no_json", "is not JSON once filled in: {why}", why=fault)
    return ""


def is_json(template: str) -> bool:
    """Whether values have to be written as in JSON strings."""
    return template.lstrip()[:1] in ("{", "[")


def filled(template: str, values: Mapping[str, str]) -> str:
    """The template with its values."""
    if is_json(template):
        values = {
            name: json.dumps(value, ensure_ascii=False)[1:-1] for name, value in values.items()
        }
    return Template(template).substitute({name: values.get(name, "") for name in PLACES})
