import pytest

from hub.grid.errors import GridError
from hub.grid.rows import BadRow, BadValue, Rows, degrees, number


def read(text: str) -> list[tuple[int, list[str]] | str]:
    rows = Rows(text.splitlines(keepends=True), required=("lat",))
    return [str(row) if isinstance(row, BadRow) else row for row in rows]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("lat\n1\n2\n", [(2, ["1"]), (3, ["2"])]),
        ("lat,n\n1,'x'\n\n2,y\n", [(2, ["1", "'x'"]), (4, ["2", "y"])]),
        ('lat,n\n1,"a,\nb"\n2,c\n', [(2, ["1", "a,\nb"]), (4, ["2", "c"])]),
        ('lat,n\n1,"a\n2,c\n', ["line 2: not CSV: unexpected end of data", (3, ["2", "c"])]),
        ('lat\n"2" 3\n4\n', ["line 2: not CSV: ',' expected after '\"'", (3, ["4"])]),
        ("lat\n", []),
    ],
)
def test_rows_keep_their_line_numbers(text: str, rows: list[object]) -> None:
    assert read(text) == rows


def test_a_quote_never_closed_costs_one_row_of_many() -> None:
    text = 'lat,n\n1,"a\n' + "2,c\n" * 1000
    bad, *good = read(text)
    assert bad == "line 2: not CSV: a quoted field is not closed"
    assert [row[0] for row in good] == list(range(3, 1003))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: no column 'lat'"),
        ("lon\n", "no column 'lat' \\(columns: lon\\)"),
        ("lat,LAT\n", "more than one column 'lat'"),
        ('"lat\n', "line 1: not CSV"),
    ],
)
def test_a_header_that_cannot_be_used(text: str, said: str) -> None:
    with pytest.raises(GridError, match=said):
        read(text)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_a_table_in_another_encoding_is_refused_as_such(encoding: str) -> None:
    text = "lat,lon\n1,2\n".encode(encoding).decode("utf-8", "surrogateescape")
    with pytest.raises(GridError, match="line 1: not text in UTF-8"):
        read(text)


def test_titles_are_found_in_any_case_behind_a_byte_order_mark() -> None:
    rows = Rows(["\ufeffLat , N\n"], required=("lat", "n"))
    assert rows.header == ["lat", "n"]
    assert rows.titles == ["Lat ", " N"]


@pytest.mark.parametrize("text", ["", "x", "nan", "inf", "1_0", "1e999"])
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(BadValue, match=r"speed .* is not a number"):
        number("speed", text)


@pytest.mark.parametrize(("text", "value"), [("1", 1.0), (" -2.5 ", -2.5), ("1e2", 100.0)])
def test_numbers(text: str, value: float) -> None:
    assert number("speed", text) == value


def test_degrees_have_a_limit() -> None:
    assert degrees("lat", "-90", 90) == -90
    with pytest.raises(BadValue, match=r"lat '90.1' is not allowed \(-90 to 90\)"):
        degrees("lat", "90.1", 90)
