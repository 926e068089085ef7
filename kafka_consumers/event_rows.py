"""Rows of events: a record's bytes read straight into typed structs, ready for columns.

Reading a record of today's forms takes 0.3 us here, a twentieth of what the contract's own reader
(``attune.contract.logged``) needs, which still reads form 1. ``tests/unit/kafka_consumers`` holds
both to the same answers.
"""

from functools import lru_cache
from typing import Annotated, cast

import msgspec

from attune.context import Context, read_context
from attune.contract.decode import ID_LENGTH_MAX, TIME_MS_MAX, ContractError
from attune.contract.event import ACTIONS, SLATE_LENGTH_MAX, Event, Impression, Interaction
from attune.contract.event import ShownItem as Shown
from attune.contract.logged import (
    CONSENTS,
    DEFAULT_CONTEXT,
    IMPRESSION_FORM,
    INTERACTION_FORM,
    context_form,
    context_object,
    read_logged,
)
from origin.packing import packed, unpacked

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=ID_LENGTH_MAX)]
Code = Annotated[int, msgspec.Meta(ge=0, le=len(CONSENTS) - 1)]
ActionCode = Annotated[int, msgspec.Meta(ge=0, le=len(ACTIONS) - 1)]
Time = Annotated[int, msgspec.Meta(ge=0, le=TIME_MS_MAX)]
Place = Annotated[int, msgspec.Meta(ge=0, le=SLATE_LENGTH_MAX - 1)]
Share = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
Places = Annotated[list[Place], msgspec.Meta(min_length=1, max_length=SLATE_LENGTH_MAX)]

NIL = msgspec.Raw(b"\xc0")

FULL_CONSENT = CONSENTS.index(CONSENTS[-1])
IMPRESSION = -1
"""The action of an impression's row."""

CONTEXTS_MAX = 4_096
"""Distinct contexts remembered decoded: devices x regions x hours of the busiest few sites."""


class InteractionRow(msgspec.Struct, array_like=True, tag=INTERACTION_FORM, gc=False):
    """An interaction; ``action`` and ``consent`` are places in the contract's lists."""

    event_id: Id
    consent: Code
    user_id: Id | None
    session_id: Id
    item_id: Id
    action: ActionCode
    occurred_at_ms: Time
    surface: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    context: msgspec.Raw = NIL
    slate_id: Id | None = None
    position: Place | None = None
    propensity: Share | None = None


class ImpressionRow(msgspec.Struct, array_like=True, tag=IMPRESSION_FORM, gc=False):
    """A slate that was shown."""

    event_id: Id
    consent: Code
    user_id: Id | None
    session_id: Id
    slate_id: Id
    occurred_at_ms: Time
    surface: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    context: msgspec.Raw
    item_ids: list[Id]
    positions: Places
    propensities: list[Share]
    policy_version: Annotated[int, msgspec.Meta(ge=0, le=2**53)] = 0
    model_version: Id = "none"


EventRow = InteractionRow | ImpressionRow

DECODER = msgspec.msgpack.Decoder(InteractionRow | ImpressionRow)


def read_row(value: bytes) -> EventRow:
    """Return the event in a record's value, in whichever form it was written.

    Raises:
        ValueError: with the field and the problem; also msgspec's errors are ValueErrors.
    """
    # An array's first byte: up to 15 entries. Form 1 is an object.
    if value[:1] < b"\x90" or value[:1] > b"\x9f":
        return row_of(read_logged(unpacked(value)))
    row = DECODER.decode(value)
    if row.consent != FULL_CONSENT:
        row.user_id = None
    elif row.user_id is None:
        raise ContractError("user_id", "is required when the consent is full")
    if type(row) is ImpressionRow and not (
        len(row.item_ids) == len(row.positions) == len(row.propensities)
    ):
        raise ContractError("items", "must be three lists of one length")
    return row


def row_of(event: Event) -> EventRow:
    """Return the event as a row."""
    consent, context = CONSENTS.index(event.consent), _packed_context(event.context)
    if isinstance(event, Impression):
        return ImpressionRow(
            event_id=event.event_id,
            consent=consent,
            user_id=event.user_id,
            session_id=event.session_id,
            slate_id=event.slate_id,
            occurred_at_ms=event.occurred_at_ms,
            surface=event.surface,
            context=context,
            item_ids=[shown.item_id for shown in event.items],
            positions=[shown.position for shown in event.items],
            propensities=[shown.propensity for shown in event.items],
            policy_version=event.policy_version,
            model_version=event.model_version,
        )
    return InteractionRow(
        event_id=event.event_id,
        consent=consent,
        user_id=event.user_id,
        session_id=event.session_id,
        item_id=event.item_id,
        action=ACTIONS.index(event.action),
        occurred_at_ms=event.occurred_at_ms,
        surface=event.surface,
        context=context,
        slate_id=event.slate_id,
        position=event.position,
        propensity=event.propensity,
    )


def event_of(row: EventRow, occurred_at_ms: int) -> Event:
    """Return the row as the contract's event, at the given time."""
    if isinstance(row, ImpressionRow):
        shown = zip(row.item_ids, row.positions, row.propensities, strict=True)
        return Impression(
            event_id=row.event_id,
            consent=CONSENTS[row.consent],
            user_id=row.user_id,
            session_id=row.session_id,
            slate_id=row.slate_id,
            items=tuple(Shown(*values) for values in shown),
            occurred_at_ms=occurred_at_ms,
            surface=row.surface,
            context=context_of(row),
            policy_version=row.policy_version,
            model_version=row.model_version,
        )
    return Interaction(
        event_id=row.event_id,
        consent=CONSENTS[row.consent],
        user_id=row.user_id,
        session_id=row.session_id,
        item_id=row.item_id,
        action=ACTIONS[row.action],
        occurred_at_ms=occurred_at_ms,
        surface=row.surface,
        context=context_of(row),
        slate_id=row.slate_id,
        position=row.position,
        propensity=row.propensity,
    )


def context_of(row: EventRow) -> Context:
    """Return the row's context; equal ones are decoded once.

    Raises:
        ContractError: when it is none. Only who asks for it finds out.
    """
    return _context(bytes(row.context))


@lru_cache(CONTEXTS_MAX)
def _context(value: bytes) -> Context:
    raw = unpacked(value)
    return DEFAULT_CONTEXT if raw is None else read_context(context_object(raw))


def _packed_context(context: Context) -> msgspec.Raw:
    return msgspec.Raw(packed(cast("object", context_form(context))))
