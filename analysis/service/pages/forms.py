"""What a form of ours sends, and that it is ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

from fastapi import Depends, Path, Request

from analysis.service.context import caller, service_of
from analysis.service.problems import Problem

Form = Mapping[str, str]
_FIELDS = {"baseline": "Baseline", "canary": "Canary", "set": "Both sides"}
_OPTION = re.compile(r"--(baseline|canary|set) (?=\w+=)")
_TYPE = "application/x-www-form-urlencoded"


async def form(request: Request) -> Form:
    """Read a form that a page of ours has sent.

    A browser sends the password of a site along with whatever page asks it to, so a page of another
    site could send our forms too; where a form comes from is what the browser alone can say.

    Raises:
        Problem: Nobody known sent it, or another site did, or it is no form.
    """
    caller(request)
    _check_origin(request)
    if request.headers.get("content-type", "").partition(";")[0].strip() != _TYPE:
        raise Problem(415, "no_form", f"send a form, with the header Content-Type: {_TYPE}")
    try:
        found = parse_qs((await request.body()).decode(), keep_blank_values=True)
    except ValueError as error:
        raise Problem(422, "faulty_request", f"the form cannot be read: {error}") from error
    return {name: values[-1] for name, values in found.items()}


def _check_origin(request: Request) -> None:
    site = request.headers.get("sec-fetch-site")
    is_ours = site == "same-origin" if site else _is_same_host(request)
    if not is_ours:
        message = "the form does not come from a page of this service; open the page here, or use "
        raise Problem(403, "foreign_form", f"{message}the API: PUT /v1/analyses/KEY")


def _is_same_host(request: Request) -> bool:
    """Compare hosts where a browser says no more: over plain HTTP it leaves Sec-Fetch-Site out."""
    origin = urlsplit(request.headers.get("origin", "")).netloc
    public = urlsplit(service_of(request).settings.public_url).netloc
    return bool(origin) and origin in {request.headers.get("host", ""), public}


def variables(text: str) -> dict[str, str]:
    """Read variables, one `name=value` a line.

    Raises:
        Problem: A line is none.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for line in lines:
        if not line.partition("=")[0].strip().isidentifier() or "=" not in line:
            message = f"{line[:80]!r} is no variable; write one name=value on each line"
            raise Problem(422, "faulty_request", message)
    pairs = [line.partition("=") for line in lines]
    return {name.strip(): value.strip() for name, _, value in pairs}


def in_the_form(message: str) -> str:
    """Name the fields of a form where a message names the options of a command."""
    return _OPTION.sub(lambda option: f"{_FIELDS[option[1]]}: ", message)


Name = Annotated[str, Path(max_length=128)]  # of a configuration
FormOf = Annotated[Form, Depends(form)]
