import numpy as np

from kafka_consumers.seen import HashTable, SeenWindow, SeenWindows, hashed


def ids(start: int, stop: int) -> list[str]:
    return [f"{number:032x}" for number in range(start, stop)]


def test_a_hash_is_the_same_in_every_process_and_every_batch() -> None:
    # Offsets and hashes outlive releases: these values never change.
    assert hashed(["a", "event-17"]).tolist() == [
        9820237196213435802,
        14345197880535699790,
    ]
    mixed = ["a", "event-17", "ümlaut", "x" * 100]
    assert hashed(mixed).tolist() == [int(hashed([one])[0]) for one in mixed]


def test_neighbouring_ids_do_not_share_a_hash() -> None:
    # Of 200,000 random numbers of 64 bits two are equal once in 10^9 draws.
    assert len(np.unique(hashed(ids(0, 200_000)))) == 200_000


def test_a_table_holds_what_was_added_and_nothing_else() -> None:
    table, known, unknown = HashTable(), hashed(ids(0, 20_000)), hashed(ids(20_000, 40_000))
    for part in np.array_split(known, 7):
        table.add(part)
    assert table.contains(known).all()
    assert not table.contains(unknown).any()


def test_a_window_remembers_at_least_as_many_as_promised_and_forgets_the_rest() -> None:
    window, hashes = SeenWindow(remembered_min=1_000), hashed(ids(0, 10_000))
    for start in range(0, 10_000, 130):
        window.add(hashes[start : start + 130])
    assert window.contains(hashes[-1_000:]).all()
    assert not window.contains(hashes[:-2_000]).any()


def test_only_the_first_of_each_event_is_new_and_partitions_are_apart() -> None:
    windows = SeenWindows()
    windows.load({0: hashed(["known"]).tobytes()})
    hashes = hashed(["known", "a", "b", "a", "known"])
    partitions = np.array([0, 0, 1, 0, 1])
    assert windows.fresh(partitions, hashes).tolist() == [1, 2, 4]
