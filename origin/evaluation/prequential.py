"""Prequential evaluation: every event is first a question, then a lesson (Dawid, 1984).

In the order of time, each method ranks all items seen so far that the user does not have; then
everybody learns who was taken. An item never seen before cannot be ranked: a miss for all. What
has to be fitted (attune's network, the baselines' blends) is fitted on the warm-up, the events
before the first evaluated one, and stays as it is from there on; counters and embeddings go on
learning, as they do in production.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from attune.contract.event import Interaction
from attune.embedding import EmbeddingRule
from origin.evaluation.baselines import BASELINES, BLENDS, Baselines, Vector, blended, rank_in
from origin.evaluation.figures import MISS, Ranks, gains
from origin.evaluation.replay import MS_PER_DAY, Learn, Replay, Switch, run_replay
from origin.orchestrator import Ranker
from origin.ranker_features import RankerInput

ATTUNE = "attune"

BLEND_EVENTS = 3_000
"""Last events of the warm-up, on which the baselines' blends are chosen."""

Progress = Callable[[str, int, int], object]
"""Called with what is being done, how much of it is done, and how much there is."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The ranks of all methods, and what was fitted: in words, and the baselines' blends."""

    ranks: Ranks
    model: str
    blends: Mapping[str, float]


class Fitter:
    """How the warm-up makes a ranker: asked before each of its questions, closed at its end."""

    lists_max: int = 0

    def questioned(self, given: RankerInput, taken: str) -> None:
        """Note what serving would have ranked before ``taken`` was."""

    def ranker(self, progress: Progress) -> tuple[Ranker, str]:
        """Return the fitted ranker, and a sentence that says on what."""
        raise NotImplementedError


@dataclass(slots=True)
class Tally:
    """Ranks as they are collected."""

    methods: dict[str, list[int]] = field(default_factory=lambda: defaultdict[str, list[int]](list))
    users: list[int] = field(default_factory=list[int])
    experience: list[int] = field(default_factory=list[int])

    def ranks(self) -> Ranks:
        """Return what was collected, as columns."""
        return Ranks(
            {name: np.array(found) for name, found in self.methods.items()},
            np.array(self.users),
            np.array(self.experience),
        )


class Evaluation:
    """One walk through a file's events."""

    def __init__(self, learn: Learn, plain: Ranker) -> None:
        self._switch = Switch(plain)
        self._replay = Replay(self._switch, learn, EmbeddingRule())
        self._baselines = Baselines(self._replay.store)
        self._met: dict[str, list[int]] = defaultdict(list)
        self._met_ids: dict[str, set[str]] = defaultdict(set)
        self._user_places: dict[str, int] = {}
        self._tally = Tally()
        self._trials: dict[tuple[str, float], float] = defaultdict(float)

    async def run(
        self, events: Sequence[Interaction], first: int, fitter: Fitter, progress: Progress
    ) -> Outcome:
        """Walk through the events; evaluate those from index ``first`` on."""
        for index, event in enumerate(events[:first]):
            await self._begin(event)
            if index >= max(first - fitter.lists_max, first // 4):
                await self._note(event, fitter)
            if index >= first - BLEND_EVENTS:
                await self._try_blends(event)
            await self._learn(event)
            progress("Warming up", index + 1, first)
        self._switch.inner, model = fitter.ranker(progress)
        blends = self._blends()
        for index, event in enumerate(events[first:]):
            await self._begin(event)
            await self._evaluate(event, blends)
            await self._learn(event)
            progress("Evaluating", index + 1, len(events) - first)
        return Outcome(self._tally.ranks(), model, blends)

    async def _begin(self, event: Interaction) -> None:
        if await self._replay.begin(event.occurred_at_ms):
            self._baselines.set_embeddings(self._replay.embeddings)

    async def _learn(self, event: Interaction) -> None:
        user_id = _user(event)
        await self._replay.learn(event)
        self._baselines.learn(event)
        place = self._baselines.place(event.item_id)
        assert place is not None, "a learned item has a place"
        self._met[user_id].append(place)
        self._met_ids[user_id].add(event.item_id)

    async def _note(self, event: Interaction, fitter: Fitter) -> None:
        await self._replay.scored(_user(event), event.occurred_at_ms)
        if self._switch.given is not None:
            fitter.questioned(self._switch.given, event.item_id)

    async def _parts(self, event: Interaction) -> dict[str, Vector]:
        day = event.occurred_at_ms // MS_PER_DAY
        return await self._baselines.parts(_user(event), event.occurred_at_ms, day)

    async def _try_blends(self, event: Interaction) -> None:
        target = self._target(event)
        if target is None:
            return
        parts = await self._parts(event)
        seen = np.array(self._met[_user(event)], dtype=np.int64)
        for name, weights in BLENDS.items():
            for weight in weights:
                rank = rank_in(blended(parts, name, weight), target, seen)
                self._trials[name, weight] += float(gains(np.array([rank]))[0])

    def _target(self, event: Interaction) -> int | None:
        """Return the taken item's place; None where nobody ranks it: never seen, or his already."""
        place = self._baselines.place(event.item_id)
        return None if event.item_id in self._met_ids[_user(event)] else place

    def _blends(self) -> dict[str, float]:
        return {
            name: max(weights, key=lambda weight, name=name: self._trials[name, weight])
            for name, weights in BLENDS.items()
        }

    async def _evaluate(self, event: Interaction, blends: Mapping[str, float]) -> None:
        user_id, tally = _user(event), self._tally
        parts = await self._parts(event)
        target = self._target(event)
        seen = np.array(self._met[user_id], dtype=np.int64)
        for name in BASELINES:
            scores = blended(parts, name, blends.get(name, 0.0))
            rank = MISS if target is None else rank_in(scores, target, seen)
            tally.methods[name].append(rank)
        attune_rank = MISS if target is None else await self._attune_rank(event)
        tally.methods[ATTUNE].append(attune_rank)
        tally.users.append(self._user_places.setdefault(user_id, len(self._user_places)))
        tally.experience.append(len(seen))

    async def _attune_rank(self, event: Interaction) -> int:
        found = await self._replay.scored(_user(event), event.occurred_at_ms)
        met = self._met_ids[_user(event)]
        rank = 0
        order: list[int] = np.argsort(-found.scores, kind="stable").tolist()
        for place in order:
            item_id = found.rows[place].item.item_id
            if item_id == event.item_id:
                return rank
            rank += item_id not in met
        return MISS


def evaluated(
    events: Sequence[Interaction],
    first: int,
    learn: Learn,
    plain: Ranker,
    fitter: Fitter,
    progress: Progress,
) -> Outcome:
    """Return the outcome of a walk through the events, those before ``first`` as warm-up."""

    async def walk() -> Outcome:
        return await Evaluation(learn, plain).run(events, first, fitter, progress)

    return run_replay(walk())


def _user(event: Interaction) -> str:
    assert event.user_id is not None, "an evaluated event has a user"
    return event.user_id
