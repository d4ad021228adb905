"""A recipe for each way of shipping: usable as it is, and told apart by what it says."""

from __future__ import annotations

import json
from importlib.resources import files

import pytest
from click.testing import CliRunner

from analysis.cli.check import command as check
from analysis.cli.init import command as init
from analysis.cli.init import recipes
from analysis.config import parse_config
from analysis.config.load import digest
from analysis.lint import lint
from analysis.planning import compares

WAYS = [
    *("argo-bluegreen-post", "argo-bluegreen-pre", "argo-canary-background", "argo-canary-step"),
    *("argo-experiment", "feature-flag", "flagger-ab", "flagger-bluegreen", "flagger-canary"),
    *("flagger-session-affinity", "rolling-update"),
]
# Where nothing of the old version runs beside the new one.
BEFORE_AND_AFTER = {"argo-bluegreen-post", "rolling-update"}
# Where the new version has no users yet.
WITHOUT_USERS = {"argo-bluegreen-pre", "flagger-bluegreen"}


def text_of(recipe: str) -> str:
    return (files("analysis.presets") / f"recipes/{recipe}.yaml").read_text(encoding="utf-8")


def test_there_is_a_recipe_for_each_way_of_shipping() -> None:
    assert recipes() == WAYS


@pytest.mark.parametrize("recipe", WAYS)
def test_a_recipe_is_free_of_faults_and_warnings(recipe: str) -> None:
    assert lint(parse_config(text_of(recipe))) == ()


@pytest.mark.parametrize("recipe", WAYS)
def test_a_recipe_says_what_a_pass_needs(recipe: str) -> None:
    config = parse_config(text_of(recipe))

    assert any(metric.critical for metric in config.metrics)
    assert set(config.scoring.weights) == {m.group for m in config.metrics if not m.muted}


@pytest.mark.parametrize("recipe", WAYS)
def test_a_baseline_of_before_is_read_where_none_runs_beside(recipe: str) -> None:
    is_offset = parse_config(text_of(recipe)).window.baseline_offset is not None

    assert is_offset == (recipe in BEFORE_AND_AFTER)


@pytest.mark.parametrize("recipe", WAYS)
def test_requests_are_compared_unless_one_side_has_no_users(recipe: str) -> None:
    compared = {m.group for m in parse_config(text_of(recipe)).metrics if compares(m)}

    assert ("errors" in compared) == (recipe not in WITHOUT_USERS)


@pytest.mark.parametrize("recipe", WAYS)
def test_init_prints_a_recipe(recipe: str) -> None:
    result = CliRunner().invoke(init, ["--recipe", recipe])

    assert result.output == text_of(recipe)


@pytest.mark.parametrize("recipe", WAYS)
def test_what_check_shows_means_the_same(
    recipe: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("recipe") / "canary.yaml"
    path.write_text(text_of(recipe), encoding="utf-8")

    shown = CliRunner().invoke(check, [str(path), "--show"])

    assert "preset" not in shown.stdout
    assert digest(parse_config(shown.stdout)) == digest(parse_config(text_of(recipe)))


def test_the_starter_is_printed_where_no_recipe_is_asked_for() -> None:
    assert "name: my-service" in CliRunner().invoke(init).output


def test_a_recipe_that_does_not_exist_is_refused_with_those_that_do() -> None:
    result = CliRunner().invoke(init, ["--recipe", "argo"])

    assert result.exit_code == 2
    assert "argo-canary-background" in result.output


def test_a_configuration_is_also_json() -> None:
    document = {"name": "a", "presets": {"layer": "haproxy-server"}}

    assert parse_config(json.dumps(document)).metrics
