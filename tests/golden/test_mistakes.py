"""Ways to hold it wrong, and what one is told: transcripts, each read by a person once.

A file of `mistakes/` holds sections with a console block each. `--update-golden` runs the commands
and writes what they answer into it; then read the difference.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial, reduce
from pathlib import Path
from typing import Any

import pytest

from analysis.cli import main
from analysis.sources import recording as recordings
from tests.golden.conftest import OPTION
from tests.support.command import clean_environment
from tests.support.corpus import RECORDINGS, SHOP, run
from tests.support.service import serving
from tests.support.visiting import visit

FILES = sorted((Path(__file__).parent / "mistakes").glob("*.md"))
SECTION = re.compile(
    r"^## (?P<title>[^\n]+)\n\n```console\n(?P<text>.*?)^```\n", re.MULTILINE | re.DOTALL
)
COMMAND = re.compile(r"^\$ ((?:.*\\\n)*.*)$", re.MULTILINE)
# What tells of a run rather than of Serinus.
PASSING = (
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:PORT"),
    (re.compile(r"by-hand\.[0-9a-f]{16}"), "by-hand.KEY"),
    (re.compile(r"\d+(\.\d+)? ?m?s (?=of|after|to answer)"), "N s "),
)
WRONG, REFUSED = {2, 4, 5}, re.compile(r"^4\d\d$", re.MULTILINE)
# A page that can be read says in its words what is wrong.
VISITED = re.compile(r"^4\d\d$|^200\n(Presets|Compare)|inconclusive", re.MULTILINE)
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
def stands_for(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """Serve the shop, to everybody and to tokens; give what stands for what in a transcript."""
    folder = tmp_path_factory.mktemp("served")
    configs, tokens = folder / "configs", folder / "tokens.json"
    configs.mkdir()
    (configs / "shop.yaml").write_text(SHOP.read_text())
    (configs / "broken.yaml").write_text("version: 1\nname: [shop\n")
    tokens.write_text(json.dumps([a_token(name, scope) for name, scope in TOKENS.items()]))
    tape = recordings.load(RECORDINGS / ONE.name)
    options: dict[str, Any] = {"connect": lambda _: tape, "clock": lambda: ONE.end + 60.0}
    with serving(configs, **options) as all_in, serving(configs, tokens=tokens, **options) as some:
        asked = {"config": "shop", "start": ONE.start, "end": ONE.end}
        variables = {"run": ONE.name, "namespace": "shop"}
        ids = {
            f"{{{key}}}": str(client.put(key, **asked, variables=variables).json["id"])
            for key, client in {
                "checkout": all_in,
                "payments": all_in,
                "closed": replace(some, token="everything"),
            }.items()
        }
        yield {"http://serinus:8080": all_in.url, "http://closed:8080": some.url, **ids}


TOKENS: Mapping[str, Mapping[str, Any]] = {
    "everything": {},
    "payments": {"configs": ["payments"]},
    "accounts": {"namespaces": ["accounts"]},
}


def a_token(secret: str, scope: Mapping[str, Any]) -> dict[str, Any]:
    """Give a token of the service's file, which bears the name of its secret."""
    return {"name": secret, "sha256": hashlib.sha256(secret.encode()).hexdigest(), **scope}


@pytest.fixture
def typed(desk: Path, capfd: pytest.CaptureFixture[str], stands_for: Mapping[str, str]) -> Run:
    """Run what is typed: `serinus` and visits within this process, all else in a shell."""
    return partial(_typed, desk, capfd, stands_for)


def _typed(
    desk: Path, capfd: pytest.CaptureFixture[str], stands_for: Mapping[str, str], command: str
) -> tuple[int, str]:
    capfd.readouterr()
    plain = not re.search(r"[|><&;`]|\$\(", command)
    here = reduce(lambda text, pair: text.replace(*pair), stands_for.items(), command)
    if command.startswith("visit "):
        return 0, _settled(visit(shlex.split(here)[1:]))
    if command.startswith("serinus ") and plain:
        code = _within(command)
    else:
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
    if step.command.startswith("visit"):
        assert VISITED.search(step.output), f"{title}: {step.output}"
    elif step.command.startswith("curl"):
        assert REFUSED.search(step.output), f"{title}: {step.output}"
    else:
        assert step.code in WRONG, f"{title}: exit code {step.code}\n{step.output}"


def test_a_hundred_mistakes_are_recorded_forty_of_them_on_pages() -> None:
    counts = {file.stem: len(SECTION.findall(file.read_text(encoding="utf-8"))) for file in FILES}

    assert counts["pages"] >= 40
    assert sum(counts.values()) >= 100
