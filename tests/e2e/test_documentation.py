"""Everything a page tells its reader to type runs, and every configuration in it is one."""

from __future__ import annotations

import contextlib
import doctest
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import pytest
from ruamel.yaml import YAML

from analysis.config.load import parse_config
from analysis.testing.document import Suite
from tests.support import checkout
from tests.support.command import clean_environment
from tests.support.pages import ROOT, Block, blocks, pages
from tests.support.prometheus import RealPrometheus

pytestmark = pytest.mark.e2e

# Verdicts are exit codes too; what is wrong with a command or a source is told by others.
FINE = {0, 1, 3}
ENDS_WITHIN_S, POLL_S = 60.0, 0.05
# What a page takes for granted; the test of the clean clone runs the first two.
ELSEWHERE = re.compile(r"^(make|git|pip|sudo|apt-get|docker|kubectl|helm|flagger) |^cd |^eval |^#")
SERVER = re.compile(r"http://(localhost|prometheus):9090")
SERVICE = re.compile(r"http://(127\.0\.0\.1|localhost):8080")
LISTENS = re.compile(r"running on (http://127\.0\.0\.1:\d+)")
ALIKE = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
TYPED = [page for page in pages() if any(list(block.commands) for block in blocks(page))]
SHOWN = [page for page in pages() if any(b.language in {"yaml", "json"} for b in blocks(page))]


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.fixture(scope="session")
def checkout_url(requires_prometheus: object) -> Iterator[str]:
    """Run a real Prometheus that holds the service the pages speak of, up to now."""
    with RealPrometheus(openmetrics=checkout.past(time.time())) as prometheus:
        yield prometheus.url


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """Give a folder that looks like a checkout to whoever only reads it."""
    for name in ("fixtures", "deploy", "notebooks", "docs"):
        if (ROOT / name).exists():
            (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / ".venv").symlink_to(Path(sys.prefix))
    return tmp_path


class Reader:
    """Somebody who types what a page says."""

    def __init__(self, desk: Path, server: str) -> None:
        self._desk, self._server, self._service = desk, server, ""
        self._exits = contextlib.ExitStack()
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        (desk / ".curlrc").write_text("fail-with-body\n")  # or a refusal would look like success
        self._environment = clean_environment(
            PATH=path, PROMETHEUS_URL=server, COLUMNS="100", CURL_HOME=str(desk)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._exits.close()

    def type(self, command: str) -> tuple[int, str, str]:
        """Run a command, and give its exit code and what it wrote."""
        here = SERVICE.sub(self._service, SERVER.sub(self._server, command))
        if here.startswith("export "):
            name, _, value = here.removeprefix("export ").partition("=")
            self._environment[name] = value.strip("'\"")
            return 0, "", ""
        if "serinus serve" in here and "--check" not in here:
            return self._serve(here.rstrip(" &"))
        done = subprocess.run(
            ["bash", "-c", here],
            cwd=self._desk,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=ENDS_WITHIN_S,
        )
        return done.returncode, done.stdout, done.stderr

    def _serve(self, command: str) -> tuple[int, str, str]:
        """Start the service of a page; it runs until the page ends."""
        words = re.sub(r" --port \d+| --host \S+", "", command)
        log = self._desk / "service.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                ["bash", "-c", f"exec {words} --port 0"],
                cwd=self._desk,
                env=self._environment,
                stderr=file,
            )
        self._exits.callback(process.wait)
        self._exits.callback(process.terminate)
        limit = time.monotonic() + ENDS_WITHIN_S
        while process.poll() is None and time.monotonic() < limit:
            if found := LISTENS.search(log.read_text()):
                self._service = found[1]
                return 0, "", ""
            time.sleep(POLL_S)
        return process.poll() or 1, "", log.read_text()


@pytest.mark.parametrize("page", TYPED, ids=name_of)
def test_what_a_page_says_to_type_runs(page: Path, desk: Path, checkout_url: str) -> None:
    with Reader(desk, checkout_url) as reader:
        for block in blocks(page):
            if not block.not_run:
                if block.file:
                    (desk / block.file).write_text(block.text)
                follow(reader, block, page)


def follow(reader: Reader, block: Block, page: Path) -> None:
    for command, shown in block.commands:
        if ELSEWHERE.match(command):
            continue
        code, out, err = reader.type(command)
        where = f"{name_of(page)}:{block.line}: {command}"
        assert code in FINE, f"{where}\nexit code {code}\n{out}{err}"
        if shown is not None:
            alike = doctest.OutputChecker().check_output(shown, out, ALIKE)
            assert alike, f"{where}\nwrote otherwise:\n{out}"


@pytest.mark.parametrize("page", SHOWN, ids=name_of)
def test_what_a_page_shows_can_be_read(page: Path) -> None:
    for block in blocks(page):
        if block.not_run:
            continue
        where = f"{name_of(page)}:{block.line}"
        if block.language == "json":
            is_piece = block.text.startswith('"')
            json.loads(f"{{{block.text}}}" if is_piece else block.text)
        elif block.language == "yaml":
            for document in YAML(typ="safe").load_all(block.text):
                check_shown(document, where)


# What a piece of a configuration is a piece of.
WHOLE: Mapping[str, Any] = {
    "version": 1,
    "name": "shop",
    "source": {"prometheus": {"url": "http://localhost:9090"}},
    "variables": {"baseline": {"hash": None}, "canary": {"hash": None}},
    "metrics": [{"name": "cpu", "query": 'cpu{hash="${hash}"}', "judge": {"kind": "mann_whitney"}}],
}


def check_shown(document: Any, where: str) -> None:
    """Take a configuration, or a piece of one, as the configuration it is a piece of."""
    match document:
        case {"apiVersion": _, "kind": _}:
            return  # the manifests have tests of their own
        case {"tests": _}:
            Suite.model_validate(document)
            return
        case {"answers": _}:
            whole = {"name": "x", "expect": {"verdict": "pass"}, **document}
            Suite.model_validate({"tests": [whole]})
            return
        case {"name": _, "judge": _}:
            document = {"metrics": [document]}
        case [*_]:
            document = {"metrics": document}
        case _:
            pass
    whole = {
        key: value for key, value in WHOLE.items() if "sources" not in document or key != "source"
    }
    parse_config(json.dumps({**whole, **document}), origin=where)
