"""The reference page of the indicators, written from their table: `make schema` renews it."""

import sys
from pathlib import Path

from hub.evaluation.indicator import INDICATORS, MINIMUM, Better, Unit

HEAD = f"""# Indicators

Every figure is a share with its two counts, and each count opens into what it counts.
Written from `hub/evaluation/indicator.py`; a test keeps it true.

"Due to be handled" and "due to be closed" (应处置、应结案) are the rounds of cases whose
deadline falls in the period, whenever they were filed; what is due later than the
moment asked for is not due yet. Suspended cases (挂账、缓办) are out unless `suspended=true`
or the scheme says otherwise; cancelled ones are always out. "Handled" is reported done
and not sent back since. "Closed in time" is closed, reported done by its deadline, and
not come back: a rebound takes the credit. A case that comes back has a second round
with a deadline of its own.

An opinion is due by what the joint handling named, else within two working days; it counts
for the partner, not for the lead. One that the case did not need any more before it was due
is out; one that was due is in, however the case went on without it.

With a denominator under the scheme's minimum ({MINIMUM}) a figure is shown with its
counts and not ranked.

Sources: [2] two public sources agree, [1] one, [P] this project's own rule.

"""
UNITS = {
    Unit.CASE: "cases", Unit.CHECK: "checks", Unit.REPORT: "reports", Unit.VISIT: "visits",
    Unit.OPINION: "opinions",
}  # fmt: skip
GOOD = {Better.HIGH: "more", Better.LOW: "less", Better.NEITHER: "neither"}


def page() -> str:
    """The page, in Markdown."""
    lines = [
        "| indicator | identifier | formula | 口径 | counts | better | source |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *(
            f"| {each.zh} {each.en} | `{each.id}` | {each.says_en} | {each.says_zh} | "
            f"{UNITS[each.unit]} | {GOOD[each.better]} | [{each.mark}] |"
            for each in INDICATORS
        ),
    ]
    return HEAD + "\n".join(lines) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
