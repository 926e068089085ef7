"""Events as they lie in the event log: compact msgpack arrays, readable for ever.

A log is read years after it was written, by newer code, in the middle of an upgrade. Its forms:

==== ===============================================================================================
form
==== ===============================================================================================
1    the object of ``attune.contract.event``, as the tiers exchange it
2    ``[2, event_id, consent, user_id, session_id, item_id, action, occurred_at_ms, surface,
     context, slate_id, position, propensity]``
3    ``[3, event_id, consent, user_id, session_id, slate_id, occurred_at_ms, surface, context,
     [item_id, ...], [position, ...], [propensity, ...], policy_version, model_version]``
==== ===============================================================================================

``consent`` and ``action`` are places in ``CONSENTS`` and ``ACTIONS``; ``context`` is
``[device, region, local_hour, entry_category]`` or nil for the default one. An array half as long
as its object is read four times as fast.

How a form may change:

- a field may be added at the end of a form, with a default; older readers pass over it;
- a name may be added at the end of ``CONSENTS`` and ``ACTIONS``, after all readers know it;
- anything else is a new form with the next number, which readers learn before a writer uses it;
- no form is ever dropped or re-used: ``tests/unit/attune/test_logged.py`` keeps bytes of each.
"""

from collections.abc import Sequence
from typing import cast

from attune.consent import Consent
from attune.context import Context
from attune.contract.decode import ContractError
from attune.contract.event import ACTIONS, Event, Impression, Interaction, read_event

INTERACTION_FORM = 2
IMPRESSION_FORM = 3

CONSENTS = (Consent.NONE, Consent.COHORT, Consent.FULL)

DEFAULT_CONTEXT = Context()

CONTEXT_FIELDS = ("device", "region", "local_hour", "entry_category")
INTERACTION_FIELDS = (
    "form", "event_id", "consent", "user_id", "session_id", "item_id", "type", "occurred_at_ms",
    "surface", "context", "slate_id", "position", "propensity",
)  # fmt: skip
IMPRESSION_FIELDS = (
    "form", "event_id", "consent", "user_id", "session_id", "slate_id", "occurred_at_ms", "surface",
    "context", "item_ids", "positions", "propensities", "policy_version", "model_version",
)  # fmt: skip
SHOWN_FIELDS = ("item_id", "position", "propensity")


def log_form(event: Event) -> list[object]:
    """Return the plain values that stand for the event in the log."""
    return _impression_form(event) if isinstance(event, Impression) else _interaction_form(event)


def read_logged(raw: object) -> Event:
    """Return the event in ``raw``, the decoded msgpack of a record in any form.

    Raises:
        ContractError: naming the first field that is wrong.
    """
    if not isinstance(raw, list | tuple):
        return read_event(raw)
    values = cast("Sequence[object]", raw)
    form = values[0] if values else None
    if form == INTERACTION_FORM:
        return read_event(_interaction_object(values))
    if form == IMPRESSION_FORM:
        return read_event(_impression_object(values))
    raise ContractError("form", f"{form!r} is not known: is the writer newer than this reader?")


def _interaction_form(event: Interaction) -> list[object]:
    return [
        INTERACTION_FORM,
        event.event_id,
        CONSENTS.index(event.consent),
        event.user_id,
        event.session_id,
        event.item_id,
        ACTIONS.index(event.action),
        event.occurred_at_ms,
        event.surface,
        context_form(event.context),
        event.slate_id,
        event.position,
        event.propensity,
    ]


def _impression_form(event: Impression) -> list[object]:
    return [
        IMPRESSION_FORM,
        event.event_id,
        CONSENTS.index(event.consent),
        event.user_id,
        event.session_id,
        event.slate_id,
        event.occurred_at_ms,
        event.surface,
        context_form(event.context),
        [shown.item_id for shown in event.items],
        [shown.position for shown in event.items],
        [shown.propensity for shown in event.items],
        event.policy_version,
        event.model_version,
    ]


def context_form(context: Context) -> list[object] | None:
    """Return the context's place in a form: nil for the default one."""
    if context == DEFAULT_CONTEXT:
        return None
    return [context.device, context.region, context.local_hour, context.entry_category]


def context_object(raw: object) -> object:
    """Return the object that ``attune.context.read_context`` reads, made from a form's."""
    if not isinstance(raw, list | tuple):
        return raw
    return dict(zip(CONTEXT_FIELDS, cast("Sequence[object]", raw), strict=False))


def _interaction_object(values: Sequence[object]) -> dict[str, object]:
    found: dict[str, object] = dict(zip(INTERACTION_FIELDS, values, strict=False))
    found["consent"] = _named("consent", CONSENTS, found.get("consent"))
    found["type"] = _named("action", ACTIONS, found.get("type"))
    found["context"] = context_object(found.get("context"))
    return found


def _impression_object(values: Sequence[object]) -> dict[str, object]:
    found: dict[str, object] = dict(zip(IMPRESSION_FIELDS, values, strict=False))
    found["consent"] = _named("consent", CONSENTS, found.get("consent"))
    found["context"] = context_object(found.get("context"))
    columns = [found.get(name) for name in ("item_ids", "positions", "propensities")]
    if not all(isinstance(column, list | tuple) for column in columns):
        raise ContractError("items", "must be three lists")
    lists = cast("list[Sequence[object]]", columns)
    if len({len(column) for column in lists}) != 1:
        raise ContractError("items", "must be three lists of one length")
    shown = [dict(zip(SHOWN_FIELDS, entry, strict=True)) for entry in zip(*lists, strict=True)]
    return found | {"type": "impression", "items": shown}


def _named(field: str, names: Sequence[str], place: object) -> str:
    if isinstance(place, bool) or not isinstance(place, int) or not 0 <= place < len(names):
        raise ContractError(field, f"must be from 0 to {len(names) - 1}, not {place!r}")
    return names[place]
