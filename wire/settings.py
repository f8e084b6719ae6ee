"""What every section of a configuration shares, and its faults as sentences.

Both sides check with the same models, so both say the same words.
"""

from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, Tag, ValidationError


class Settings(BaseModel):
    """A section: unknown keys are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def sentences(fault: ValidationError, kind: type[BaseModel]) -> list[str]:
    """Every fault by its key, with the value and what is allowed."""
    return [_sentence(error, kind) for error in fault.errors()]


def _sentence(error: Any, kind: type[BaseModel]) -> str:
    key = ".".join(str(part) for part in error["loc"] if not _is_mark(part)) or "document"
    if error["type"] == "extra_forbidden":
        allowed = ", ".join(_section(kind, error["loc"][:-1]))
        return f"{key}: unknown key" + (f" (allowed: {allowed})" if allowed else "")
    if error["type"] == "missing":
        return f"{key}: is needed"
    value = error["input"] if not isinstance(error["input"], dict | list | tuple) else "…"
    return f"{key}: {error['msg']} (got {value!r})"


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
