"""What the page of a configuration says when two of its versions are to be compared."""

from __future__ import annotations

import pytest

from analysis.service.pages.versions import Listed, difference

OLD, NEW, UNKNOWN = "0" * 64, "1" * 64, "2" * 64
VERSIONS = [
    Listed(digest=NEW, text="a: 1\nb: 3\n--- c\n"),
    Listed(digest=OLD, text="a: 1\nb: 2\n"),
]


def test_what_was_removed_added_and_kept_is_told_apart() -> None:
    found = difference(VERSIONS, OLD, NEW)

    assert found.lines == [
        ("--- 000000000000", ""),
        ("+++ 111111111111", ""),
        ("@@ -1,2 +1,3 @@", "place"),
        (" a: 1", ""),
        ("-b: 2", "removed"),
        ("+b: 3", "added"),
        ("+--- c", "added"),
    ]


def test_the_two_newest_are_proposed_and_nothing_compared_unasked() -> None:
    found = difference(VERSIONS, "", "")

    assert (found.left, found.right, found.lines) == (OLD, NEW, ())


REFUSED = {
    "one alone": (OLD, "", "one version is missing; choose two of those below"),
    "the same twice": (OLD, OLD, "both are the version 000000000000; choose another for one"),
    "an unknown one": (OLD, UNKNOWN, "there is no version '222222222222'; choose two of those"),
}


@pytest.mark.parametrize(("left", "right", "error"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_compared_is_told(left: str, right: str, error: str) -> None:
    found = difference(VERSIONS, left, right)

    assert error in found.error
    assert not found.lines
