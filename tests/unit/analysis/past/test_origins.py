"""Where past deployments are read from: folders, packed files, lists, the service's store."""

from __future__ import annotations

import pickle
from datetime import timedelta
from pathlib import Path

import pytest

from analysis.config import parse_config
from analysis.consumers.json import to_document
from analysis.errors import ConfigError, SourceError
from analysis.past.dataset.converting import convert
from analysis.past.dataset.target import FolderTarget
from analysis.past.deployment import Truth
from analysis.past.engines.serial import SerialEngine
from analysis.past.folder import RecordedDeployments, folder_name
from analysis.past.listed import ListedDeployments, Server
from analysis.past.looks import Case, Schedule, judge_deployments
from analysis.past.opening import open_deployments
from analysis.past.replaying import replay
from analysis.past.stored import StoredDeployments
from analysis.past.work import Work
from analysis.service.looking import Looker
from analysis.service.settings import Settings
from analysis.sources import recording as recordings
from analysis.store import AnalysisStore, New, open_database
from tests.support.builders import START, written
from tests.support.past import BEGAN, ENDED, LIMITED, a_recording, limited, some_recordings

# ---- folders


def test_a_folder_lists_its_recordings_by_name_with_what_is_known(tmp_path: Path) -> None:
    past = RecordedDeployments(folder=some_recordings(tmp_path, {"b": 3, "a": None}))
    (tmp_path / "notes").mkdir()

    first, second = past.listed()

    assert (first.id, first.truth, first.start, first.end) == ("a", Truth.GOOD, BEGAN, ENDED)
    assert (second.id, second.truth) == ("b", Truth.BAD)
    assert past.own_config(first) == limited()


@pytest.mark.parametrize("name", ["2026-11-22T10:00:00Z", "team/shop", "..", ".hidden", "a b%2Fü"])
def test_an_id_may_hold_anything(tmp_path: Path, name: str) -> None:
    past = RecordedDeployments(folder=some_recordings(tmp_path, {name: None}))

    (one,) = past.listed()

    assert one.id == name
    assert past.source(one).description == "recording of a test"
    assert (tmp_path / folder_name(name)).parent == tmp_path


def test_a_packed_recording_is_one_too(tmp_path: Path) -> None:
    folder = some_recordings(tmp_path / "folders", {"a": 3})
    packed = tmp_path / "packed"
    packed.mkdir()
    (packed / "a.zip").write_bytes(recordings.pack(a_recording(bad_from=3)))
    rows = [
        replay(
            Work(deployments=past, schedule=Schedule(), config=limited()),
            past.listed(),
            SerialEngine(),
        )
        for past in (RecordedDeployments(folder=folder), RecordedDeployments(folder=packed))
    ]

    assert rows[0][0].labeled(RecordedDeployments(folder=packed).listed()[0]) == rows[1][0]


def test_a_list_that_names_what_is_not_there_is_refused(tmp_path: Path) -> None:
    folder = some_recordings(tmp_path, {"a": None})
    (folder / "deployments.csv").write_text("id,truth\na,good\nb,bad\n")

    with pytest.raises(ConfigError, match="'b' is not recorded here"):
        RecordedDeployments(folder=folder).listed()


def test_a_folder_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="holds no recordings"):
        RecordedDeployments(folder=tmp_path).listed()


# ---- lists


def test_a_list_takes_along_only_the_secrets_that_its_server_needs() -> None:
    text = LIMITED.replace(
        "step: 1m", 'step: 1m, url: "${URL}", headers: {X-Scope-OrgID: "${TENANT}"}, '
        "bearer_token_env: TOKEN"
    )  # fmt: skip
    config = parse_config(text)
    environment = {"URL": "http://p:1", "TENANT": "a", "TOKEN": "secret", "OTHER": "secret too"}

    server = Server.of(config, None, environment)

    assert server.environment.keys() == {"URL", "TENANT", "TOKEN"}
    assert "secret" not in repr(server)
    travelled = pickle.loads(pickle.dumps(server))
    assert travelled.source().description == "Prometheus at http://p:1"


# ---- the service's store


def judged_by_the_service(url: str, *, bad_from: int | None, planned_s: int | None = None) -> str:
    """Let a service judge a rollout look by look; give the id of its analysis."""
    store = AnalysisStore(open_database(url))
    request = {
        "baseline": {"v": "old"}, "canary": {"v": "new"}, "planned_s": planned_s,
        "start": START, "end": ENDED.timestamp(),
    }  # fmt: skip
    new = New(
        key="k", identity="i", config="limited", config_text=LIMITED, version="v1", namespace="",
        request=request, due=START,
    )  # fmt: skip
    looker = Looker(
        settings=Settings(configs=Path()), connect=lambda _: a_recording(bad_from=bad_from)
    )
    record = store.begin(new, START)
    now = START
    while record.status.value == "running":
        now = max(now, record.due) + 60
        assert store.claim(record.id, "us", now, now + 30)
        store.finish(record.id, "us", looker.look(record, now), now)
        record = store.get(record.id) or record
    store.close()
    return record.id


@pytest.mark.parametrize("bad_from", [None, 3])
def test_a_stored_analysis_is_replayed_as_the_service_judged_it(
    tmp_path: Path, bad_from: int | None
) -> None:
    url = f"sqlite:///{tmp_path}/serinus.db"
    analysis = judged_by_the_service(url, bad_from=bad_from)
    kept = AnalysisStore(open_database(url)).get(analysis)

    past = StoredDeployments(url=url)
    (one,) = past.listed()
    config = past.own_config(one)
    assert config is not None
    case = Case(deployment=one, config=config, source=past.source(one))
    (outcome,) = judge_deployments([case], Schedule())

    assert (one.id, one.service) == (analysis, "limited")
    assert kept is not None
    assert outcome.report is not None
    assert to_document(outcome.report) == kept.report


@pytest.mark.parametrize("planned_s", [None, 2700])
def test_a_stored_analysis_is_kept_with_the_configuration_it_was_judged_by(
    tmp_path: Path, planned_s: int | None
) -> None:
    url = f"sqlite:///{tmp_path}/serinus.db"
    judged_by_the_service(url, bad_from=None, planned_s=planned_s)
    past, target = StoredDeployments(url=url), FolderTarget(folder=tmp_path / "kept")

    failed = convert(past, target, progress=lambda *_: None)

    (one,) = past.listed()
    (kept,) = (folder := RecordedDeployments(folder=tmp_path / "kept")).listed()
    assert not failed
    assert (kept.id, kept.start, kept.end) == (one.id, one.start, one.end)
    assert folder.own_config(kept) == past.own_config(one)
    assert (folder.config_text(kept) == LIMITED) is (planned_s is None)


def test_a_configuration_may_be_for_another_length() -> None:
    config = limited().lasting(timedelta(minutes=45))

    assert config.window.planned == timedelta(minutes=45)
    assert config.window.warmup == limited().window.warmup


# ---- which of them


def test_the_word_tells_what_it_names(tmp_path: Path) -> None:
    folder = some_recordings(tmp_path / "past", {"a": None})
    path = written(tmp_path, "id,start,end\n", "past.csv")
    server = Server(config=limited())

    assert isinstance(open_deployments(str(folder), None), RecordedDeployments)
    assert isinstance(open_deployments(str(path), server), ListedDeployments)
    assert isinstance(open_deployments(f"sqlite:///{tmp_path}/s.db", None), StoredDeployments)


def test_a_database_shows_no_password() -> None:
    past = StoredDeployments(url="postgresql://user:secret@host/name")

    assert "secret" not in past.description + repr(past)
