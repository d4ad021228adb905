"""Buckets of calls: how many at once, how many over time, and whose."""

from __future__ import annotations

from typing import Any

import pytest

from analysis.service import rates
from analysis.service.rates import Rates, host_of


class Watch:
    """A clock that the test turns."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def watch() -> Watch:
    return Watch()


def let_through(buckets: Rates, caller: str, calls: int) -> int:
    return sum(buckets.wait_s(caller) == 0.0 for _ in range(calls))


def test_a_full_bucket_lets_ten_seconds_of_calls_through_at_once(watch: Watch) -> None:
    assert let_through(Rates(per_second=5.0, clock=watch), "a", 60) == 50


def test_over_time_no_more_passes_than_the_rate(watch: Watch) -> None:
    buckets, passed = Rates(per_second=5.0, clock=watch), 0
    for _ in range(100):
        passed += let_through(buckets, "a", 10)
        watch.now += 1.0

    assert passed == 50 + 99 * 5


def test_who_waits_as_long_as_told_is_let_through(watch: Watch) -> None:
    buckets = Rates(per_second=0.25, clock=watch)
    let_through(buckets, "a", 3)

    wait_s = buckets.wait_s("a")
    watch.now += wait_s

    assert wait_s == pytest.approx(2.0)  # half a call was left in the bucket
    assert buckets.wait_s("a") == 0.0


def test_a_caller_who_is_refused_takes_nothing_from_others(watch: Watch) -> None:
    buckets = Rates(per_second=1.0, clock=watch)
    let_through(buckets, "a", 100)

    assert let_through(buckets, "b", 10) == 10


def test_memory_is_bounded_and_who_calls_most_is_not_forgotten(watch: Watch) -> None:
    buckets = Rates(per_second=1.0, clock=watch)
    let_through(buckets, "busy", 10)
    for number in range(3 * rates.MOST_CALLERS):
        buckets.wait_s(str(number))
        if number % 1000 == 0:
            assert buckets.wait_s("busy") > 0

    assert len(buckets._buckets) == rates.MOST_CALLERS
    assert buckets.wait_s("busy") > 0


HOSTS = {
    "an address of IPv4 is a host": ("10.0.0.7", "10.0.0.7"),
    "a host of IPv6 has a network": ("2001:db8:1:2:aaaa::7", "2001:db8:1:2::/64"),
    "IPv4 within IPv6 is the same host": ("::ffff:10.0.0.7", "10.0.0.7"),
    "a socket has no address": ("", ""),
}


@pytest.mark.parametrize(("given", "host"), HOSTS.values(), ids=HOSTS)
def test_a_host_is_one_caller(given: str, host: str) -> None:
    scope: dict[str, Any] = {"client": (given, 1)}

    assert host_of(scope) == host
