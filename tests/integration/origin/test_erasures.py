"""Forgetting over HTTP and from the command line."""

import asyncio
import json

import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from attune.contract.erasure import ErasureReceipt, read_erasure
from origin.commands import main
from origin.event_log import ERASURES, open_event_log
from origin.packing import unpacked
from origin.storage.database import connection_pool
from origin.storage.postgres import PostgresStore

RECEIPT = ErasureReceipt("done", 1, 2, 3, {"users": 1})


def asked(url: str) -> list[str]:
    """Return the users whom the log knows to want to be forgotten."""

    async def look() -> list[str]:
        async with await open_event_log(url, None) as log:
            member = await log.join(ERASURES, "test")
            records = await member.read(
                dict.fromkeys(range(await log.partitions(ERASURES)), 0), 99, 10
            )
            await member.leave()
        return [read_erasure(unpacked(record.value)).user_id for record in records]

    return asyncio.run(look())


def test_a_request_is_in_the_log_and_its_receipt_is_found_once_it_is_written(
    client: TestClient, postgres_url: str
) -> None:
    answer = client.delete("/v1/users/leaver")
    assert answer.status_code == 202
    assert asked(postgres_url) == ["leaver"]
    assert client.get(answer.headers["location"]).status_code == 404

    async def carry_out() -> None:
        pool = connection_pool(postgres_url, 1)
        async with pool as opened, PostgresStore(opened).transaction() as transaction:
            await transaction.add_receipt(RECEIPT)

    asyncio.run(carry_out())
    assert client.get("/v1/erasures/done").json()["removed"] == {"users": 1}


def test_the_command_says_that_nobody_carried_it_out_yet(
    new_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", new_postgres_url)
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "")
    result = CliRunner().invoke(main, ["stream", "erase", "ann", "--wait", "0", "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["removed"] is None
    assert asked(new_postgres_url) == ["ann"]
    drift = CliRunner().invoke(main, ["stream", "drift", "--json"])
    assert json.loads(drift.stdout)["alerts"] == []
