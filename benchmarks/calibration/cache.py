"""Results on disk, one file a cell, so that an interrupted run goes on where it was."""

from __future__ import annotations

import ast
import hashlib
import json
import platform
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

from analysis.calibration import Rate
from benchmarks.calibration.cells import Cell, Delay, Measured, Results

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "build" / "calibration"
# What every figure comes from; beside it, each table from its own module and those it names.
CODE = ("judges", "analysis/calibration", "analysis/scoring.py", "analysis/counters.py")
# How a table is written changes no figure.
WRITING = {"tables"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A measurement of a cell: with which seed, how often, and by which code.

    Attributes:
        seed: Starts the randomness.
        replicates: Replicates of the cell.
        versions: Of what computes, by name.
    """

    seed: int
    replicates: int
    versions: dict[str, str]

    def __str__(self) -> str:
        """Write it as the document does."""
        libraries = ", ".join(f"{k} {v}" for k, v in self.versions.items() if k != "code")
        return f"{self.replicates:,} replicates a row, seed {self.seed}, {libraries}."


def run_of(module: str, *, seed: int, replicates: int) -> Run:
    """Describe the measurement that would be made now of the cells of a table's module."""
    versions = {
        "Python": platform.python_version(),
        "numpy": version("numpy"),
        "scipy": version("scipy"),
        "code": _digest(module),
    }
    return Run(seed=seed, replicates=replicates, versions=versions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """Where results are kept.

    Attributes:
        folder: Holds a folder for each table.
    """

    folder: Path = FOLDER

    def load(self, cell: Cell, run: Run) -> dict[str, Measured] | None:
        """Give the results of a cell, if the same code measured it in the same way."""
        found = self.latest(cell, run)
        return found[1] if found is not None and found[0] == run else None

    def latest(self, cell: Cell, run: Run) -> tuple[Run, dict[str, Measured]] | None:
        """Give what any code last measured of a cell with this seed and so many replicates."""
        path = self._path(cell, run)
        if not path.exists():
            return None
        stored = json.loads(path.read_text(encoding="utf-8"))
        results = {name: _read(result) for name, result in stored["results"].items()}
        return Run(**stored["run"]), results

    def save(self, cell: Cell, run: Run, results: Results) -> None:
        """Keep the results of a cell; a run that is killed meanwhile leaves the old ones."""
        path = self._path(cell, run)
        path.parent.mkdir(parents=True, exist_ok=True)
        stored = {"run": asdict(run), "results": {k: asdict(v) for k, v in results.items()}}
        half = path.with_suffix(".part")
        half.write_text(json.dumps(stored, indent=1), encoding="utf-8")
        half.replace(path)

    def _path(self, cell: Cell, run: Run) -> Path:
        name = re.sub(r"[^\w.+-]+", "-", "_".join(cell.key)).strip("-")
        digest = hashlib.sha256(cell.name.encode()).hexdigest()[:8]
        return self.folder / cell.table / f"{name}-{digest}-{run.seed}-{run.replicates}.json"


def _read(stored: dict[str, float]) -> Measured:
    if "hits" in stored:
        return Rate(hits=int(stored["hits"]), of=int(stored["of"]))
    times = {name: float(stored[name]) for name in ("median", "low", "high")}
    return Delay(**times, of=int(stored["of"]))


def _digest(module: str) -> str:
    """Tell code apart by what it does: comments, docstrings and layout do not count."""
    files = [file for name in CODE for file in _files(ROOT / name)]
    code = [_code(file) for file in (*files, *_of_table(module.rpartition(".")[2]))]
    return hashlib.sha256(b"".join(code)).hexdigest()[:12]


def _of_table(name: str) -> list[Path]:
    """List a table's module, and those of this package that it imports from."""
    own = Path(__file__).with_name(f"{name}.py")
    named = re.findall(
        r"^from benchmarks\.calibration\.(\w+) import", own.read_text(), re.MULTILINE
    )
    return [own, *(own.with_name(f"{other}.py") for other in sorted({*named} - WRITING))]


def _files(path: Path) -> Iterator[Path]:
    yield from sorted(path.rglob("*.py")) if path.is_dir() else [path]


@cache
def _code(file: Path) -> bytes:
    return ast.dump(_bare(ast.parse(file.read_bytes()))).encode()


def _bare(tree: ast.Module) -> ast.Module:
    """Take the docstrings away."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(
            node
        ):
            node.body = node.body[1:]
    return tree
