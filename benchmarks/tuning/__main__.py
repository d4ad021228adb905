"""Tune on halves of a recorded corpus and write the page: `make tunings`.

usage: python -m benchmarks.tuning [--services 10] [--good 20] [--bad 10] [--trials FOLDER]
"""

from __future__ import annotations

import argparse
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from analysis.config import parse_config
from analysis.past.engines.making import EngineKind, make_engine
from analysis.past.folder import RecordedDeployments
from analysis.past.looks import Promotion, Schedule
from analysis.past.tuning.search import Variant, variants
from analysis.past.tuning.tuning import Aim, Tried, try_variants
from benchmarks.tuning import page
from benchmarks.tuning.corpus import Corpus, write
from benchmarks.tuning.halves import among, halved, misled

CAREFUL, HURRIED = (Path(__file__).parent / f"{name}.yaml" for name in ("careful", "hurried"))
SEED, AA_SEED = 31, 32
BUDGETS = (0.01, 0.05)
LOOKS = timedelta(minutes=30)
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "tuning.md"


def all_variants(text: str) -> list[Variant]:
    """Give what the command would try for any of the budgets, each once."""
    config = parse_config(text)
    return list({one.name: one for budget in BUDGETS for one in variants(config, budget)}.values())


def tried(corpus: Corpus, text: str) -> Tried:
    """Record a corpus and judge it by every variant."""
    aim = Aim(budget=BUDGETS[0], schedule=Schedule(every=LOOKS, promotion=Promotion.END))
    with (
        tempfile.TemporaryDirectory(prefix="tuning-") as place,
        make_engine(EngineKind.PROCESS) as engine,
    ):
        write(corpus, Path(place), text)
        past = RecordedDeployments(folder=Path(place))
        return try_variants(text, all_variants(text), past, engine, aim, progress=_show)


def _show(done: int, total: int, _: int) -> None:
    print(f"\r{done}/{total}", end="", file=sys.stderr, flush=True)


def of_command(corpus: Corpus) -> str:
    """Give what `serinus tune` prints of a corpus."""
    with tempfile.TemporaryDirectory(prefix="tuning-") as place:
        folder = Path(place) / "good"
        write(corpus, folder, CAREFUL.read_text(encoding="utf-8"))
        command = (sys.executable, "-m", "analysis.cli", "tune", str(folder))
        options = ("--config", str(CAREFUL), "--looks", "30m", "--promote", "end")
        done = subprocess.run([*command, *options], capture_output=True, text=True, check=True)
    return done.stdout


def _kept(path: Path | None, corpus: Corpus, text: str) -> Tried:
    """Take the trials of an earlier run, or make them and keep them."""
    if path is not None and path.exists():
        found: Tried = pickle.loads(path.read_bytes())
        return found
    found = tried(corpus, text)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pickle.dumps(found))
    return found


def _measured(path: Path, corpus: Corpus, trials: Path | None) -> page.Measured:
    """Tune a configuration on halves."""
    text = path.read_text(encoding="utf-8")
    found = _kept(trials and trials / path.stem, corpus, text)
    config = parse_config(text)
    by_budget = [(budget, among(found, variants(config, budget))) for budget in BUDGETS]
    return page.Measured(
        name=path.stem,
        text=text,
        tried=found,
        halves=[
            (name, halved(some, budget, by_service=name == "services"))
            for budget, some in by_budget
            for name in ("releases", "services")
        ],
        misled=[misled(some, budget) for budget, some in by_budget],
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tuning")
    add = parser.add_argument
    add("--services", type=int, default=10)
    add("--good", type=int, default=20, help="good releases of each service")
    add("--bad", type=int, default=10, help="bad releases of each service")
    add("--same", type=int, default=2, help="good releases of each service without any bad one")
    add("--trials", type=Path, help="keep the verdicts in this folder, or go on with them")
    given = parser.parse_args(arguments)
    corpus = Corpus(seed=SEED, services=given.services, good=given.good, bad=given.bad)
    same = Corpus(seed=AA_SEED, services=given.services, good=given.same, bad=0)
    measured = [_measured(path, corpus, given.trials) for path in (CAREFUL, HURRIED)]
    said = of_command(same)
    PAGE.write_text(page.document(measured, said, len(list(same.releases))), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
