"""The calibration bench: its streams, its memory, its document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from analysis.calibration import Rate
from analysis.calibration.scenarios import INDEPENDENT, paired
from benchmarks.calibration import __main__ as bench
from benchmarks.calibration import cells, document, goals
from benchmarks.calibration.cache import Run, Store, run_of
from benchmarks.calibration.cells import Cell, Delay, Outcomes, Results, Rng
from benchmarks.calibration.contestants import (
    Binomial,
    Contestant,
    FixedThreshold,
    Welch,
    quantile_of_each_step,
)
from benchmarks.calibration.goals import Goal
from benchmarks.calibration.tables import Column, Table
from judges import Sample, Verdict

RUN = Run(seed=1, replicates=10, versions={"numpy": "2", "code": "a"})


def count(rng: Rng, replicates: int, judging: Sequence[Contestant]) -> Outcomes:
    samples = paired(*INDEPENDENT.gauges(rng, (replicates, 10)))
    return {f"{one.name}: fails": one.fails(samples) for one in judging}


def a_cell(*key: str) -> Cell:
    contestants = tuple(
        Contestant(name=f"above {bound:g}", judge=FixedThreshold(bound=bound))
        for bound in (1.0, 1.02)
    )
    return Cell(table="t", key=key or ("row",), contestants=contestants, count=count)


def measured(cell: Cell, *, seed: int = 1, replicates: int = 250) -> Results:
    return cells.measure(cell, seed=seed, replicates=replicates)


# ---- cells


def test_a_cell_measures_the_same_each_time_and_another_seed_or_row_another() -> None:
    assert measured(a_cell()) == measured(a_cell())
    assert measured(a_cell()) != measured(a_cell(), seed=2)
    assert measured(a_cell()) != measured(a_cell("another row"))


def test_a_contestant_alone_gets_what_it_gets_among_others() -> None:
    alone = measured(a_cell().only("above 1.02"))

    assert dict(alone).items() < dict(measured(a_cell())).items()


def test_a_longer_run_begins_with_the_blocks_of_a_shorter_one() -> None:
    short, long = (cells.outcomes(a_cell(), seed=1, replicates=n) for n in (100, 300))

    for name, happened in short.items():
        np.testing.assert_array_equal(long[name][:100], happened)


def test_the_rows_of_all_tables_have_names_of_their_own() -> None:
    names = [cell.name for table in bench.TABLES for cell in table.cells()]

    assert len(set(names)) == len(names)


# Those of the other tables take a second a row; the goals' tests run them.
QUICK = [table for table in bench.TABLES if table.name in {"errors", "gauges", "margins", "pods"}]


@pytest.mark.parametrize("table", QUICK, ids=[table.name for table in QUICK])
def test_every_column_is_filled(table: Table) -> None:
    filled = cells.outcomes(table.cells()[0], seed=1, replicates=2)

    assert {name for column in table.columns for name in column.outcomes} <= set(filled)


# ---- delays


def test_the_median_counts_what_never_happened_as_late() -> None:
    delay = Delay.of_steps(np.array([10.0, np.nan, 20.0, 30.0, np.nan]))

    assert (delay.median, str(delay)) == (30.0, "30")
    assert str(Delay.of_steps(np.array([10.0, np.nan, np.nan]))) == "never"


def test_the_interval_of_a_median_covers_it_95_times_in_a_hundred() -> None:
    rng = np.random.default_rng(3)
    drawn = (Delay.of_steps(rng.exponential(size=200)) for _ in range(1000))

    covered = sum(delay.low <= np.log(2) <= delay.high for delay in drawn)

    assert 925 <= covered <= 980


# ---- comparators


def test_welch_agrees_with_scipy() -> None:
    rng = np.random.default_rng(4)
    for _ in range(20):
        baseline, canary = rng.lognormal(size=30), rng.lognormal(0.5, 2.0, size=30)
        expected = stats.ttest_ind(np.log(canary), np.log(baseline), equal_var=False)
        upper = expected.pvalue / 2 if expected.statistic > 0 else 1 - expected.pvalue / 2
        for two_sided, p in ((True, expected.pvalue), (False, upper)):
            judgment = Welch(two_sided=two_sided).judge(Sample.of_values(baseline, canary))
            assert judgment.harm is not None
            assert judgment.harm.p == pytest.approx(p)


def test_the_exact_binomial_agrees_with_scipy() -> None:
    for events in (0, 3, 12):
        judgment = Binomial().judge(Sample.of_counts(([9], [4000]), ([events], [1000])))
        expected = stats.binomtest(events, events + 9, 0.2, alternative="greater").pvalue
        assert judgment.harm is not None
        assert judgment.harm.p == pytest.approx(expected)


def test_a_quantile_of_each_step_interpolates_as_prometheus_does() -> None:
    edges = [1.0, 2.0, np.inf]
    sample = Sample.of_histograms(edges, [[5, 5, 0], [0, 4, 6]], [[10, 0, 0], [0, 0, 0]])

    shown = quantile_of_each_step(0.8)(sample)

    assert shown.baseline.series().tolist() == [1.6, 2.0]
    np.testing.assert_array_equal(shown.canary.series(), [0.8, np.nan])


def test_what_a_comparator_does_not_reject_passes() -> None:
    verdicts = [
        FixedThreshold(bound=2.0).judge(Sample.of_values([1.0], [value])).verdict
        for value in (1.0, 3.0)
    ]

    assert verdicts == [Verdict.PASS, Verdict.FAIL]


# ---- what is kept


def test_results_come_back_as_they_were_kept(tmp_path: Path) -> None:
    store, cell = Store(folder=tmp_path), a_cell("AR(.5) / ×", "30")
    results: Results = {
        "x: fails": Rate(hits=1, of=10),
        "x: step": Delay(median=np.inf, low=20.0, high=np.inf, of=10),
    }
    assert store.load(cell, RUN) is None

    store.save(cell, RUN, results)

    assert store.load(cell, RUN) == results
    assert store.load(a_cell("another row"), RUN) is None


def test_what_other_code_measured_is_not_taken_unless_asked_for(tmp_path: Path) -> None:
    store = Store(folder=tmp_path)
    results: Results = {"x: fails": Rate(hits=1, of=10)}
    store.save(a_cell(), RUN, results)
    changed = replace(RUN, versions={"numpy": "2", "code": "b"})

    assert store.load(a_cell(), changed) is None
    assert store.latest(a_cell(), changed) == (RUN, results)
    assert store.latest(a_cell(), replace(changed, replicates=20)) is None
    assert store.latest(a_cell(), replace(changed, seed=2)) is None


def test_a_run_names_what_computed_and_differs_from_table_to_table() -> None:
    first, other = (
        run_of(f"benchmarks.calibration.{name}", seed=1, replicates=5) for name in ("pods", "looks")
    )

    assert first.versions["numpy"] == np.__version__
    assert first.versions["code"] != other.versions["code"]
    assert "code" not in str(first)
    assert "5 replicates a row, seed 1, " in str(first)


# ---- the document


def test_a_section_is_written_anew_and_the_others_stay() -> None:
    order = ["A", "B", "C"]
    old = document.merged("", {"A": "## A\n\nold a\n", "C": "## C\n\nold c\n"}, order)

    new = document.merged(old, {"B": "## B\n\nnew b\n", "C": "## C\n\nnew c\n"}, order)

    assert new.startswith("# Error rates\n")
    assert list(document.sections(new)) == order
    assert [text in new for text in ("old a", "new b", "old c", "new c")] == [1, 1, 0, 1]


def test_a_column_shows_a_dash_for_what_was_not_measured() -> None:
    delay = Delay(median=20, low=15, high=25, of=9)
    results: Results = {"x: fails": Rate(hits=5, of=100), "x: step": delay}

    def text(*outcomes: str, brief: bool = False) -> str:
        return Column(heading="x", outcomes=outcomes, brief=brief).text(results)

    assert text("x: fails", "x: step") == "5.0 (2.2 to 11.2) / 20"
    assert text("x: fails", brief=True) == "5"
    assert text("y: fails", "x: step") == "–"


GOAL = Goal(text="few fail", judge="x", outcome="fails", cells=("t/1", "t/2"), most=0.05)
MET = {
    "even the bound keeps it": (20, "yes"),
    "only the measured rate keeps it": (48, "within chance"),
    "the rate breaks it": (51, "**no**"),
}


@pytest.mark.parametrize(("hits", "met"), MET.values(), ids=MET)
def test_a_goal_is_met_by_its_worst_row(hits: int, met: str) -> None:
    found = {
        "t/1": {"x: fails": Rate(hits=0, of=1000)},
        "t/2": {"x: fails": Rate(hits=hits, of=1000)},
    }

    row = GOAL.row(found)

    assert (row[2], row[3], row[5]) == ("at most 5 %", f"{hits / 10:.1f} %", met)


def test_a_goal_from_below_takes_the_lowest_row_and_the_lower_bound() -> None:
    goal = replace(GOAL, most=None, least=0.9)
    found = {
        "t/1": {"x: fails": Rate(hits=950, of=1000)},
        "t/2": {"x: fails": Rate(hits=905, of=1000)},
    }

    assert goal.row(found)[2:] == ["at least 90 %", "90.5 %", "88.5 %", "within chance"]


def test_a_goal_of_which_a_row_is_missing_is_not_measured() -> None:
    row = GOAL.row({"t/1": {"x: fails": Rate(hits=0, of=1000)}})

    assert row[-1] == "not measured"


# ---- the command


def test_an_interrupted_run_goes_on_and_writes_its_tables(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["--only", "spikes", "--replicates", "3", "--processes", "1"]
    places = ["--cache", str(tmp_path / "kept"), "--output", str(tmp_path / "rates.md")]

    bench.main([*asked, *places])
    first = (tmp_path / "rates.md").read_text(encoding="utf-8")
    next((tmp_path / "kept" / "spikes").glob("AR-0.5*")).unlink()
    capsys.readouterr()
    bench.main([*asked, *places])

    assert (tmp_path / "rates.md").read_text(encoding="utf-8") == first
    assert "4 of 5 cells are known" in capsys.readouterr().err
    assert "| AR(0.5) |" in first
    assert "Extreme effects" in first
    assert goals.TITLE not in document.sections(first)


def test_a_short_run_never_touches_the_committed_document(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = bench.DOCUMENT.read_bytes()

    bench.main(["--cached", "--replicates", "3", "--cache", str(tmp_path)])

    assert bench.DOCUMENT.read_bytes() == before
    assert "# Error rates" in capsys.readouterr().out
