"""Loading: good rows once, bad rows aside, everything counted."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from attune.contract.item import Item
from origin.dataset.loading import Keys, Reading, RejectsFile, Summary, write_in_batches
from origin.dataset.records import item_of
from origin.dataset.rows import DatasetError, Reject, Row

READING = Reading(lambda row: item_of(row.values), lambda item: item.item_id)


def row(line: int, item_id: str, title: str | None = "Mug") -> Row:
    return Row(line, {"item_id": item_id, "title": title})


def test_good_rows_pass_once_and_bad_ones_are_written_with_line_field_and_problem(
    tmp_path: Path,
) -> None:
    summary, path = Summary(), tmp_path / "rejects.jsonl"
    rows = [row(2, "a"), row(3, "a"), row(4, "b", None), Reject(5, "", "is broken"), row(6, "c")]
    with RejectsFile(path, Path("items.csv")) as rejects:
        items = list(READING.records(rows, summary, rejects))
    assert [item.item_id for item in items] == ["a", "c"]
    assert summary == Summary(read=5, accepted=2, rejected=2, duplicates=1)
    assert [json.loads(line) for line in path.read_text().splitlines()] == [
        {"file": "items.csv", "line": 4, "field": "title", "problem": "is required"},
        {"file": "items.csv", "line": 5, "field": "", "problem": "is broken"},
    ]


def test_no_rejects_file_appears_where_nothing_was_rejected(tmp_path: Path) -> None:
    path = tmp_path / "rejects.jsonl"
    with RejectsFile(path, Path("items.csv")) as rejects:
        assert list(READING.records([row(2, "a")], Summary(), rejects))
    assert not path.exists()


def test_a_rejects_file_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with (
        RejectsFile(tmp_path / "nowhere" / "rejects.jsonl", Path("a")) as rejects,
        pytest.raises(DatasetError, match="--rejects"),
    ):
        rejects.add(Reject(1, "", "is broken"))


def test_keys_forget_the_oldest_and_stay_bounded() -> None:
    keys = Keys(remembered_max=4)
    assert [keys.is_new(key) for key in "aabcde"] == [True, False, True, True, True, True]
    assert keys.is_new("a")


async def test_records_are_written_in_order_in_batches() -> None:
    written: list[list[str]] = []

    async def write(batch: Sequence[Item]) -> None:
        written.append([item.item_id for item in batch])

    items = [Item(str(number), "Mug") for number in range(5)]
    assert [count async for count in write_in_batches(items, write, 2)] == [2, 2, 1]
    assert written == [["0", "1"], ["2", "3"], ["4"]]
