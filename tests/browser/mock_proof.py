"""The mock hub's proof of fixes: photos, checks, a rebound, and the ledgers, all made up."""

from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.browser.made_up_city import City, Item

AT = "2026-11-20T02:00:00.000Z"
PHOTO = {
    "id": 1, "use": "claim", "type": "image/jpeg", "url": None, "original": "a" * 64,
    "by": "crew", "uploaded_at": AT, "used_at": AT, "taken_at": AT, "taken_from": "exif",
    "lat": 32.69, "lon": 109.03, "place_from": "exif", "acc_m": 8.0, "verdict": "good",
    "reasons": [], "refused": [], "copy_of": "", "copy_of_case": None, "copy_of_number": None,
}  # fmt: skip
REUSED = PHOTO | {
    "id": 2, "used_at": None, "verdict": "bad", "reasons": ["reused"], "refused": ["reused"],
    "copy_of": "photo:9", "copy_of_case": 3, "copy_of_number": "AK20261101-0003",
}  # fmt: skip
CHECK = {
    "id": 1, "case": 5, "claimed_at": AT, "claimed_by": "crew", "means": "look", "asked_at": AT,
    "look": "", "assignee": "", "forced": False, "awaited": False, "withdrawn": False,
    "result": "present", "reasons": ["seen"], "checked_at": AT, "checked_by": "box-0001",
    "photos": [], "note": "", "false_rectification": True,
}  # fmt: skip
VISIT = CHECK | {
    "id": 2, "means": "visit", "awaited": True, "forced": True, "result": None, "reasons": [],
    "checked_at": None, "checked_by": "", "false_rectification": False,
}  # fmt: skip
DAY = timedelta(days=1)
OLD = timedelta(days=41)
BACK = {
    "closed_at": AT, "reopened_at": AT, "cause_kind": "report", "cause": "AKR20261120-00007",
    "distance_m": 11.2,
}  # fmt: skip


class Proof:
    """What is known of every case's fix, the same for all."""

    def __init__(self, city: City) -> None:
        self.city = city

    def rows(self) -> list[tuple[str, Any, list[str]]]:
        return [
            ("/api/cases/{key}/proof", self.proof, ["GET"]),
            ("/api/ledgers/{name}", self.ledger, ["GET"]),
        ]

    async def proof(self, _request: Request) -> Response:
        return JSONResponse(
            {
                "photos": [PHOTO, REUSED],
                "checks": [CHECK, VISIT],
                "rebounds": [BACK],
                "photo_needed": True,
                "check_needed": True,
                "refuse": ["reused"],
                "proposal": "",
                "watched_until": None,
            }
        )

    async def ledger(self, request: Request) -> Response:
        cases = list(self.city.cases.values())[:3]
        make = self._place if request.path_params["name"] == "recurring" else self._long
        items = [make(case) for case in cases]
        return JSONResponse({"items": items, "total": len(items)})

    def _name(self, case: Item) -> Item:
        return {key: case[key] for key in ("id", "number", "state")}

    def _long(self, case: Item) -> Item:
        about = {key: case[key] for key in ("title", "matter", "grid")}
        about["opened_at"] = _before(case["opened_at"], OLD)
        counts = {"suspensions": 1, "extensions": 1, "reworks": 2, "rebounds": 0}
        why = {"days": OLD / DAY, "old": True, "put_off": True}
        return {"case": self._name(case)} | why | about | counts

    def _place(self, case: Item) -> Item:
        about = {key: case[key] for key in ("matter", "grid", "lat", "lon")}
        counts = {"times": 4, "rebounds": 1, "alerts": 1, "case_count": 1}
        return {"cases": [self._name(case)], "first_at": AT, "last_at": AT} | about | counts


def _before(at: str, length: timedelta) -> str:
    return (datetime.fromisoformat(at) - length).isoformat()
