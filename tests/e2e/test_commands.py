"""The commands around the main job: they help, they list, and what they write can be used."""

from __future__ import annotations

import importlib.metadata
import json
import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

import judges
from analysis.cli import COMMANDS
from tests.support.command import Done, strict_json
from tests.support.corpus import RECORDINGS, SHOP, edited_shop

Serinus = Callable[..., Done]


def document(path: Path) -> Any:
    """Read YAML as an editor does, without any rule of ours."""
    return YAML(typ="safe", pure=True).load(StringIO(path.read_text(encoding="utf-8")))


def test_the_starter_is_a_configuration_without_faults(serinus: Serinus, tmp_path: Path) -> None:
    path = tmp_path / "canary.yaml"

    written = serinus("init", "--output", path)
    checked = serinus("check", path, "--strict")

    assert (written.code, checked.code) == (0, 0)
    assert checked.out == f"{path}: 5 metrics, 3 critical, 0 warnings\n"


def test_the_starter_is_the_same_on_standard_output(serinus: Serinus, tmp_path: Path) -> None:
    serinus("init", "--output", tmp_path / "canary.yaml")

    assert serinus("init").out == (tmp_path / "canary.yaml").read_text(encoding="utf-8")


def test_warnings_count_as_faults_only_if_asked(serinus: Serinus, tmp_path: Path) -> None:
    path = edited_shop(tmp_path, ("planned: 4m", "planned: 1m"))

    lenient, strict = serinus("check", path), serinus("check", path, "--strict")

    assert (lenient.code, strict.code) == (0, 2)
    assert "window: warning: the planned window has 5 steps after warmup" in lenient.message
    assert "1 warning" in strict.message


def test_a_query_that_is_no_promql_is_found_without_a_server(
    serinus: Serinus, tmp_path: Path
) -> None:
    path = edited_shop(tmp_path, ("max(changes(", "max(chanegs("))

    done = serinus("check", path, "--strict")

    assert done.code == 2
    assert "metrics[2] (restarts).query" in done.message
    assert "chanegs" in done.message


def test_every_judge_is_listed(serinus: Serinus) -> None:
    done = serinus("judges")

    listed = [line.split()[0] for line in done.out.split("\n\n")[0].splitlines()]
    assert done.code == 0
    assert listed == list(judges.kinds())


@pytest.mark.parametrize("kind", judges.kinds())
def test_a_judge_is_explained_with_every_parameter(serinus: Serinus, kind: str) -> None:
    done = serinus("judges", kind)

    assert done.code == 0
    assert done.out.startswith(f"{kind}: ")
    for name in judges.parameters(kind):
        assert re.search(rf"^  {name} +\S", done.out, re.MULTILINE)


def test_an_unknown_judge_has_a_neighbor(serinus: Serinus) -> None:
    done = serinus("judges", "man_whitney")

    assert done.code == 2
    assert "did you mean 'mann_whitney'?" in done.message


@pytest.fixture
def validator(serinus: Serinus) -> jsonschema.Draft202012Validator:
    schema = json.loads(serinus("schema").out)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_the_schema_accepts_what_the_command_accepts(
    serinus: Serinus, validator: jsonschema.Draft202012Validator, tmp_path: Path
) -> None:
    starter = tmp_path / "starter.yaml"
    serinus("init", "--output", starter)

    for path in (SHOP, starter):
        validator.validate(document(path))


MISSPELT = {
    "a key of the document": ("metrics:", "metricks:"),
    "a key of a metric": ("critical:", "critcal:"),
    "a parameter of a judge": ("statistic:", "statistik:"),
    "a judge": ("kind: threshold", "kind: treshold"),
    "a setting of the source": ("step:", "stepp:"),
}


@pytest.mark.parametrize("edit", MISSPELT.values(), ids=MISSPELT)
def test_the_schema_rejects_what_the_command_rejects(
    serinus: Serinus,
    validator: jsonschema.Draft202012Validator,
    tmp_path: Path,
    edit: tuple[str, str],
) -> None:
    path = edited_shop(tmp_path, edit)

    assert serinus("check", path).code == 2
    assert not validator.is_valid(document(path))


def test_the_version_is_told(serinus: Serinus) -> None:
    done = serinus("--version")

    assert (done.code, done.out) == (0, f"serinus {importlib.metadata.version('serinus')}\n")


def test_help_names_every_command_and_every_exit_code(serinus: Serinus) -> None:
    done = serinus("--help")

    text = " ".join(done.out.split())
    assert done.code == 0
    assert all(f"{name} {line}" in text for name, line in COMMANDS.items())
    assert "0 pass, 1 fail, 2 usage or configuration, 3 inconclusive" in text
    assert "\n    serinus init > canary.yaml\n" in done.out  # on a line of its own, to be copied


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command_explains_it_and_shows_a_call(serinus: Serinus, name: str) -> None:
    done = serinus(name, "--help")

    explained = done.out.split("Options:")[0].split("\n\n", 1)[1]
    calls = re.findall(rf"^ +serinus {name}\b", done.out, re.MULTILINE)
    assert done.code == 0
    assert re.match(r"  [A-Z][^.]*\.", explained)
    assert calls


def test_a_command_that_is_none_is_refused(serinus: Serinus) -> None:
    done = serinus("jugde")

    assert done.code == 2
    assert "there is no command 'jugde'; did you mean 'judge'?" in done.message


@pytest.mark.parametrize("name", ["aa-3", "lat30-1", "crash-1"])
def test_a_report_is_strict_json(serinus: Serinus, name: str) -> None:
    done = serinus("judge", SHOP, "--recording", RECORDINGS / name, "--format", "json")

    report = strict_json(done.out)  # NaN and Infinity are no JSON
    assert report["schema"] == "v1"
    assert done.out.endswith("}\n")
    assert done.err == ""
