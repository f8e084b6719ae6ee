"""A report as a PDF for people who read paper, the same bytes for the same document."""

from html import escape
from typing import Any
from zoneinfo import ZoneInfo

from PIL import ImageFile

from hub.errors import HubError
from hub.evaluation.document import Document, Section
from hub.evaluation.indicator import BY_ID, INDICATORS, Measure

SHOWN_DEDUCTIONS = 40
STYLE = """
@page { size: A4; margin: 18mm 15mm 16mm;
  @bottom-left { content: string(foot); font-size: 8pt; color: #5b6470 }
  @bottom-right { content: counter(page) " / " counter(pages); font-size: 8pt; color: #5b6470 } }
html { font: 9.5pt "Noto Sans CJK SC", "Noto Sans SC", "WenQuanYi Micro Hei", sans-serif;
  color: #1b2430 }
h1 { font-size: 19pt; margin: 0; font-weight: 600 }
h2 { font-size: 12.5pt; margin: 7mm 0 2mm; font-weight: 600 }
p { margin: 1mm 0; color: #5b6470 }
.foot { string-set: foot content(); display: block; height: 0; overflow: hidden }
.keys { display: flex; gap: 3mm; margin: 5mm 0 } .key { flex: 1; padding: 3mm;
  background: #eef2f6; border-radius: 2mm } .key b { display: block; font-size: 16pt }
.key small { color: #5b6470 }
table { width: 100%; border-collapse: collapse } thead { display: table-header-group }
th { text-align: left; font-weight: 600; border-bottom: 0.4pt solid #1b2430; padding: 1mm 1.5mm }
td { border-bottom: 0.2pt solid #ccd3dc; padding: 1mm 1.5mm } tr { break-inside: avoid }
.n { text-align: right; font-variant-numeric: tabular-nums } .faint td { color: #7a828c }
.flag { color: #a32020; font-weight: 600 } .say { color: #5b6470; font-size: 8pt }
.made { background: #fff3cd; color: #5f4a00; padding: 2mm 3mm; border-radius: 2mm }
"""
KEYS = (
    "close_rate", "on_time_close_rate", "rework_rate", "false_rectification_rate", "rebound_rate",
)  # fmt: skip


class NoPrinter(HubError):
    """What makes PDFs is not installed; says how to install it."""


def pdf(document: Document, zone: ZoneInfo) -> bytes:
    """The report on A4.

    Raises NoPrinter where the libraries are missing.
    """
    try:
        weasyprint = _weasyprint()
    except (ImportError, OSError) as fault:
        raise NoPrinter(
            f"PDF reports need the extra [pdf] and Debian's libpango-1.0-0, libpangoft2-1.0-0, "
            f"libharfbuzz-subset0 and fonts-noto-cjk: {fault}"
        ) from None
    page = weasyprint.HTML(string=_page(document, zone), url_fetcher=_nothing)
    data = page.write_pdf(pdf_identifier=document.period.name.encode())
    return bytes(data or b"")


def _weasyprint() -> Any:
    """WeasyPrint, without its wish that Pillow take torn pictures in the whole process."""
    takes_torn = ImageFile.LOAD_TRUNCATED_IMAGES
    try:
        import weasyprint  # noqa: PLC0415 - an extra, and a second that no start waits for
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = takes_torn
    return weasyprint


def _nothing(url: str, *_more: object, **_settings: object) -> dict[str, object]:
    raise ValueError(f"a report fetches nothing: {url}")


def _page(document: Document, zone: ZoneInfo) -> str:
    as_of = document.asked.as_of.astimezone(zone)
    head = f"{document.title_zh} {document.title_en}"
    foot = f"{document.site} · {head} · {document.period.name} · {as_of:%Y-%m-%d %H:%M}"
    parts = [
        f'<!doctype html><html lang="zh"><meta charset="utf-8"><title>{escape(foot)}</title>',
        f"<style>{STYLE}</style><span class=foot>{escape(foot)}</span>",
        f"<h1>{escape(document.site)} {escape(head)}</h1>",
        f"<p>{escape(document.period.name)} · 截至 as of {as_of:%Y-%m-%d %H:%M}</p>",
        f"<p>方案 scheme {document.scheme.number} · 每个比率附分子与分母 rates with counts</p>",
    ]
    parts += [f"<p class=made>{escape(note)}</p>" for note in document.notes]
    parts += [_keys(document), _figures(document)]
    if document.earlier:
        parts.append(_trend(document))
    parts += [_ranking(document, section) for section in document.sections]
    parts.append(_deductions(document))
    return "".join(parts)


def _keys(document: Document) -> str:
    boxes = [
        f"<div class=key><b>{_share(document.city.get(name))}</b>{BY_ID[name].zh}<br>"
        f"<small>{BY_ID[name].en} · {_counts(document.city.get(name))}</small></div>"
        for name in KEYS
    ]
    return f"<div class=keys>{''.join(boxes)}</div>"


def _figures(document: Document) -> str:
    rows = [
        f"<tr><td>{each.zh}<br><span class=say>{escape(each.en)}</span>"
        f"<td class=n>{_counts(document.city.get(each.id))}"
        f"<td class=n>{_share(document.city.get(each.id))}"
        f"<td class=say>{escape(each.says_zh)}<br>{escape(each.says_en)} [{each.mark}]"
        for each in INDICATORS
    ]
    head = "<tr><th>指标 Indicator<th class=n>n / of<th class=n>比率<th>口径 Formula"
    return f"<h2>指标 Indicators</h2><table><thead>{head}</thead>{''.join(rows)}</table>"


def _trend(document: Document) -> str:
    periods = [*document.earlier, (document.period, document.city)]
    head = "".join(f"<th class=n>{period.name}" for period, _ in periods)
    rows = "".join(
        f"<tr><td>{BY_ID[name].zh} {BY_ID[name].en}"
        + "".join(f"<td class=n>{_share(found.get(name))}" for _, found in periods)
        for name in KEYS
    )
    return f"<h2>趋势 Trend</h2><table><thead><tr><th>{head}</thead>{rows}</table>"


def _ranking(document: Document, section: Section) -> str:
    weights = list(document.scheme.scheme.weights)
    head = "".join(f"<th class=n>{BY_ID[name].zh}" for name in weights)
    rows = []
    for place in section.places:
        trust = section.confidence.get(place.group)
        flag = ""
        if place.is_flagged:
            flag = f"<br><span class=flag>连续 {place.in_bottom} 次末位</span>"
        name = escape(section.names.get(place.group, place.group))
        rows.append(
            f"<tr{'' if place.place else ' class=faint'}><td class=n>{place.place or '–'}"
            f"<td>{name}{flag}<td class=n>{'–' if place.score is None else f'{place.score:.2f}'}"
            f"<td class=n>{'–' if trust is None else f'{100 * trust:.0f} %'}"
            + "".join(f"<td class=n>{_counts(place.measures.get(name))}" for name in weights)
        )
    return (
        f"<h2>{section.title_zh}排名 {section.title_en}</h2>"
        f"<p>分母少于 {document.scheme.scheme.minimum} 的不计名次 · "
        f"under {document.scheme.scheme.minimum} of a denominator is not ranked</p>"
        f"<table><thead><tr><th class=n>名次<th>名称<th class=n>得分<th class=n>可信度{head}"
        f"</thead>{''.join(rows)}</table>"
    )


def _deductions(document: Document) -> str:
    lines = document.deductions
    if not lines:
        return ""
    rows = "".join(
        f"<tr><td>{escape(line.group)}<td>{BY_ID[line.indicator].zh}"
        f"<td>{escape(document.numbers.get(line.case, ''))}<td class=n>-{line.points:g}"
        for line in lines[:SHOWN_DEDUCTIONS]
    )
    more = len(lines) - SHOWN_DEDUCTIONS
    rest = f"<p>另有 {more} 条，见 XLSX · {more} more in the XLSX</p>" if more > 0 else ""
    head = "<tr><th>网格 Grid<th>指标 Indicator<th>案件 Case<th class=n>扣分 Points"
    title = "<h2>扣分 Deductions</h2>"
    return f"{title}<table><thead>{head}</thead>{rows}</table>{rest}"


def _share(measure: Measure | None) -> str:
    return "–" if measure is None or measure.value is None else f"{100 * measure.value:.2f} %"


def _counts(measure: Measure | None) -> str:
    return "–" if measure is None else f"{len(measure.numerator)} / {len(measure.denominator)}"
