"""Recordings written to folders.

Beside the two files stands, for people, `canary.yaml`: the configuration that the recording was
made with. It is not read back.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

from analysis.errors import DeliveryError
from analysis.sources.recording import layout
from analysis.sources.recording.source import Recording

_LEVEL = 6  # of zlib: what is kept for good may take its time


def check_free(folder: Path) -> None:
    """Make sure that a recording can stand there, before anything is asked for it.

    Raises:
        DeliveryError: Something stands there already.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DeliveryError(f"{folder} exists already; choose another --output or remove it")


def save(recording: Recording, folder: Path, *, config_text: str | None) -> None:
    """Write a recording; the folder appears whole or not at all.

    Args:
        recording: What to write.
        folder: Where.
        config_text: The configuration it was made with; `None` where nobody knows.

    Raises:
        DeliveryError: The folder exists already, or cannot be written.
    """
    check_free(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise DeliveryError(f"cannot write {folder}: {error}") from error
    try:
        _write(recording, temporary, config_text)
        temporary.chmod(0o755)
        temporary.replace(folder)
    except OSError as error:
        raise DeliveryError(f"cannot write {folder}: {error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _write(recording: Recording, folder: Path, config_text: str | None) -> None:
    with (folder / layout.SERIES).open("wb") as file:
        layout.write_series(recording, file, level=_LEVEL)
    (folder / layout.DOCUMENT).write_text(_text(recording), encoding="utf-8")
    if config_text is not None:
        (folder / "canary.yaml").write_text(config_text, encoding="utf-8")


def _text(recording: Recording) -> str:
    """Write the document for people too."""
    told = layout.document(recording)
    return json.dumps(told, indent=1, sort_keys=True, allow_nan=False) + "\n"
