"""Conditions and limits for the demo: a city's table has a row for each; these are made up.

The matters are of the national code table; openings, closings and limits are nobody's, and marked.
"""

from tianyan.sample import give

HOUR, DAY, AT_ONCE = "work_hour", "work_day", "urgent_hour"
CITY_MANAGEMENT, BUILDING, TRAFFIC = "市城管执法局", "市住建局", "市交通运输局"
ROWS = (
    ("06001", "禁建区内新搭建筑物或加盖", "已拆除，场地已清理", 15, DAY, CITY_MANAGEMENT),
    ("06010", "垃圾露天堆放，未入箱", "已清运，地面无残留", 4, HOUR, CITY_MANAGEMENT),
    ("06011", "渣土、建筑垃圾堆放", "已清运，路面已清扫", 2, DAY, CITY_MANAGEMENT),
    ("06012", "路面有泥土、污水或积尘", "已清扫冲洗", 2, HOUR, CITY_MANAGEMENT),
    ("06036", "公共场地堆放杂物", "已清理", 1, DAY, CITY_MANAGEMENT),
    ("06042", "垃圾箱满溢", "已清空，周边已清扫", 4, HOUR, CITY_MANAGEMENT),
    ("08002", "施工占道无围挡，影响通行", "已设围挡或已撤出", 2, AT_ONCE, BUILDING),
    ("08004", "工地扬尘未覆盖、未喷淋", "已覆盖或已喷淋", 4, HOUR, BUILDING),
    ("08011", "渣土车未密闭上路", "已密闭，路面已清扫", 4, AT_ONCE, TRAFFIC),
    ("09001", "流动摊贩占用道路经营", "已劝离，地面无残留", 2, HOUR, CITY_MANAGEMENT),
    ("09005", "门店经营超出门窗外墙", "已收回店内", 4, HOUR, CITY_MANAGEMENT),
    ("09006", "占用人行道或车行道摆摊", "已撤摊，通行恢复", 2, HOUR, CITY_MANAGEMENT),
)


def sample_rows() -> list[dict[str, object]]:
    """Rows as `POST /api/conditions` takes them."""
    return [
        {
            "matter": matter,
            "opening": f"示意：{opening}",
            "closing": f"示意：{closing}",
            "number": number,
            "unit": unit,
            "department": department,
        }
        for matter, opening, closing, number, unit, department in ROWS
    ]


def bring_in(url: str, token: str) -> None:
    """Give the rows to a hub; a demo goes on without them."""
    all(give("POST", f"{url}/api/conditions", token, row) is not None for row in sample_rows())
