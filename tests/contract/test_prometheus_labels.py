"""Asking a server for its names: what is sent, and what is no answer."""

from __future__ import annotations

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from analysis.errors import SourceError
from analysis.sources.port import LabelSource
from tests.support.wire import a_source

VALUES = "/api/v1/label/track/values"


def test_the_values_of_a_label_are_asked_of_one_metric_in_one_time(server: HTTPServer) -> None:
    server.expect_oneshot_request(
        VALUES,
        method="GET",
        query_string={"start": "60.000", "end": "120.500", "match[]": '{__name__="up"}'},
    ).respond_with_json({"status": "success", "data": ["baseline", "canary"]})

    found = a_source(server).label_values("track", of="up", start=60, end=120.5)

    assert found == ["baseline", "canary"]


def test_the_names_of_all_metrics_are_those_of_no_metric_in_particular(server: HTTPServer) -> None:
    server.expect_oneshot_request(
        "/api/v1/label/__name__/values", query_string={"start": "0.000", "end": "60.000"}
    ).respond_with_json({"status": "success", "data": ["up"]})

    assert a_source(server).label_values("__name__", of=None, start=0, end=60) == ["up"]


def test_the_labels_of_a_metric_are_listed(server: HTTPServer) -> None:
    server.expect_oneshot_request("/api/v1/labels").respond_with_json(
        {"status": "success", "data": ["__name__", "track"]}
    )

    assert a_source(server).label_names(of="up", start=0, end=60) == ["__name__", "track"]


NO_LISTS = {
    "a page": Response("<html><title>Sign in</title></html>"),
    "another answer": Response('{"status": "success", "data": {"result": []}}'),
    "a refusal": Response("no", status=403),
}


@pytest.mark.parametrize("response", NO_LISTS.values(), ids=NO_LISTS)
def test_what_is_no_list_is_a_fault_of_the_source(server: HTTPServer, response: Response) -> None:
    server.expect_request(VALUES).respond_with_response(response)

    with pytest.raises(SourceError):
        a_source(server).label_values("track", of="up", start=0, end=60)


def test_a_prometheus_can_be_asked_for_labels(server: HTTPServer) -> None:
    assert isinstance(a_source(server), LabelSource)
