"""Laws of the notation of inline series."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from analysis.sources.matching import parse_labels
from analysis.testing.notation import Value, parse_values, written

NUMBERS = st.floats(allow_nan=False, allow_infinity=False).map(lambda x: x + 0.0)
COUNTS = st.integers(0, 20)
ITEMS = st.one_of(
    NUMBERS.map(lambda x: (repr(x), [x])),
    st.tuples(NUMBERS, COUNTS).map(lambda a: (f"{a[0]!r}x{a[1]}", [a[0]] * (a[1] + 1))),
    COUNTS.map(lambda n: (f"_x{n}", [None] * n)),
    st.just(("_", [None])),
    st.just(("stale", ["stale"])),
)
NAMES = st.from_regex(r"[a-z][a-z_0-9]{0,8}", fullmatch=True)
WORDS = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1, max_size=12)


@given(st.lists(ITEMS, max_size=20))
def test_a_series_is_its_items_one_after_the_other(items: list[tuple[str, list[Value]]]) -> None:
    text = " ".join(word for word, _ in items)

    assert parse_values(text) == [value for _, values in items for value in values]


@given(st.text(max_size=30))
def test_any_text_is_a_series_or_refused(text: str) -> None:
    try:
        values = parse_values(text)
    except ValueError:
        return
    assert all(value is None or value == "stale" or isinstance(value, float) for value in values)


@given(st.integers(-1000, 1000), st.integers(-50, 50), COUNTS)
def test_a_sequence_of_whole_numbers_is_the_arithmetic_one(
    first: int, step: int, count: int
) -> None:
    assert parse_values(f"{first}{step:+d}x{count}") == [
        float(first + i * step) for i in range(count + 1)
    ]


@given(NAMES, st.dictionaries(NAMES, WORDS, max_size=4))
def test_labels_survive_being_written(name: str, labels: dict[str, str]) -> None:
    whole = {"__name__": name, **labels}

    assert parse_labels(written(whole)) == whole
