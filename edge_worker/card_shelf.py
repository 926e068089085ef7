"""Cards of items, read once for all the bundles that hold them; nothing of any user is among them.

The same films stand in most bundles: half of the time that reading a bundle took went into their
cards, and a third of its memory. A card that came before, letter by letter, is the same object.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import cast

from attune.contract.recommendation import Card, read_card

CARDS_MAX = 4_096
"""About 1 MB; with more than so many items in demand the oldest are read again."""


class CardShelf:
    """Cards by their wire form."""

    def __init__(self, cards_max: int = CARDS_MAX) -> None:
        self._cards_max = cards_max
        self._cards: OrderedDict[object, Card] = OrderedDict()

    def __len__(self) -> int:
        return len(self._cards)

    def card(self, raw: object) -> Card:
        """Return the card in ``raw``.

        Raises:
            ContractError: when it is none.
        """
        try:
            wire = tuple(cast("Mapping[object, object]", raw).items())
            known = self._cards.get(wire)
        except (AttributeError, TypeError):
            return read_card(raw)
        if known is None:
            known = self._cards[wire] = read_card(raw)
            if len(self._cards) > self._cards_max:
                self._cards.popitem(last=False)
        return known
