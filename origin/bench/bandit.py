"""`attune bench bandit`: regret of our bandits beside others, in worlds whose rates are known.

Every method meets the same world: the same rates, contexts and dice of rewards, seed by seed.
Regret is cumulative, in percent of what the best arm of each moment would have earned.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Literal, Protocol

import numpy as np

from origin.bandits.horizon_index import HorizonIndex
from origin.bandits.linear import DisjointLinUcb, SharedLinUcb
from origin.bandits.logistic import LogisticThompson
from origin.bandits.port import Bandit, Uniform, Vector, WithFloor
from origin.bandits.rates import Rates
from origin.bandits.simple import BetaThompson, Greedy, Ucb1
from origin.bandits.worlds import (
    DriftingWorld,
    LogisticWorld,
    Situation,
    click_world,
    uniform_world,
)

View = Literal["none", "features", "context"]
Progress = Callable[[int, int], None]

EPSILON = 0.1
MARKS = (10_000, 20_000, 100_000)
DRIFT_EVERY = 500
DRIFT_MEMORY = 20_000
FLAT = (0.5, 2.0)  # Beta(1, 1)
NO_PRIOR = (1e-3, 1e-3)  # means are what was seen, an arm never pulled counts as hopeless
VOWPAL_PREFIX = "vw_"


class World(Protocol):
    """Where a bandit lives."""

    def now(self, rng: np.random.Generator) -> Situation:
        """Return the next moment's situation."""
        ...


@dataclass(frozen=True, slots=True)
class Environment:
    """A world by name, how many arms it has, and which of our bandits is for it."""

    make: Callable[[np.random.Generator], World]
    arm_count: int
    ours: str
    dimension: int | None = None
    drifting: bool = False


ENVIRONMENTS: Mapping[str, Environment] = {
    "uniform-64": Environment(lambda rng: uniform_world(64, rng), 64, "horizon_index"),
    "uniform-1000": Environment(lambda rng: uniform_world(1000, rng), 1000, "horizon_index"),
    "clicks-64": Environment(lambda rng: click_world(64, rng), 64, "horizon_index"),
    "clicks-256": Environment(lambda rng: click_world(256, rng), 256, "horizon_index"),
    "clicks-1000": Environment(lambda rng: click_world(1000, rng), 1000, "horizon_index"),
    "drift-64": Environment(
        lambda rng: DriftingWorld(rng.beta(2.0, 50.0, 64), DRIFT_EVERY),
        64,
        "horizon_index_discounted",
        drifting=True,
    ),
    "context-64": Environment(
        lambda rng: LogisticWorld(64, rng), 64, "logistic_thompson", dimension=31
    ),
}


@dataclass(frozen=True, slots=True)
class Job:
    """One method in one environment under one seed. Rewards arrive ``batch`` at a time."""

    environment: str
    method: str
    seed: int
    pulls: int
    batch: int


@dataclass(frozen=True, slots=True)
class Run:
    """What came of a job: regret in percent at each mark, and processor times in
    microseconds (not wall time, which tells more about who else is on the machine)."""

    job: Job
    regret: Mapping[int, float]
    choose_us: float
    learn_us: float
    learn_p99_us: float


def methods_of(environment: Environment, *, vowpal: bool) -> list[str]:
    """Return what is compared there, ours first."""
    plain = ["greedy_fitted", "epsilon_greedy", "thompson_fitted", "thompson_flat", "ucb1"]
    if environment.dimension is not None:
        plain = ["greedy_logistic", "linucb_shared", "linucb_disjoint", "thompson_fitted", "ucb1"]
    elif environment.drifting:
        plain = ["horizon_index", "thompson_fitted_discounted", *plain]
    libraries = ["vw_epsilon", "vw_softmax", "vw_squarecb"] if vowpal else []
    return [environment.ours, *plain, "random", *libraries]


def bandit_of(method: str, environment: Environment, seed: int) -> tuple[Bandit, View]:
    """Return a new bandit, and what it is shown of a situation."""
    count, dimension = environment.arm_count, environment.dimension or 0
    if method.startswith(VOWPAL_PREFIX):
        from origin.bench.bandit_vowpal import OPTIONS, VowpalWabbit

        contextual = dimension > 0
        library = VowpalWabbit(OPTIONS[method], count, contextual=contextual, seed=seed)
        return library, "features" if contextual else "none"
    discount = 1.0 - 1.0 / DRIFT_MEMORY
    plain: dict[str, Callable[[], Bandit]] = {
        "horizon_index": lambda: HorizonIndex(Rates(count)),
        "horizon_index_discounted": lambda: HorizonIndex(Rates(count, discount)),
        "greedy_fitted": lambda: Greedy(Rates(count)),
        "epsilon_greedy": lambda: WithFloor(
            Greedy(Rates(count, fit=False, prior=NO_PRIOR)), count, EPSILON
        ),
        "thompson_fitted": lambda: BetaThompson(Rates(count)),
        "thompson_fitted_discounted": lambda: BetaThompson(Rates(count, discount)),
        "thompson_flat": lambda: BetaThompson(Rates(count, fit=False, prior=FLAT)),
        "ucb1": lambda: Ucb1(count),
        "random": lambda: Uniform(count),
    }
    if method in plain:
        return plain[method](), "none"
    if method == "linucb_disjoint":
        return DisjointLinUcb(count, 6), "context"
    if method == "linucb_shared":
        return SharedLinUcb(dimension), "features"
    return LogisticThompson(dimension, spread=float(method == "logistic_thompson")), "features"


def run_job(job: Job) -> Run:
    """Return what comes of a job."""
    environment = ENVIRONMENTS[job.environment]
    world_rng = np.random.default_rng((job.seed, 1))
    rewards_rng, rng = np.random.default_rng((job.seed, 2)), np.random.default_rng((job.seed, 3))
    world = environment.make(world_rng)
    bandit, view = bandit_of(job.method, environment, job.seed)
    lost, best, regret, choosing_ns = 0.0, 0.0, dict[int, float](), 0
    batch, learning_us = Batch(), list[float]()
    for pull in range(1, job.pulls + 1):
        situation = world.now(world_rng)
        seen = {"none": None, "features": situation.features, "context": situation.context}[view]
        started_ns = time.thread_time_ns()
        arm = bandit.draw(seen, rng)
        choosing_ns += time.thread_time_ns() - started_ns
        if job.batch > 1:
            bandit.wait_for(arm)
        top = float(situation.rates.max())
        lost, best = lost + top - float(situation.rates[arm]), best + top
        reward = float(rewards_rng.random() < situation.rates[arm])
        batch.add(arm, reward, None if seen is None else seen[arm])
        if pull % job.batch == 0:
            learning_us.append(batch.teach(bandit) / job.batch)
        if pull in MARKS or pull == job.pulls:
            regret[pull] = 100.0 * lost / best
    learned = np.array(learning_us or [math.nan])
    p99 = float(np.quantile(learned, 0.99))
    return Run(job, regret, choosing_ns / job.pulls / 1000.0, float(learned.mean()), p99)


class Batch:
    """Rewards that wait to be learned."""

    def __init__(self) -> None:
        self._arms: list[int] = []
        self._rewards: list[float] = []
        self._rows: list[Vector] = []

    def add(self, arm: int, reward: float, row: Vector | None) -> None:
        """Keep a reward."""
        self._arms.append(arm)
        self._rewards.append(reward)
        if row is not None:
            self._rows.append(row)

    def teach(self, bandit: Bandit) -> float:
        """Let the bandit learn what waits; return how many microseconds of work that was."""
        arms, rewards = np.array(self._arms, dtype=np.int64), np.array(self._rewards)
        features = np.stack(self._rows) if self._rows else None
        self._arms, self._rewards, self._rows = [], [], []
        started_ns = time.thread_time_ns()
        bandit.learn(arms, rewards, features)
        return (time.thread_time_ns() - started_ns) / 1000.0


def jobs(
    environments: Sequence[str],
    *,
    seeds: int,
    pulls: int,
    batch: int,
    vowpal_seeds: int,
    vowpal_pulls: int,
) -> list[Job]:
    """Return all runs; the other library gets fewer and shorter ones, because it is slow."""
    found: list[Job] = []
    for name in environments:
        environment = ENVIRONMENTS[name]
        for method in methods_of(environment, vowpal=vowpal_seeds > 0 and batch == 1):
            library = method.startswith(VOWPAL_PREFIX)
            runs, length = (vowpal_seeds, vowpal_pulls) if library else (seeds, pulls)
            found += [Job(name, method, seed, min(length, pulls), batch) for seed in range(runs)]
    return found


def run_all(waiting: Sequence[Job], processes: int, progress: Progress) -> list[Run]:
    """Return every job's run, in the order of the jobs."""
    found: dict[Job, Run] = {}
    for run in completed(waiting, processes):
        found[run.job] = run
        progress(len(found), len(waiting))
    return [found[job] for job in waiting]


def completed(waiting: Sequence[Job], processes: int) -> Iterator[Run]:
    """Yield runs as they are done."""
    if processes == 1:
        yield from map(run_job, waiting)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for done in as_completed([pool.submit(run_job, job) for job in waiting]):
            yield done.result()


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over seeds with its standard error; the error of one seed is not known."""

    mean: float
    standard_error: float | None
    seeds: int


def mean_of(values: Sequence[float]) -> Mean:
    """Return the mean.

    >>> mean_of([1.0, 2.0, 3.0]).mean
    2.0
    """
    count = len(values)
    error = float(np.std(values, ddof=1)) / math.sqrt(count) if count > 1 else None
    return Mean(float(np.mean(values)), error, count)


def lead(runs: Sequence[Run], ours: str, other: str, mark: int) -> Mean | None:
    """Return our regret minus another's, seed by seed; None where one of them stopped earlier."""
    mine, theirs = (
        {
            run.job.seed: run.regret[mark]
            for run in runs
            if run.job.method == name and mark in run.regret
        }
        for name in (ours, other)
    )
    both = sorted(mine.keys() & theirs.keys())
    return mean_of([mine[seed] - theirs[seed] for seed in both]) if both else None
