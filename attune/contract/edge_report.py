"""The edge's report: what an isolate counted since its last one. No user stands in it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import cast

from attune.contract import SCHEMA_VERSION
from attune.contract.decode import ContractError, Fields

GROUPS = (
    "tiers",
    "rungs",
    "scorers",
    "events",
    "refreshes",
    "errors",
    "slates",
    "models",
    "exploration",
)
"""What is counted; each group holds a few names."""

NAMES_MAX = 32
"""Names in a group: labels of a metric are bounded, whatever an edge sends."""

NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")

LATENCY_BOUNDS_MS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 5_000)
"""Upper bounds of the histogram's buckets; one more holds what took longer."""

COUNT_MAX = 2**53


@dataclass(frozen=True, slots=True)
class EdgeReport:
    """Counts by group and name, and how long answers took: one count for each bucket."""

    counters: Mapping[str, Mapping[str, int]]
    latency_counts: Sequence[int]
    latency_sum_ms: int


def pack_edge_report(report: EdgeReport) -> dict[str, object]:
    """Return the wire form."""
    return {
        "schema": SCHEMA_VERSION,
        "counters": {group: dict(counts) for group, counts in report.counters.items()},
        "latency_counts": list(report.latency_counts),
        "latency_sum_ms": report.latency_sum_ms,
    }


def read_edge_report(raw: object) -> EdgeReport:
    """Return the report in ``raw``; groups that are not known here are passed over."""
    fields = Fields(raw)
    fields.schema()
    counts = fields.listed("latency_counts", len(LATENCY_BOUNDS_MS) + 1, _count)
    if len(counts) not in (0, len(LATENCY_BOUNDS_MS) + 1):
        raise ContractError("latency_counts", f"must hold {len(LATENCY_BOUNDS_MS) + 1} entries")
    return EdgeReport(
        counters=fields.nested("counters", _read_groups, MappingProxyType({})),
        latency_counts=counts,
        latency_sum_ms=fields.integer("latency_sum_ms", 0, COUNT_MAX, default=0),
    )


def _read_groups(raw: object) -> Mapping[str, Mapping[str, int]]:
    fields = Fields(raw)
    none: Mapping[str, int] = MappingProxyType({})
    return MappingProxyType({group: fields.nested(group, _read_counts, none) for group in GROUPS})


def _read_counts(raw: object) -> Mapping[str, int]:
    fields = Fields(raw)
    names = list(cast("Mapping[object, object]", raw))
    if len(names) > NAMES_MAX:
        raise ContractError("", f"must hold at most {NAMES_MAX} names")
    for name in names:
        if not isinstance(name, str) or NAME.fullmatch(name) is None:
            raise ContractError("", f"must be counted under names like {NAME.pattern}")
    return MappingProxyType(
        {name: fields.integer(name, 0, COUNT_MAX) for name in cast("list[str]", names)}
    )


def _count(raw: object) -> int:
    return Fields({"": raw}).integer("", 0, COUNT_MAX)
