"""五定 for the demo: what the paper on Ankang's grids fixes, with posts and people made up.

The texts are facts of 安政发〔2020〕20号 and of the speech to it; every name is marked 示意.
"""

from tianyan.sample import give

Row = dict[str, str]
CAR = "fleet-1/patrol-01"
CITY, PATROLLED = "ak", "ak-xincheng"
STAFFED = (CITY, PATROLLED, "ak-laocheng-01", "ak-xincheng-01", "ak-xincheng-02")


def sample_rows() -> dict[str, list[Row]]:
    """Rows of duty by kind, in the order in which they refer to each other."""
    shift = {"code": "day", "name": "白班（示意）", "days": "daily", "start": "08:00",
             "end": "12:00"}  # fmt: skip
    rows: dict[str, list[Row]] = {"shifts": [shift]}
    for grid in STAFFED:
        post = f"post-{grid}"
        rows.setdefault("posts", []).append(
            {"code": post, "name": f"示意岗位 {grid}", "grid": grid, "shifts": "day"}
        )
        head = {"id": f"head-{grid}", "name": "示意网格长", "role": "grid_head", "post": post}
        worker = {"id": f"worker-{grid}", "name": "示意网格员", "role": "grid_worker", "post": post}
        if grid == PATROLLED:
            worker |= {"name": "示意执法人员", "role": "officer", "trackers": CAR}
        rows.setdefault("people", []).extend([head, worker])
        patrol = "每周巡查不少于 1 次" if grid == CITY else "全天候常态化巡查"
        duty = "巡查发现，属于本级的迅速核查，不属于的上报或移交"
        rows.setdefault("duties", []).append({"grid": grid, "text": duty})
        rows.setdefault("tasks", []).append({"grid": grid, "text": patrol})
        if grid != "ak-xincheng-02":
            reward = {"grid": grid, "text": "以奖代补资金每年 300 万元，考核每月自评"}
            rows.setdefault("rewards", []).append(reward)
    return rows


def bring_in(url: str, token: str) -> None:
    """Give the rows to a hub; a demo goes on without them."""
    for kind, rows in sample_rows().items():
        if give("PUT", f"{url}/api/duty/rows", token, {"kind": kind, "rows": rows}) is None:
            return
