"""One policy through one world, and what came of it: regret, exploration and lift by window."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from origin.bandits.port import Vector
from origin.simulation.policies import POLICIES
from origin.simulation.shop import Shop, World

WINDOWS = 20
BETWEEN_REPORTS = 100


@dataclass(frozen=True, slots=True)
class Run:
    """A policy's slates as columns, (S,) each.

    ``expected`` and ``best`` are the expected clicks of the slate and of the best one, ``explored``
    the expected share of explored positions, ``launched`` and ``launched_best`` the share of late
    launches in both slates, ``cold`` whether the visitor had never clicked.
    """

    policy: str
    expected: Vector
    best: Vector
    explored: Vector
    launched: Vector
    launched_best: Vector
    cold: Vector

    def regret(self, inside: slice | NDArray[np.bool_] | None = None) -> float:
        """Return the share of the best slates' expected clicks that was missed, in percent."""
        chosen = slice(None) if inside is None else inside
        best = float(self.best[chosen].sum())
        return 100.0 * (1.0 - float(self.expected[chosen].sum()) / best) if best > 0.0 else 0.0


def simulated(
    world: World, policy_name: str, seed: int, progress: Callable[[int], None] | None = None
) -> Run:
    """Return what comes of a policy in a world: always the same for a seed."""
    shop = Shop(world, seed)
    policy = POLICIES[policy_name](shop, seed)
    columns: dict[str, list[float]] = {
        name: [] for name in ("expected", "best", "explored", "launched", "launched_best", "cold")
    }
    clicked_before: set[str] = set()
    for page in shop.pages():
        features = policy.knowledge.features(page)
        served = policy.serve(page, features)
        names = [shop.storefront.items[row].item_id for row in served.rows]
        optimum = shop.environment.optimal_slate(page.visit, len(names))
        best = [shop.storefront.index[name] for name in optimum]
        cold = page.visitor not in clicked_before
        response = shop.environment.respond(page.visit, names)
        policy.knowledge.learn(page, served.rows, response.clicked, features)
        if response.clicked:
            clicked_before.add(page.visitor)
        columns["expected"].append(response.expected_clicks)
        columns["best"].append(response.expected_clicks + response.regret)
        columns["explored"].append(served.exploration_rate)
        columns["launched"].append(float(shop.launched_late[served.rows].mean()))
        columns["launched_best"].append(float(shop.launched_late[best].mean()))
        columns["cold"].append(float(cold))
        if progress is not None and (page.number + 1) % BETWEEN_REPORTS == 0:
            progress(page.number + 1)
    found = {name: np.array(values) for name, values in columns.items()}
    return Run(policy_name, **found)


@dataclass(frozen=True, slots=True)
class Point:
    """A window of slates: its last one, and means over it and over seeds."""

    slates: int
    regret_percent: float
    exploration_rate: float
    lift_percent: float
    launched_share: float


def curve(runs: Sequence[Run], baseline: Sequence[Run]) -> list[Point]:
    """Return a policy's course; lift is that of expected clicks over the baseline's, by window."""
    count = len(runs[0].expected)
    edges = np.linspace(0, count, min(WINDOWS, count) + 1).astype(int)
    points: list[Point] = []
    for start, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        window = slice(start, end)
        points.append(
            Point(
                slates=end,
                regret_percent=float(np.mean([run.regret(window) for run in runs])),
                exploration_rate=float(np.mean([run.explored[window].mean() for run in runs])),
                lift_percent=lift(runs, baseline, window),
                launched_share=float(np.mean([run.launched[window].mean() for run in runs])),
            )
        )
    return points


def lift(runs: Sequence[Run], baseline: Sequence[Run], window: slice) -> float:
    """Return by how many percent the expected clicks exceed the baseline's."""
    own = sum(float(run.expected[window].sum()) for run in runs)
    other = sum(float(run.expected[window].sum()) for run in baseline)
    return 100.0 * (own / other - 1.0)


def summary(runs: Sequence[Run]) -> Mapping[str, Sequence[float]]:
    """Return a policy's figures, one number per seed."""
    late = slice(len(runs[0].expected) * 3 // 4, None)
    half = slice(len(runs[0].expected) // 2, None)
    return {
        "regret_percent": [run.regret() for run in runs],
        "late_regret_percent": [run.regret(late) for run in runs],
        "cold_visitor_regret_percent": [run.regret(run.cold > 0.0) for run in runs],
        "expected_clicks_per_slate": [float(run.expected.mean()) for run in runs],
        "exploration_rate": [float(run.explored.mean()) for run in runs],
        "launched_share": [float(run.launched[half].mean()) for run in runs],
        "launched_share_of_best": [float(run.launched_best[half].mean()) for run in runs],
    }
