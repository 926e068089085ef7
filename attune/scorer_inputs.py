"""The edge scorer's inputs, packed for whoever works the features out where products are cheap.

In WebAssembly Python an inner product of two embeddings takes 2.5 us, and a slate needs some 400;
beside the scorer they take 20 us together. So the edge sends what ``attune.features`` starts from,
in one block, and ``wasm/scorer/features.js`` makes the same rows of it. All numbers are
little-endian:

    int32      candidates N, anchors A
    float32    log_interactions, then ``CONTEXT_FEATURES``
    int32 A    the anchors' categories, by number; below zero where no candidate has it
    float32    N x (base_logit, then ``CANDIDATE_FEATURES``)
    int32 N    the candidates' categories, by number; below zero where there is none
    int8       the user's code, A codes of anchors, N codes of candidates, 64 each
"""

from __future__ import annotations

import math
from array import array
from struct import Struct

from attune.columns import Columns
from attune.context import CONTEXT_FEATURES, Context, context_vector
from attune.contract.bundle import Bundle
from attune.contract.decode import ContractError
from attune.features import CANDIDATE_FEATURES, base_logit
from attune.session import SessionState

NO_CATEGORY = -1
UNKNOWN_CATEGORY = -2
"""An anchor's category that is no candidate's; unlike the other one's, so that they never match."""

HEAD = Struct(f"<2i{1 + len(CONTEXT_FEATURES)}f")


def scorer_inputs(
    bundle: Bundle, columns: Columns, session: SessionState, context: Context
) -> bytes:
    """Return the block for all of a bundle's candidates.

    Raises:
        ContractError: when the bundle's columns are not ``CANDIDATE_FEATURES``.
    """
    block = columns.scorer_block or _kept_block(bundle, columns)
    anchors = session.anchors
    numbers = columns.category_numbers
    categories = [numbers.get(item.category, UNKNOWN_CATEGORY) for item in anchors]
    return b"".join(
        (
            HEAD.pack(
                len(columns.places),
                len(anchors),
                math.log1p(session.interactions),
                *context_vector(context),
            ),
            array("i", categories).tobytes(),
            block,
            session.code,
            *[item.code for item in anchors],
            bundle.candidates.embeddings,
        )
    )


def _kept_block(bundle: Bundle, columns: Columns) -> bytes:
    """Return the part that no request changes."""
    candidates, width = bundle.candidates, len(CANDIDATE_FEATURES)
    if candidates.feature_names != CANDIDATE_FEATURES:
        raise ContractError("feature_names", f"must be {', '.join(CANDIDATE_FEATURES)}")
    rows = array("f")
    categories = array("i")
    numbers = columns.category_numbers
    for index, card in enumerate(candidates.cards):
        rows.append(base_logit(candidates.base_scores[index]))
        rows.extend(candidates.features[index * width : (index + 1) * width])
        categories.append(
            numbers.setdefault(card.category, len(numbers)) if card.category else NO_CATEGORY
        )
    columns.scorer_block = rows.tobytes() + categories.tobytes()
    return columns.scorer_block
