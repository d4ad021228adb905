"""Options that are given as `NAME=VALUE`, any number of times."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence

import click

Read = Callable[[click.Context, click.Parameter, Sequence[str]], dict[str, str]]


def named(form: str, names: tuple[str, ...], is_known: Callable[[str], bool]) -> Read:
    """Make what reads such an option, each name once.

    Args:
        form: How it is written, such as `PLACE=URL`.
        names: What the part before the sign may be, as a reader is told.
        is_known: Tells whether it may be.
    """
    what = form.partition("=")[0]

    def read(
        context: click.Context, option: click.Parameter, texts: Sequence[str]
    ) -> dict[str, str]:
        found: dict[str, str] = {}
        for text in texts:
            name, _, value = text.partition("=")
            if not is_known(name) or not value:
                near = difflib.get_close_matches(name, names, n=1)
                hint = f"; did you mean {near[0]!r}?" if near and not is_known(name) else ""
                rule = f"expected {form}, where {what} is one of {', '.join(names)}"
                raise click.BadParameter(f"{rule}; got {text!r}{hint}", ctx=context, param=option)
            if name in found:
                raise click.BadParameter(f"{name} is given twice", ctx=context, param=option)
            found[name] = value
        return found

    return read
