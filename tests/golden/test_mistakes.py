"""Ways to hold it wrong, and what one is told: transcripts, each read by a person once.

A file of `mistakes/` holds sections with a console block each. `--update-golden` runs the commands
and writes what they answer into it; then read the difference.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from analysis.cli import main
from analysis.sources import recording as recordings
from tests.golden.conftest import OPTION
from tests.support.command import clean_environment
from tests.support.corpus import RECORDINGS, SHOP, run
from tests.support.service import serving

FILES = sorted((Path(__file__).parent / "mistakes").glob("*.md"))
SECTION = re.compile(
    r"^## (?P<title>[^\n]+)\n\n```console\n(?P<text>.*?)^```\n", re.MULTILINE | re.DOTALL
)
COMMAND = re.compile(r"^\$ ((?:.*\\\n)*.*)$", re.MULTILINE)
# What tells of a run rather than of Serinus.
PASSING = (
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:PORT"),
    (re.compile(r"\d+(\.\d+)? ?m?s (?=of|after|to answer)"), "N s "),
)
WRONG, REFUSED = {2, 4, 5}, re.compile(r"^4\d\d$", re.MULTILINE)
ENDS_WITHIN_S = 60.0
ONE = run("aa-3")

Run = Callable[[str], tuple[int, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A command, with what came of it."""

    command: str
    code: int
    output: str

    @property
    def text(self) -> str:
        shown = self.output if not self.output or self.output.endswith("\n") else f"{self.output}\n"
        ended = f"exit code {self.code}\n" if self.code else ""
        return f"$ {self.command}\n{shown}{ended}"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder with a configuration, a recording, and the service's configurations."""
    monkeypatch.chdir(tmp_path)
    for name in set(os.environ) - set(clean_environment()):
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


def tidy(desk: Path) -> None:
    """Lay the desk as every section finds it."""
    for path in desk.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    (desk / "canary.yaml").write_text(SHOP.read_text())
    shutil.copytree(RECORDINGS / ONE.name, desk / "recording")
    (desk / "configs").mkdir()
    (desk / "configs" / "shop.yaml").write_text(SHOP.read_text())


@pytest.fixture(scope="module")
def service_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the shop; the answers come from its recording."""
    configs = tmp_path_factory.mktemp("configs")
    (configs / "shop.yaml").write_text(SHOP.read_text())
    tape = recordings.load(RECORDINGS / ONE.name)
    with serving(configs, connect=lambda _: tape, clock=lambda: ONE.end + 60.0) as service:
        yield service.url


@pytest.fixture
def typed(desk: Path, capfd: pytest.CaptureFixture[str], service_url: str) -> Run:
    """Run what is typed: `serinus` within this process, everything else in a shell."""
    return partial(_typed, desk, capfd, service_url)


def _typed(
    desk: Path, capfd: pytest.CaptureFixture[str], service_url: str, command: str
) -> tuple[int, str]:
    capfd.readouterr()
    plain = not re.search(r"[|><&;`]|\$\(", command)
    if command.startswith("serinus ") and plain:
        code = _within(command)
    else:
        here = command.replace("http://serinus:8080", service_url)
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        code = subprocess.run(
            ["bash", "-c", here],
            cwd=desk,
            env={**os.environ, "PATH": path},
            check=False,
            timeout=ENDS_WITHIN_S,
        ).returncode
    out, err = capfd.readouterr()
    return code, _settled(f"{out}{err}".replace(str(desk), ""))


def _within(command: str) -> int:
    import shlex

    kept, sys.argv = sys.argv, shlex.split(command.replace("\\\n", " "))
    try:
        with pytest.raises(SystemExit) as ended:
            main()
    finally:
        sys.argv = kept
    assert isinstance(ended.value.code, int)
    return ended.value.code


def _settled(text: str) -> str:
    for pattern, replacement in PASSING:
        text = pattern.sub(replacement, text)
    return text


def followed(section: re.Match[str], typed: Run) -> list[Step]:
    """Type the commands of a section again."""
    commands = COMMAND.findall(section["text"])
    return [Step(command=c, code=code, output=out) for c in commands for code, out in [typed(c)]]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_mistake_is_told_as_recorded(
    file: Path, typed: Run, desk: Path, request: pytest.FixtureRequest
) -> None:
    recorded = file.read_text(encoding="utf-8")
    update = request.config.getoption(OPTION, default=False)

    def again(section: re.Match[str]) -> str:
        tidy(desk)
        steps = followed(section, typed)
        hold_to_the_rules(section["title"], steps[-1])
        said = "".join(step.text for step in steps)
        if not update:
            assert said == section["text"], section["title"]
        return f"## {section['title']}\n\n```console\n{said}```\n"

    rendered = SECTION.sub(again, recorded)
    if update:
        file.write_text(rendered, encoding="utf-8")


def hold_to_the_rules(title: str, step: Step) -> None:
    """Whatever the mistake: it is refused, by its own exit code or status, and without a trace."""
    assert "Traceback" not in step.output, title
    assert len(step.output.splitlines()) <= 12, title
    if step.command.startswith("curl"):
        assert REFUSED.search(step.output), f"{title}: {step.output}"
    else:
        assert step.code in WRONG, f"{title}: exit code {step.code}\n{step.output}"


def test_sixty_mistakes_are_recorded() -> None:
    assert sum(len(SECTION.findall(file.read_text(encoding="utf-8"))) for file in FILES) >= 60
