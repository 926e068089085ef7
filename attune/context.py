"""What is known of a request before choosing, as a value, a vector and a cohort.

The numeric form is versioned (``CONTEXT_VERSION``): a model's manifest names the version it was
trained on, and a server refuses a model of another.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from attune.contract.decode import Fields

CONTEXT_VERSION = 1

DEVICES = ("desktop", "mobile", "tablet", "unknown")
DAYPARTS = ("night", "morning", "afternoon", "evening")

CONTEXTS_MAX = 512
"""Contexts read before: a visitor's stays the same for an hour, and many share one."""

PLAIN = frozenset((str, int))

CONTEXT_FEATURES = ("hour_sine", "hour_cosine", *(f"device_{device}" for device in DEVICES))


@dataclass(frozen=True, slots=True)
class Context:
    """What is known at request time: device class, region, local hour, entry category."""

    device: str = "unknown"
    region: str = "ZZ"
    local_hour: int = 12
    entry_category: str = ""

    def pack(self) -> dict[str, object]:
        """Return the wire form."""
        return {
            "device": self.device,
            "region": self.region,
            "local_hour": self.local_hour,
            "entry_category": self.entry_category,
        }


def read_context(raw: object, strict: bool = False) -> Context:
    """Return the context in ``raw``; every field may be absent.

    >>> read_context({"device": "mobile", "local_hour": 23}).device
    'mobile'
    """
    # Only where equal values are the same to the reader: 1, 1.0 and True are equal, too.
    entries = cast("dict[object, object]", raw) if isinstance(raw, dict) else None
    if entries is not None and PLAIN.issuperset(map(type, entries.values())):
        return _kept_context(tuple(entries.items()), strict)
    return _read_context(cast("object", raw), strict)


@lru_cache(maxsize=CONTEXTS_MAX)
def _kept_context(entries: tuple[tuple[object, object], ...], strict: bool) -> Context:
    return _read_context(dict(entries), strict)


def _read_context(raw: object, strict: bool) -> Context:
    fields = Fields(raw)
    context = Context(
        device=fields.choice("device", DEVICES, default="unknown"),
        region=fields.text("region", 8, default="ZZ"),
        local_hour=fields.integer("local_hour", 0, 23, default=12),
        entry_category=fields.optional_text("entry_category", 64) or "",
    )
    if strict:
        fields.refuse_unknown()
    return context


def context_vector(context: Context) -> tuple[float, ...]:
    """Return the context's numeric form, in the order of ``CONTEXT_FEATURES``, each in [-1, 1].

    The hour of day is put on a circle, so that 23 h and 0 h are neighbours.

    >>> [round(x, 3) for x in context_vector(Context(device="mobile", local_hour=6))]
    [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]
    """
    angle = 2 * math.pi * context.local_hour / 24
    device = tuple(1.0 if context.device == name else 0.0 for name in DEVICES)
    return (math.sin(angle), math.cos(angle), *device)


def daypart(local_hour: int) -> str:
    """Return the quarter of the day: night 0-5, morning 6-11, afternoon 12-17, evening 18-23."""
    return DAYPARTS[local_hour // 6]


def cohort_of(context: Context) -> str:
    """Return the cohort's key: users who share device, region, daypart and entry category.

    It names no user. A serving path may only use a cohort's statistics once at least ``k`` users
    stand behind them.

    >>> cohort_of(Context(device="mobile", region="DE", local_hour=20, entry_category="shoes"))
    'mobile|DE|evening|shoes'
    """
    return "|".join(
        (context.device, context.region, daypart(context.local_hour), context.entry_category)
    )


def bandit_bucket(context: Context) -> str:
    """Return the context bucket under which posteriors are kept: the device class.

    Few buckets on purpose: each item's clicks are shared out over all of them, and at click rates
    of some percent a finer grid starves every cell.
    """
    return context.device
