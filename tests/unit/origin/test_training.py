"""Training: embeddings from company, networks from lists, graphs that say what the networks say."""

import json
import warnings
from pathlib import Path

import numpy as np
import pytest

from origin.model_manifest import ModelError, Versions, checked_graph, read_manifest
from origin.ranking import Graph
from origin.training.content_blend import blended_embeddings
from origin.training.item_embeddings import Histories, collaborative_embeddings

torch = pytest.importorskip("torch")

ORDER = ("signal", "noise", "constant")
VERSIONS = Versions(1, 1, 1)


def two_camps(users: int = 60, seed: int = 3) -> Histories:
    """Users of one camp meet items 0 to 9, those of the other 10 to 19."""
    dice = np.random.default_rng(seed)
    items = [dice.choice(10, 6, replace=False) + 10 * (user % 2) for user in range(users)]
    return Histories(np.repeat(np.arange(users), 6), np.concatenate(items), 20)


def test_items_in_the_same_company_point_the_same_way():
    found = collaborative_embeddings(two_camps())
    cosines = found @ found.T
    same = cosines[:10, :10].mean() + cosines[10:, 10:].mean()
    assert same / 2 > cosines[:10, 10:].mean() + 0.3
    assert np.linalg.norm(found, axis=1) == pytest.approx(np.ones(20))


def test_a_later_training_turns_its_space_onto_the_one_before():
    before = collaborative_embeddings(two_camps(60), seed=0)
    after = collaborative_embeddings(two_camps(64), before, seed=1)
    unaligned = collaborative_embeddings(two_camps(64), seed=1)
    assert (after * before).sum(axis=1).mean() > 0.8
    assert (after * before).sum(axis=1).mean() > (unaligned * before).sum(axis=1).mean()


def test_an_item_without_company_stands_where_its_words_put_it():
    learned, words = np.zeros((1, 4)), np.array([[0.0, 1.0, 0.0, 0.0]])
    assert (blended_embeddings(learned, np.zeros(1), words) == words).all()


def lists(count: int, seed: int):
    from origin.training.listwise import Examples

    dice = np.random.default_rng(seed)
    rows = dice.normal(size=(count, 12, 3)).astype(np.float32)
    rows[:, :, 2] = 7.0
    present = np.ones((count, 12), dtype=np.bool_)
    present[:, 10:] = False
    goals = np.zeros((count, 12), dtype=np.float32)
    best = np.where(present, rows[:, :, 0], -np.inf).argmax(axis=1)
    goals[np.arange(count), best] = 1.0
    return Examples(rows, present, goals)


@pytest.fixture(scope="module")
def network():
    from origin.training.listwise import fitted

    return fitted(lists(600, 1), passes=6, seed=0, after_pass=lambda: None)


def test_a_network_learns_which_input_decides(network):
    from origin.training.listwise import mean_ndcg, ndcg_of_order

    unseen = lists(200, 2)
    assert mean_ndcg(network, unseen) > 0.9 > ndcg_of_order(unseen, 1)


@pytest.fixture(scope="module")
def folder(network, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from origin.training.export import Provenance, write_model

    path: Path = tmp_path_factory.mktemp("models")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        write_model(path, "tiny", network, ORDER, VERSIONS, Provenance("lists", 1, 2), {"a": 1.0})
    return path


def test_the_graph_says_what_the_network_says(network, folder: Path):
    graph = Graph(checked_graph(folder, "tiny", ORDER, VERSIONS))
    for count in (1, 7, 300):
        rows = np.random.default_rng(count).normal(size=(count, 3)).astype(np.float32)
        with torch.no_grad():
            expected = network(torch.from_numpy(rows)).numpy()
        assert graph.scores(rows) == pytest.approx(expected, abs=1e-5)


def test_a_model_of_another_feature_version_is_refused(folder: Path):
    with pytest.raises(ModelError, match="train anew"):
        checked_graph(folder, "tiny", ORDER, Versions(1, 1, 2))
    with pytest.raises(ModelError, match="train anew"):
        checked_graph(folder, "tiny", ("noise", "signal", "constant"), VERSIONS)


def test_a_graph_that_its_manifest_does_not_know_is_refused(folder: Path, tmp_path: Path):
    manifest = json.loads((folder / "tiny.json").read_text())
    (tmp_path / "tiny.json").write_text(json.dumps(manifest))
    (tmp_path / "tiny.onnx").write_bytes((folder / "tiny.onnx").read_bytes() + b"\0")
    with pytest.raises(ModelError, match="sha256"):
        checked_graph(tmp_path, "tiny", ORDER, VERSIONS)


def test_a_manifest_says_what_the_model_is(folder: Path):
    manifest = read_manifest(folder / "tiny.json")
    assert manifest.feature_order == ORDER
    assert (manifest.opset, manifest.trained_on, dict(manifest.metrics)) == (
        18,
        "lists",
        {"a": 1.0},
    )
