"""``attune export training-set`` on a real database: the file holds what the store knows."""

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from origin.commands.export import command
from origin.storage.database import connection_pool
from origin.storage.postgres import PostgresStore
from tests.contract.test_store_outcomes import NOW_MS, act, impression, served


async def _fill(url: str, slates: int) -> None:
    async with connection_pool(url, 1) as pool, PostgresStore(pool).transaction() as transaction:
        made = [served(f"s{number}", at_ms=NOW_MS + number) for number in range(slates)]
        await transaction.add_served(made, NOW_MS)
        await transaction.add_impressions([impression("s0", NOW_MS + 9)], NOW_MS)
        await transaction.add_interactions([act("s0")], NOW_MS)


def test_a_range_becomes_a_parquet_file_with_a_row_per_shown_item(
    new_postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pyarrow.parquet

    monkeypatch.setenv("DATABASE_URL", new_postgres_url)
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "")
    asyncio.run(_fill(new_postgres_url, 700))
    out = tmp_path / "set.parquet"
    arguments = ["training-set", "--from", str(NOW_MS), "--to", "2023-11-14T22:13:20.600",
                 "--out", str(out), "--json"]  # fmt: skip
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert (figures["slates"], figures["rows"]) == (600, 1200)
    rows = pyarrow.parquet.read_table(out).to_pylist()
    assert len(rows) == 1200
    assert (rows[0]["item_id"], rows[0]["seen"], rows[0]["click"]) == ("i0", True, True)
    assert rows[0]["features"] == [1.0, 2.0]
    assert [path.name for path in tmp_path.iterdir()] == ["set.parquet"]


def test_an_instant_that_is_none_is_refused_by_name(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        command, ["training-set", "--from", "yesterday", "--out", str(tmp_path / "x")]
    )
    assert result.exit_code == 2
    assert "--from" in result.output
    assert "ISO 8601" in result.output
