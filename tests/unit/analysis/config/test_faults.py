"""What the loader says of a configuration that cannot be meant: path, line, rule and remedy."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from analysis.config import load_config, parse_config
from analysis.config.load import MOST_BYTES
from analysis.errors import ConfigError
from tests.support.builders import written

BASE = """\
name: shop
metrics:
- name: memory
  query: memory{v="${v}"}
"""
# The line on which what is added to `BASE` begins.
ADDED = 5


def told(text: str) -> list[str]:
    """Load a configuration that cannot be; give what is said, a line a fault."""
    with pytest.raises(ConfigError) as caught:
        parse_config(text, origin="canary.yaml")
    return str(caught.value).splitlines()


def at(line: int, path: str, message: str) -> str:
    return f"canary.yaml:{line}: {path}: {message}"


MAPPING = "must be a mapping, with a key and a colon on each line"
TOP = "version, name, source, sources, variables, window, traffic, risk, scoring, presets, metrics"

# Each adds one fault to `BASE`: what is added, the fault's path, what is said of it.
FAULTS = {
    "a misspelt key is named with its neighbor": (
        "riks: {}",
        "riks",
        "is no key here; did you mean 'risk'?",
    ),
    "a key like no other is told what there is": (
        "anything: 1",
        "anything",
        f"is no key here; known are {TOP}",
    ),
    "a misspelt key far inside": (
        "source: {prometheus: {urll: x}}",
        "source.prometheus.urll",
        "is no key here; did you mean 'url'?",
    ),
    "a misspelt key of a metric": (
        "  criticle: true",
        "metrics[0].criticle",
        "is no key here; did you mean 'critical'?",
    ),
    "a misspelt key of scoring": (
        "scoring: {passs: 90}",
        "scoring.passs",
        "is no key here; did you mean 'pass'?",
    ),
    "a misspelt parameter of a judge": (
        "  judge: {kind: mann_whitney, alhpa: 0.1}",
        "metrics[0].judge.alhpa",
        "mann_whitney has no parameter 'alhpa'; did you mean 'alpha'?",
    ),
    "an unknown judge": (
        "  judge: {kind: man_whitney}",
        "metrics[0].judge.kind",
        "no judge 'man_whitney'; did you mean 'mann_whitney'? (known: ",
    ),
    "a judge without a kind": (
        "  judge: {tolerance: 5%}",
        "metrics[0].judge.kind",
        "is missing",
    ),
    "a judge with an empty kind": (
        "  judge: {kind: '', tolerance: 5%}",
        "metrics[0].judge.kind",
        "must not be empty",
    ),
    "a judge that is only a word": ("  judge: mann_whitney", "metrics[0].judge", MAPPING),
    "a judge that is null": ("  judge:", "metrics[0].judge", MAPPING),
    "a ratio that may be a percentage": (
        "  judge: {kind: mann_whitney, tolerance: 0.1}",
        "metrics[0].judge.tolerance",
        "tolerance: 0.1 may mean 10 % or a ratio below 1; write '10%' or 1.1",
    ),
    "a tolerance that is no number": (
        "  judge: {kind: mann_whitney, tolerance: much}",
        "metrics[0].judge.tolerance",
        "tolerance: expected a percentage such as '10%' or a ratio",
    ),
    "a negative tolerance": (
        "  judge: {kind: mann_whitney, tolerance: -2}",
        "metrics[0].judge.tolerance",
        "tolerance: a ratio must be at least 1, got -2.0; 1.1 allows 10 %",
    ),
    "an unknown part of a tolerance": (
        "  judge: {kind: mann_whitney, tolerance: {ratio: 1.1, abs: 2}}",
        "metrics[0].judge.tolerance",
        "tolerance: expected the keys ratio and absolute, got {'ratio': 1.1, 'abs': 2}",
    ),
    "a margin below the tolerance": (
        "  judge: {kind: mann_whitney, tolerance: 10%, margin: 5%}",
        "metrics[0].judge.margin",
        "mann_whitney: margin (5 %) must be at least the tolerance (10 %)",
    ),
    "a probability beyond 1": (
        "  judge: {kind: mann_whitney, alpha: 5}",
        "metrics[0].judge.alpha",
        "alpha must lie in (0, 1), got 5; 0.01 suits most gates",
    ),
    "a threshold without a bound": (
        "  judge: {kind: threshold}",
        "metrics[0].judge",
        "threshold needs max, min or both",
    ),
    "a threshold that excludes everything": (
        "  judge: {kind: threshold, min: 2, max: 1}",
        "metrics[0].judge.min",
        "threshold: min (2) must not exceed max (1)",
    ),
    "a judge that cannot be asked again, in a rollout with many looks": (
        "  judge: {kind: mann_whitney, variance: classic}",
        "metrics[0].judge.variance",
        "variance: classic has no form for repeated looks; use looks: fixed or robust",
    ),
    "half of the counts": (
        "- {name: errors, counts: {total: b}}",
        "metrics[1].counts.events",
        "is missing",
    ),
    "a number without a unit for a duration": (
        "window: {planned: 30}",
        "window.planned",
        "expected a duration with a unit, such as 15s or 5m, got 30",
    ),
    "a duration in no unit": (
        "window: {planned: 30 parsecs}",
        "window.planned",
        "expected a duration such as 15s, 5m or 1h30m, got '30 parsecs'",
    ),
    "a negative duration": (
        "window: {warmup: -3m}",
        "window.warmup",
        "a duration must not be negative, got '-3m'",
    ),
    "a duration beyond reason": (
        "window: {planned: 11y}",
        "window.planned",
        "a duration must be at most 3650d, got '11y'",
    ),
    "a step of nothing": (
        "source: {prometheus: {step: 0s}}",
        "source.prometheus.step",
        "a duration here must be at least 1ms",
    ),
    "a step too fine for PromQL": (
        "source: {prometheus: {step: 10us}}",
        "source.prometheus.step",
        "a duration here must be at least 1ms",
    ),
    "a warm-up as long as the window": (
        "window: {planned: 3m, warmup: 3m}",
        "window",
        "warmup (3m) must be shorter than planned (3m)",
    ),
    "a risk that is certainty": (
        "risk: {false_fail: 1}",
        "risk.false_fail",
        "input should be less than 1, got 1",
    ),
    "a risk of nothing": (
        "risk: {false_pass: 0}",
        "risk.false_pass",
        "input should be greater than or equal to 0.000000001, got 0",
    ),
    "an unknown way to look": (
        "risk: {looks: often}",
        "risk.looks",
        "input should be 'anytime', 'group_sequential' or 'fixed', got 'often'",
    ),
    "another version": ("version: 2", "version", "input should be 1, got 2"),
    "a marginal above pass": (
        "scoring: {pass: 60, marginal: 70}",
        "scoring",
        "marginal (70) must lie below pass (60) by a whole point",
    ),
    "a marginal equal to pass": (
        "scoring: {pass: 75, marginal: 75}",
        "scoring",
        "marginal (75) must lie below pass (75) by a whole point",
    ),
    "no whole point between marginal and pass": (
        "scoring: {pass: 94.8, marginal: 94.2}",
        "scoring",
        "marginal (94.2) must lie below pass (94.8) by a whole point",
    ),
    "a score beyond 100": (
        "scoring: {pass: 101}",
        "scoring.pass",
        "input should be less than or equal to 100, got 101",
    ),
    "a weight of nothing": (
        "scoring: {weights: {default: 0}}",
        "scoring.weights.default",
        "input should be greater than or equal to 0.001, got 0",
    ),
    "an infinite weight": (
        "scoring: {weights: {default: .inf}}",
        "scoring.weights.default",
        "input should be less than or equal to 1000000, got inf",
    ),
    "a weight for a group near one that exists": (
        "scoring: {weights: {defualt: 3}}",
        "scoring.weights.defualt",
        "is no group of a metric; did you mean 'default'?",
    ),
    "a weight for an unknown group": (
        "scoring: {weights: {speed: 3}}",
        "scoring.weights.speed",
        "is no group of a metric; known are default",
    ),
    "a name used twice": (
        "- {name: memory, query: up}",
        "metrics[1].name",
        "is the name of metrics[0] too; give each its own",
    ),
    "an empty name": ("- {name: '', query: up}", "metrics[1].name", "must not be empty"),
    "a name with a control character": (
        '- {name: "a\\e[31mb", query: up}',
        "metrics[1].name",
        r"a name must hold no control characters, got 'a\x1b[31mb'",
    ),
    "a query of spaces": ("- {name: b, query: '  '}", "metrics[1].query", "must not be empty"),
    "a pod label that is none": (
        "  pods: pod name",
        "metrics[0].pods",
        r"string should match pattern '^[a-zA-Z_]\w*$', got 'pod name'",
    ),
    "a shared variable with a mapping": (
        "variables: {zone: {a: b}}",
        "variables.zone",
        "baseline and canary hold a side's variables; every other name one value",
    ),
    "a side with a single value": (
        "variables: {canary: x}",
        "variables.canary",
        "baseline and canary hold a side's variables; every other name one value",
    ),
    "a variable that the window gives": (
        "variables: {canary: {step: 1m}}",
        "variables.canary.step",
        "is given by the window; choose another name",
    ),
    "a variable that is a list": (
        "variables: {zones: [a, b]}",
        "variables.zones",
        "must be text, a number or null, got ['a', 'b']; put text in quotes",
    ),
    "a variable that YAML takes for a switch": (
        "variables: {canary: {v: true}}",
        "variables.canary.v",
        "must be text, a number or null, got true; put text in quotes",
    ),
    "a variable that YAML takes for a date": (
        "variables: {canary: {v: 2026-11-22}}",
        "variables.canary.v",
        "must be text, a number or null, got 2026-11-22; put text in quotes",
    ),
    "a version that YAML shortens": (
        "variables: {canary: {v: 1.10}}",
        "variables.canary.v",
        "YAML reads 1.10 as 1.1; put it in quotes",
    ),
    "a hash that YAML takes for a power of ten": (
        "variables: {canary: {v: 12e5}}",
        "variables.canary.v",
        "YAML reads 12e5 as 1200000.0; put it in quotes",
    ),
    "a hash whose zero YAML drops": (
        "variables: {v: 0123}",
        "variables.v",
        "YAML reads 0123 as 123; put it in quotes",
    ),
    "two ways in": (
        "source: {prometheus: {username: u, password_env: P, bearer_token_env: T}}",
        "source.prometheus",
        "give one of bearer_token_file, bearer_token_env, username, oauth2 and sigv4",
    ),
    "a client without a secret": (
        "source: {prometheus: {oauth2: {token_url: 'https://idp/token', client_id: c}}}",
        "source.prometheus.oauth2",
        "give one of client_secret_env and client_secret_file",
    ),
    "a key without its certificate": (
        "source: {prometheus: {key_file: k}}",
        "source.prometheus",
        "key_file needs cert_file",
    ),
    "a backend that nobody knows": (
        "source: {prometheus: {backend: cortex}}",
        "source.prometheus.backend",
        "input should be 'prometheus', 'thanos', 'mimir', 'victoriametrics', 'google' or 'amazon'",
    ),
    "a tenant where there are none": (
        "source: {prometheus: {tenant: shop}}",
        "source.prometheus",
        "tenant needs a backend with tenants: mimir, thanos, victoriametrics; got prometheus",
    ),
    "a server and a table at once": (
        "source: {prometheus: {}, table: {path: a.csv}}",
        "source",
        "give prometheus or table; two sources stand under `sources`",
    ),
    "one column for two things": (
        "source: {table: {path: a.csv, value: time}}",
        "source.table",
        "time, metric and value are three columns; give each its own name",
    ),
    "a source beside sources": (
        "sources: {a: {}}\nsource: {}",
        "sources",
        "give source or sources, not both",
    ),
    "a misspelt key of a named source": (
        "sources: {business: {prometheus: {urll: x}}}",
        "sources.business.prometheus.urll",
        "is no key here; did you mean 'url'?",
    ),
    "sources on different grids": (
        "sources: {a: {}, b: {prometheus: {step: 1m}}}",
        "sources.b",
        "has a step of 1m, a one of 15s; all metrics are judged on one grid of steps",
    ),
    "a metric of a source where there is but one": (
        "  source: business",
        "metrics[0].source",
        "names a source, but there are no `sources`; describe them, or leave it out",
    ),
    "a metric of a misspelt source": (
        "  source: bussiness\nsources: {metrics: {}, business: {}}",
        "metrics[0].source",
        "is none of the sources; did you mean 'business'?",
    ),
    "a user without a password": (
        "source: {prometheus: {username: u}}",
        "source.prometheus",
        "username needs password_env or password_file, and they need it",
    ),
    "a header that is a number": (
        "source: {prometheus: {headers: {X-Scope-OrgID: 5}}}",
        "source.prometheus.headers.X-Scope-OrgID",
        "input should be a valid string, got 5",
    ),
}


@pytest.mark.parametrize(("added", "path", "message"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_told_with_path_line_and_remedy(added: str, path: str, message: str) -> None:
    (line,) = told(BASE + added + "\n")

    assert line.startswith(at(ADDED, path, message))


# Faults of a metric as a whole are told at its first line.
INPUTS = {
    "no input": ("critical: true", "got none"),
    "two inputs": ("query: up\n  counts: {events: a, total: b}", "got query and counts"),
    "three inputs": (
        "query: up\n  counts: {events: a, total: b}\n  sums: {numerator: a, denominator: b}",
        "got query and counts and sums",
    ),
    "a histogram and sums": (
        "histogram: a_bucket\n  sums: {numerator: a, denominator: b}",
        "got sums and histogram",
    ),
}


@pytest.mark.parametrize(("text", "found"), INPUTS.values(), ids=INPUTS)
def test_a_metric_has_exactly_one_input(text: str, found: str) -> None:
    rule = "a metric has exactly one of query, counts, sums and histogram"

    assert told(f"name: shop\nmetrics:\n- name: m\n  {text}\n") == [
        at(3, "metrics[0]", f"{rule}; {found}")
    ]


MISFITS = {
    "a judge of counts cannot read an expression": (
        "query: up\n  judge: {kind: error_ratio}",
        "error_ratio needs counts: {events, total} instead of query",
    ),
    "a judge of counts cannot read a histogram": (
        "histogram: a_bucket\n  judge: {kind: error_ratio}",
        "error_ratio needs counts: {events, total} instead of histogram",
    ),
    "a judge of a histogram cannot read an expression": (
        "query: up\n  judge: {kind: quantile_ratio}",
        "quantile_ratio needs histogram: the selector of its buckets instead of query",
    ),
    "a judge of a histogram cannot read sums": (
        "sums: {numerator: a, denominator: b}\n  judge: {kind: quantile_ratio}",
        "quantile_ratio needs histogram: the selector of its buckets instead of sums",
    ),
    "a judge of levels cannot read a histogram": (
        "histogram: a_bucket\n  judge: {kind: mann_whitney}",
        "mann_whitney needs query or counts: {events, total} instead of histogram",
    ),
}


@pytest.mark.parametrize(("text", "message"), MISFITS.values(), ids=MISFITS)
def test_a_judge_reads_only_what_it_understands(text: str, message: str) -> None:
    assert told(f"name: shop\nmetrics:\n- name: m\n  {text}\n") == [at(3, "metrics[0]", message)]


def test_something_must_have_a_say() -> None:
    assert told(BASE + "  muted: true\n") == [
        at(2, "metrics", "all are muted, so nothing could decide; let one speak")
    ]


SHAPES = {
    "a configuration without metrics": ("name: a\n", ["canary.yaml: metrics: is missing"]),
    "a configuration without a name": (
        "metrics: [{name: m, query: up}]\n",
        ["canary.yaml: name: is missing"],
    ),
    "an empty list of metrics": (
        "name: a\nmetrics: []\n",
        [at(2, "metrics", "must not be empty")],
    ),
    "metrics as a mapping": (
        "name: a\nmetrics: {m: {query: up}}\n",
        [at(2, "metrics", "must be a list, with a dash before each item")],
    ),
    "a metric that is only a word": ("name: a\nmetrics:\n- m\n", [at(3, "metrics[0]", MAPPING)]),
    "a document that is a list": (
        "- name: a\n",
        ["canary.yaml: a configuration is a mapping with name and metrics"],
    ),
    "an empty document": (
        "",
        ["canary.yaml: a configuration is a mapping with name and metrics"],
    ),
    "a key that is no text": (
        f"{BASE}5: x\n",
        [f"canary.yaml: 5: is no key here; known are {TOP}"],
    ),
}


@pytest.mark.parametrize(("text", "lines"), SHAPES.values(), ids=SHAPES)
def test_a_document_of_another_shape_is_refused(text: str, lines: list[str]) -> None:
    assert told(text) == lines


def test_every_fault_is_told_at_once_in_the_order_of_the_file() -> None:
    text = """\
        name: shop
        riks: {looks: often}
        window:
          planned: 30
          warmup: -3m
        variables: {baseline: {v: 1.10}}
        metrics:
        - name: memory
          query: up
          judge: {kind: mann_whitney, alhpa: 1, tolerance: much}
        - name: errors
          counts: {events: a}
        - query: up
          muted: perhaps
        scoring: {pass: 101}
        """

    lines = [re.match(r"canary.yaml:(\d+): ([^:]+):", line) for line in told(textwrap.dedent(text))]

    assert [(int(line[1]), line[2]) for line in lines if line] == [
        (2, "riks"),
        (4, "window.planned"),
        (5, "window.warmup"),
        (6, "variables.baseline.v"),
        (10, "metrics[0].judge.alhpa"),
        (10, "metrics[0].judge.tolerance"),
        (12, "metrics[1].counts.total"),
        (13, "metrics[2].name"),
        (14, "metrics[2].muted"),
        (15, "scoring.pass"),
    ]


def test_faults_between_parts_are_told_at_once_too() -> None:
    text = BASE + textwrap.dedent(
        """\
          judge: {kind: mann_whitney, variance: classic}
        - name: memory
          query: up
        variables: {zone: {a: b}, window: 5m}
        scoring: {weights: {x: 1, y: 2}}
        """
    )

    assert [line.split(": ")[1] for line in told(text)] == [
        "metrics[0].judge.variance",
        "metrics[1].name",
        "variables.zone",
        "variables.window",
        "scoring.weights.x",
        "scoring.weights.y",
    ]


def test_a_fault_that_only_follows_from_others_is_not_told() -> None:
    lines = told("name: a\nmetrics:\n- name: m\n  quary: up\n")

    assert [line.split(": ")[1] for line in lines] == ["metrics[0].quary"]


# ---- YAML itself

BROKEN = {
    "a bracket that is not closed": ("name: [a\n", "2: is no YAML: expected ',' or ']'"),
    "a tabulator as indentation": ("name: a\n\tb: c\n", "2: is no YAML: found character '\\t'"),
    "a second document": (f"{BASE}---\na: b\n", "5: is no YAML: but found another document"),
    "an unknown alias": ("name: *a\n", "1: is no YAML: found undefined alias 'a'"),
    "a key that stands twice": (
        f"{BASE}name: b\n",
        '5: a key stands twice: found duplicate key "name" with value "b"',
    ),
    "a key that stands twice far inside": (
        f"{BASE}  judge: {{kind: threshold, max: 1, max: 2}}\n",
        '5: a key stands twice: found duplicate key "max" with value "2"',
    ),
    "a NUL": ("name: a\x00\n", " is no YAML: "),
    "a tag that does not fit": ("name: !!int a\n", " is no YAML: "),
}


@pytest.mark.parametrize(("text", "message"), BROKEN.values(), ids=BROKEN)
def test_what_is_no_yaml_is_told_with_its_line(text: str, message: str) -> None:
    assert told(text)[0].startswith(f"canary.yaml:{message}")


def test_a_mistake_behind_a_merge_key_is_told_where_it_is_written() -> None:
    text = """\
        name: shop
        metrics:
        - &first
          name: memory
          query: memory{v="${v}"}
          judge: {kind: mann_whitney, tolerence: 5%}
        - <<: *first
          name: processor
        """

    lines = [line.split(": ")[0:2] for line in told(textwrap.dedent(text))]

    assert lines == [
        ["canary.yaml:6", "metrics[0].judge.tolerence"],
        ["canary.yaml:6", "metrics[1].judge.tolerence"],
    ]


def test_a_merged_value_is_told_at_what_merged_it() -> None:
    text = "name: a\nmetrics:\n- &m\n  name: m\n  query: 5\n- <<: *m\n  name: n\n"

    assert [line.split(": ")[0] for line in told(text)] == ["canary.yaml:5", "canary.yaml:6"]


# ---- what would exhaust the machine


def nested(depth: int) -> str:
    return f"{BASE}x: {'[' * depth}{']' * depth}\n"


def test_deep_nesting_is_refused() -> None:
    assert told(nested(60)) == ["canary.yaml: is no YAML: nested deeper than 40 levels"]


def test_nesting_too_deep_for_the_parser_is_refused() -> None:
    text = f"{BASE}x:\n" + "".join(f"{' ' * depth}- \n" for depth in range(1, 700))

    assert told(text)[0].startswith("canary.yaml: is no YAML: ")


def test_an_alias_of_itself_is_refused() -> None:
    (line,) = told(f"{BASE}variables: {{zones: &z [*z]}}\n")

    assert line.startswith("canary.yaml")


def test_aliases_of_aliases_are_refused_before_they_fill_the_memory() -> None:
    # Nine to the power of ten: three thousand million words in half a kilobyte.
    laughs = "".join(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9)}]\n" for n in range(1, 10))

    assert told(f"{BASE}x0: &x0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n{laughs}") == [
        "canary.yaml: is no YAML: more than 100,000 values, those behind aliases included"
    ]


def test_a_large_text_is_refused_before_it_is_parsed() -> None:
    assert told(f"{BASE}#{'x' * MOST_BYTES}") == ["canary.yaml: is larger than 1,000,000 bytes"]


# ---- files


def test_a_file_is_named_with_its_faults(tmp_path: Path) -> None:
    path = written(tmp_path, f"{BASE}riks: 1\n")

    with pytest.raises(ConfigError) as caught:
        load_config(path)

    assert str(caught.value) == f"{path}:5: riks: is no key here; did you mean 'risk'?"
    assert [(fault.path, fault.line) for fault in caught.value.faults] == [("riks", 5)]


def test_a_missing_file_points_to_init(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file; `serinus init` writes a commented"):
        load_config(tmp_path / "canary.yaml")


def test_a_folder_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path)


def test_a_file_in_another_encoding_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "canary.yaml"
    path.write_bytes("name: café\n".encode("latin-1"))

    with pytest.raises(ConfigError, match="cannot be read: 'utf-8' codec"):
        load_config(path)


def test_a_file_without_end_is_not_read_to_its_end() -> None:
    with pytest.raises(ConfigError, match="larger than 1,000,000 bytes"):
        load_config(Path("/dev/zero"))
