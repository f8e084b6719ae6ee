"""What an integrator installs for a role is all that the role imports."""

import ast
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from edge.detect.manifest import models_dir

TOP = Path(__file__).parents[1]
OURS = {"edge", "hub", "scenes", "tianyan", "training", "wire"}
BY_CHOICE = {"authlib", "joserfc", "weasyprint", "psycopg", "openvino", "nncf"}
"""Of extras of their own; what needs them says so when they are missing."""


def _brought(extra):
    """The distributions that `pip install .[extra]` brings, with what they need themselves."""
    project = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {"tianyan": {extra}}
    waiting = [("tianyan", extra)]
    while waiting:
        name, chosen = waiting.pop()
        if name == "tianyan":
            lines = project["dependencies"] + project["optional-dependencies"].get(chosen, [])
        else:
            lines = _needs(name)
        for line in lines:
            needed = Requirement(line)
            if needed.marker and not needed.marker.evaluate({"extra": chosen}):
                continue
            key = canonicalize_name(needed.name)
            for more in {"", *needed.extras} - wanted.setdefault(key, set()):
                wanted[key].add(more)
                waiting.append((key, more))
    return set(wanted)


def _needs(name):
    """What a distribution asks for; nothing where it is not here: it is imported from nowhere."""
    try:
        return requires(name) or []
    except PackageNotFoundError:
        return []


def _imported(files):
    """Modules of others that these files import, wherever in the file."""
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            yield from ((name.partition(".")[0], path) for name in names)


ROLES = {
    "gps": ("wire/*.py", "edge/gps/**/*.py"),
    "edge": ("wire/*.py", "edge/*.py", "edge/camera/*.py", "edge/detect/*.py"),
    "hub": ("hub/**/*.py",),
}


@pytest.mark.parametrize("extra", ROLES)
def test_an_extra_brings_all_that_its_part_imports(extra):
    files = [path for pattern in ROLES[extra] for path in sorted(TOP.glob(pattern))]
    homes = packages_distributions()
    brought = _brought(extra)
    missing = {
        f"{name} ({path.relative_to(TOP)})"
        for name, path in _imported(files)
        if name not in OURS | BY_CHOICE | sys.stdlib_module_names
        if brought.isdisjoint(canonicalize_name(home) for home in homes.get(name, [name]))
    }
    assert not missing


def test_an_installed_package_finds_the_models_beside_its_environment(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "edge.detect.manifest.__file__", str(tmp_path / "a/b/site/edge/detect/m.py")
    )
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "tianyan" / ".venv"))
    monkeypatch.chdir(tmp_path)
    assert models_dir() == Path("models")
    (tmp_path / "tianyan" / "models").mkdir(parents=True)
    assert models_dir() == tmp_path / "tianyan" / "models"
