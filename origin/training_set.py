"""The training set: one row per shown item, with what was known when it was chosen.

Point-in-time correctness by construction: a row's features are not looked up but were logged with
the decision, its sequence ends strictly before it, and only its labels look ahead - as far as the
window. So no event after a decision can change anything else of its rows.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

from attune.contract.event import ACTIONS, Impression
from attune.contract.recommendation import RecentInteraction
from attune.reward import REWARDS, WINDOW_MS, in_window
from origin.storage.offline import Decision, OfflineStore
from origin.storage.outcomes import KeptInteraction

SLATES_PER_PAGE = 500
"""About 6,000 rows with their sequences: some 20 MB while a page is made."""

SEQUENCE_MAX = 50
"""Earlier interactions of a row's user: the longest sequence that a ranker reads."""

LABELS: tuple[str, ...] = ACTIONS

Row = dict[str, object]


async def pages(
    store: OfflineStore, from_ms: int, to_ms: int, window_ms: int = WINDOW_MS
) -> AsyncIterator[tuple[int, list[Row]]]:
    """Yield the rows of slates decided in [from_ms, to_ms), in the order of time.

    Each page comes with the number of its slates. Memory holds one page, whatever the range.
    """
    after = (from_ms, "")
    while decisions := await store.decisions(after, to_ms, SLATES_PER_PAGE):
        yield len(decisions), await _page(store, decisions, window_ms)
        after = decisions[-1].at_ms, decisions[-1].slate_id


async def _page(store: OfflineStore, decisions: Sequence[Decision], window_ms: int) -> list[Row]:
    slate_ids = [decision.slate_id for decision in decisions]
    seen = await store.seen(slate_ids)
    acts = await store.interactions_with(slate_ids)
    by_slate: dict[str, list[KeptInteraction]] = {}
    for act in acts:
        by_slate.setdefault(act.slate_id or "", []).append(act)
    users = [(_user_id(decision, seen), decision.at_ms) for decision in decisions]
    wanted = [(user_id, at_ms) for user_id, at_ms in users if user_id is not None]
    found = iter(await store.sequences(wanted, SEQUENCE_MAX))
    rows: list[Row] = []
    for decision, (user_id, _) in zip(decisions, users, strict=True):
        sequence = next(found) if user_id is not None else ()
        shown = seen.get(decision.slate_id)
        slate = _slate_columns(decision, shown) | {"sequence": packed_sequence(sequence)}
        started_ms = decision.at_ms if shown is None else shown.occurred_at_ms
        of_slate = by_slate.get(decision.slate_id, [])
        within = [one for one in of_slate if in_window(started_ms, one.occurred_at_ms, window_ms)]
        items = _items(decision, shown)
        rows += [slate | item | labels(within, str(item["item_id"])) for item in items]
    return rows


def _user_id(decision: Decision, seen: Mapping[str, Impression]) -> str | None:
    told = decision.served or seen.get(decision.slate_id)
    return None if told is None else told.user_id


def _slate_columns(decision: Decision, shown: Impression | None) -> Row:
    """Return what all rows of a slate share."""
    told = decision.served or shown
    assert told is not None, "a decision is told of by the edge or by the browser"
    served = decision.served
    return {
        "slate_id": decision.slate_id,
        "decided_at_ms": decision.at_ms,
        "seen": shown is not None,
        "user_id": told.user_id,
        "session_id": told.session_id,
        "consent": told.consent.value,
        "surface": told.surface,
        "device": told.context.device,
        "region": told.context.region,
        "local_hour": told.context.local_hour,
        "entry_category": told.context.entry_category,
        "policy_version": told.policy_version,
        "model_version": told.model_version,
        "bundle_version": None if served is None else served.bundle_version,
        "context_version": None if served is None else served.context_version,
        "degraded": None if served is None else served.degraded,
        "epsilon": None if served is None else served.epsilon,
        "exploration_rate": None if served is None else served.exploration_rate,
        "candidates": None if served is None else served.candidates,
        "feature_names": None if served is None else ",".join(served.feature_names),
    }


def _items(decision: Decision, shown: Impression | None) -> Iterator[Row]:
    """Yield what is particular to each item of the slate."""
    if decision.served is not None:
        for item in decision.served.items:
            yield {
                "item_id": item.item_id,
                "position": item.position,
                "propensity": item.propensity,
                "base_score": item.base_score,
                "explored": item.explored,
                "features": list(item.features),
            }
    elif shown is not None:
        for place in shown.items:
            yield {
                "item_id": place.item_id,
                "position": place.position,
                "propensity": place.propensity,
                "base_score": None,
                "explored": None,
                "features": None,
            }


def labels(within: Sequence[KeptInteraction], item_id: str) -> Row:
    """Return what was done with the item of the slate within the window, and what that earned."""
    acts = [act for act in within if act.item_id == item_id]
    actions = {str(act.action) for act in acts}
    row: Row = {name: name in actions for name in LABELS}
    row["reward"] = max((REWARDS[act.action] for act in acts), default=0.0)
    return row


def packed_sequence(sequence: Sequence[RecentInteraction]) -> list[Row]:
    """Return a sequence as the file holds it, oldest first."""
    return [
        {"item_id": one.item_id, "action": one.action, "occurred_at_ms": one.occurred_at_ms}
        for one in sequence
    ]
