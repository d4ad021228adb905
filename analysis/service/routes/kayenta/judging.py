"""The judges: their names, and judging series that a caller brings or that are kept."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from analysis.service.context import Caller, Service, ServiceOf
from analysis.service.kayenta import configs, remote
from analysis.service.kayenta.documents import RemoteRequest
from analysis.service.kayenta.translation import KAYENTAS_JUDGE, OURS, is_kayentas
from analysis.service.problems import Problem
from analysis.service.routes.kayenta.configs import config_of, document_of, kept_config
from analysis.service.routes.kayenta.series import pairs_of
from analysis.service.tokens import Token

ROUTER = APIRouter(prefix="/kayenta", tags=["kayenta"])
REMOTE_ROUTER = APIRouter(tags=["kayenta"])

Score = Annotated[float, Query(ge=0, le=100)]


@ROUTER.get("/judges")
def list_judges(token: Caller) -> list[dict[str, Any]]:
    """Name the judges: ours, and Kayenta's own, for canary configs that name it."""
    del token
    return [{"name": name, "visible": True} for name in (configs.JUDGE, f"{KAYENTAS_JUDGE}-v1.0")]


@ROUTER.post("/judges/judge")
def judge_kept(
    *,
    service: ServiceOf,
    token: Caller,
    config: Annotated[str, Query(alias="canaryConfigId")],
    series: Annotated[str, Query(alias="metricSetPairListId")],
    passing: Annotated[Score, Query(alias="passThreshold")] = 95.0,
    marginal: Annotated[Score, Query(alias="marginalThreshold")] = 75.0,
) -> dict[str, Any]:
    """Judge series that are there already, as a remote judge does: as bags of values."""
    return judge(
        RemoteRequest.model_validate(
            {
                "canaryConfig": _judgeable(service, config, token),
                "scoreThresholds": {"pass": passing, "marginal": marginal},
                "metricSetPairList": pairs_of(service, series, token),
            }
        ),
        token,
    )


def _judgeable(service: Service, name: str, token: Token) -> dict[str, Any]:
    """Give a canary config whose judge reads bags of values."""
    told = config_of(service, name, token)
    if kept_config(service, name) is None:
        message = (
            f"{name[:128]!r} is a configuration of the operator's, which judges more than bags of "
            "values; send {} to POST /v1/analyses/ID/rejudge"
        )
        raise Problem(400, "faulty_request", message)
    document = document_of(told)
    if document.judge.judge_configurations.get("kind") or is_kayentas(document):
        return told
    return {**told, "judge": {"judgeConfigurations": {"kind": OURS}}}


@ROUTER.post("/judge")
@REMOTE_ROUTER.post("/judge")
def judge(body: RemoteRequest, token: Caller) -> dict[str, Any]:
    """Judge the series that a Kayenta sends."""
    del token
    try:
        return remote.judge(body)
    except (ValueError, TypeError, ArithmeticError) as error:
        raise Problem(400, "faulty_request", f"the series cannot be judged: {error}") from error
