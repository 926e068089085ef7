"""The origin serves with the models that fit this version, and with a plain rule otherwise."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from attune.contract.item import Item
from attune.popularity import levels
from origin.http.services import load_models
from origin.plain_ranker import PlainRanker
from origin.ranker_features import RankerInput
from origin.settings import Settings
from origin.storage.port import ItemRow, empty_embedding

NOW_MS = 1_700_000_000_000
SHIPPED = Settings().models


def candidates(count: int) -> RankerInput:
    rows = [
        ItemRow(Item(f"i{n}", f"I {n}"), NOW_MS, levels=levels("click", NOW_MS - n * 3_600_000))
        for n in range(count)
    ]
    return RankerInput(empty_embedding(), 0, (), {}, rows, (), NOW_MS)


def test_the_shipped_models_load_and_score_in_zero_to_one() -> None:
    models = load_models(SHIPPED)
    assert not isinstance(models.ranker, PlainRanker)
    scores = models.ranker.scores(candidates(30))
    assert scores.shape == (30,)
    assert ((scores >= 0) & (scores <= 1)).all()


def test_without_models_the_plain_rule_serves(tmp_path: Path) -> None:
    models = load_models(tmp_path)
    assert isinstance(models.ranker, PlainRanker)
    assert models.scorer is None


def test_a_model_of_other_features_is_refused_with_a_reason(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for file in SHIPPED.iterdir():
        shutil.copy(file, tmp_path / file.name)
    manifest = json.loads((tmp_path / "ranker.json").read_text())
    (tmp_path / "ranker.json").write_text(json.dumps(manifest | {"feature_version": 99}))
    assert isinstance(load_models(tmp_path).ranker, PlainRanker)
    assert "ranker" in caplog.text


def test_the_plain_rule_prefers_what_is_popular_and_keeps_scores_apart() -> None:
    scores = PlainRanker().scores(candidates(50))
    assert (np.diff(scores) <= 0).all()
    assert 0.05 < scores.min() < scores.max() < 0.95
