"""What the tour shows: every picture of the documents, and what is done on its page first."""

from dataclasses import dataclass

DESK = (1280, 800)
POCKET = (390, 760)


@dataclass(frozen=True)
class Shot:
    """A picture: its file, the page, and how the page is looked at.

    `steps` are taken in order: `press:KEYS`, `pick:VALUE` of the page's first choice, or the
    selector of what is clicked.
    """

    name: str
    path: str
    ready: str = "main h1"
    steps: tuple[str, ...] = ()
    theme: str = "light"
    language: str = "zh"
    guide: bool = False
    draws_map: bool = False

    @property
    def file(self) -> str:
        return f"{self.name}.webp"

    @property
    def route(self) -> str:
        """The path of the page alone, as the navigation names it."""
        return self.path.partition("?")[0]


def row(number: int = 1) -> str:
    return f"tbody tr:nth-child({number}) button >> nth=0"


# As the administrator of the demo sees them. `{case}` is one that was dispatched,
# `{alert}` an alert that waits, `{sweeper}` a sweeper, `{day}` the day before,
# which its vehicles have driven.
DEMO = (
    Shot("guide", "/", "[data-alert]", guide=True, draws_map=True),
    Shot("console", "/", "[data-alert]", ("[data-alert='{alert}']",), draws_map=True),
    Shot(
        "console-dark-en", "/", "[data-alert]", ("[data-alert='{alert}']",),
        theme="dark", language="en", draws_map=True,
    ),
    Shot("merge", "/", "[data-alert]", ("[data-alert='{alert}']", "press:m")),
    Shot("keys", "/", "[data-alert]", ("press:?",), draws_map=True),
    Shot("cases", "/cases", "tbody tr"),
    Shot("cases-board", "/cases?open=all&view=board", "main li"),
    Shot("case", "/cases/{case}", ".timeline"),
    Shot("cameras", "/cameras", "tbody tr", ("text=画面墙",), draws_map=True),
    Shot("camera", "/cameras/box-1/cam-market", draws_map=True),
    Shot("vehicles", "/vehicles", "tbody tr", (row(2),), draws_map=True),
    Shot("permits", "/vehicles/permits", "tbody tr", (row(),), draws_map=True),
    Shot("patrol", "/patrol?since={day}&until={day}", "tbody tr", draws_map=True),
    Shot(
        "patrol-token", "/patrol?since={day}&until={day}", "tbody tr",
        ("main .segments button:has-text('仅停车')", row(), ".visits li button"), draws_map=True,
    ),
    Shot("duty", "/duty", "tbody tr", ("pick:complete",)),
    Shot("sweeping", "/duty?tab=sweep&day={day}", "tbody tr"),
    Shot("reports", "/reports", "tbody tr", (row(),), draws_map=True),
    Shot("dispatch", "/dispatch"),
    Shot("people", "/admin/people", "tbody tr", (row(),)),
    Shot("api-keys", "/admin/keys", "tbody tr"),
    Shot("webhooks", "/admin/webhooks", "tbody tr", (row(),)),
    Shot("history", "/admin/history", "tbody tr"),
    Shot("devices", "/admin/devices", "tbody tr"),
    Shot("grids", "/admin/grids", draws_map=True),
    Shot("matters", "/admin/matters", "tbody tr"),
    Shot("quarantine", "/admin/quarantine", "tbody tr", (row(),)),
    Shot("vehicle-day", "/vehicles/day?id={sweeper}&date={day}", draws_map=True),
)  # fmt: skip
# What takes a city months, as a made-up city has it.
MADE_UP = (
    Shot("twins", "/cases/{case}", ".twins", ("press:d",)),
    Shot("ledgers", "/ledgers", "tbody tr"),
    Shot("learning", "/learning", "tbody tr"),
    Shot("wall", "/wall", ".places li"),
)
# As a city that had work a month ago has it; `{day}` is of that month.
LIVED = (Shot("evaluation", "/evaluation?every=month&day={day}", ".tile", theme="dark"),)
PHONE = Shot("phone", "/phone")
PUBLIC = Shot("public", "/public/")
SHOTS = (*DEMO, *MADE_UP, *LIVED, PHONE, PUBLIC)
