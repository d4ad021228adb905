"""A value put into a query can only ever be a value."""

from __future__ import annotations

import re

import pytest

from analysis.errors import ConfigError
from analysis.query import (
    MOST_CHARACTERS,
    MissingVariableError,
    expand,
    references,
    render,
)

WRITTEN = {
    "a plain value stands as it is": ('up{v="${v}"}', "7f9b", 'up{v="7f9b"}'),
    "a number is written out": ('up{v="${v}"}', 5, 'up{v="5"}'),
    "beside other text": ('up{v="a-${v}-b"}', "x", 'up{v="a-x-b"}'),
    "several times": ('up{v="${v}",w="${v}"}', "x", 'up{v="x",w="x"}'),
    "side by side": ('up{v="${v}${v}"}', "x", 'up{v="xx"}'),
    "non-ASCII letters stay": ('up{v="${v}"}', "schöne_😀", 'up{v="schöne_😀"}'),
    # In quotes: what would end the string, or begin an escape, is escaped.
    "a double quote in double quotes": ('up{v="${v}"}', 'a"b', r'up{v="a\"b"}'),
    "a backslash in double quotes": ('up{v="${v}"}', r"a\b", r'up{v="a\\b"}'),
    "a backslash before a quote": ('up{v="${v}"}', r"\"", r'up{v="\\\""}'),
    "a single quote in double quotes stays": ('up{v="${v}"}', "a'b", 'up{v="a\'b"}'),
    "a single quote in single quotes": ("up{v='${v}'}", "a'b", r"up{v='a\'b'}"),
    "a double quote in single quotes stays": ("up{v='${v}'}", 'a"b', "up{v='a\"b'}"),
    "a backslash in backquotes stays": ("up{v=`${v}`}", r"a\b", r"up{v=`a\b`}"),
    "quotes in backquotes stay": ("up{v=`${v}`}", "\"'", "up{v=`\"'`}"),
    "braces and commas of a value stay in its quotes": (
        'up{v="${v}"}',
        '"} or vector(1) #',
        r'up{v="\"} or vector(1) #"}',
    ),
    "a value is not rendered again": ('up{v="${v}"}', "${v}", 'up{v="${v}"}'),
    # Behind =~ and !~: RE2's own characters are quoted, then PromQL's.
    "a dot in a regex": ('up{v=~"${v}"}', "1.2", r'up{v=~"1\\.2"}'),
    "an alternative in a negated regex": ('up{v!~"${v}"}', "a|b", r'up{v!~"a\\|b"}'),
    "everything in a regex": ('up{v=~"${v}"}', ".*", r'up{v=~"\\.\\*"}'),
    "a double quote in a regex": ('up{v=~"${v}"}', 'a"b', r'up{v=~"a\\\"b"}'),
    "a regex in single quotes": ("up{v=~'${v}'}", "a.b", r"up{v=~'a\\.b'}"),
    "a regex in backquotes is quoted once": ("up{v=~`${v}`}", "a.b", r"up{v=~`a\.b`}"),
    "the regex around a value stays": ('up{v=~"(${v})-.*"}', "a.b", r'up{v=~"(a\\.b)-.*"}'),
    "space between operator and quote": ('up{v =~ "${v}"}', "a.b", r'up{v =~ "a\\.b"}'),
    "a comment between operator and quote": (
        'up{v=~ # which?\n"${v}"}',
        "a.b",
        'up{v=~ # which?\n"a\\\\.b"}',
    ),
    "an equality behind a regex is no regex": (
        'up{a=~"x", v="${v}"}',
        "a.b",
        'up{a=~"x", v="a.b"}',
    ),
    "what another string says is no operator": (
        'up{a="=~", v="${v}"}',
        "a.b",
        'up{a="=~", v="a.b"}',
    ),
    # Outside quotes.
    "a word outside quotes": ("${v}_total", "http_requests", "http_requests_total"),
    "a duration outside quotes": ("rate(x[${v}])", "1h30m", "rate(x[1h30m])"),
    "a whole number outside quotes": ("topk(${v}, x)", "3", "topk(3, x)"),
    "a fraction outside quotes": ("quantile(${v}, x)", 0.95, "quantile(0.95, x)"),
    # What is PromQL's or Grafana's own.
    "a regex group stays": (
        'label_replace(up{v="${v}"}, "a", "${1}", "b", "(.*)")',
        "x",
        'label_replace(up{v="x"}, "a", "${1}", "b", "(.*)")',
    ),
    "Grafana's interval stays": (
        'rate(x{v="${v}"}[$__rate_interval])',
        "x",
        'rate(x{v="x"}[$__rate_interval])',
    ),
    "a lone dollar stays": ('up{a="$v", b="$", v="${v}"}', "x", 'up{a="$v", b="$", v="x"}'),
    # Comments.
    "a quote in a comment opens nothing": (
        '# it\'s up\nup{v="${v}"}',
        'a"b',
        '# it\'s up\nup{v="a\\"b"}',
    ),
    "a comment sign in a string opens none": (
        'up{a="#", v="${v}"}',
        'a"b',
        r'up{a="#", v="a\"b"}',
    ),
    "a comment at the end": ('up{v="${v}"} # all', "x", 'up{v="x"} # all'),
    "a query that was commented out stays": (
        '# up{v="${v}", w="${w"}\nup{v="${v}"}',
        "a-b",
        '# up{v="${v}", w="${w"}\nup{v="a-b"}',
    ),
    # Strings that begin or end oddly.
    "an escaped quote does not end a string": (
        r'up{a="\"", v="${v}"}',
        'x"y',
        r'up{a="\"", v="x\"y"}',
    ),
    "a backslash in backquotes escapes nothing": (
        r'up{a=`\`, v="${v}"}',
        'x"y',
        r'up{a=`\`, v="x\"y"}',
    ),
    "an unterminated string stays a string": ('up{v="${v}', 'x"y', r'up{v="x\"y'),
    "a string unterminated behind a backslash": ('up{v="${v}\\', 'x"y', 'up{v="x\\"y\\'),
    "an empty query": ("", "x", ""),
}


@pytest.mark.parametrize(("template", "value", "query"), WRITTEN.values(), ids=WRITTEN)
def test_a_value_is_written_so_that_it_means_itself(
    template: str, value: object, query: str
) -> None:
    assert render(template, {"v": value}) == query


DEFAULTS = {
    "a default stands in for a missing value": ('up{v="${v:-x}"}', {}, 'up{v="x"}'),
    "and for one that is null": ('up{v="${v:-x}"}', {"v": None}, 'up{v="x"}'),
    "a value wins over the default": ('up{v="${v:-x}"}', {"v": "y"}, 'up{v="y"}'),
    "zero is a value": ('up{v="${v:-x}"}', {"v": 0}, 'up{v="0"}'),
    "a default is escaped like any value": ('up{v=~"${v:-a.b}"}', {}, r'up{v=~"a\\.b"}'),
    "a quote in a default does not end the string": ('up{v="${v:-"}"}', {}, r'up{v="\""}'),
    "a default outside quotes": ("rate(x[${w:-5m}])", {}, "rate(x[5m])"),
}


@pytest.mark.parametrize(("template", "given", "query"), DEFAULTS.values(), ids=DEFAULTS)
def test_defaults(template: str, given: dict[str, object], query: str) -> None:
    assert render(template, given) == query


REFUSED = {
    "a missing variable": ('up{v="${v}"}', None, "the variable 'v' has no value"),
    "an empty value, which would match everything": ('up{v="${v}"}', "", "'v' is empty"),
    "an empty default": ('up{v="${v:-}"}', None, "'v' is empty"),
    "a value too long to be a name": (
        'up{v="${v}"}',
        "x" * (MOST_CHARACTERS + 1),
        "'v' is longer than 4096 characters",
    ),
    "a newline": ('up{v="${v}"}', "a\nb", r"control character: 'a\\nb'"),
    "a NUL": ('up{v="${v}"}', "a\x00b", "control character"),
    "an escape": ('up{v="${v}"}', "\x1b[31m", "control character"),
    "a delete": ('up{v="${v}"}', "a\x7f", "control character"),
    "half a surrogate pair": ('up{v="${v}"}', "a\ud800", "control character"),
    "a backquote within backquotes": ("up{v=`${v}`}", "a`b", "backquote; use double quotes"),
    "a reference that is not closed": ('up{v="${v"}', "x", "not closed"),
    "a reference with an unknown form": ('up{v="${v:?no}"}', "x", r"write \$\{name\}"),
    "a backslash before a reference": (r'up{v="\${v}"}', "x", "a backslash stands before"),
    "a regex's backslash before a reference": (r'up{v=~"\\${v}"}', "d", "a backslash stands"),
    "a backslash before a regex in backquotes": (r"up{v=~`\${v}`}", "d", "a backslash stands"),
    "a dashed word outside quotes": ("${v}", "a-b", "outside quotes.*got 'a-b'; quote it"),
    "an expression outside quotes": ("${v}", "vector(1)", "only a word, a number or a duration"),
    "a selector outside quotes": ("${v}", 'up{a="b"}', "outside quotes"),
    "a comment sign outside quotes": ("${v}", "up#", "outside quotes"),
    "a space outside quotes": ("${v}", "a b", "outside quotes"),
    "a negative number outside quotes": ("${v}", "-1", "outside quotes"),
    "a non-ASCII letter outside quotes": ("${v}", "é", "outside quotes"),
    "a non-ASCII digit outside quotes": ("${v}", "٣", "outside quotes"),
}


@pytest.mark.parametrize(("template", "value", "message"), REFUSED.values(), ids=REFUSED)
def test_a_value_that_cannot_stand_where_it_is_used_is_refused(
    template: str, value: str | None, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        render(template, {"v": value})


KEYWORDS = [
    *("and", "or", "unless", "by", "without", "on", "ignoring", "group_left", "group_right"),
    *("offset", "bool", "atan2", "inf", "nan", "OR", "NaN", "Inf", "By"),
]


@pytest.mark.parametrize("keyword", KEYWORDS)
def test_a_keyword_outside_quotes_is_refused(keyword: str) -> None:
    with pytest.raises(ConfigError, match="outside quotes"):
        render("up ${v} up", {"v": keyword})


def test_a_keyword_in_quotes_is_a_value_like_any_other() -> None:
    assert render('up{v="${v}"}', {"v": "or"}) == 'up{v="or"}'


def test_the_longest_value_is_allowed() -> None:
    value = "x" * MOST_CHARACTERS

    assert value in render('up{v="${v}"}', {"v": value})


def test_an_even_number_of_backslashes_before_a_reference_is_a_backslash() -> None:
    assert render(r'up{v="C:\\${v}"}', {"v": "x"}) == r'up{v="C:\\x"}'
    assert render(r'up{v=~"C:\\\\${v}"}', {"v": "x.y"}) == r'up{v=~"C:\\\\x\\.y"}'
    assert render(r"up{v=`C:\${v}`}", {"v": "x"}) == r"up{v=`C:\x`}"


def test_a_missing_variable_can_be_told_from_other_faults() -> None:
    with pytest.raises(MissingVariableError):
        render("${v}", {})


def test_references_are_named_once_and_without_what_is_promqls_own() -> None:
    template = 'rate(a{b="${one}", c=~"${two:-x}"}[${one}]) * "${1}" $__rate_interval ${'

    assert references(template) == {"one", "two"}


def test_a_setting_that_is_no_query_is_filled_without_escaping() -> None:
    assert expand('http://${HOST}/"${PATH:-x}', {"HOST": 'a"b'}) == 'http://a"b/"x'


def test_a_setting_names_the_variable_it_lacks() -> None:
    with pytest.raises(MissingVariableError, match="'HOST'"):
        expand("http://${HOST}", {})


def test_quoting_for_re2_leaves_letters_digits_and_dashes_readable() -> None:
    query = render('up{v=~"${v}"}', {"v": "checkout-7f9b_x y"})

    assert query == 'up{v=~"checkout-7f9b_x y"}'


def test_every_character_a_regex_could_mean_something_by_is_quoted() -> None:
    special = r"\.+*?()|[]{}^$/&~#%!,;:<>=@'`"

    pattern = render("up{v=~'${v}'}", {"v": special}).removeprefix("up{v=~'").removesuffix("'}")
    unescaped = re.sub(r"\\(.)", r"\1", pattern)

    assert unescaped == re.sub("(.)", r"\\\1", special)
