"""The deep ranker fitted while history passes: serving's questions are its examples."""

import numpy as np

from origin.evaluation.prequential import Fitter, Progress
from origin.evaluation.replay import CANDIDATES_MAX
from origin.orchestrator import Ranker
from origin.plain_ranker import PlainRanker
from origin.ranker_features import RANKER_FEATURES, RankerInput, Rows, ranker_features
from origin.ranking import Graph, GraphRanker
from origin.training.export import exported
from origin.training.listwise import Examples, Network, fitted

PASSES = 6
"""Passes over the examples; more fit the past better and the future no better."""

LISTS_MAX = 16_000
LISTS_MIN = 300
"""With fewer lists than this a plain rule is the safer choice."""


class ListBuffer:
    """Lists as they are collected; one without the taken item has nothing to teach."""

    def __init__(self, lists_max: int) -> None:
        shape = (lists_max, CANDIDATES_MAX)
        self._rows = np.zeros((*shape, len(RANKER_FEATURES)), dtype=np.float32)
        self._present = np.zeros(shape, dtype=np.bool_)
        self._goals = np.zeros(shape, dtype=np.float32)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, rows: Rows, taken: int) -> None:
        """Remember one list, of which the candidate at ``taken`` was taken."""
        place, size = self._count, len(rows)
        self._rows[place, :size] = rows
        self._present[place, :size] = True
        self._goals[place, taken] = 1.0
        self._count += 1

    def examples(self) -> Examples:
        """Return what was collected."""
        end = self._count
        return Examples(self._rows[:end], self._present[:end], self._goals[:end])


class RankerFitter(Fitter):
    """Collects lists, then fits a network to them.

    The first part of history only teaches the counters: lists made while the world was still empty
    would teach a model to expect it so.
    """

    def __init__(self, seed: int = 0, lists_max: int = LISTS_MAX) -> None:
        self.lists_max = lists_max
        self._seed = seed
        self._lists = ListBuffer(lists_max)

    def questioned(self, given: RankerInput, taken: str) -> None:
        """Remember the list when it holds the taken item."""
        for place, row in enumerate(given.candidates):
            if row.item.item_id == taken:
                self._lists.add(ranker_features(given), place)
                return

    def network(self, progress: Progress) -> Network:
        """Return the fitted network."""
        done = 0

        def after_pass() -> None:
            nonlocal done
            done += 1
            progress("Fitting the ranker", done, PASSES)

        return fitted(self._lists.examples(), PASSES, self._seed, after_pass)

    def examples(self) -> Examples:
        """Return the collected lists."""
        return self._lists.examples()

    def ranker(self, progress: Progress) -> tuple[Ranker, str]:
        """Return the fitted ranker as serving runs it; a plain rule where there is too little."""
        if len(self._lists) < LISTS_MIN:
            sentence = f"plain rule: the warm-up holds only {len(self._lists)} lists to learn from"
            return PlainRanker(), sentence
        graph = exported(self.network(progress), len(RANKER_FEATURES))
        sentence = f"deep ranker fitted to {len(self._lists)} lists of the warm-up"
        return GraphRanker(Graph(graph), "fitted"), sentence
