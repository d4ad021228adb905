"""Whatever is sent to the API, it answers in JSON, and never with an error of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error

from analysis.sources import recording as recordings
from tests.support.command import strict_json
from tests.support.corpus import RECORDINGS, run
from tests.support.routes import every_route
from tests.support.service import serving

ONE = run("err1-1")
# Text in Prometheus' own form.
NOT_JSON = {"/metrics"}
EXAMPLES = 60
ROUTES = every_route(hidden=False)


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Iterator[schemathesis.BaseSchema]:
    configs = tmp_path_factory.mktemp("configs")
    (configs / "shop.yaml").write_text((RECORDINGS / "canary.yaml").read_text())
    tape = recordings.load(RECORDINGS / ONE.name)
    with serving(
        configs,
        connect=lambda _: tape,
        clock=lambda: ONE.end + 60.0,
        inline=True,
        budget_s=1.0,
        calls_per_second=1e6,
    ) as client:
        yield schemathesis.openapi.from_url(f"{client.url}/openapi.json")


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=[" ".join(one) for one in ROUTES])
def test_no_call_makes_the_service_fail(
    schema: schemathesis.BaseSchema, method: str, path: str
) -> None:
    @given(case=schema[path][method].as_strategy())
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    def call(case: schemathesis.Case[Any]) -> None:
        answer = case.call_and_validate(checks=[not_a_server_error])
        text = answer.content.decode()
        if path not in NOT_JSON:
            strict_json(text)
        assert "Traceback" not in text
        assert str(Path.cwd()) not in text

    call()
