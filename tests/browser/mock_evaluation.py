"""A month's figures of the mock hub: how the towns of the made-up city stand, made up as well."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hub.evaluation.indicator import INDICATORS
from tests.browser.made_up_city import TOWNS, Item, now, stamp

CASES = 91
MISSED = {"close_rate": 9, "on_time_close_rate": 14, "patrol_coverage": 6}
"""How many short of all; other indicators count what should be few."""


def figure(indicator: str, missed: int) -> Item:
    counted = CASES - missed
    share = {"numerator": counted, "denominator": CASES, "value": counted / CASES}
    return {"indicator": indicator, "ranked": True} | share


FIGURES = [figure(each.id, MISSED.get(each.id, CASES - 4)) for each in INDICATORS]


async def indicators(_request: Request) -> Response:
    rows = [
        {"id": each.id, "name_zh": each.zh, "name_en": each.en, "says_zh": each.says_zh,
         "says_en": each.says_en, "mark": each.mark, "better": each.better, "unit": each.unit}
        for each in INDICATORS
    ]  # fmt: skip
    return JSONResponse({"items": rows, "total": len(rows)})


def made(request: Request) -> Item:
    period = request.query_params["period"]
    return {"period": period, "as_of": stamp(now()), "scheme": 0, "generated": True}


async def figures(request: Request) -> Response:
    everything = {"group": "", "name": "", "figures": FIGURES}
    return JSONResponse(made(request) | {"patrol_since": None, "groups": [everything]})


async def ranking(request: Request) -> Response:
    places = [
        {"group": name, "name": name, "place": place, "score": 97.4 - 3.1 * place,
         "figures": [], "confidence": None, "in_bottom": 0, "flagged": False, "award": None,
         "self_score": None}
        for place, (name, _) in enumerate(TOWNS, 1)
    ]  # fmt: skip
    return JSONResponse(made(request) | {"minimum": 10, "places": places})


def rows() -> list[tuple[str, Any, list[str]]]:
    return [
        ("/api/evaluation/indicators", indicators, ["GET"]),
        ("/api/evaluation/figures", figures, ["GET"]),
        ("/api/evaluation/ranking", ranking, ["GET"]),
    ]
