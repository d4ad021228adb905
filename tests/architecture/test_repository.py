"""What the repository holds, and what it must not."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
KINDS = sorted(path.stem for path in ROOT.glob("judges/*.py") if path.stem != "__init__")
# Folders whose names are on every machine give nothing away.
EVERYWHERE = {"/", "/home", "/opt", "/root", "/srv", "/tmp", "/usr", "/usr/src", "/var"}


def committed() -> list[Path]:
    """List the text files that git holds or would take."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def machine_paths() -> re.Pattern[bytes]:
    """Match a path that leads somewhere on this machine only, or into somebody's home."""
    places = {str(ROOT), str(ROOT.parent), str(Path.home())} - EVERYWHERE
    here = "|".join(re.escape(place) for place in sorted(places, key=len, reverse=True))
    return re.compile(rf"(?<![\w.~/-])(?:{here}|/(?:home|Users)/\w+)(?![\w-])".encode())


@pytest.mark.parametrize("kind", KINDS)
def test_every_judge_has_its_page(kind: str) -> None:
    assert (ROOT / "docs/reference/judges" / f"{kind}.md").is_file()


def test_no_file_names_a_path_of_this_machine() -> None:
    pattern = machine_paths()

    found = {
        f"{path.relative_to(ROOT)}: {match[0].decode()}"
        for path in committed() if (match := pattern.search(path.read_bytes()))
    }  # fmt: skip

    assert found == set()


@pytest.mark.parametrize("lock", sorted(ROOT.glob("requirements/*.lock")), ids=lambda p: p.name)
def test_a_lock_names_versions_and_hashes_and_no_registry(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")

    assert "--hash=sha256:" in text
    assert not re.search(r"://|--(extra-)?index|--find-links|file:", text)
