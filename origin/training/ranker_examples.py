"""Lists for the deep ranker: what serving would have ranked before each event of the past."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from attune.contract.event import Interaction
from origin.evaluation.replay import CANDIDATES_MAX, Replay
from origin.ranker_features import RANKER_FEATURES, RankerInput, Rows, ranker_features
from origin.training.listwise import Examples


class Recorder:
    """A ranker that remembers what it was asked; it scores by what it was given to score with."""

    version = "recorder"

    def __init__(self, score: Callable[[Rows], NDArray[np.float32]] | None = None) -> None:
        self._score = score
        self.rows: Rows = np.zeros((0, len(RANKER_FEATURES)), dtype=np.float32)

    def scores(self, given: RankerInput) -> NDArray[np.float32]:
        """Return the scores; zeros while there is no model."""
        self.rows = ranker_features(given)
        if self._score is None:
            return np.zeros(len(self.rows), dtype=np.float32)
        return self._score(self.rows)


class ExampleBuffer:
    """Lists as they are collected, the target's list only: without it there is nothing to learn."""

    def __init__(self, lists_max: int) -> None:
        self._rows = np.zeros((lists_max, CANDIDATES_MAX, len(RANKER_FEATURES)), dtype=np.float32)
        self._present = np.zeros((lists_max, CANDIDATES_MAX), dtype=np.bool_)
        self._goals = np.zeros((lists_max, CANDIDATES_MAX), dtype=np.float32)
        self._count = 0

    def add(self, rows: Rows, taken: int) -> None:
        """Remember one list, of which the candidate at ``taken`` was taken."""
        place, count = self._count, len(rows)
        self._rows[place, :count] = rows
        self._present[place, :count] = True
        self._goals[place, taken] = 1.0
        self._count += 1

    def examples(self) -> Examples:
        """Return what was collected."""
        end = self._count
        return Examples(self._rows[:end], self._present[:end], self._goals[:end])


async def ranker_examples(
    replay: Replay,
    recorder: Recorder,
    events: Sequence[Interaction],
    lists_max: int,
    after_event: Callable[[], object],
) -> Examples:
    """Replay the events; return the lists before the last ``lists_max`` of them.

    The first part of history only teaches the counters: a model that learned from lists made while
    the world was empty would expect it to stay so.
    """
    buffer = ExampleBuffer(lists_max)
    first = max(len(events) - lists_max, 0)
    for index, event in enumerate(events):
        await replay.begin(event.occurred_at_ms)
        if index >= first and event.user_id is not None:
            found = await replay.scored(event.user_id, event.occurred_at_ms)
            ids = [row.item.item_id for row in found.rows]
            if event.item_id in ids:
                buffer.add(recorder.rows, ids.index(event.item_id))
        await replay.learn(event)
        after_event()
    return buffer.examples()
