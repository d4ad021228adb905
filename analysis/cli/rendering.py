"""Renderings of a report by the names people ask for them, and the options that ask."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from analysis.cli.named import named
from analysis.cli.output import output_option, rendered, write_file, write_out
from analysis.consumers.links import PLACES, Links, is_place, links_of
from analysis.report import AnalysisReport
from analysis.retrospect import USUAL_LOOKS

FORMS = ("text", "json", "markdown", "junit", "html")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """How and where a report is shown.

    Attributes:
        form: One of `FORMS`.
        output: File for it; `None` for standard output.
        reports: Further files, by form.
        links: Where the report's queries can be seen again.
        full: Whether text tells everything.
    """

    form: str
    output: Path | None
    reports: Mapping[str, str]
    links: Links
    full: bool

    @property
    def looks_back(self) -> int:
        """At how many earlier looks evidence is told: where there is a chart to show it."""
        return USUAL_LOOKS if "html" in (self.form, *self.reports) else 0

    def deliver(self, report: AnalysisReport, asked: Mapping[str, str | None]) -> None:
        """Write a report wherever it was asked for.

        Args:
            report: What to show.
            asked: Address of each source that was asked by its name, without user and password;
                `None` for what is no server.

        Raises:
            ConfigError: A link is for a source that there is not.
            DeliveryError: A file or standard output cannot be written.
        """
        self.links.check_sources(asked)
        links = self.links.for_sources(asked)
        for form, name in self.reports.items():
            write_file(Path(name), self._rendered(report, form, links))
        if self.output is None:
            is_terminal = sys.stdout.isatty()
            write_out(self._rendered(report, self.form, links, is_terminal=is_terminal))
        else:
            write_file(self.output, self._rendered(report, self.form, links))

    def _rendered(
        self, report: AnalysisReport, form: str, links: Links, *, is_terminal: bool = False
    ) -> str:
        match form:
            case "json":
                from analysis.consumers.json import to_json

                return to_json(report)
            case "markdown":
                from analysis.consumers.markdown import to_markdown

                return to_markdown(report, links)
            case "junit":
                from analysis.consumers.junit import to_junit

                return to_junit(report)
            case "html":
                from analysis.consumers.html import to_html

                return to_html(report, links)
            case _:
                from analysis.consumers.text import print_report

                return rendered(
                    lambda console: print_report(report, console, full=self.full),
                    is_terminal=is_terminal,
                )


_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--format",
        "form",
        type=click.Choice(FORMS),
        default="text",
        show_default=True,
        help="text for people, json for programs, markdown for pull requests, junit for CI, "
        "html for a page with charts.",
    ),
    output_option("report"),
    click.option(
        "--report",
        "reports",
        multiple=True,
        callback=named("FORMAT=FILE", FORMS, FORMS.__contains__),
        metavar="FORMAT=FILE",
        help="Write a report there as well, such as html=report.html; once for each format.",
    ),
    click.option(
        "--link",
        "links",
        multiple=True,
        callback=named("PLACE=URL", PLACES, is_place),
        metavar="PLACE=URL",
        help="Let queries lead to prometheus=URL or grafana=URL, as a browser reaches them; "
        "prometheus is the server that was asked where nothing else is said. Of several sources "
        "it is the first; another one is prometheus.NAME=URL.",
    ),
    click.option("--full", is_flag=True, help="In text, show evidence and queries too."),
)


def rendering_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say how a report is shown; the command receives a `Rendering`."""

    def with_rendering(*given: Any, **options: Any) -> Any:  # noqa: ANN401 - click passes what it parsed
        fields = {name: options.pop(name) for name in Rendering.__dataclass_fields__}
        rendering = Rendering(**{**fields, "links": links_of(fields["links"])})
        return command(*given, rendering=rendering, **options)

    with_rendering.__doc__ = command.__doc__
    for option in reversed(_OPTIONS):
        option(with_rendering)
    params = getattr(command, "__click_params__", [])
    with_rendering.__click_params__ = params + with_rendering.__click_params__  # type: ignore[attr-defined]  # click keeps declared options there
    return with_rendering
