"""Prequential evaluation: honest about time, right about metrics."""

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from attune.consent import Consent
from attune.context import Context
from attune.contract.event import Interaction
from origin.commands.replay_learning import learn
from origin.evaluation.baselines import ALL_TIME, BASELINES, rank_in
from origin.evaluation.figures import MISS, Ranks, cells, estimate, gains, leads
from origin.evaluation.prequential import ATTUNE, Outcome, evaluated
from origin.evaluation.ratings import RatingsError, read_ratings
from origin.evaluation.shipped import PlainModel
from origin.plain_ranker import PlainRanker

HOUR_MS = 3_600_000


def event(number: int, user: str, item: str, at_ms: int) -> Interaction:
    return Interaction(
        f"event-{number}", Consent.FULL, user, user, item, "purchase", at_ms, "home", Context()
    )


def some_history(count: int, seed: int = 5) -> list[Interaction]:
    dice = random.Random(seed)
    met: set[tuple[str, str]] = set()
    history: list[Interaction] = []
    while len(history) < count:
        pair = (f"user-{dice.randrange(25)}", f"item-{int(dice.paretovariate(0.7)) % 60}")
        if pair not in met:
            met.add(pair)
            history.append(event(len(history), *pair, 10**12 + len(history) * HOUR_MS))
    return history


def outcome_of(events: Sequence[Interaction], first: int) -> Outcome:
    return evaluated(events, first, learn, PlainRanker(), PlainModel(), lambda *_: None)


def test_what_happens_later_changes_no_earlier_answer():
    history = some_history(300)
    cut = 220
    dice = random.Random(1)
    later = [(one.user_id or "", one.item_id) for one in history[cut:]]
    dice.shuffle(later)
    shuffled = [
        event(cut + place, user, item, history[cut + place].occurred_at_ms)
        for place, (user, item) in enumerate(later)
    ]
    one = outcome_of(history, 150).ranks
    other = outcome_of([*history[:cut], *shuffled], 150).ranks
    for name in (*BASELINES, ATTUNE):
        assert (one.methods[name][: cut - 150] == other.methods[name][: cut - 150]).all(), name
    assert any(
        (one.methods[n][cut - 150 :] != other.methods[n][cut - 150 :]).any() for n in BASELINES
    )


def test_an_item_never_seen_before_is_a_miss_for_all():
    history = [*some_history(80), event(80, "user-1", "brand new", 10**12 + 80 * HOUR_MS)]
    ranks = outcome_of(history, 80).ranks
    assert {int(found[0]) for found in ranks.methods.values()} == {MISS}


def test_the_first_of_the_unseen_stands_at_rank_zero():
    events = [event(n, f"user-{n}", "hit", 10**12 + n) for n in range(5)]
    events += [event(5, "user-5", "other", 10**12 + 5)]
    events += [event(6, "user-6", "hit", 10**12 + 6), event(7, "user-6", "other", 10**12 + 7)]
    ranks = outcome_of(events, 6).ranks
    for name, found in ranks.methods.items():
        assert found.tolist() == [0, 0], name
    assert ranks.experience.tolist() == [0, 1]


def test_items_that_the_user_has_are_taken_out_of_the_order():
    scores = np.array([5.0, 4.0, 3.0, 2.0])
    assert rank_in(scores, 3, np.array([], dtype=np.int64)) == 3
    assert rank_in(scores, 3, np.array([0, 2])) == 1


def test_metrics_agree_with_their_definition():
    assert gains(np.array([0, 2, 9, 10, MISS])).round(4).tolist() == [1.0, 0.5, 0.2891, 0.0, 0.0]


def test_an_interval_counts_users_and_not_events():
    values = np.array([0.0] * 50 + [1.0] * 50)
    many = estimate(values, np.arange(100))
    two = estimate(values, np.repeat([0, 1], 50))
    assert many.mean == two.mean == 0.5
    assert two.high - two.low > 5 * (many.high - many.low)


def test_strata_cover_every_event_once():
    experience = np.array([0, 1, 4, 5, 100])
    ranks = Ranks({ALL_TIME: np.zeros(5, dtype=np.int64)}, np.arange(5), experience)
    counts = {name: cell.events for name, cell in cells(ranks)[ALL_TIME].items()}
    assert counts == {"overall": 5, "new": 1, "1_to_4": 2, "5_plus": 2}


def test_the_lead_is_over_the_best_of_the_others():
    ranks = Ranks(
        {"mine": np.array([0, 0]), "weak": np.array([9, 9]), "strong": np.array([0, 1])},
        np.array([0, 1]),
        np.array([0, 7]),
    )
    lead = leads(ranks, "mine")["overall"]
    assert lead.over == "strong"
    assert lead.ndcg.mean == pytest.approx((1.0 - 0.63093) / 2, abs=1e-4)


def test_ratings_are_read_in_the_order_of_time(tmp_path: Path):
    path = tmp_path / "ratings.dat"
    path.write_text("1::10::8::200\n2::11::3::100\n\n3::12::9::100\n")
    assert [one.item_id for one in read_ratings(path)] == ["11", "12", "10"]
    table = tmp_path / "ratings.csv"
    table.write_text('user,item,timestamp\n1,"a, b",1700000000000\n')
    assert [(one.item_id, one.occurred_at_ms) for one in read_ratings(table)] == [
        ("a, b", 1_700_000_000_000)
    ]


def test_a_bad_line_is_named(tmp_path: Path):
    path = tmp_path / "ratings.dat"
    path.write_text("1::10::8::200\n1::10\n1::10::8::soon\n")
    with pytest.raises(RatingsError, match="line 2"):
        read_ratings(path)
