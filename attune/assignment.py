"""Who gets which arm of which experiment: by stable hashing, in mutually exclusive layers.

A unit (a user, else a session) falls into one of 10,000 buckets of a *layer*. Experiments of one
layer own disjoint ranges of buckets, so that nobody is in two of them; each layer hashes with a
salt of its own, so that experiments of different layers cross each other evenly. The arm comes from
a second hash, salted with the experiment: who was in an earlier one with the same buckets is mixed
anew. Nothing is stored; every tier and every restart answers alike.

Tang et al., "Overlapping Experiment Infrastructure: More, Better, Faster Experimentation", 2010.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

BUCKETS = 10_000
"""An experiment can own as little as 0.01 % of a layer."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One of the things that are compared, with its share of the experiment."""

    name: str
    share: float


@dataclass(frozen=True, slots=True)
class Experiment:
    """A comparison that owns the buckets from ``first`` to before ``end`` of its layer."""

    name: str
    first: int
    end: int
    arms: tuple[Arm, ...]

    def __post_init__(self) -> None:
        if not 0 <= self.first < self.end <= BUCKETS:
            raise ValueError(f"{self.name}: buckets must lie within 0 and {BUCKETS}")
        if len(self.arms) < 2 or len({arm.name for arm in self.arms}) < len(self.arms):
            raise ValueError(f"{self.name}: needs two or more arms with names of their own")
        if any(arm.share <= 0.0 for arm in self.arms):
            raise ValueError(f"{self.name}: every arm needs a share above 0")
        if abs(sum(arm.share for arm in self.arms) - 1.0) > 1e-9:
            raise ValueError(f"{self.name}: the arms' shares must add up to 1")


@dataclass(frozen=True, slots=True)
class Layer:
    """Experiments that exclude each other."""

    name: str
    experiments: tuple[Experiment, ...]

    def __post_init__(self) -> None:
        ordered = sorted(self.experiments, key=lambda experiment: experiment.first)
        for one, following in pairwise(ordered):
            if following.first < one.end:
                raise ValueError(f"{self.name}: {one.name} and {following.name} share buckets")


@dataclass(frozen=True, slots=True)
class Assignment:
    """A unit's place in one layer."""

    experiment: str
    arm: str


def assigned(layer: Layer, unit_id: str) -> Assignment | None:
    """Return the unit's experiment and arm in the layer, None outside all experiments.

    >>> arms = (Arm("control", 0.5), Arm("new", 0.5))
    >>> layer = Layer("ranking", (Experiment("ranker-2", 0, 10_000, arms),))
    >>> assigned(layer, "user-1")
    Assignment(experiment='ranker-2', arm='control')
    """
    bucket = int(fraction(f"layer {layer.name}", unit_id) * BUCKETS)
    for experiment in layer.experiments:
        if experiment.first <= bucket < experiment.end:
            return Assignment(experiment.name, arm_of(experiment, unit_id).name)
    return None


def arm_of(experiment: Experiment, unit_id: str) -> Arm:
    """Return the unit's arm. Shares that grow at the cost of the last arm move nobody else."""
    place, reached = fraction(f"experiment {experiment.name}", unit_id), 0.0
    for arm in experiment.arms:
        reached += arm.share
        if place < reached:
            return arm
    return experiment.arms[-1]


def assignments(layers: Sequence[Layer], unit_id: str) -> dict[str, Assignment]:
    """Return the unit's place in every layer in which it has one."""
    found = ((layer.name, assigned(layer, unit_id)) for layer in layers)
    return {name: assignment for name, assignment in found if assignment is not None}


def fraction(salt: str, unit_id: str) -> float:
    """Return a number in [0, 1) that looks random and is always the same for salt and unit."""
    digest = hashlib.blake2b(f"{salt}\x00{unit_id}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest) >> 11) / (1 << 53)
