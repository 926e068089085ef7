"""The slate's JSON, put together from parts, says what encoding its values says."""

import json

from hypothesis import given
from hypothesis import strategies as st

from attune.consent import Consent
from attune.contract.recommendation import Card, Slate, SlateItem, Versions, pack_slate
from attune.contract.slate_json import slate_json

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
SHARES = st.floats(0.0, 1.0)
CARDS = st.builds(Card, TEXTS, TEXTS, price=st.none() | st.floats(0.0, 1e6))
ITEMS = st.builds(
    SlateItem,
    TEXTS,
    st.integers(0, 99),
    SHARES,
    SHARES,
    SHARES,
    st.booleans(),
    st.sampled_from(["session", "explore"]),
    st.none() | TEXTS,
    CARDS,
)


@given(st.lists(ITEMS, max_size=4), TEXTS, SHARES)
def test_the_answer_is_that_of_the_packed_slate(
    items: list[SlateItem], surface: str, share: float
) -> None:
    versions = Versions("b", 3, "m%d")
    slate = Slate(
        "s%s", surface, Consent.FULL, tuple(items), "full", versions, share, share, share, 2**48 - 1
    )
    cards: dict[str, str] = {}
    first = slate_json(slate, cards)
    unique = {item.item_id: item.card for item in reversed(items)}
    shown = slate._replace(items=tuple(i._replace(card=unique[i.item_id]) for i in items))
    assert json.loads(first) == pack_slate(shown)
    assert slate_json(slate, cards) == first
