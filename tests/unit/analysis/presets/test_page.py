"""The pages on presets are current: the reference is the one its tool writes, examples load."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from analysis.config import parse_config
from analysis.lint import lint

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


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_a_configuration(example: str) -> None:
    assert lint(parse_config(example)) == ()
