"""What a function imports is what its layers and its own requirements bring.

Imports are followed through the function's own modules and the package showrunner, those inside a function too: a
provider is imported only when it is chosen, and must be there then.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.rigs.sam import ROOT, Sam

FUNCTIONS = sorted(path.name for path in (ROOT / "functions").iterdir() if (path / f"{path.name}.py").is_file())
COMMON = ROOT / "layers" / "common"


@pytest.mark.parametrize("folder", FUNCTIONS)
def test_a_function_has_all_that_it_imports(folder: str, sam: Sam) -> None:
    brought = installed(ROOT / "functions" / folder / "requirements.txt")
    for layer in sam.functions[folder]["Layers"]:
        brought |= installed(ROOT / sam.resources[layer]["Properties"]["ContentUri"] / "requirements.txt")

    missing = {f"{module}: {name}" for module, name in third_party(folder) if not distributions(name) & brought}

    assert missing == set()


@pytest.mark.parametrize("folder", FUNCTIONS)
def test_a_function_with_the_media_layer_uses_it(folder: str, sam: Sam) -> None:
    only_media = installed(ROOT / "layers/media/requirements.txt") - installed(COMMON / "requirements.txt")
    used = {name for _, name in third_party(folder) if distributions(name) & only_media}

    assert bool(used) == ("MediaLayer" in sam.functions[folder]["Layers"])


def test_requirements_of_a_function_are_used_by_it() -> None:
    for requirements in (ROOT / "functions").glob("*/requirements.txt"):
        imported = {name for _, name in third_party(requirements.parent.name)}
        assert any(distributions(name) & installed(requirements) for name in imported), requirements.parent.name


@cache
def third_party(folder: str) -> frozenset[tuple[str, str]]:
    """(module that imports, top-level package that it imports), neither the standard library nor ours."""
    found: set[tuple[str, str]] = set()
    todo = [ROOT / "functions" / folder / f"{folder}.py"]
    seen: set[Path] = set()
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        for name in imports_of(path):
            own = source_of(name, folder)
            if own:
                todo += own
            elif name.partition(".")[0] not in sys.stdlib_module_names:
                found.add((str(path.relative_to(ROOT)), name))
    return frozenset(found)


def imports_of(path: Path) -> Iterator[str]:
    """Names of modules that a file imports at run time; `from a import b` is both `a` and, where it is one, `a.b`."""
    tree = ast.parse(path.read_text())
    typing_only = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for statement in node.body
        for inner in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if node in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.module != "__future__":
            yield node.module
            yield from (
                f"{node.module}.{alias.name}" for alias in node.names if path_of(COMMON, f"{node.module}.{alias.name}")
            )


def source_of(name: str, folder: str) -> list[Path]:
    """The files of ours that importing a module executes: packages on the way included."""
    for root in (ROOT / "functions" / folder, COMMON):
        if path_of(root, name):
            parts = name.split(".")
            steps = (path_of(root, ".".join(parts[:length])) for length in range(1, len(parts) + 1))
            return [step for step in steps if step]
    return []


def path_of(root: Path, name: str) -> Path | None:
    plain = root.joinpath(*name.split("."))
    candidates = (plain.with_suffix(".py"), plain / "__init__.py")
    return next((path for path in candidates if path.is_file()), None)


def distributions(name: str) -> set[str]:
    """Names of the distributions that bring an import name."""
    return {canonical(found) for found in _by_import_name().get(name.partition(".")[0], ())}


@cache
def _by_import_name() -> Mapping[str, list[str]]:
    return packages_distributions()


def installed(requirements: Path) -> set[str]:
    """Names of the distributions that a compiled requirements file pins; none where there is no file."""
    if not requirements.is_file():
        return set()
    return {canonical(found) for found in re.findall(r"^([A-Za-z0-9._-]+)==", requirements.read_text(), re.MULTILINE)}


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
