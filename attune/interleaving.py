"""Team-draft interleaving: two rankings in one slate, and the visitor's clicks decide.

As in the playground: by turns, a coin says who picks first, each ranking adds its best item that is
not there yet, and the item plays for that team. A click is a point for its item's team. Both
rankings meet the same visitor in the same moment, so a preference shows with a tenth to a hundredth
of the traffic of an A/B test. Radlinski, Kurup & Joachims, "How Does Clickthrough Data Reflect
Retrieval Quality?", 2008; Chapelle et al., 2012.
"""

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

Team = Literal["a", "b"]


@dataclass(frozen=True, slots=True)
class Pick:
    """An item of the slate and the team that it plays for."""

    item_id: str
    team: Team


def team_draft(a: Sequence[str], b: Sequence[str], n: int, rng: random.Random) -> list[Pick]:
    """Return a slate of at most ``n`` items of both rankings.

    >>> [pick.item_id for pick in team_draft(["x", "y"], ["x", "z"], 3, random.Random(1))]
    ['x', 'z', 'y']
    """
    rankings: dict[Team, Sequence[str]] = {"a": a, "b": b}
    reached: dict[Team, int] = {"a": 0, "b": 0}
    taken: set[str] = set()
    picks: list[Pick] = []
    while len(picks) < n:
        turns: tuple[Team, Team] = ("a", "b") if rng.random() < 0.5 else ("b", "a")
        before = len(picks)
        for team in turns:
            place = reached[team] = _next_open(rankings[team], reached[team], taken)
            if place < len(rankings[team]) and len(picks) < n:
                taken.add(rankings[team][place])
                picks.append(Pick(rankings[team][place], team))
        if len(picks) == before:
            break
    return picks


def _next_open(ranking: Sequence[str], place: int, taken: Collection[str]) -> int:
    """Return the place of the ranking's best item that is not in the slate yet."""
    while place < len(ranking) and ranking[place] in taken:
        place += 1
    return place


def points(picks: Sequence[Pick], clicked: Collection[str]) -> int:
    """Return team a's clicks minus team b's.

    >>> points([Pick("x", "a"), Pick("y", "b"), Pick("z", "a")], {"x", "y", "z"})
    1
    """
    return sum((1 if pick.team == "a" else -1) for pick in picks if pick.item_id in clicked)
