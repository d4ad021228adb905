"""The pages on presets are current: the reference is the one its tool writes, examples load."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from analysis.config import SIDES, parse_config
from analysis.lint import lint
from analysis.planning import plan
from analysis.presets import load
from tests.support.builders import a_window

ROOT = Path(__file__).resolve().parents[4]
EXAMPLES = re.findall(
    r"```yaml\n(name: .*?)```",
    (ROOT / "docs/how-to/use-presets.md").read_text(encoding="utf-8"),
    re.DOTALL,
)


def test_the_page_is_current() -> None:
    done = subprocess.run(
        [sys.executable, "tools/presets_page.py", "--check"],
        cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr


LAYERS = sorted((ROOT / "docs/reference/presets").glob("*.md"))


@pytest.mark.parametrize("page", LAYERS, ids=lambda page: page.stem)
def test_every_separation_of_a_layer_is_shown_as_a_configuration_without_a_warning(
    page: Path,
) -> None:
    shown = re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)

    assert len(shown) == len(load(page.stem).separations)
    for example in shown:
        config, values = parse_config(example), {}
        for side in SIDES:
            own = re.findall(r"(\w+): null", example)
            values[side] = dict.fromkeys(own, f"of-the-{side}")
        assert lint(config) == ()
        assert plan(config, a_window(minutes=60, step_s=60), values)


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_a_configuration(example: str) -> None:
    assert lint(parse_config(example)) == ()
