"""A storefront's past: the events of simulated visits, as if attune had watched them.

The pages that visitors saw were chosen by a simple policy - popular things, and things near the
last click - that draws each position from known probabilities. They are logged as propensities, so
the history trains rankers, rewards bandits and evaluates policies like a live log.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy

from attune.consent import Consent
from attune.contract.event import Action, Event, Impression, Interaction, ShownItem
from origin.dataset.storefront import DAY_MS, Vector
from origin.dataset.visitors import Environment, Visit

SLATE_LENGTH = 8
PAGES = (2, 3, 3, 4, 5, 6, 8)
NEARNESS = 3.0  # weight of likeness to the last click in the logging policy
CART_SHARE, PURCHASE_SHARE = 0.30, 0.45
DISMISS_SHARE = 0.03  # of the pages on which nothing was clicked
SURFACE = "home"
MODEL = "storefront-history"


@dataclass(slots=True)
class Log:
    """The running numbers that make ids of visits and events; equal runs give equal ids."""

    name: str
    count: int = 0

    def next_id(self) -> str:
        """Return an id that was not given before."""
        self.count += 1
        return f"{self.name}-{self.count:07d}"


def history(environment: Environment, visits: int, until_ms: int, days: int) -> Iterator[Event]:
    """Yield the events of visits spread over the days before an instant, in the order of time.

    Args:
        environment: the world; its visitors' tastes move on.
        visits: how many visits there were.
        until_ms: when the last of them is over.
        days: over how many days they spread.
    """
    noise = numpy.random.default_rng(visits)
    starts = numpy.sort(noise.uniform(until_ms - days * DAY_MS, until_ms - 3_600_000, visits))
    # Few visitors come often and many rarely, as everywhere.
    weights = 1.0 / numpy.arange(1, len(environment.visitors) + 1) ** 0.6
    who = noise.choice(len(environment.visitors), visits, p=weights / weights.sum())
    log = Log(f"past-{environment.seed}-{visits}")
    for number in range(visits):
        visitor = environment.visitors[int(who[number])]
        visit = environment.begin_visit(visitor, int(starts[number]))
        yield from visit_events(environment, visit, f"{log.name}-visit-{number:06d}", log, noise)
        environment.end_visit(visit)


def visit_events(
    environment: Environment, visit: Visit, session_id: str, log: Log, noise: numpy.random.Generator
) -> Iterator[Event]:
    """Yield what happens in one visit: pages, clicks, and what becomes of some clicks."""
    last_click: int | None = None
    for _ in range(int(noise.choice(PAGES))):
        rows, propensities = choose_page(environment, last_click, visit.taken, noise)
        page = shown(environment, visit, session_id, rows, propensities, log)
        yield page
        response = environment.respond(visit, [item.item_id for item in page.items])
        for place in response.clicked:
            last_click = rows[place]
            visit.now_ms += int(noise.uniform(4_000, 40_000))
            for action in actions_after_click(noise):
                yield interaction(visit, page, place, action, log)
                visit.now_ms += int(noise.uniform(2_000, 20_000))
        if not response.clicked and noise.random() < DISMISS_SHARE:
            attraction = environment.attraction(visit)[rows]
            yield interaction(visit, page, int(numpy.argmin(attraction)), "dismiss", log)
        visit.now_ms += int(noise.uniform(5_000, 60_000))


def choose_page(
    environment: Environment, last_click: int | None, taken: set[int], noise: numpy.random.Generator
) -> tuple[list[int], list[float]]:
    """Return the rows of a page and the probability with which each was drawn at its position."""
    storefront = environment.storefront
    logits = storefront.quality.copy()
    if last_click is not None:
        logits += NEARNESS * (storefront.factors @ storefront.factors[last_click])
    weights: Vector = numpy.exp(logits)
    weights[list(taken)] = 0.0
    rows: list[int] = []
    propensities: list[float] = []
    for _ in range(SLATE_LENGTH):
        chances = weights / weights.sum()
        row = int(noise.choice(len(chances), p=chances))
        rows.append(row)
        propensities.append(float(chances[row]))
        weights[row] = 0.0
    return rows, propensities


def actions_after_click(noise: numpy.random.Generator) -> Sequence[Action]:
    """Return the click and how far it goes towards a purchase."""
    if noise.random() >= CART_SHARE:
        return ("click",)
    return ("click", "cart", "purchase") if noise.random() < PURCHASE_SHARE else ("click", "cart")


def shown(
    environment: Environment,
    visit: Visit,
    session_id: str,
    rows: Sequence[int],
    propensities: Sequence[float],
    log: Log,
) -> Impression:
    """Return the impression of a page."""
    items = environment.storefront.items
    event_id = log.next_id()
    return Impression(
        event_id=event_id,
        consent=Consent.FULL,
        user_id=visit.visitor.user_id,
        session_id=session_id,
        slate_id=f"slate-{event_id}",
        items=tuple(
            ShownItem(items[row].item_id, place, propensity)
            for place, (row, propensity) in enumerate(zip(rows, propensities, strict=True))
        ),
        occurred_at_ms=visit.now_ms,
        surface=SURFACE,
        context=visit.context,
        policy_version=0,
        model_version=MODEL,
    )


def interaction(
    visit: Visit, page: Impression, place: int, action: Action, log: Log
) -> Interaction:
    """Return one thing that the visitor did with an item of a page."""
    item = page.items[place]
    return Interaction(
        event_id=log.next_id(),
        consent=Consent.FULL,
        user_id=page.user_id,
        session_id=page.session_id,
        item_id=item.item_id,
        action=action,
        occurred_at_ms=visit.now_ms,
        surface=page.surface,
        context=visit.context,
        slate_id=page.slate_id,
        position=place,
        propensity=item.propensity,
    )


def click_rate(events: Sequence[Event]) -> float:
    """Return clicks per shown item, as shops count them; not a number without impressions."""
    looks = sum(len(event.items) for event in events if isinstance(event, Impression))
    clicks = sum(
        1 for event in events if isinstance(event, Interaction) and event.action == "click"
    )
    return clicks / looks if looks else math.nan
