"""Training the pair that ships: the deep ranker, then the edge scorer that learns from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from attune.embedding import EmbeddingRule
from attune.features import EDGE_FEATURES
from origin.evaluation.prequential import Progress
from origin.evaluation.replay import Learn, Replay, Switch, run_replay
from origin.model_manifest import Manifest
from origin.orchestrator import Ranker
from origin.plain_ranker import PlainRanker
from origin.ranker_features import RANKER_FEATURES
from origin.ranking import EDGE_SCORER, EDGE_VERSIONS, RANKER, RANKER_VERSIONS, OnnxRanker
from origin.training.edge_examples import edge_examples
from origin.training.export import Provenance, write_model
from origin.training.fitting import PASSES, RankerFitter
from origin.training.listwise import Examples, Network, fitted, mean_ndcg, ndcg_of_order
from origin.training.pasts import Past

LISTS_MAX = 12_000
HELD_OUT = 0.1
"""The last part of each past's lists is kept for the manifest's metrics."""

AGE = RANKER_FEATURES.index("age")


@dataclass(frozen=True, slots=True)
class Lists:
    """Lists to train on, and later ones to measure with."""

    train: Examples
    test: Examples


def train_models(
    pasts: Sequence[Past], learn: Learn, folder: Path, seed: int, progress: Progress
) -> tuple[Manifest, Manifest]:
    """Train on the pasts and write both models into the folder; return their manifests."""
    ranker_lists = joined([_ranker_lists(past, learn, progress) for past in pasts])
    train = joined_examples([ranker_lists.train, without_age(ranker_lists.train, seed)])
    ranker = _fitted(train, seed, "Fitting the ranker", progress)
    provenance = Provenance(
        " and ".join(past.name for past in pasts),
        pasts[0].events[0].occurred_at_ms,  # a simulation's dates mean nothing
        pasts[0].events[-1].occurred_at_ms,
    )
    metrics = {
        "lists": float(len(train)),
        "ndcg_at_10": mean_ndcg(ranker, ranker_lists.test),
        "ndcg_at_10_of_decayed_popularity": ndcg_of_order(
            ranker_lists.test, RANKER_FEATURES.index("popularity_1d")
        ),
    }
    ranker_manifest = write_model(
        folder, RANKER, ranker, RANKER_FEATURES, RANKER_VERSIONS, provenance, metrics
    )
    teacher = OnnxRanker(folder)
    edge_lists = joined([_edge_lists(past, learn, teacher, seed, progress) for past in pasts])
    student = _fitted(edge_lists.train, seed, "Fitting the edge scorer", progress)
    metrics = {
        "lists": float(len(edge_lists.train)),
        "ndcg_at_10": mean_ndcg(student, edge_lists.test),
        "ndcg_at_10_of_bundle_order": ndcg_of_order(edge_lists.test, 0),
    }
    edge_manifest = write_model(
        folder, EDGE_SCORER, student, EDGE_FEATURES, EDGE_VERSIONS, provenance, metrics
    )
    return ranker_manifest, edge_manifest


def _fitted(examples: Examples, seed: int, what: str, progress: Progress) -> Network:
    done = 0

    def after_pass() -> None:
        nonlocal done
        done += 1
        progress(what, done, PASSES)

    return fitted(examples, PASSES, seed, after_pass)


def _ranker_lists(past: Past, learn: Learn, progress: Progress) -> Lists:
    fitter = RankerFitter(lists_max=LISTS_MAX)
    switch = Switch(PlainRanker())
    first = max(len(past.events) - LISTS_MAX, len(past.events) // 4)

    async def walk() -> Examples:
        replay = await _opened(past, switch, learn)
        for index, event in enumerate(past.events):
            await replay.begin(event.occurred_at_ms)
            if index >= first and event.user_id is not None:
                await replay.scored(event.user_id, event.occurred_at_ms)
                if switch.given is not None:
                    fitter.questioned(switch.given, event.item_id)
            await replay.learn(event)
            progress(f"Replaying {past.name}", index + 1, len(past.events))
        return fitter.examples()

    return _split(run_replay(walk()))


def _edge_lists(past: Past, learn: Learn, teacher: Ranker, seed: int, progress: Progress) -> Lists:
    lists_max = min(LISTS_MAX, len(past.events) * 3 // 4)
    done = 0

    def after_event() -> None:
        nonlocal done
        done += 1
        progress(f"Asking the ranker about {past.name}", done, len(past.events))

    async def walk() -> Examples:
        replay = await _opened(past, teacher, learn)
        return await edge_examples(replay, past.events, lists_max, seed, after_event)

    return _split(run_replay(walk()))


async def _opened(past: Past, ranker: Ranker, learn: Learn) -> Replay:
    replay = Replay(ranker, learn, EmbeddingRule(), past.catalogue)
    await replay.open(past.opened, past.events[0].occurred_at_ms)
    return replay


def _split(examples: Examples) -> Lists:
    cut = int(len(examples) * (1.0 - HELD_OUT))
    return Lists(
        Examples(examples.rows[:cut], examples.present[:cut], examples.goals[:cut]),
        Examples(examples.rows[cut:], examples.present[cut:], examples.goals[cut:]),
    )


def joined(parts: Sequence[Lists]) -> Lists:
    """Return the lists of several pasts as one set."""
    return Lists(
        joined_examples([part.train for part in parts]),
        joined_examples([part.test for part in parts]),
    )


def joined_examples(parts: Sequence[Examples]) -> Examples:
    """Return the examples one after the other."""
    return Examples(
        np.concatenate([part.rows for part in parts]),
        np.concatenate([part.present for part in parts]),
        np.concatenate([part.goals for part in parts]),
    )


def without_age(examples: Examples, seed: int) -> Examples:
    """Return a third of the lists with one age for all their candidates.

    A catalogue that was imported at once knows no ages; a ranker that trusts them blindly would
    take all of it for brand new.
    """
    generator = np.random.default_rng(seed)
    some = generator.permutation(len(examples))[: len(examples) // 3]
    rows = examples.rows[some].copy()
    rows[:, :, AGE] = generator.uniform(-4.0, 13.0, (len(some), 1))
    return Examples(rows, examples.present[some], examples.goals[some])
