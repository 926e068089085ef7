"""Outcomes: what a shown item earned, as topic ``rewards`` carries it."""

from dataclasses import dataclass

from attune.contract import SCHEMA_VERSION
from attune.contract.decode import Fields
from attune.contract.event import SLATE_LENGTH_MAX


@dataclass(frozen=True, slots=True)
class Outcome:
    """One shown item with its reward; of several for the same item of a slate the best counts.

    The same one may be delivered more than once, and a late interaction may send a better one
    after it: taking the maximum makes both harmless.
    """

    slate_id: str
    item_id: str
    position: int
    reward: float
    propensity: float
    bucket: str
    joined_at_ms: int


def pack_outcome(outcome: Outcome) -> dict[str, object]:
    """Return the wire form, for msgpack."""
    return {
        "schema": SCHEMA_VERSION,
        "slate_id": outcome.slate_id,
        "item_id": outcome.item_id,
        "position": outcome.position,
        "reward": outcome.reward,
        "propensity": outcome.propensity,
        "bucket": outcome.bucket,
        "joined_at_ms": outcome.joined_at_ms,
    }


def read_outcome(raw: object) -> Outcome:
    """Return the outcome in ``raw``; raise ContractError naming the first wrong field."""
    fields = Fields(raw)
    fields.schema()
    return Outcome(
        slate_id=fields.text("slate_id"),
        item_id=fields.text("item_id"),
        position=fields.integer("position", 0, SLATE_LENGTH_MAX - 1),
        reward=fields.number("reward", 0.0, 1.0),
        propensity=fields.number("propensity", 0.0, 1.0),
        bucket=fields.text("bucket"),
        joined_at_ms=fields.time_ms("joined_at_ms"),
    )
