"""Forward-decayed levels: what merging and reading promise."""

import math
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attune.popularity import (
    HALF_LIVES_HOURS,
    MS_PER_HOUR,
    NOTHING,
    level,
    levels,
    merged,
    merged_levels,
    reading,
)

NOW_MS = 1_760_000_000_000
TIMES = st.lists(st.integers(NOW_MS - 30 * 24 * MS_PER_HOUR, NOW_MS), min_size=1, max_size=20)


@given(TIMES, st.randoms())
def test_the_order_of_arrival_changes_no_level(times, shuffler):
    shuffled = list(times)
    shuffler.shuffle(shuffled)
    one = reduce(merged_levels, (levels("click", at) for at in times))
    other = reduce(merged_levels, (levels("click", at) for at in shuffled))
    assert one == pytest.approx(other, abs=1e-9)


@given(TIMES)
def test_a_reading_is_the_decayed_count(times):
    half_life = 24.0
    stored = reduce(merged, (level(1.0, at, half_life) for at in times))
    exact = math.fsum(2.0 ** (-(NOW_MS - at) / (half_life * MS_PER_HOUR)) for at in times)
    assert 2.0 ** reading(stored, NOW_MS, half_life) == pytest.approx(exact, rel=1e-6)


def test_the_order_of_items_is_the_same_at_every_later_moment():
    many_old = reduce(merged, (level(1.0, NOW_MS - 48 * MS_PER_HOUR, 24.0) for _ in range(5)))
    one_new = merged(level(1.0, NOW_MS, 24.0), level(1.0, NOW_MS, 24.0))
    for hours in (0, 1, 100, 10_000):
        at = NOW_MS + hours * MS_PER_HOUR
        assert reading(one_new, at, 24.0) > reading(many_old, at, 24.0)


def test_a_level_holds_thousands_of_years_of_the_shortest_half_life():
    late = level(1.0, 10_000 * 8766 * MS_PER_HOUR, min(HALF_LIVES_HOURS))
    assert math.isfinite(merged(late, NOTHING))
    assert merged(late, level(1.0, 0, 1.0)) == late


def test_a_dismissal_adds_nothing():
    assert levels("dismiss", NOW_MS) == ()
    assert merged_levels((), levels("click", NOW_MS)) == levels("click", NOW_MS)
