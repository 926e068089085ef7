"""A bundle says the same as the kernel would, in columns of one length."""

import numpy as np
import pytest

from attune.consent import Consent
from attune.contract.bundle import pack_bundle, read_bundle
from attune.contract.item import Item
from attune.popularity import HALF_LIVES_HOURS, MS_PER_HOUR, levels
from attune.posterior import Beta
from attune.quantisation import quantised
from origin.bundles import (
    BundleHead,
    RankedCandidate,
    candidate_features,
    made_bundle,
    quantised_rows,
)
from origin.storage.port import ItemRow, UserRow

NOW_MS = 1_700_000_000_000
HEAD = BundleHead(Consent.FULL, "home", "full", NOW_MS, 10, 20, 7, "model")


def rows(count: int) -> list[ItemRow]:
    vectors = np.random.default_rng(5).normal(size=(count, 64)).astype(np.float32)
    return [
        ItemRow(Item(f"i{n}", f"Item {n}", category="c"), NOW_MS - n * 86_400_000, vector,
                "v", levels("click", NOW_MS - n * MS_PER_HOUR))
        for n, vector in enumerate(vectors)
    ]  # fmt: skip


def test_rows_are_quantised_as_the_kernel_does_it() -> None:
    halves = np.zeros(64, dtype=np.float32)
    halves[:4] = 1.0, 0.5 / 127, 1.5 / 127, -2.5 / 127
    some = [*rows(20), ItemRow(Item("none", "None"), 0), ItemRow(Item("h", "H"), 0, halves)]
    expected = [bytes(64) if r.embedding is None else quantised(r.embedding.tolist()) for r in some]
    assert quantised_rows(some).tobytes() == b"".join(expected)
    assert quantised_rows([]).shape == (0, 64)


def test_features_are_logarithms_of_decayed_counts_and_days() -> None:
    untouched = ItemRow(Item("u", "U"), NOW_MS)
    hour, day, week, age = candidate_features([*rows(3), untouched], NOW_MS).T
    assert hour == pytest.approx(np.log2([1.02, 0.52, 0.27, 0.02]), abs=1e-5)
    assert day == pytest.approx(np.log2([1.02, 2 ** (-1 / 24) + 0.02, 2 ** (-1 / 12) + 0.02, 0.02]))
    assert week[0] == pytest.approx(np.log2(1.02), abs=1e-5)
    assert age == pytest.approx([0.0, 1.0, np.log2(3.0), 0.0])
    assert len(HALF_LIVES_HOURS) == 6


def test_a_bundle_survives_the_wire_sorted_by_score() -> None:
    ranked = [
        RankedCandidate(row, "for_you", score, Beta(1.0, 19.0))
        for row, score in zip(rows(3), (0.2, 0.9, 0.5), strict=True)
    ]
    embedding = np.full(64, 0.125, dtype=np.float32)
    user = UserRow("u", embedding, 5, 12, exposures={"i1": 300, "i2": 4})
    recent = {row.item.item_id: row for row in rows(5)}
    bundle = made_bundle(HEAD, user, frozenset({"i2", "x"}), recent, ranked)
    assert bundle.candidates.item_ids == ("i1", "i2", "i0")
    assert bundle.seen == ("i2",)
    assert bundle.exposures == bytes([255, 4, 0])
    assert bundle.recents.item_ids == ("i3", "i4")
    assert read_bundle(pack_bundle(bundle)) == bundle
