"""What `serinus import` writes, and what it says of it, line by line."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from analysis.errors import ConfigError
from analysis.translate.from_flagger import from_flagger
from analysis.translate.from_kayenta import from_kayenta
from analysis.translate.writing import Imported
from tests.golden.conftest import Compare

GIVEN = Path(__file__).parents[2] / "docs" / "examples"
Import = Callable[..., Imported]
CASES: dict[str, tuple[str, Import]] = {
    "kayenta": ("guestbook.json", from_kayenta),
    "kayenta.ranks": ("guestbook.json", partial(from_kayenta, judge="mann_whitney")),
    "flagger": ("podinfo.yaml", from_flagger),
}


@pytest.mark.parametrize("name", CASES)
def test_an_import_is_told(name: str, golden: Compare) -> None:
    file, translate = CASES[name]

    imported = translate((GIVEN / file).read_text(), origin=file)

    golden(f"import.{name}.yaml", imported.text)
    # The words of faults are the words of notes: both say where, what and why.
    golden(f"import.{name}.notes.txt", f"{ConfigError(imported.notes, origin=file)}\n")
