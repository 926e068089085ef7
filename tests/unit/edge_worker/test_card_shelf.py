"""Cards that came before are the same object, wrong ones are still wrong."""

import pytest

from attune.contract.decode import ContractError
from attune.contract.recommendation import Card
from edge_worker.card_shelf import CardShelf


def test_a_card_that_came_before_is_the_same_object() -> None:
    shelf = CardShelf()
    wire = Card("The Rink", "comedy", price=9.5).pack()
    assert shelf.card(dict(wire)) is shelf.card(dict(wire))
    assert shelf.card(wire | {"price": 9.0}) == Card("The Rink", "comedy", price=9.0)
    assert len(shelf) == 2


@pytest.mark.parametrize("raw", [None, 7, [], {}, {"title": ""}, {"title": ["a"]}, {"title": {}}])
def test_what_is_no_card_is_refused_each_time(raw: object) -> None:
    shelf = CardShelf()
    for _ in range(2):
        with pytest.raises(ContractError):
            shelf.card(raw)
    assert len(shelf) == 0


def test_the_shelf_is_bounded() -> None:
    shelf = CardShelf(cards_max=3)
    for number in range(10):
        assert shelf.card({"title": f"film {number}"}).title == f"film {number}"
    assert len(shelf) == 3
