import numpy as np

from attune.contract.recommendation import RecentInteraction
from origin.packing import packed
from origin.storage.user_columns import (
    exposure_bytes,
    fixed,
    floats,
    read_embeddings,
    read_exposures,
    read_recent,
    recent_bytes,
)

RECENT = (
    RecentInteraction("i1", "click", 1_700_000_000_000),
    RecentInteraction("größe" * 25, "dismiss", 4_102_444_800_000),
)
VECTOR = np.random.default_rng(3).normal(size=64).astype(np.float32)
VECTOR /= np.linalg.norm(VECTOR)


def test_recent_interactions_come_back() -> None:
    assert read_recent(recent_bytes(RECENT)) == RECENT
    assert recent_bytes(RECENT[:1]).hex() == "01010068e5cf8b8500" + "6931"


def test_exposures_come_back_in_their_order() -> None:
    shown = {"b": 3, "a": 16_383, "größe": 1}
    assert list(read_exposures(exposure_bytes(shown)).items()) == list(shown.items())
    assert read_exposures(exposure_bytes({"a": 10**6})) == {"a": 16_383}
    assert exposure_bytes({"i1": 3}).hex() == "01" + "038000" + "6931"


def test_rows_of_earlier_releases_are_read() -> None:
    triples = [(one.item_id, one.action, one.occurred_at_ms) for one in RECENT]
    assert read_recent(packed(triples)) == RECENT
    assert read_recent(packed([])) == ()
    assert read_exposures(packed({"a": 2})) == {"a": 2}
    assert read_exposures(packed({})) == {}
    old, new = VECTOR.tobytes(), fixed(VECTOR).astype("<i2").tobytes()
    assert (read_embeddings([old, new]) == fixed(VECTOR)).all()


def test_fixed_point_is_finer_than_half_precision() -> None:
    error = np.abs(floats(fixed(VECTOR)) - VECTOR).max()
    assert error <= 0.5 / 32767 + 1e-9
    assert error < np.abs(VECTOR.astype(np.float16) - VECTOR).max()
