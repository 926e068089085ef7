"""Rows of files: every line is a row or a reject that says why, in bounded memory."""

import gzip
import sys
from pathlib import Path

import pytest

from origin.dataset.rows import DatasetError, Reject, Row, format_of, open_rows


def rows_of(path: Path, file_format: str | None = None) -> list[Row | Reject]:
    with open_rows(path, format_of(path, file_format)) as source:
        found = list(source.rows)
        assert source.position() <= source.total
    return found


def written(tmp_path: Path, name: str, content: str | bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_csv_rows_know_their_line_and_empty_cells_are_absent(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", '\ufeffid,title\n1,"two\nlines"\n\n2,\n')
    assert rows_of(path) == [
        Row(2, {"id": "1", "title": "two\nlines"}),
        Row(5, {"id": "2", "title": None}),
    ]


def test_a_csv_line_with_another_number_of_columns_is_rejected_alone(tmp_path: Path) -> None:
    first, second = rows_of(written(tmp_path, "a.csv", "id,title\n1\n2,Mug\n"))
    assert first == Reject(2, "", "has 1 columns where the header names 2")
    assert second == Row(3, {"id": "2", "title": "Mug"})


def test_a_quote_in_the_wrong_place_is_rejected_and_reading_goes_on(tmp_path: Path) -> None:
    first, second = rows_of(written(tmp_path, "a.csv", 'id,title\n1,"a"b\n2,Mug\n'))
    assert isinstance(first, Reject)
    assert first.line == 2
    assert isinstance(second, Row)


@pytest.mark.parametrize("content", ["", "\n", "id,id\n1,2\n"])
def test_a_csv_file_without_a_usable_header_is_an_error(tmp_path: Path, content: str) -> None:
    with pytest.raises(DatasetError, match="first line"):
        rows_of(written(tmp_path, "a.csv", content))


def test_json_lines_reject_what_is_no_object_with_the_line(tmp_path: Path) -> None:
    content = '{"a": 1}\n\nnot json\n[1]\n{"a": NaN}\n' + "[" * 5_000 + "\n"
    good, *rejects = rows_of(written(tmp_path, "a.jsonl", content))
    assert good == Row(1, {"a": 1})
    assert [reject.line for reject in rejects] == [3, 4, 5, 6]
    assert all(isinstance(reject, Reject) for reject in rejects)


def test_a_line_longer_than_the_limit_is_skipped_not_held(tmp_path: Path) -> None:
    content = '{"a": "' + "x" * 1_000_001 + '"}\n{"a": 2}\n'
    long, good = rows_of(written(tmp_path, "a.jsonl", content))
    assert isinstance(long, Reject)
    assert good == Row(2, {"a": 2})


def test_a_gzipped_file_is_unpacked_and_a_damaged_one_named(tmp_path: Path) -> None:
    packed = gzip.compress(b'{"a": 1}\n' * 1000)
    assert len(rows_of(written(tmp_path, "a.jsonl.gz", packed))) == 1000
    with pytest.raises(DatasetError, match=r"b\.jsonl\.gz"):
        rows_of(written(tmp_path, "b.jsonl.gz", packed[:-20]))


def test_parquet_rows_are_read_in_batches(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "a.parquet"
    ids = [str(number) for number in range(5_000)]
    parquet.write_table(pyarrow.table({"item_id": ids}), path)
    rows = rows_of(path)
    assert rows[0] == Row(1, {"item_id": "0"})
    assert len(rows) == 5_000


def test_a_file_that_is_no_parquet_is_an_error(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow.parquet")
    with pytest.raises(DatasetError, match="is not a Parquet file"):
        rows_of(written(tmp_path, "a.parquet", "no"))


def test_parquet_without_pyarrow_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(DatasetError, match=r"attune\[parquet\]"):
        rows_of(written(tmp_path, "a.parquet", "no"))


def test_a_file_of_unknown_format_asks_for_it(tmp_path: Path) -> None:
    path = written(tmp_path, "a.txt", '{"a": 1}\n')
    with pytest.raises(DatasetError, match="--format"):
        rows_of(path)
    assert rows_of(path, "jsonl") == [Row(1, {"a": 1})]
