"""The wire contract: what goes out can be read back, what is wrong names its field."""

import json
import math
from array import array
from dataclasses import replace
from types import MappingProxyType

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attune.consent import Consent
from attune.context import DEVICES, Context
from attune.contract.bundle import (
    SOURCES,
    Bundle,
    BundleRequest,
    Candidates,
    Recents,
    pack_bundle,
    pack_bundle_request,
    read_bundle,
    read_bundle_request,
)
from attune.contract.decode import ContractError
from attune.contract.event import (
    ACTIONS,
    Impression,
    Interaction,
    ShownItem,
    pack_event,
    partition_key,
    read_event,
    read_event_batch,
)
from attune.contract.item import pack_item, read_item
from attune.contract.policy import PolicySnapshot, pack_policy, read_policy
from attune.contract.recommendation import (
    Card,
    RecentInteraction,
    read_recommendation_request,
)
from attune.contract.served import (
    ServedItem,
    ServedSlate,
    pack_served_batch,
    read_served_batch,
)

IDS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=40)
TIMES = st.integers(0, 4_000_000_000_000)
CONTEXTS = st.builds(
    Context,
    device=st.sampled_from(DEVICES),
    region=st.sampled_from(["DE", "US", "ZZ"]),
    local_hour=st.integers(0, 23),
    entry_category=st.sampled_from(["", "shoes"]),
)
OWNERS = st.one_of(
    st.tuples(st.just(Consent.FULL), IDS), st.tuples(st.just(Consent.COHORT), st.none())
)
SHOWN = st.builds(ShownItem, IDS, st.integers(0, 49), st.floats(0, 1))


@st.composite
def interactions(draw: st.DrawFn) -> Interaction:
    consent, user_id = draw(OWNERS)
    return Interaction(
        event_id=draw(IDS),
        consent=consent,
        user_id=user_id,
        session_id=draw(IDS),
        item_id=draw(IDS),
        action=draw(st.sampled_from(ACTIONS)),
        occurred_at_ms=draw(TIMES),
        surface="home",
        context=draw(CONTEXTS),
        slate_id=draw(st.none() | IDS),
        position=draw(st.none() | st.integers(0, 49)),
        propensity=draw(st.none() | st.floats(0, 1)),
    )


@st.composite
def impressions(draw: st.DrawFn) -> Impression:
    consent, user_id = draw(OWNERS)
    return Impression(
        event_id=draw(IDS),
        consent=consent,
        user_id=user_id,
        session_id=draw(IDS),
        slate_id=draw(IDS),
        items=tuple(draw(st.lists(SHOWN, min_size=1, max_size=5))),
        occurred_at_ms=draw(TIMES),
        surface="home",
        context=draw(CONTEXTS),
        policy_version=draw(st.integers(0, 2**53)),
        model_version="m1",
    )


@given(st.one_of(interactions(), impressions()))
def test_an_event_survives_json_and_msgpack(event: Interaction | Impression) -> None:
    assert read_event(json.loads(json.dumps(pack_event(event)))) == event
    assert read_event(msgpack.unpackb(msgpack.packb(pack_event(event)))) == event


def example_event(**changes: object) -> dict[str, object]:
    return {
        "type": "click",
        "consent": "full",
        "event_id": "e1",
        "user_id": "u1",
        "session_id": "s1",
        "item_id": "i1",
        "occurred_at_ms": 1_700_000_000_000,
        **changes,
    }


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"type": "stare"}, "type"),
        ({"type": 7}, "type"),
        ({"consent": None}, "consent"),
        ({"consent": "perhaps"}, "consent"),
        ({"event_id": ""}, "event_id"),
        ({"event_id": "x" * 129}, "event_id"),
        ({"item_id": None}, "item_id"),
        ({"item_id": ["i1"]}, "item_id"),
        ({"item_id": "nul\x00byte"}, "item_id"),
        ({"item_id": "\ud800"}, "item_id"),
        ({"user_id": None}, "user_id"),
        ({"occurred_at_ms": "now"}, "occurred_at_ms"),
        ({"occurred_at_ms": True}, "occurred_at_ms"),
        ({"occurred_at_ms": -1}, "occurred_at_ms"),
        ({"occurred_at_ms": 1_700_000_000_000_000}, "occurred_at_ms"),
        ({"occurred_at_ms": math.nan}, "occurred_at_ms"),
        ({"position": 50}, "position"),
        ({"propensity": 1.5}, "propensity"),
        ({"propensity": math.inf}, "propensity"),
        ({"context": {"local_hour": 24}}, "context.local_hour"),
        ({"context": {"devcie": "mobile"}}, "context.devcie"),
        ({"context": []}, "context"),
        ({"schema": 2}, "schema"),
        ({"itemid": "typo"}, "itemid"),
    ],
)
def test_a_wrong_event_names_its_field(changes: dict[str, object], field: str) -> None:
    with pytest.raises(ContractError) as caught:
        read_event(example_event(**changes), strict=True)
    assert caught.value.field == field


def test_between_tiers_an_unknown_field_is_passed_over() -> None:
    event = read_event(example_event(added_next_year=1), strict=False)
    assert isinstance(event, Interaction)


def test_one_bad_event_does_not_take_the_good_ones_with_it() -> None:
    batch = read_event_batch(
        {"events": [example_event(), example_event(type="?"), example_event(consent="none"), 5]}
    )
    assert len(batch.events) == 1
    assert batch.dropped_by_consent == 1
    assert [(r.index, r.field) for r in batch.rejected] == [(1, "type"), (3, "")]


def test_cohort_consent_removes_the_user_before_anything_sees_it() -> None:
    event = read_event(example_event(consent="cohort"))
    assert event.user_id is None
    assert partition_key(event) == "s1"


def test_global_privacy_control_caps_full_consent_at_cohort() -> None:
    batch = read_event_batch({"events": [example_event()]}, global_privacy_control=True)
    assert batch.events[0].consent is Consent.COHORT
    assert batch.events[0].user_id is None


def test_an_empty_or_oversized_batch_is_refused() -> None:
    for raw in ({"events": []}, {}, {"events": [1] * 501}, [], None, {"events": "no"}):
        with pytest.raises(ContractError):
            read_event_batch(raw)


def request(**changes: object) -> dict[str, object]:
    return {"consent": "full", "user_id": "u", "session_id": "s", **changes}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"n": 0}, "n"),
        ({"n": 51}, "n"),
        ({"n": 2.5}, "n"),
        ({"recent": [{"item_id": "a", "action": "click"}]}, "recent[0].occurred_at_ms"),
        ({"recent": [{}] * 21}, "recent"),
        ({"exclude": ["a", 5]}, "exclude[1]"),
        ({"surface": ""}, "surface"),
        ({"user_id": None}, "user_id"),
        ({"extra": 1}, "extra"),
    ],
)
def test_a_wrong_request_names_its_field(changes: dict[str, object], field: str) -> None:
    with pytest.raises(ContractError) as caught:
        read_recommendation_request(request(**changes))
    assert caught.value.field == field


def test_javascript_sends_whole_numbers_as_floats() -> None:
    assert read_recommendation_request(request(n=3.0)).n == 3


def example_bundle(count: int) -> Bundle:
    return Bundle(
        version="b1",
        user_id="u1",
        consent=Consent.FULL,
        surface="home",
        degraded="full",
        created_at_ms=1,
        fresh_ms=60_000,
        stale_ms=600_000,
        covers_until_ms=0,
        policy_version=3,
        model_version="m1",
        user_embedding=array("f", [0.125] * 64),
        user_interactions=4,
        seen=("old",),
        exposures=bytes(count),
        recents=Recents(("r",), bytes(64), ("shoes",)),
        candidates=Candidates(
            item_ids=tuple(f"i{index}" for index in range(count)),
            cards=tuple(Card(title=f"Item {index}", price=9.5) for index in range(count)),
            sources=tuple(SOURCES[index % len(SOURCES)] for index in range(count)),
            embeddings=bytes(index % 128 for index in range(64 * count)),
            base_scores=array("f", [0.5] * count),
            feature_names=("a", "b"),
            features=array("f", [1.0, 2.0] * count),
            alpha=array("f", [1.0] * count),
            beta=array("f", [9.0] * count),
        ),
    )


@pytest.mark.parametrize("count", [0, 1, 64])
def test_a_bundle_survives_msgpack(count: int) -> None:
    bundle = example_bundle(count)
    assert read_bundle(msgpack.unpackb(msgpack.packb(pack_bundle(bundle)))) == bundle


@pytest.mark.parametrize("column", ["embeddings", "base_scores", "features", "alpha", "exposures"])
def test_a_bundle_whose_columns_disagree_is_refused(column: str) -> None:
    packed = pack_bundle(example_bundle(4))
    packed[column] = bytes(3)
    with pytest.raises(ContractError) as caught:
        read_bundle(packed)
    assert caught.value.field == column


def test_a_bundle_request_survives_msgpack() -> None:
    recent = (RecentInteraction("i", "click", 5),)
    asked = BundleRequest(Consent.FULL, "u", "home", Context(device="mobile"), 100, recent)
    assert read_bundle_request(msgpack.unpackb(msgpack.packb(pack_bundle_request(asked)))) == asked


def test_a_policy_snapshot_survives_msgpack() -> None:
    posteriors = MappingProxyType({"mobile": MappingProxyType({"a": (1.5, 20.0)})})
    policy = PolicySnapshot(
        version=9, created_at_ms=5, posteriors=posteriors, covers=MappingProxyType({0: 41, 3: 0})
    )
    assert read_policy(msgpack.unpackb(msgpack.packb(pack_policy(policy)))) == policy


def test_an_item_survives_json() -> None:
    item = read_item(
        {"title": "Chair", "price": 0, "tags": ["oak"], "attributes": {"legs": 4}}, "c1"
    )
    assert item.price == 0.0
    assert read_item(json.loads(json.dumps(pack_item(item)))) == item


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "x", "price": -1}, "price"),
        ({"title": "x", "price": "9"}, "price"),
        ({"title": "x", "item_id": "other"}, "item_id"),
        ({"title": "x", "tags": "oak"}, "tags"),
        ({"title": "x", "attributes": {"a": float("inf")}}, "attributes.a"),
        ({"title": "x", "attributes": {"a": 10**400}}, "attributes.a"),
        ({"title": "x", "price": float("nan")}, "price"),
        ({"title": "x", "price": 10**400}, "price"),
        ({"title": "x", "attributes": {"a": [1]}}, "attributes.a"),
        ({"title": "x", "colour": "red"}, "colour"),
    ],
)
def test_a_wrong_item_names_its_field(raw: object, field: str) -> None:
    with pytest.raises(ContractError) as caught:
        read_item(raw, "c1")
    assert caught.value.field == field


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["events", "type", "item_id", "n", "recent", "consent"])
                | st.text(),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_no_input_raises_anything_but_a_contract_error(raw: object) -> None:
    for read in (
        read_event,
        read_event_batch,
        read_recommendation_request,
        read_item,
        read_bundle,
        read_policy,
        read_bundle_request,
    ):
        try:
            read(raw)
        except ContractError:
            continue


def served_slate(**changes: object) -> ServedSlate:
    slate = ServedSlate(
        slate_id="s1",
        user_id="u1",
        session_id="session-1",
        consent=Consent.FULL,
        surface="home",
        context=Context(device="mobile"),
        served_at_ms=1_700_000_000_000,
        bundle_version="b1",
        policy_version=7,
        model_version="m1",
        context_version=1,
        degraded="full",
        epsilon=0.1,
        seed=2**47,
        candidates=60,
        exploration_rate=0.09,
        feature_names=("age", "price"),
        items=(ServedItem("i1", 0, 0.75, 0.5, False, array("f", (1.5, -2.0))),),
    )
    return replace(slate, **changes)  # type: ignore[arg-type]


def test_served_slates_survive_msgpack() -> None:
    cohort = served_slate(consent=Consent.COHORT, user_id=None)
    slates = (served_slate(), cohort)
    assert read_served_batch(msgpack.unpackb(msgpack.packb(pack_served_batch(slates)))) == slates
    assert [slate.partition_key for slate in slates] == ["u1", "session-1"]


def test_a_served_slate_names_a_user_only_with_full_consent_and_exists_with_consent_only() -> None:
    packed = pack_served_batch([served_slate(consent=Consent.COHORT)])
    assert read_served_batch(packed)[0].user_id is None
    with pytest.raises(ContractError) as caught:
        read_served_batch(pack_served_batch([served_slate(consent=Consent.NONE)]))
    assert caught.value.field == "slates[0].consent"


def test_served_features_are_as_many_as_their_names() -> None:
    with pytest.raises(ContractError) as caught:
        read_served_batch(pack_served_batch([served_slate(feature_names=("age",))]))
    assert caught.value.field == "slates[0].items[0].features"


@pytest.mark.parametrize("covers", [{"0": -1}, {"first": 1}, [], {"0": "1"}])
def test_positions_of_a_log_are_numbers_by_partition(covers: object) -> None:
    with pytest.raises(ContractError) as caught:
        read_policy(pack_policy(PolicySnapshot(version=1, created_at_ms=1)) | {"covers": covers})
    assert caught.value.field.startswith("covers")
