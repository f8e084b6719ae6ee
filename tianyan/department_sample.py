"""Departments for the demo: the ten bureaus of the paper on Ankang's grids, the eight towns.

The names are facts of 安政发〔2020〕20号. Codes, numbers and the rules that send cases to them are
made up, and marked so.
"""

from hub.departments.department import check_sign
from tianyan.sample import give

BUREAUS = {
    "chengguan": "市城管执法局",
    "ziran": "市自然资源局",
    "nongye": "市农业农村局",
    "zhujian": "市住建局",
    "gongan": "市公安局",
    "fagai": "市发改委",
    "shichang": "市市场监管局",
    "huanjing": "市生态环境局",
    "jiaotong": "市交通运输局",
    "caizheng": "市财政局",
}
TOWNS = {
    "xincheng": "新城办",
    "laocheng": "老城办",
    "jiangbei": "江北办",
    "jianmin": "建民办",
    "zhangtan": "张滩镇",
    "guanmiao": "关庙镇",
    "wuli": "五里镇",
    "jihe": "吉河镇",
}


def sample_rows() -> dict[str, dict[str, object]]:
    """Departments by code."""
    city = {code: {"name_zh": name, "level": 1} for code, name in BUREAUS.items()}
    towns = {
        code: {"name_zh": name, "level": 2, "grid": f"ak-{code}"} for code, name in TOWNS.items()
    }
    return {
        code: {**fields, "credit_code": made_up_credit_code(place), "generated": True}
        for place, (code, fields) in enumerate((city | towns).items(), 1)
    }


def sample_rules() -> list[dict[str, object]]:
    """Dispatch rules: matters to bureaus, the rest to whose ground it is."""
    bureaus = {"06": "chengguan", "07": "chengguan", "08": "zhujian", "09": "chengguan"}
    said: list[dict[str, object]] = [{"matter": "08011", "department": "jiaotong"}]
    said += [{"matter": code, "department": to} for code, to in bureaus.items()]
    said += [{"grid": f"ak-{code}", "department": code} for code in TOWNS]
    return [{**rule, "note": "示意"} for rule in said]


def made_up_credit_code(number: int) -> str:
    """A code of the right shape for nobody: its place digits, 000000, are no place's."""
    body = f"11000000{number:09d}"
    return body + check_sign(body)


def bring_in(url: str, token: str) -> None:
    """Give departments and rules to a hub that has none of them; a demo goes on without them."""
    for code, department in sample_rows().items():
        body = {"version": 0, "department": department}
        if give("PUT", f"{url}/api/departments/{code}", token, body) is None:
            return
    for rule in sample_rules():
        if give("POST", f"{url}/api/dispatch-rules", token, {"rule": rule}) is None:
            return
