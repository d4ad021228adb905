"""A dataset holds what a recording holds, bit for bit, and grows by whole parts."""

from __future__ import annotations

import json
import pickle
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analysis.config import load_config
from analysis.consumers import json as report_json
from analysis.engine import analyze
from analysis.errors import ConfigError, DeliveryError, SourceError
from analysis.past.dataset import layout, writing
from analysis.past.dataset.converting import convert
from analysis.past.dataset.reading import DatasetDeployments
from analysis.past.dataset.target import FolderTarget, Kept, Target
from analysis.past.dataset.writing import DatasetTarget
from analysis.past.deployment import Deployments
from analysis.past.folder import RecordedDeployments
from analysis.past.opening import open_deployments
from analysis.sources.port import Answer, Series
from analysis.sources.recording import Recording
from tests.support.corpus import RECORDED, RECORDINGS
from tests.support.past import a_deployment, a_recording, some_recordings

pytest.importorskip("duckdb")

STALE, QUIET, OTHER = 0x7FF0000000000002, 0x7FF8000000000000, -0x7FFFFFFFFFFFF
ODD = np.array([STALE, QUIET, OTHER, STALE, 0, -(2**63)], dtype=np.int64).view(np.float64)


def no_pace(done: int, total: int, kept: int, /) -> None:
    """Show nothing."""


def a_dataset(folder: Path, origin: Deployments) -> DatasetDeployments:
    """Convert all deployments of an origin."""
    target = DatasetTarget(folder=folder, origin=origin.description)
    assert convert(origin, target, progress=no_pace) == {}
    return DatasetDeployments(folder=folder)


def a_dataset_of(folder: Path, recording: Recording) -> DatasetDeployments:
    """Write a dataset of a single deployment, `one`."""
    target = DatasetTarget(folder=folder, origin="a test")
    target.add(Kept(deployment=a_deployment(), recording=recording, config_text=None))
    target.finish([])
    return DatasetDeployments(folder=folder)


def the_recordings() -> RecordedDeployments:
    """Open the kept recordings of the corpus."""
    return RecordedDeployments(folder=RECORDINGS)


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> DatasetDeployments:
    return a_dataset(tmp_path_factory.mktemp("dataset") / "of shop", the_recordings())


@pytest.fixture(scope="module")
def converted_back(
    converted: DatasetDeployments, tmp_path_factory: pytest.TempPathFactory
) -> RecordedDeployments:
    folder = tmp_path_factory.mktemp("recordings") / "again"
    assert convert(converted, FolderTarget(folder=folder), progress=no_pace) == {}
    return RecordedDeployments(folder=folder)


def test_all_that_is_known_of_deployments_is_kept(
    converted: DatasetDeployments, converted_back: RecordedDeployments
) -> None:
    known = list(the_recordings().listed())

    assert list(converted.listed()) == known
    assert list(converted_back.listed()) == known


@pytest.mark.parametrize("name", RECORDED)
def test_reports_are_the_same_bytes_from_either_form(
    converted: DatasetDeployments, converted_back: RecordedDeployments, name: str
) -> None:
    expected = report_of(the_recordings(), name)

    assert report_of(converted, name) == expected
    assert report_of(converted_back, name) == expected


def report_of(origin: Deployments, name: str) -> str:
    """Judge a recording by the configuration that is kept with it."""
    deployment = next(one for one in origin.listed() if one.id == name)
    config, source = origin.own_config(deployment), origin.source(deployment)
    assert config is not None
    assert isinstance(source, Recording)
    return report_json.to_json(analyze(config, source, source.window, source.variables))


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save the recordings as this Serinus does: those of the corpus are older."""
    folder = tmp_path_factory.mktemp("saved") / "recordings"
    convert(the_recordings(), FolderTarget(folder=folder), progress=no_pace)
    return folder


@pytest.mark.parametrize("name", RECORDED)
@pytest.mark.parametrize("file", ["recording.json", "canary.yaml", "series.npz"])
def test_there_and_back_the_files_hold_the_same(
    saved: Path, converted_back: RecordedDeployments, name: str, file: str
) -> None:
    assert content(converted_back.folder / name / file) == content(saved / name / file)


def content(file: Path) -> bytes | dict[str, bytes]:
    """Read a file; of an archive what it holds, for it also holds the time it was made at."""
    if file.suffix != ".npz":
        return file.read_bytes()
    with np.load(file) as arrays:
        return {name: array.tobytes() for name, array in arrays.items()}


def odd_recording() -> Recording:
    """Record what a server may well send: NaNs of all kinds, no series, odd labels, warnings."""
    plain = a_recording()
    first, second = plain.answers
    first = replace(first, source="the other")
    times = 1e9 + np.arange(len(ODD)) / 7
    labels = {"__name__": "ü'\"\\", "a": "", "le": "+Inf"}
    series = (
        Series(labels=labels, times=times, values=ODD, exponential=True),
        Series(labels={}, times=times[:0], values=ODD[:0]),
    )
    answers = {
        first: Answer(series=series, warnings=("half of it", "left out"), infos=("odd",)),
        second: Answer(series=()),
    }
    variables = {"baseline": {"a b": "1"}, "canary": {}}
    return Recording(window=plain.window, variables=variables, source="it's", answers=answers)


def test_every_bit_of_odd_values_is_kept(tmp_path: Path) -> None:
    made = odd_recording()

    read = a_dataset_of(tmp_path / "it's odd", made).source(a_deployment())

    assert list(read.answers) == list(made.answers)
    assert (read.window, read.variables, read.source) == (made.window, made.variables, made.source)
    for before, after in zip(made.answers.values(), read.answers.values(), strict=True):
        assert (after.warnings, after.infos) == (before.warnings, before.infos)
        assert [told(one) for one in after.series] == [told(one) for one in before.series]


def told(series: Series) -> tuple[list[tuple[str, str]], bytes, bytes, bool]:
    """Give all of a series as what can be compared."""
    labels = list(series.labels.items())
    return labels, series.times.tobytes(), series.values.tobytes(), series.exponential


def test_a_dataset_is_an_origin_that_travels_to_workers(converted: DatasetDeployments) -> None:
    opened = open_deployments(str(converted.folder), None)

    assert pickle.loads(pickle.dumps(opened)) == converted


def test_without_a_configuration_none_is_invented(tmp_path: Path) -> None:
    assert a_dataset_of(tmp_path / "d", a_recording()).own_config(a_deployment()) is None


def test_the_configuration_keeps_its_comments(converted: DatasetDeployments) -> None:
    deployment = converted.listed()[0]

    assert converted.own_config(deployment) == load_config(RECORDINGS / "canary.yaml")
    assert "# The shop" in (converted.config_text(deployment) or "")


class Interrupting:
    """An origin whose reader presses Ctrl-C at the third deployment."""

    def __init__(self, origin: RecordedDeployments) -> None:
        self._origin = origin
        self.description, self.listed = origin.description, origin.listed
        self.own_config, self.config_text = origin.own_config, origin.config_text

    def source(self, deployment: object) -> Recording:
        if deployment == self.listed()[2]:
            raise KeyboardInterrupt
        return self._origin.source(deployment)  # type: ignore[arg-type, return-value]  # a test's


FORMS = ("parquet", "npz")


def a_target(form: str, folder: Path) -> Target:
    """Make a target of each form."""
    return (
        DatasetTarget(folder=folder, origin="x")
        if form == "parquet"
        else FolderTarget(folder=folder)
    )


@pytest.mark.parametrize("form", FORMS)
def test_an_interrupted_conversion_goes_on_where_it_ended(tmp_path: Path, form: str) -> None:
    names = {"a": None, "b/c": 3, "d": None, "e": 5}
    origin = RecordedDeployments(folder=some_recordings(tmp_path / "from", names))
    with pytest.raises(KeyboardInterrupt):
        convert(Interrupting(origin), a_target(form, tmp_path / "to"), progress=no_pace)
    paces: list[tuple[int, int, int]] = []

    convert(origin, a_target(form, tmp_path / "to"), progress=lambda *pace: paces.append(pace))

    assert paces == [(2, 4, 2), (3, 4, 2), (4, 4, 2)]
    assert open_deployments(str(tmp_path / "to"), None).listed() == origin.listed()


def test_many_deployments_make_several_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {f"d{number}": None for number in range(5)}
    origin = RecordedDeployments(folder=some_recordings(tmp_path / "from", names))
    monkeypatch.setattr(writing, "MOST_DEPLOYMENTS", 2)

    made = a_dataset(tmp_path / "to", origin)

    assert layout.parts(made.folder) == [0, 1, 2]
    assert made.listed() == origin.listed()
    assert [made.source(one).window for one in made.listed()]


def test_half_a_part_counts_for_nothing_and_is_written_anew(tmp_path: Path) -> None:
    made = a_dataset_of(tmp_path / "d", a_recording())
    torn = layout.part_path(made.folder, layout.SAMPLES, 1)
    torn.write_bytes(b"half")
    assert [one.id for one in made.listed()] == ["one"]

    target = DatasetTarget(folder=made.folder, origin="another")
    two = Kept(deployment=a_deployment("two"), recording=odd_recording(), config_text=None)
    target.add(two)
    target.finish([])

    assert [one.id for one in made.listed()] == ["one", "two"]
    assert layout.read_head(made.folder).made_of == ("a test", "another")
    assert sorted(path.name for path in made.folder.iterdir() if path.name.startswith(".")) == []


def test_what_cannot_be_read_is_told_and_the_others_are_kept(tmp_path: Path) -> None:
    folder = some_recordings(tmp_path / "from", {"a": None, "b": None, "c": 2})
    (folder / "b" / "series.npz").write_bytes(b"no archive")
    target = DatasetTarget(folder=tmp_path / "to", origin="x")

    failed = dict(convert(RecordedDeployments(folder=folder), target, progress=no_pace))

    assert "no readable recording" in str(failed.pop("b"))
    assert not failed
    assert sorted(target.names()) == ["a", "c"]


def spoil_version(folder: Path) -> None:
    """Write the head of a layout to come."""
    head = {"version": 9, "made_by": "serinus 9.0", "made_of": []}
    (folder / layout.HEAD).write_text(json.dumps(head))


def spoil_samples(folder: Path) -> None:
    """Cut a file short."""
    layout.part_path(folder, layout.SAMPLES, 0).write_bytes(b"PAR1")


def spoil_table(folder: Path) -> None:
    """Remove a file."""
    layout.part_path(folder, layout.SERIES, 0).unlink()


DAMAGED = {
    "a layout to come is named": (spoil_version, r"version 9, this Serinus reads 1.*serinus 9\.0"),
    "samples cut short": (spoil_samples, "no readable dataset"),
    "a missing table": (spoil_table, "no readable dataset"),
}


@pytest.mark.parametrize(("spoil", "message"), DAMAGED.values(), ids=DAMAGED)
def test_damage_is_told_with_the_remedy(tmp_path: Path, spoil: object, message: str) -> None:
    made = a_dataset_of(tmp_path / "d", a_recording())
    assert callable(spoil)
    spoil(made.folder)

    with pytest.raises(SourceError, match=message):
        made.source(made.listed()[0])


def test_an_unknown_deployment_is_named(tmp_path: Path) -> None:
    made = a_dataset_of(tmp_path / "d", a_recording())

    with pytest.raises(SourceError, match="does not hold 'two'"):
        made.source(a_deployment("two"))


@pytest.mark.parametrize("form", FORMS)
def test_nothing_else_is_written_over(tmp_path: Path, form: str) -> None:
    (tmp_path / "letter.txt").write_text("dear")

    with pytest.raises(DeliveryError, match="choose another --output"):
        a_target(form, tmp_path).names()


def test_without_duckdb_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)

    with pytest.raises(ConfigError, match=r"serinus\[replay\]"):
        a_target("parquet", tmp_path / "d").names()


def rewritten(folder: Path, order: str) -> None:
    """Let another program write the samples anew, in an order of its own."""
    import duckdb

    file = layout.part_path(folder, layout.SAMPLES, 0)
    query = f"COPY (FROM '{file}' ORDER BY {order}) TO '{file}.new' (FORMAT parquet)"
    duckdb.sql(query)
    Path(f"{file}.new").replace(file)


ORDERS = {
    "by deployment": ("deployment DESC, series, time", "not sorted by deployment"),
    "by series": ("deployment, series DESC, time", "not sorted by series"),
    "by time": ("deployment, series, time DESC", "do not increase"),
}


@pytest.mark.parametrize(("order", "message"), ORDERS.values(), ids=ORDERS)
def test_samples_in_another_order_are_refused(tmp_path: Path, order: str, message: str) -> None:
    origin = RecordedDeployments(folder=some_recordings(tmp_path / "from", {"a": None, "b": None}))
    made = a_dataset(tmp_path / "to", origin)
    rewritten(made.folder, order)

    with pytest.raises(SourceError, match=message):
        made.source(made.listed()[0])


def test_a_dataset_made_anew_is_read_anew(tmp_path: Path) -> None:
    made = a_dataset_of(tmp_path / "d", a_recording())
    before = made.source(a_deployment())
    shutil.rmtree(made.folder)

    again = a_dataset_of(tmp_path / "d", odd_recording()).source(a_deployment())

    assert (before.source, again.source) == ("a test", "it's")
