"""The synthetic storefront: deterministic, believable, and with an optimum that holds."""

import itertools
import math

import numpy as np
import pytest

from attune.contract.event import Impression, Interaction, pack_event, read_event
from attune.contract.item import pack_item, read_item
from origin.dataset.storefront import DAY_MS, build_storefront
from origin.dataset.storefront_history import click_rate, history
from origin.dataset.visitors import Environment, examined

NOW_MS = 1_767_225_600_000


@pytest.fixture
def environment() -> Environment:
    return Environment(build_storefront(), visitors=50, seed=3)


def test_the_same_seed_is_the_same_shop_and_another_seed_another() -> None:
    assert build_storefront(5, 60).items == build_storefront(5, 60).items
    assert build_storefront(5, 60).items != build_storefront(6, 60).items


def test_every_item_is_valid_and_has_a_title_of_its_own() -> None:
    items = build_storefront().items
    assert len({item.title for item in items}) == len({item.item_id for item in items}) == 600
    assert all(read_item(pack_item(item)) == item for item in items)
    assert len({item.category for item in items}) == 12


def test_items_of_a_category_and_style_are_alike() -> None:
    shop = build_storefront()
    same = [
        float(shop.factors[a] @ shop.factors[b])
        for a, b in itertools.combinations(range(0, 600, 12), 2)
        if shop.items[a].tags[0] == shop.items[b].tags[0]
    ]
    other = shop.factors[0::12] @ shop.factors[1::12].T
    # The shares say .6^2 + .55^2 against nothing of 1 = .36 + .30 + .25 (own) in common: .73.
    assert np.mean(same) > 0.6
    assert abs(float(np.mean(other))) < 0.45


def test_the_optimal_slate_beats_every_other_order_and_choice(environment: Environment) -> None:
    visit = environment.begin_visit(environment.visitors[0], NOW_MS)
    best = environment.optimal_slate(visit, 4)
    most = environment.expected_clicks(visit, best)
    for order in itertools.permutations(best):
        assert environment.expected_clicks(visit, order) <= most + 1e-12
    dice = np.random.default_rng(1)
    ids = [item.item_id for item in environment.storefront.items]
    for _ in range(200):
        slate = list(dice.choice(ids, 4, replace=False))
        assert environment.regret(visit, slate) >= 0.0
    assert environment.regret(visit, best) == pytest.approx(0.0)


def test_clicks_happen_as_often_as_the_closed_form_says(environment: Environment) -> None:
    visit = environment.begin_visit(environment.visitors[1], NOW_MS)
    slate, intent, rounds = environment.optimal_slate(visit, 8), visit.intent, 4_000
    chances = [
        environment.click_probability(visit, item_id, place) for place, item_id in enumerate(slate)
    ]
    assert sum(chances) == pytest.approx(environment.expected_clicks(visit, slate))
    clicks = 0
    for _ in range(rounds):
        visit.intent, visit.taken = intent, set()
        clicks += len(environment.respond(visit, slate).clicked)
    # The sum of independent draws has variance sum p(1-p): five standard errors of the mean.
    error = math.sqrt(sum(p * (1 - p) for p in chances) / rounds)
    assert clicks / rounds == pytest.approx(sum(chances), abs=5 * error)


def test_a_click_pulls_the_intent_towards_the_item(environment: Environment) -> None:
    for visitor in environment.visitors:
        visit = environment.begin_visit(visitor, NOW_MS)
        slate, before = environment.optimal_slate(visit, 1), visit.intent
        factors = environment.storefront.factors[environment.storefront.index[slate[0]]]
        if environment.respond(visit, slate).clicked:
            assert float(visit.intent @ factors) > float(before @ factors)
            return
    pytest.fail("fifty visitors and none clicked on the best item for them")


def test_taste_shifts_from_visit_to_visit_but_not_at_once(environment: Environment) -> None:
    visitor = environment.visitors[3]
    first = visitor.taste
    likeness: list[float] = []
    for day in range(60):
        visit = environment.begin_visit(visitor, NOW_MS + day * DAY_MS)
        environment.end_visit(visit)
        likeness.append(float(first @ visitor.taste))
    assert likeness[0] > 0.95
    assert likeness[-1] < 0.8


def test_history_is_deterministic_ordered_and_fits_the_contract() -> None:
    def events() -> list[object]:
        shop = Environment(build_storefront(), visitors=30, seed=3)
        return list(history(shop, 60, NOW_MS, days=7))

    first = events()
    assert first == events()
    starts = [event.occurred_at_ms for event in first if isinstance(event, Impression)]
    assert min(starts) >= NOW_MS - 7 * DAY_MS
    assert max(starts) < NOW_MS + DAY_MS
    for event in first:
        assert isinstance(event, Impression | Interaction)
        assert read_event(pack_event(event), strict=True) == event
    assert len({event.event_id for event in first if isinstance(event, Interaction)}) > 20


def test_propensities_are_those_of_a_draw_without_replacement() -> None:
    shop = Environment(build_storefront(), visitors=30, seed=3)
    pages = [e for e in history(shop, 40, NOW_MS, days=7) if isinstance(e, Impression)]
    for page in pages:
        ids = [shown.item_id for shown in page.items]
        assert len(set(ids)) == len(ids) == 8
        assert all(0.0 < shown.propensity < 1.0 for shown in page.items)


def test_the_click_rate_is_that_of_a_shop() -> None:
    shop = Environment(build_storefront(), visitors=100, seed=3)
    assert 0.01 < click_rate(list(history(shop, 200, NOW_MS, days=7))) < 0.06


def test_lower_positions_are_looked_at_less() -> None:
    assert [examined(place) for place in range(8)] == sorted(map(examined, range(8)), reverse=True)
