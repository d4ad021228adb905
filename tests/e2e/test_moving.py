"""`serinus import` and `serinus export` as their users run them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command import run_serinus

GIVEN = Path(__file__).parents[2] / "docs" / "examples"

pytestmark = pytest.mark.e2e


def test_an_import_is_written_told_and_passes_the_check(tmp_path: Path) -> None:
    output = tmp_path / "guestbook.yaml"

    written = run_serinus("import", "kayenta", GIVEN / "guestbook.json", "--output", output)
    checked = run_serinus("check", output)

    assert (written.code, written.out) == (0, "")
    assert "guestbook.json:12: metrics[3].query: the metric dd is left out" in written.message
    assert checked.code == 0


def test_a_file_is_never_overwritten(tmp_path: Path) -> None:
    output = tmp_path / "mine.yaml"
    output.write_text("mine")

    done = run_serinus("import", "flagger", GIVEN / "podinfo.yaml", "--output", output)

    assert done.code == 5
    assert output.read_text() == "mine"


def test_strict_writes_nothing_that_is_not_what_it_was() -> None:
    done = run_serinus("import", "flagger", GIVEN / "podinfo.yaml", "--strict")

    assert (done.code, done.out) == (2, "")
    assert "things changed, and --strict was given" in done.message


@pytest.mark.parametrize("tool", ["kayenta", "flagger"])
def test_what_is_nothing_of_theirs_is_a_fault_of_the_file(tool: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("[]")

    done = run_serinus("import", tool, tmp_path / "x")

    assert (done.code, done.out) == (2, "")
    assert done.message.startswith(f"serinus: {tmp_path / 'x'}")


def test_what_came_from_flagger_goes_back_with_our_hooks(tmp_path: Path) -> None:
    config = tmp_path / "podinfo.yaml"
    run_serinus("import", "flagger", GIVEN / "podinfo.yaml", "--output", config)

    done = run_serinus("export", "flagger", config, "--namespace", "test")

    assert (done.code, done.err) == (0, "")
    assert "metadata: {config: podinfo}" in done.out


def test_an_export_of_what_cannot_be_used_is_refused(tmp_path: Path) -> None:
    config = tmp_path / "shop.yaml"
    config.write_text("name: shop\nmetrics: [{name: cpu, query: 'x{hash=\"${hash}\"}'}]\n")

    refused = run_serinus("export", "flagger", config, "--namespace", "shop")
    address = run_serinus("export", "argo", config, "--url", "serinus:8080")

    assert (refused.code, refused.out) == (2, "")
    assert f"{config}: variables: needs the variable hash of each side" in refused.message
    assert address.code == 2
    assert "--url: must begin with http:// or https://" in address.message
