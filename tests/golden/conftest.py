"""Recorded behavior: `pytest tests/golden --update-golden` writes it anew; then read the diff."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

RECORDED = Path(__file__).parent / "recorded"
OPTION = "--update-golden"

Compare = Callable[[str, str], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(OPTION, action="store_true", help="write what is rendered as the new truth")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Compare:
    """Hold a text against a file; with the option, write the file instead."""

    def compare(name: str, text: str) -> None:
        path = RECORDED / name
        # Under a plain `pytest` this file is read too late to add an option.
        if request.config.getoption(OPTION, default=False):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
        assert path.is_file(), f"{name} is not recorded yet; see {Path(__file__).name}"
        assert text == path.read_bytes().decode()

    return compare
