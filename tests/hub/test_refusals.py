"""Whatever code the hub refuses with, the console has a Chinese sentence for it."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SENTENCES = ROOT / "hub" / "console" / "src" / "i18n" / "zh-problems.ts"
REFUSALS = {"Problem": 1, "error_response": 1, "NotNow": 0, "BadProcedure": 0}
"""What is raised or answered with a code, and which argument that is."""
PASSED_ON = {
    ("cases/enforcement_api.py", "fault.code"),
    ("cases/recording.py", "fault.code"),
    ("http.py", "fault.code"),
    ("http.py", "code"),
}
"""Where a code is handed on; it is collected where it was chosen."""
OF_ROUTES = {"not_found", "method_not_allowed", "too_large", "error"}
"""What `hub.http` makes of an answer of the framework itself."""


TO_PROGRAMS = {
    "app.py",
    "evidence/api.py",
    "evidence/file.py",
    "live/api.py",
    "models/model.py",
}
"""Where what is refused is told to devices and other programs alone, in English."""


@cache
def codes():
    """Each code a caller may be answered with, and where one is no literal."""
    found, expressions = set(OF_ROUTES), set()
    for path in sorted((ROOT / "hub").rglob("*.py")):
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        imported = {
            (node.module, each.name)
            for node in nodes
            if isinstance(node, ast.ImportFrom)
            for each in node.names
        }
        of_rows = {"Problem"} if ("hub.grid.errors", "Problem") in imported else set()
        for code in _chosen(nodes, of_rows):
            if isinstance(code, ast.Constant):
                found.add(code.value)
            else:
                where = path.relative_to(ROOT / "hub").as_posix()
                expressions.add((where, ast.unparse(code)))
    return found, expressions


def _chosen(nodes, but):
    """The codes, as they are written."""
    for node in nodes:
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", "")
            if name in REFUSALS and name not in but:
                yield node.args[REFUSALS[name]]
        elif isinstance(node, ast.ClassDef):
            for base in {getattr(each, "id", "") for each in node.bases} & {*REFUSALS}:
                for call in ast.walk(node):
                    if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == "__init__":
                        yield call.args[REFUSALS[base]]


def sentences():
    text = SENTENCES.read_text(encoding="utf-8")
    return dict(re.findall(r"^  '?(\w+)'?:\s+'(.+)',$", text, re.MULTILINE))


def test_every_refusal_has_a_chinese_sentence():
    found, _ = codes()
    assert len(found) > 100
    said = sentences()
    assert sorted(found - set(said)) == []
    assert sorted(set(said) - found) == []  # nothing answers with it any more
    assert [
        code for code, text in said.items() if not re.search(r"[\u4e00-\u9fff].*。$", text)
    ] == []


def test_no_code_is_made_where_nobody_collects_it():
    _, expressions = codes()
    assert expressions == PASSED_ON


def test_what_a_refusal_says_has_a_code():
    bare = [  # `Problem` of tables has another shape; `test_coded` sees to it
        f"{path.relative_to(ROOT / 'hub').as_posix()}:{call.lineno}: {ast.unparse(said)}"
        for path in sorted((ROOT / "hub").rglob("*.py"))
        if path.relative_to(ROOT / "hub").as_posix() not in TO_PROGRAMS
        if "from hub.errors import" in (text := path.read_text(encoding="utf-8"))
        for inside in ast.walk(ast.parse(text))
        if isinstance(inside, ast.FunctionDef)
        for call in ast.walk(inside)
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") in REFUSALS
        for argument in call.args[REFUSALS[call.func.id] + 1 :][:1]
        for said in _meant(argument, inside)
        if isinstance(said, ast.JoinedStr | ast.Constant)
    ]
    assert bare == []


def _meant(argument, inside):
    """What an argument is, or was set to in the same function."""
    if not isinstance(argument, ast.Name):
        return [argument]
    return [
        node.value
        for node in ast.walk(inside)
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == argument.id
    ]
