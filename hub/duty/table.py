"""The tables a city brings for 五定, read whole: every bad row is named, none is half taken.

One workbook with a sheet for each kind, or one CSV a kind. Titles may be Chinese or English.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set as AbstractSet
from dataclasses import dataclass, field, fields

from hub.duty.duty import ROLE_WORDS, Five, Person, PersonRole, Post, Text
from hub.duty.errors import BadDuty, DutyError
from hub.duty.shift import Shift, read_clock, read_days
from hub.grid.errors import Problem
from hub.grid.sheets import Sheet, read_sheets
from hub.grid.titled import A_ROW, FILE, at_most
from wire.coded import Coded, coded

CODE = re.compile(r"[^\s/;,；，、]{1,64}")
TRACKER = re.compile(r"[^\s/;,]{1,64}/[^\s;,]{1,64}")
LIST = re.compile(r"[;,；，、\s]+")
LONGEST_TEXT = 2000
LONGEST_NAME = 200


@dataclass(slots=True)
class Duty:
    """What a table says, kind by kind; a grid's texts of one kind come in their order."""

    posts: list[Post] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    shifts: list[Shift] = field(default_factory=list)

    def count(self) -> int:
        """How many rows there are in all."""
        return sum(len(getattr(self, each.name)) for each in fields(self))


@dataclass(frozen=True, slots=True)
class Known:
    """Codes that rows may refer to besides those of the table itself."""

    grids: AbstractSet[str]
    posts: AbstractSet[str] = frozenset()
    shifts: AbstractSet[str] = frozenset()


Cells = Mapping[str, str]
Reader = Callable[[Cells], object]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of table: what its sheet may be called, its columns with other titles, its reader.

    `needed`: the columns that must be there. `key`: what may stand only once, "" for any number.
    """

    name: str
    sheets: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]]
    needed: tuple[str, ...]
    read: Reader
    key: tuple[str, ...] = ()


def read_duty(data: bytes, known: Known, kind: str = "") -> Duty:
    """All that a file says; `kind` names what a CSV holds (else its columns tell).

    Raises BadDuty with every bad row, GridError for a file that is no table.
    """
    problems: list[Problem] = []
    found: list[tuple[Kind, str, object]] = []
    sheets = read_sheets(data)
    for sheet in sheets:
        which = _kind_of(sheet, kind)
        if which is None:
            problems.append(_unknown_sheet(sheet))
            continue
        found += _rows_of(sheet, which, problems)
    if not sheets:
        message = coded("no_header", "no sheet has a header")
        allowed = coded("one_of", "one of {names}", names=_sheet_names())
        problems.append(_problem(FILE, message, allowed))
    problems += _dangling(found, known)
    problems.sort(key=_place)
    if problems:
        raise BadDuty(problems)
    return _gathered(found)


def read_rows(kind: str, rows: Sequence[Mapping[str, str]], known: Known) -> Duty:
    """The same for rows that come through the API. Raises BadDuty."""
    which = KINDS[kind]
    header = tuple(dict.fromkeys(name for row in rows for name in row))
    sheet = Sheet(kind, header, tuple((number, dict(row)) for number, row in enumerate(rows, 1)))
    problems: list[Problem] = []
    found = _rows_of(sheet, which, problems)
    problems += _dangling(found, known)
    if problems:
        raise BadDuty(problems)
    return _gathered(found)


def _kind_of(sheet: Sheet, wanted: str) -> Kind | None:
    """By the caller's word, the sheet's name, or, for a CSV, the columns that fit best."""
    if wanted:
        return KINDS.get(wanted)
    name = sheet.name.strip().lower()
    for kind in KINDS.values():
        if name and name in (kind.name, *kind.sheets):
            return kind
    if sheet.name:
        return None
    fitting = [kind for kind in KINDS.values() if set(kind.needed) <= set(_columns(sheet, kind))]
    # Duties, tasks and rewards have the same columns: such a CSV must say which it is.
    return fitting[0] if len(fitting) == 1 else None


def _unknown_sheet(sheet: Sheet) -> Problem:
    if sheet.name:
        where = coded("sheet", "sheet {sheet!r}", sheet=sheet.name)
        return _problem(where, coded("no_duty", "is no table of duty"), _sheet_names())
    message = coded(
        "which_table",
        "which table this is cannot be told (columns: {columns})",
        columns=", ".join(sheet.header),
    )
    return _problem(_line(1), message, coded("kinds", "kind: {kinds}", kinds=", ".join(KINDS)))


def _sheet_names() -> str:
    names = ", ".join(f"{kind.name}/{kind.sheets[0]}" for kind in KINDS.values())
    return coded("sheets", "sheets {names}", names=names)


def _columns(sheet: Sheet, kind: Kind) -> dict[str, str]:
    """Our name of a column → its title in this sheet."""
    titles = {title.strip().lower(): title for title in sheet.header if title}
    return {
        name: titles[title]
        for name, others in kind.columns.items()
        for title in (name, *others)
        if title in titles
    }


def _rows_of(sheet: Sheet, kind: Kind, problems: list[Problem]) -> list[tuple[Kind, str, object]]:
    columns = _columns(sheet, kind)
    lacking = [name for name in kind.needed if name not in columns]
    if lacking:
        message = coded(
            "lacking_columns",
            "no column {lacking} (columns: {columns})",
            lacking=", ".join(lacking),
            columns=", ".join(sheet.header),
        )
        allowed = ", ".join(f"{name}/{kind.columns[name][0]}" for name in lacking)
        problems.append(_problem(_where(sheet, 1), message, allowed))
        return []
    problems += (_problem(_where(sheet, row.line), row.message, A_ROW) for row in sheet.bad)
    seen: dict[tuple[object, ...], Coded] = {}
    found: list[tuple[Kind, str, object]] = []
    for number, cells in sheet.rows:
        where = _where(sheet, number)
        try:
            value = kind.read({name: cells.get(title, "") for name, title in columns.items()})
        except DutyError as fault:
            problems.append(_problem(where, fault.message, fault.allowed))
            continue
        key = tuple(getattr(value, name) for name in kind.key)
        if key and key in seen:
            told = " ".join(str(part) for part in key)
            message = coded(
                "stands_already", "{given!r} stands in {where} already", given=told, where=seen[key]
            )
            problems.append(_problem(where, message, coded("each_once", "each once")))
            continue
        seen[key] = where
        found.append((kind, where, value))
    return found


def _dangling(found: Iterable[tuple[Kind, str, object]], known: Known) -> Iterator[Problem]:
    """Rows that name a grid, post or shift that is nowhere."""
    rows = list(found)
    posts = known.posts | {value.code for _, _, value in rows if isinstance(value, Post)}
    shifts = known.shifts | {value.code for _, _, value in rows if isinstance(value, Shift)}
    for _, where, value in rows:
        named: list[tuple[str, str, AbstractSet[str]]] = []
        if isinstance(value, Post):
            named += [("grid", value.grid, known.grids)]
            named += [("areas", area, known.grids) for area in value.areas]
            named += [("shifts", shift, shifts) for shift in value.shifts]
        elif isinstance(value, Person):
            named.append(("post", value.post, posts))
        elif isinstance(value, Text):
            named.append(("grid", value.grid, known.grids))
        for column, code, there in named:
            if code not in there:
                what = {"areas": "grid", "shifts": "shift"}.get(column, column)
                message = coded(
                    "missing", "{column} {given!r} does not exist", column=column, given=code
                )
                yield _problem(where, message, _CODES[what])


def _gathered(found: Iterable[tuple[Kind, str, object]]) -> Duty:
    duty = Duty()
    for _, _, value in found:
        if isinstance(value, Post):
            duty.posts.append(value)
        elif isinstance(value, Person):
            duty.people.append(value)
        elif isinstance(value, Text):
            duty.texts.append(value)
        elif isinstance(value, Shift):
            duty.shifts.append(value)
    return duty


def _post(cells: Cells) -> Post:
    return Post(
        _code("code", cells["code"]),
        _words("name", cells["name"], LONGEST_NAME),
        _code("grid", cells["grid"]),
        _codes("areas", cells.get("areas", "")),
        _codes("shifts", cells.get("shifts", "")),
    )


def _person(cells: Cells) -> Person:
    text = cells["role"].strip()
    try:
        role = ROLE_WORDS.get(text) or PersonRole(text)
    except ValueError:
        allowed = ", ".join([*PersonRole, *ROLE_WORDS])
        message = coded(
            "not_allowed", "{column} {given!r} is not allowed", column="role", given=text
        )
        raise DutyError(message, allowed) from None
    trackers = tuple(filter(None, LIST.split(cells.get("trackers", "").strip())))
    for tracker in trackers:
        if not TRACKER.fullmatch(tracker):
            message = coded(
                "not_allowed", "{column} {given!r} is not allowed", column="trackers", given=tracker
            )
            raise DutyError(message, "DEVICE/VEHICLE")
    phone = cells.get("phone", "").strip()
    if len(phone) > 32:
        message = coded("long_phone", "phone is too long")
        raise DutyError(message, _characters_at_most(32))
    return Person(
        _code("id", cells["id"]),
        _words("name", cells["name"], LONGEST_NAME),
        role,
        _code("post", cells["post"]),
        phone,
        trackers,
    )


def _text(kind: Five) -> Reader:
    def read(cells: Cells) -> Text:
        return Text(_code("grid", cells["grid"]), kind, _words("text", cells["text"], LONGEST_TEXT))

    return read


def _shift(cells: Cells) -> Shift:
    start, end = read_clock("start", cells["start"]), read_clock("end", cells["end"])
    if start == end:
        message = coded(
            "not_allowed", "{column} {given!r} is not allowed", column="end", given=cells["end"]
        )
        raise DutyError(message, coded("other_time", "another time than the start"))
    return Shift(
        _code("code", cells["code"]),
        _words("name", cells["name"], LONGEST_NAME),
        read_days(cells["days"]),
        start,
        end,
    )


def _code(name: str, text: str) -> str:
    code = text.strip()
    if not CODE.fullmatch(code):
        message = coded("not_allowed", "{column} {given!r} is not allowed", column=name, given=text)
        raise DutyError(message, coded("no_spaces", "1 to 64 characters without spaces"))
    return code


def _codes(name: str, text: str) -> tuple[str, ...]:
    parts = filter(None, LIST.split(text.strip()))
    return tuple(dict.fromkeys(_code(name, part) for part in parts))


def _words(name: str, text: str, most: int) -> str:
    words = text.strip()
    if not words:
        raise DutyError(
            coded("column_empty", "{column} is empty", column=name), coded("text", "a text")
        )
    if len(words) > most:
        message = coded(
            "has_characters", "{column} has {count} characters", column=name, count=len(words)
        )
        raise DutyError(message, at_most(most))
    return words


def _where(sheet: Sheet, number: int) -> Coded:
    if not sheet.name:
        return _line(number)
    return coded("row_of_sheet", "sheet {sheet!r}, row {row}", sheet=sheet.name, row=number)


def _line(number: int) -> Coded:
    return coded("line", "line {line}", line=number)


def _characters_at_most(most: int) -> Coded:
    return coded("characters_at_most", "at most {most} characters", most=most)


def _problem(where: str, message: str, allowed: str) -> Problem:
    return Problem("bad_row", None, where, message, allowed)


def _place(problem: Problem) -> tuple[str, int]:
    sheet, _, number = problem.where.rpartition(" ")
    return (sheet, int(number)) if number.isdigit() else (problem.where, 0)


_CODES = {
    "grid": coded("grid_in_force", "the code of a grid in force"),
    "post": coded("code_of_post", "a post's code"),
    "shift": coded("code_of_shift", "a shift's code"),
}
_TEXT_COLUMNS = {"grid": ("网格", "网格编号", "网格编码"), "text": ("内容", "说明")}
KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "posts",
            ("岗位",),
            {
                "code": ("岗位编号", "编号"),
                "name": ("岗位名称", "名称"),
                "grid": ("网格", "网格编号", "网格编码"),
                "areas": ("巡查网格", "巡查范围"),
                "shifts": ("班次",),
            },
            ("code", "name", "grid"),
            _post,
            ("code",),
        ),
        Kind(
            "people",
            ("人员",),
            {
                "id": ("人员编号", "编号", "工号"),
                "name": ("姓名",),
                "role": ("角色", "职务"),
                "post": ("岗位", "岗位编号"),
                "phone": ("电话", "手机"),
                "trackers": ("定位终端", "终端"),
            },
            ("id", "name", "role", "post"),
            _person,
            ("id",),
        ),
        Kind("duties", ("职责",), _TEXT_COLUMNS, ("grid", "text"), _text(Five.DUTIES)),
        Kind("tasks", ("任务",), _TEXT_COLUMNS, ("grid", "text"), _text(Five.TASKS)),
        Kind("rewards", ("奖惩",), _TEXT_COLUMNS, ("grid", "text"), _text(Five.REWARDS)),
        Kind(
            "shifts",
            ("班次",),
            {
                "code": ("班次编号", "编号"),
                "name": ("班次名称", "名称"),
                "days": ("日期", "天"),
                "start": ("开始", "上班"),
                "end": ("结束", "下班"),
            },
            ("code", "name", "days", "start", "end"),
            _shift,
            ("code",),
        ),
    )
}
