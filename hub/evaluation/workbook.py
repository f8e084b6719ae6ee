"""A report as an XLSX workbook, the same bytes for the same document."""

import io
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import xlsxwriter

from hub.evaluation.document import Document, Section
from hub.evaluation.indicator import BY_ID, INDICATORS
from hub.exports import safe

WIDE, NARROW = 24, 12


def workbook(document: Document, zone: ZoneInfo) -> bytes:
    """The sheets: figures, periods before, matters, one ranking each, deductions, the year."""
    data = io.BytesIO()
    book = xlsxwriter.Workbook(data, {"in_memory": True})
    # Without a fixed time the same report would differ every time it is made.
    book.set_properties(
        {
            "title": f"{document.site} {document.title_zh} {document.period.name}",
            "created": datetime(2000, 1, 1),  # noqa: DTZ001 - Excel's times have no zone
        }
    )
    styles = _Styles(book)
    _figures(book, document, styles, zone)
    _earlier(book, document, styles)
    _matters(book, document, styles)
    for section in document.sections:
        _ranking(book, document, section, styles)
    _deductions(book, document, styles)
    if document.years:
        _year(book, document, styles)
    book.close()
    return data.getvalue()


class _Styles:
    """How cells look."""

    def __init__(self, book: xlsxwriter.Workbook) -> None:
        self.title = book.add_format({"bold": True, "font_size": 14})
        self.head = book.add_format({"bold": True, "bg_color": "#E7ECF2", "bottom": 1})
        self.percent = book.add_format({"num_format": "0.00%"})
        self.score = book.add_format({"num_format": "0.00"})
        self.faint = book.add_format({"font_color": "#808080"})


def _sheet(book: xlsxwriter.Workbook, name: str, styles: _Styles, titles: list[str]) -> Any:
    sheet = book.add_worksheet(name[:31])
    sheet.write_row(0, 0, titles, styles.head)
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, 0, WIDE)
    sheet.set_column(1, len(titles), NARROW)
    return sheet


def _figures(
    book: xlsxwriter.Workbook, document: Document, styles: _Styles, zone: ZoneInfo
) -> None:
    sheet = book.add_worksheet("指标 Indicators")
    heading = f"{document.site} {document.title_zh} {document.title_en} {document.period.name}"
    sheet.write_string(0, 0, safe(heading), styles.title)
    as_of = document.asked.as_of.astimezone(zone)
    note = f"截至 as of {as_of:%Y-%m-%d %H:%M} · 方案 scheme {document.scheme.number}"
    sheet.write_string(1, 0, " · ".join([note, *document.notes]), styles.faint)
    titles = ["指标", "Indicator", "分子 n", "分母 of", "比率 value", "口径", "Formula", "来源"]
    sheet.write_row(3, 0, titles, styles.head)
    for row, each in enumerate(INDICATORS, 4):
        found = document.city.get(each.id)
        sheet.write_row(row, 0, [each.zh, each.en])
        sheet.write_row(row, 2, [len(found.numerator), len(found.denominator)] if found else [0, 0])
        if found is not None and found.value is not None:
            sheet.write_number(row, 4, found.value, styles.percent)
        sheet.write_row(row, 5, [each.says_zh, each.says_en, f"[{each.mark}]"])
    sheet.freeze_panes(4, 0)
    sheet.set_column(0, 1, WIDE)
    sheet.set_column(2, 4, NARROW)
    sheet.set_column(5, 6, 2 * WIDE)


def _earlier(book: xlsxwriter.Workbook, document: Document, styles: _Styles) -> None:
    periods = [*document.earlier, (document.period, document.city)]
    sheet = _sheet(book, "趋势 Trend", styles, ["指标", *(period.name for period, _ in periods)])
    for row, each in enumerate(INDICATORS, 1):
        sheet.write_string(row, 0, each.zh)
        for column, (_, found) in enumerate(periods, 1):
            measure = found.get(each.id)
            if measure is not None and measure.value is not None:
                sheet.write_number(row, column, measure.value, styles.percent)


def _matters(book: xlsxwriter.Workbook, document: Document, styles: _Styles) -> None:
    sheet = _sheet(book, "类别 Classes", styles, ["大类", *_pairs([i.id for i in INDICATORS])])
    for row, (code, found) in enumerate(document.matters, 1):
        sheet.write_string(row, 0, code)
        for column, each in enumerate(INDICATORS):
            measure = found.get(each.id)
            counts = (len(measure.numerator), len(measure.denominator)) if measure else (0, 0)
            sheet.write_row(row, 1 + 2 * column, counts)


def _ranking(
    book: xlsxwriter.Workbook, document: Document, section: Section, styles: _Styles
) -> None:
    weights = list(document.scheme.scheme.weights)
    titles = ["名称 Name", "名次 Place", "得分 Score", "可信度 Confidence", "连续末位 Bottom",
              "奖励 Award", *_pairs(weights)]  # fmt: skip
    sheet = _sheet(book, f"{section.title_zh}排名", styles, titles)
    for row, place in enumerate(section.places, 1):
        name = section.names.get(place.group, place.group)
        style = None if place.place else styles.faint
        sheet.write_string(row, 0, safe(name), style)
        if place.place is not None and place.score is not None:
            sheet.write_number(row, 1, place.place)
            sheet.write_number(row, 2, place.score, styles.score)
        trust = section.confidence.get(place.group)
        if trust is not None:
            sheet.write_number(row, 3, trust, styles.percent)
        sheet.write_number(row, 4, place.in_bottom)
        if place.award:
            sheet.write_string(row, 5, safe(f"{place.award[0]} {place.award[1]:.0f}"))
        for column, weight in enumerate(weights):
            measure = place.measures.get(weight)
            counts = (len(measure.numerator), len(measure.denominator)) if measure else (0, 0)
            sheet.write_row(row, 6 + 2 * column, counts)


def _deductions(book: xlsxwriter.Workbook, document: Document, styles: _Styles) -> None:
    titles = ["网格 Grid", "指标", "案件 Case", "扣分 Points"]
    sheet = _sheet(book, "扣分 Deductions", styles, titles)
    for row, line in enumerate(document.deductions, 1):
        sheet.write_string(row, 0, safe(line.group))
        sheet.write_string(row, 1, BY_ID[line.indicator].zh)
        sheet.write_string(row, 2, document.numbers.get(line.case, ""))
        sheet.write_number(row, 3, -line.points)


def _year(book: xlsxwriter.Workbook, document: Document, styles: _Styles) -> None:
    months = sorted({month for line in document.years for month in line.months})
    titles = ["网格 Grid", *months, "年终 Year end", "全年 Year"]
    sheet = _sheet(book, "全年 Year", styles, titles)
    for row, line in enumerate(document.years, 1):
        sheet.write_string(row, 0, safe(line.group))
        numbers = [*(line.months.get(month) for month in months), line.year_end, line.score]
        for column, number in enumerate(numbers, 1):
            if number is not None:
                sheet.write_number(row, column, number, styles.score)


def _pairs(names: list[str]) -> list[str]:
    return [title for name in names for title in (f"{BY_ID[name].zh} 分子 n", "分母 of")]
