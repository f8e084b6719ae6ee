"""Reports for the demo: what citizens might have told, made up and marked so.

One has its matter and place and opens a case; the others wait for whoever takes reports in.
"""

import json
from functools import partial
from pathlib import Path

from tianyan.sample import give

SYSTEM = "demo"
CITIZEN = {"name": "演示市民", "phone": "13800000000"}
REPORTS: tuple[dict[str, object], ...] = (
    {
        "channel": "12345", "content": "（演示）人行道上堆了一大堆垃圾，两天没有人清，气味很大。",
        "matter": "暴露垃圾", "place_text": "汉江路中段", "lat": 32.6862, "lon": 109.0215,
        "wants_reply": True, "caller": CITIZEN,
    },
    {
        "channel": "wechat", "content": "（演示）三轮车每天傍晚停在车道上卖西瓜，骑车的只能绕行。",
        "place_text": "育才路农业银行门口", "caller": CITIZEN, "wants_reply": True,
    },
    {
        "channel": "phone", "content": "（演示）小区门口的井盖松了，车一过就响。",
        "place_text": "兴安东路",
    },
    {"channel": "app", "content": "（演示）晚上十一点还有车往河边空地上倒土。"},
)  # fmt: skip
PICTURES = (("heap_growing", 100.0), ("tricycle_seller", 90.0))
"""Scenes that the first of them show, and at what second."""
SEED = 3
SIZE = (960, 540)


def sample_reports() -> list[dict[str, object]]:
    """Bodies of `POST /api/reports`; given again they are the same reports."""
    return [
        {**report, "generated": True, "external_system": SYSTEM, "external_id": f"demo-{number}"}
        for number, report in enumerate(REPORTS, 1)
    ]


def bring_in(url: str, token: str, cache: Path) -> None:
    """Give them to a hub, then the pictures of the first; these are drawn once, kept in `cache`."""
    answers = list(map(partial(give, "POST", f"{url}/api/reports", token), sample_reports()))
    numbers = [json.loads(answer)["number"] for answer in answers if answer]
    for number, (scene, at_s) in zip(numbers, PICTURES, strict=False):
        path = cache / f"told-{scene}.jpg"
        if not path.exists():
            _draw(scene, at_s, path)
        give("PUT", f"{url}/api/reports/{number}/photos", token, path.read_bytes(), "image/jpeg")


def _draw(scene: str, at_s: float, path: Path) -> None:
    import cv2

    from scenes.scene import find, render

    picture, _ = render(find(scene, SEED), at_s, SIZE)
    unfinished = path.with_suffix(".part.jpg")
    cv2.imwrite(str(unfinished), picture)
    unfinished.replace(path)
