"""The notebooks run from top to bottom, and say what the command says."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

import analysis
from tests.support.command import Done
from tests.support.corpus import RECORDED, RECORDINGS, SHOP

pytestmark = pytest.mark.e2e

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
Serinus = Callable[..., Done]


def outputs(notebook: Any) -> list[str]:
    """Give what the cells of a notebook showed, as text."""
    shown = [one for cell in notebook.cells for one in cell.get("outputs", [])]
    return [one.get("text") or one.get("data", {}).get("text/plain", "") for one in shown]


def run(path: Path) -> list[str]:
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]  # untyped there
    with warnings.catch_warnings():  # the kernel's own, about its ports
        warnings.simplefilter("ignore")
        NotebookClient(
            notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": FOLDER}}
        ).execute()
    return outputs(notebook)


EXPECTED = {
    "01_first_replay": "0 of 4 good ones failed, 4 of 4 bad ones found",
    "02_tune_thresholds": "4 good deployments cannot show that 1 % is kept",
    "03_why_did_it_fail": "error ratio: 0.79 % of requests against 0.08 %",
    "04_calibrate_on_your_prometheus": "+50%: found in",
    "05_write_a_judge": "autocorrelation 0.8: sign test",
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_shows_what_it_is_about(path: Path) -> None:
    assert any(EXPECTED[path.stem] in text for text in run(path))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_its_outputs(path: Path) -> None:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]

    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in code)


@pytest.mark.parametrize("name", RECORDED)
def test_a_notebook_says_what_the_command_says_to_the_byte(serinus: Serinus, name: str) -> None:
    judged = analysis.analyze(SHOP, RECORDINGS / name)
    done = serinus("judge", SHOP, "--recording", RECORDINGS / name, "--format", "json")

    assert judged.to_json() == done.out
