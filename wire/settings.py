"""What every section of a configuration shares, and its faults as sentences.

Both sides check with the same models, so both say the same words.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, Tag, ValidationError

from wire.coded import coded, joined, words_of

WHOLE = "document"


class Settings(BaseModel):
    """A section: unknown keys are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def sentences(fault: ValidationError, kind: type[BaseModel]) -> list[str]:
    """Every fault by its key, with the value and what is allowed."""
    return [_sentence(error, kind) for error in fault.errors()]


def by_place(errors: Iterable[Any], *inside: str) -> str:
    """What is wrong of a call, each fault by its place in `inside`; values are not repeated."""
    return joined(
        [
            coded(
                "bad_part",
                "{key}: {why}",
                key=".".join(str(part) for part in (*inside, *error["loc"])),
                why=_why(error),
            )
            for error in errors
        ]
    )


def _sentence(error: Any, kind: type[BaseModel]) -> str:
    key = ".".join(str(part) for part in error["loc"] if not _is_mark(part)) or WHOLE
    if error["type"] == "extra_forbidden":
        allowed = ", ".join(_section(kind, error["loc"][:-1]))
        if not allowed:
            return coded("unknown_key", "{key}: unknown key", key=key)
        return coded(
            "unknown_key_of", "{key}: unknown key (allowed: {allowed})", key=key, allowed=allowed
        )
    if error["type"] == "missing":
        return coded("key_needed", "{key}: is needed", key=key)
    is_part = isinstance(error["input"], dict | list | tuple)
    why, value = _why(error), "…" if is_part else error["input"]
    text = "{key}: {why} (got {value!r})"
    if key == WHOLE:
        return coded("bad_whole", text, key=key, why=why, value=value)
    if is_part:
        return coded("bad_part", text, key=key, why=why, value=value)
    return coded("bad_value", text, key=key, why=why, value=value)


def _why(error: Any) -> str:
    """What pydantic says, with a code where it is common."""
    say = _WHYS.get(error["type"])
    return say(error["msg"], error.get("ctx", {})) if say else str(error["msg"])


_Why = Callable[[str, Mapping[str, Any]], str]


def _one_form(said: str, given: Mapping[str, Any]) -> str:
    return coded("one_form", "{said}", said=said, allowed=given["expected"])


def _no_number(said: str, _given: Mapping[str, Any]) -> str:
    return coded("not_a_number", "{said}", said=said)


def _left_out(said: str, _given: Mapping[str, Any]) -> str:
    return coded("left_out", "{said}", said=said)


def _not_asked(said: str, _given: Mapping[str, Any]) -> str:
    return coded("not_asked", "{said}", said=said)


def _wrong_form(said: str, _given: Mapping[str, Any]) -> str:
    return coded("wrong_form", "{said}", said=said)


def _no_text(said: str, _given: Mapping[str, Any]) -> str:
    return coded("no_text_given", "{said}", said=said)


def _no_date(said: str, _given: Mapping[str, Any]) -> str:
    return coded("not_a_date", "{said}", said=said)


_WHYS: Mapping[str, _Why] = {
    "value_error": lambda _, given: coded(
        "value_error", "Value error, {why}", why=words_of(given["error"])
    ),
    "greater_than": lambda said, given: coded("above", "{said}", said=said, least=given["gt"]),
    "greater_than_equal": lambda said, given: coded(
        "at_least", "{said}", said=said, least=given["ge"]
    ),
    "less_than": lambda said, given: coded("below", "{said}", said=said, most=given["lt"]),
    "less_than_equal": lambda said, given: coded(
        "not_above", "{said}", said=said, most=given["le"]
    ),
    "string_too_short": lambda said, given: coded(
        "short_text", "{said}", said=said, least=given["min_length"]
    ),
    "too_short": lambda said, given: coded(
        "too_short", "{said}", said=said, least=given["min_length"]
    ),
    "string_too_long": lambda said, given: coded(
        "long_text", "{said}", said=said, most=given["max_length"]
    ),
    "too_long": lambda said, given: coded(
        "too_long", "{said}", said=said, most=given["max_length"]
    ),
    "literal_error": _one_form,
    "enum": _one_form,
    "float_type": _no_number,
    "float_parsing": _no_number,
    "int_type": _no_number,
    "int_parsing": _no_number,
    "int_from_float": _no_number,
    "date_parsing": _no_date,
    "date_from_datetime_parsing": _no_date,
    "time_parsing": _no_date,
    "datetime_parsing": _no_date,
    "datetime_from_date_parsing": _no_date,
    "timezone_aware": _no_date,
    "string_type": _no_text,
    "string_pattern_mismatch": _wrong_form,
    "missing": _left_out,
    "extra_forbidden": _not_asked,
}


def _section(kind: type[BaseModel], place: tuple[str | int, ...]) -> list[str]:
    """Names of the keys allowed where `place` points."""
    section: Any = kind
    annotation: Any = None
    for part in place:
        if _is_mark(part) and (tagged := _tagged(annotation, part)) is not None:
            section = tagged
        elif isinstance(part, str) and part in section.model_fields:
            annotation = section.model_fields[part].annotation
            section = _settings_in(annotation)
        if section is None:
            return []
    return [field.alias or name for name, field in section.model_fields.items()]


def _is_mark(part: object) -> bool:
    """Whether it stands for no key of the document: `[key]`, or the tag of one of several forms."""
    return isinstance(part, str) and part.startswith("[") and part.endswith("]")


def _tagged(annotation: Any, tag: object) -> type[Settings] | None:
    """The section that a tag chooses among the forms of an annotation."""
    if Tag(str(tag)) in getattr(annotation, "__metadata__", ()):
        return _settings_in(annotation)
    found = (_tagged(each, tag) for each in get_args(annotation))
    return next((each for each in found if each is not None), None)


def _settings_in(annotation: Any) -> type[Settings] | None:
    """The section an annotation such as `list[Zone]` or `Position | None` holds."""
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        return annotation
    found = (_settings_in(each) for each in get_args(annotation))
    return next((each for each in found if each is not None), None)
