"""The policy snapshot: a versioned, immutable copy of what the edge needs to decide."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import cast

from attune.contract import SCHEMA_VERSION
from attune.contract.decode import ContractError, Fields
from attune.embedding import EmbeddingRule
from attune.exploration import ExplorationTarget

ITEMS_MAX = 50_000
"""A snapshot carries the items shown lately, not the catalogue: 50,000 are 0.6 MB."""

PARTITIONS_MAX = 4_096
"""Partitions of a topic; a log that needs more needs another design."""


@dataclass(frozen=True, slots=True)
class PolicySnapshot:
    """All posteriors and settings that a slate is decided with, under one version.

    ``posteriors`` maps a bandit bucket to {item: (alpha, beta)}, prior included. ``covers`` maps a
    partition of the event log to the next offset: rewards below it are in the posteriors.
    """

    version: int
    created_at_ms: int
    epsilon: float = 0.02
    diversity: float = 0.15
    exposure_discount: float = 0.85
    exploration: ExplorationTarget = field(default_factory=ExplorationTarget)
    embedding_rule: EmbeddingRule = field(default_factory=EmbeddingRule)
    prior: tuple[float, float] = (1.0, 20.0)
    posteriors: Mapping[str, Mapping[str, tuple[float, float]]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    covers: Mapping[int, int] = field(default_factory=lambda: MappingProxyType({}))


def pack_policy(policy: PolicySnapshot) -> dict[str, object]:
    """Return the wire form, for msgpack."""
    return {
        "schema": SCHEMA_VERSION,
        "version": policy.version,
        "created_at_ms": policy.created_at_ms,
        "epsilon": policy.epsilon,
        "diversity": policy.diversity,
        "exposure_discount": policy.exposure_discount,
        "exploration_low": policy.exploration.low,
        "exploration_high": policy.exploration.high,
        "learning_rate": policy.embedding_rule.learning_rate,
        "decay_hours": policy.embedding_rule.decay_hours,
        "weights": dict(policy.embedding_rule.weights),
        "prior_alpha": policy.prior[0],
        "prior_beta": policy.prior[1],
        "covers": {str(partition): offset for partition, offset in policy.covers.items()},
        "buckets": [_pack_bucket(name, items) for name, items in sorted(policy.posteriors.items())],
    }


def _pack_bucket(name: str, items: Mapping[str, tuple[float, float]]) -> dict[str, object]:
    return {
        "bucket": name,
        "item_ids": list(items),
        "alpha": array("f", (alpha for alpha, _ in items.values())).tobytes(),
        "beta": array("f", (beta for _, beta in items.values())).tobytes(),
    }


def read_policy(raw: object) -> PolicySnapshot:
    """Return the snapshot in ``raw``."""
    fields = Fields(raw)
    fields.schema()
    return PolicySnapshot(
        version=fields.integer("version", 0, 2**53),
        created_at_ms=fields.time_ms("created_at_ms"),
        epsilon=fields.number("epsilon", 0.0, 1.0),
        diversity=fields.number("diversity", 0.0, 1.0),
        exposure_discount=fields.number("exposure_discount", 0.0, 1.0),
        exploration=ExplorationTarget(
            fields.number("exploration_low", 0.0, 1.0), fields.number("exploration_high", 0.0, 1.0)
        ),
        embedding_rule=EmbeddingRule(
            learning_rate=fields.number("learning_rate", 0.0, 1.0),
            decay_hours=fields.number("decay_hours", 1e-3, 1e6),
            weights=fields.nested("weights", _read_weights, MappingProxyType({})),
        ),
        prior=(
            fields.number("prior_alpha", 1e-6, 1e9),
            fields.number("prior_beta", 1e-6, 1e9),
        ),
        posteriors=MappingProxyType(dict(fields.listed("buckets", 64, _read_bucket))),
        covers=fields.nested("covers", read_positions, MappingProxyType({})),
    )


def _read_weights(raw: object) -> Mapping[str, float]:
    fields = Fields(raw)
    if not isinstance(raw, Mapping):
        raise ContractError("", "must be an object")
    names = [str(name) for name in cast("Mapping[object, object]", raw)]
    return MappingProxyType({name: fields.number(name, -10.0, 10.0) for name in names})


def read_positions(raw: object) -> Mapping[int, int]:
    """Return {partition: offset}; JSON and msgpack name partitions by strings.

    >>> read_positions({"0": 41})
    mappingproxy({0: 41})
    """
    fields = Fields(raw)
    if not isinstance(raw, Mapping):
        raise ContractError("", "must be an object")
    names = [str(name) for name in cast("Mapping[object, object]", raw)]
    if len(names) > PARTITIONS_MAX or not all(name.isdecimal() for name in names):
        raise ContractError("", f"must name at most {PARTITIONS_MAX} partitions by number")
    return MappingProxyType({int(name): fields.integer(name, 0, 2**53) for name in names})


def _read_bucket(raw: object) -> tuple[str, Mapping[str, tuple[float, float]]]:
    fields = Fields(raw)
    item_ids = fields.texts("item_ids", ITEMS_MAX)
    columns: list[array[float]] = []
    for name in ("alpha", "beta"):
        column = array("f")
        column.frombytes(fields.raw_bytes(name, 4 * len(item_ids)))
        columns.append(column)
    posteriors = dict(zip(item_ids, zip(*columns, strict=True), strict=True))
    return fields.text("bucket"), MappingProxyType(posteriors)
