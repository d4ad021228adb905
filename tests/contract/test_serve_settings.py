"""`serinus serve` and its settings: options, the environment, a file; checked before it listens."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from analysis.cli.serve import command
from analysis.errors import ConfigError
from tests.support.corpus import RECORDINGS

Check = Callable[..., Result]


@pytest.fixture
def configs(tmp_path: Path) -> Path:
    folder = tmp_path / "configs"
    folder.mkdir()
    (folder / "shop.yaml").write_text((RECORDINGS / "canary.yaml").read_text())
    return folder


def serve(*options: str | Path, **environment: str) -> Result:
    """Call the command in this process, for its checks alone."""
    database = {"SERINUS_DATABASE_URL": "sqlite://"}
    return CliRunner().invoke(
        command,
        [*map(str, options), "--check"],
        env=database | environment,
        auto_envvar_prefix="SERINUS_SERVE",
    )


def message(done: Result) -> str:
    """Give the fault that the command ends with, exit code 2."""
    if isinstance(done.exception, ConfigError):
        return str(done.exception)
    assert done.exit_code == 2, done.output
    return " ".join(done.output.split())


@pytest.fixture
def check(tmp_path: Path, configs: Path) -> Check:
    def run(text: str, *options: str, **environment: str) -> Result:
        path = tmp_path / "serinus.yaml"
        path.write_text(text)
        return serve("--settings", path, *options, **environment)

    return run


def test_a_file_says_what_options_say(check: Check) -> None:
    done = check("configs: configs\nlook_every: 10s\nretention: 30d\nworkers: 4\n")

    assert (done.exit_code, done.output.strip()) == (
        0,
        "settings and 1 configurations are good: shop",
    )


def test_every_fault_of_a_file_is_told_at_once_with_its_line_and_the_nearest_key(
    check: Check,
) -> None:
    done = check("configs: configs\nwokers: 4\nlook_every: 10\nport: 70000\nlog_format: xml\n")

    assert "serinus.yaml:2: wokers: is no key here; did you mean 'workers'?" in message(done)
    assert "serinus.yaml:3: look_every: expected a duration with a unit" in message(done)
    assert "serinus.yaml:4: port: " in message(done)
    assert "serinus.yaml:5: log_format: " in message(done)


PRECEDENCE = {
    "the file": ((), {}, "from-file.json"),
    "the environment over the file": ((), {"SERINUS_SERVE_TOKENS": "env.json"}, "env.json"),
    "an option over both": (
        ("--tokens", "option.json"),
        {"SERINUS_SERVE_TOKENS": "env.json"},
        "option.json",
    ),
}


@pytest.mark.parametrize(("options", "environment", "used"), PRECEDENCE.values(), ids=PRECEDENCE)
def test_what_is_nearest_to_the_call_wins(
    check: Check, options: tuple[str, ...], environment: dict[str, str], used: str
) -> None:
    done = check("configs: configs\ntokens: from-file.json\n", *options, **environment)

    assert f"{used} cannot be used" in message(done)  # none of the files is there


LINKED = {
    "an option": (("--link", "prometheus=https://p.example"), {}, ""),
    "the environment": ((), {"SERINUS_SERVE_LINK": "prometheus=https://p.example"}, ""),
    "the file": ((), {}, "link: {prometheus: https://p.example}\n"),
}


@pytest.mark.parametrize(("options", "environment", "text"), LINKED.values(), ids=LINKED)
def test_where_queries_lead_is_said_anywhere_and_shown_by_the_check(
    check: Check, options: tuple[str, ...], environment: dict[str, str], text: str
) -> None:
    done = check(f"configs: configs\n{text}", *options, **environment)

    assert done.exit_code == 0
    assert done.output.endswith("\nqueries lead to https://p.example\n")


WRONG = {
    "a link that a browser would run": (
        ("--link", "prometheus=javascript:alert(1)"),
        "prometheus must be an address such as https://",
    ),
    "a link with a password": (("--link", "prometheus=https://a:b@p"), "no user or password"),
    "a link to nowhere": (("--link", "promteheus=https://p"), "did you mean 'prometheus'?"),
    "a link for a source that there is not": (
        ("--link", "prometheus.business=https://p"),
        "there is no source 'business'",
    ),
    "a file that is not there": (("--settings", "none.yaml"), "there is no such file"),
    "an open address": (("--host", "0.0.0.0"), "give --tokens FILE or --client-ca FILE"),
    "a key without a certificate": (("--tls-key", "k.pem"), "needs --tls-cert FILE"),
    "a certificate that is none": (("--tls-cert", "{configs}/shop.yaml"), "cannot be used"),
    "an address that is none": (("--allow-source", "prom"), "write https://HOST"),
}


@pytest.mark.parametrize(("options", "words"), WRONG.values(), ids=WRONG)
def test_a_setting_that_cannot_be_used_is_named_with_the_remedy(
    configs: Path, options: tuple[str, ...], words: str
) -> None:
    done = serve("--configs", configs, *(one.format(configs=configs) for one in options))

    assert words in message(done)


def test_the_check_tells_the_faults_of_all_configurations(check: Check, configs: Path) -> None:
    (configs / "bad.yaml").write_text("version: 7\n")
    (configs / "elsewhere.yaml").write_text(
        "version: 1\nname: e\nsource: {prometheus: {url: 'https://evil.example'}}\n"
        "metrics: [{name: m, query: 'up{x=\"${hash}\"}', judge: {kind: threshold, max: 1}}]\n"
    )

    done = check("configs: configs\nallow_source: ['https://prom.example']\n")

    assert "bad.yaml" in message(done)
    assert "elsewhere.yaml: source.prometheus.url: 'https://evil.example' may not" in message(done)
