import pytest

from hub.calendar.limit import BadLimit, TimeLimit, Unit


@pytest.mark.parametrize(
    ("text", "number", "unit"),
    [
        ("4工作时", 4, Unit.WORK_HOUR),
        ("4 个工作时", 4, Unit.WORK_HOUR),
        ("2个工作小时", 2, Unit.WORK_HOUR),
        (" 2紧急工作时 ", 2, Unit.URGENT_HOUR),
        ("20个工作日", 20, Unit.WORK_DAY),
        ("1.5工作日", 1.5, Unit.WORK_DAY),
        ("3自然日", 3, Unit.NATURAL_DAY),
        ("15 work_hour", 15, Unit.WORK_HOUR),
    ],
)
def test_reads_what_city_tables_write(text, number, unit):
    assert TimeLimit.read(text) == TimeLimit(number, unit)


@pytest.mark.parametrize(
    "text", ["", "4", "工作时", "0工作时", "-1工作日", "4 hours", "99999工作日"]
)
def test_refuses_what_is_no_limit_and_says_what_is(text):
    with pytest.raises(BadLimit, match="allowed is a number above 0"):
        TimeLimit.read(text)
