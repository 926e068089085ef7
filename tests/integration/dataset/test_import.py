"""`attune import` and `attune dataset` against a real PostgreSQL."""

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from origin.commands import main
from origin.storage.database import connection_pool
from origin.storage.port import ItemRow, StoreCounts, UserState
from origin.storage.postgres import PostgresStore


@pytest.fixture
def database_url(new_postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", new_postgres_url)
    monkeypatch.setenv("ATTUNE_HOME", str(tmp_path))
    return new_postgres_url


def attune(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def answer(*arguments: str) -> dict[str, object]:
    result = attune(*arguments, "--json")
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    return {name: value for name, value in figures.items() if name != "seconds"}


def stored(url: str) -> tuple[StoreCounts, UserState, ItemRow | None]:
    async def look() -> tuple[StoreCounts, UserState, ItemRow | None]:
        async with connection_pool(url, 2) as pool:
            store = PostgresStore(pool)
            return await store.counts(), await store.user_state("u1"), await store.item("a")

    return asyncio.run(look())


def test_items_events_and_users_arrive_and_a_second_time_changes_nothing(
    database_url: str, tmp_path: Path
) -> None:
    items, events, users = (tmp_path / name for name in ("i.csv", "e.jsonl", "u.csv"))
    items.write_text("sku,title,price\na,Mug,9.5\nb,Lamp,\nc,,1\n")
    events.write_text(
        '{"user_id": "u1", "item_id": "a", "action": "click", "occurred_at": 1700000000}\n'
        '{"user_id": "u1", "item_id": "b", "action": "purchase", "occurred_at": 1700000060}\n'
        '{"user_id": "u1", "item_id": "b", "action": "purchase", "occurred_at": 1700000060}\n'
    )
    users.write_text("user_id,seen\nu2,a|b\n")
    first = answer("import", "items", str(items), "--map", "sku=item_id")
    assert first == {
        "file": str(items), "read": 3, "accepted": 2, "rejected": 1, "duplicates": 0, "new": 2,
        "rejects_file": "i.csv.rejects.jsonl",
    }  # fmt: skip
    assert answer("import", "events", str(events))["duplicates"] == 1
    assert answer("import", "users", str(users))["new"] == 1

    counts, user, item = stored(database_url)
    assert (counts.items, counts.users, counts.interactions) == (2, 2, 2)
    assert [recent.item_id for recent in user.row.recent] == ["a", "b"]
    assert user.row.covers_until_ms == 1_700_000_060_000
    assert item is not None
    assert item.item.price == 9.5

    assert answer("import", "items", str(items), "--map", "sku=item_id")["new"] == 0
    answer("import", "events", str(events))
    assert answer("import", "users", str(users))["new"] == 0
    assert stored(database_url)[0] == counts
    assert stored(database_url)[1].row.interactions == 2


def test_a_file_of_nothing_but_bad_lines_fails_and_keeps_them(
    database_url: str, tmp_path: Path
) -> None:
    path = tmp_path / "e.csv"
    path.write_text("user_id,item_id,occurred_at\nu1,a,never\n")
    result = attune("import", "events", str(path), "--rejects", str(tmp_path / "bad.jsonl"))
    assert result.exit_code == 1
    assert json.loads((tmp_path / "bad.jsonl").read_text())["field"] == "occurred_at_ms"


def test_the_storefront_is_loaded_and_learned(database_url: str) -> None:
    figures = answer("dataset", "storefront", "--items", "48", "--visits", "20", "--visitors", "9")
    counts = stored(database_url)[0]
    assert figures["new_items"] == counts.items == 48
    assert counts.impressions > 20
    assert 0 < counts.users <= 9


def test_movietweetings_is_loaded_from_a_folder(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "movies.dat").write_text("0007264::The Rink (1916)::Comedy|Short\n", "utf-8")
    (tmp_path / "ratings.dat").write_text("1::0007264::9::1365029107\n", "utf-8")
    figures = answer("dataset", "movietweetings", "--path", str(tmp_path))
    assert (figures["new_items"], figures["events_accepted"]) == (1, 1)
    assert stored(database_url)[0].interactions == 1


def test_settings_that_are_wrong_are_a_sentence(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "mysql://nowhere")
    result = attune("dataset", "storefront", "--visits", "0")
    assert result.exit_code == 1
    assert "DATABASE_URL must start with postgresql://" in result.output


def test_a_database_that_is_away_is_a_sentence(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/nothing")
    result = attune("dataset", "storefront", "--items", "24", "--visits", "0")
    assert result.exit_code == 1
    assert "does not answer" in result.output


def test_the_catalogue_can_be_looked_into(database_url: str) -> None:
    answer("dataset", "storefront", "--items", "36", "--visits", "30", "--visitors", "5")
    assert answer("items", "count")["items"] == 36
    listed = [json.loads(line) for line in attune("items", "list", "--json").stdout.splitlines()]
    assert len(listed) == 20
    item = answer("items", "show", listed[0]["item_id"])
    assert item["title"] == listed[0]["title"]
    assert item["alike"]
    trends = [
        json.loads(line) for line in attune("items", "trending", "--json").stdout.splitlines()
    ]
    levels = [trend["level"] for trend in trends]
    assert levels == sorted(levels, reverse=True)
    assert levels
    assert attune("items", "show", "nothing").exit_code == 1
    assert "title" in attune("items", "list").output
