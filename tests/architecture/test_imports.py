"""What may import what, where a layer contract cannot say it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ARRAYS = {"numpy", "scipy", "judges"}
# The parts of the standard library that reach no clock, disk, network, environment or log.
PURE = {
    "__future__", "abc", "bisect", "collections", "dataclasses", "difflib", "enum", "fractions",
    "functools", "heapq", "itertools", "math", "operator", "re", "types", "typing",
}  # fmt: skip
# Finding the judges is reading the package's own folder; one module does it.
REGISTRY = {"importlib", "pkgutil"}
# The extra `fast`: one module needs it, and is loaded only where it is installed.
COMPILER = {"numba"}


def imported(path: Path) -> Iterator[str]:
    """Name every module that a file imports, wherever in the file it does so."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                yield from (name.name for name in names)
            case ast.ImportFrom(module=str(module)):
                yield module
            case _:
                pass


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, id=str(path.relative_to(ROOT))) for path in ROOT.glob("judges/**/*.py")],
)
def test_judges_import_only_arrays_and_pure_modules(path: Path) -> None:
    allowed = ARRAYS | PURE
    if path == ROOT / "judges/core/registry.py":
        allowed |= REGISTRY
    if path == ROOT / "judges/core/kernels.py":
        allowed |= COMPILER

    assert {name.partition(".")[0] for name in imported(path)} <= allowed


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, id=path.name) for path in ROOT.glob("analysis/calibration/*.py")],
)
def test_calibration_asks_for_no_more_than_a_notebook_has(path: Path) -> None:
    allowed = PURE | {"numpy", "judges", "statistics"}
    names = {name for name in imported(path) if not name.startswith("analysis.calibration")}

    assert {name.partition(".")[0] for name in names} <= allowed


def test_the_port_of_the_sources_knows_only_errors() -> None:
    ours = {
        name for name in imported(ROOT / "analysis/sources/port.py")
        if name.startswith(("analysis", "judges"))
    }  # fmt: skip

    assert ours <= {"analysis.errors"}


@pytest.mark.parametrize("package", ["analysis", "judges"])
def test_no_other_distribution_owns_our_package(package: str) -> None:
    # An editable install lists no files, so it may be absent here; nobody else may be present.
    assert set(packages_distributions().get(package, [])) <= {"serinus"}
