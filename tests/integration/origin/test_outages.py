"""What the origin answers while PostgreSQL is away, and afterwards."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import msgpack
import pytest
from starlette.testclient import TestClient

from attune.contract.bundle import read_bundle
from attune.contract.item import Item
from origin.http.app import application
from origin.http.services import now_ms, open_services
from origin.settings import Settings
from origin.storage.database import connection_pool, migrate
from origin.storage.embedded_postgres import running_postgres
from origin.storage.postgres import PostgresStore

CLICK = {
    "event_id": "e1",
    "type": "click",
    "consent": "cohort",
    "session_id": "s",
    "item_id": "a-1",
    "occurred_at_ms": 1_700_000_000_000,
}
ASKED = {"consent": "full", "user_id": "u", "session_id": "s", "n": 5}


class Outage:
    """A PostgreSQL of its own that can be stopped and started."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._server = ExitStack()
        self.url = ""

    def start(self) -> None:
        self.url = self._server.enter_context(running_postgres(self._home))

    def stop(self) -> None:
        self._server.close()


@pytest.fixture
def database(home: Path) -> Iterator[Outage]:
    database = Outage(home)
    database.start()
    asyncio.run(_fill(database.url))
    yield database
    database.stop()


async def _fill(url: str) -> None:
    await migrate(url)
    async with connection_pool(url, 1) as pool:
        items = [Item(f"a-{n}", f"A {n}") for n in range(30)]
        await PostgresStore(pool).put_items(items, now_ms())


def test_an_outage_degrades_answers_and_ends_when_the_database_is_back(
    database: Outage, tmp_path: Path
) -> None:
    settings = Settings(database_url=database.url, home=tmp_path)
    with TestClient(application(lambda: open_services(settings, database.url))) as client:
        assert client.post("/v1/recommendations", json=ASKED).json()["degraded"] == "full"
        database.stop()
        for _ in range(3):
            slate = client.post("/v1/recommendations", json=ASKED)
            assert slate.status_code == 200
            assert slate.json()["degraded"] == "popular"
            assert len(slate.json()["items"]) == 5
        asked = {"consent": "none", "surface": "home", "candidates_max": 7}
        bundle = read_bundle(
            msgpack.unpackb(client.post("/v1/bundle", content=msgpack.packb(asked)).content)
        )
        assert (bundle.degraded, len(bundle.candidates), bundle.fresh_ms) == ("popular", 7, 1000)
        assert client.get("/v1/policy").status_code == 200
        refused = client.post("/v1/events", json={"events": [CLICK]})
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) > 0
        assert client.get("/v1/items").status_code == 503
        assert client.get("/healthz").status_code == 200
        assert client.get("/readyz").status_code == 503
        database.start()
        _wait_until_full(client)
        assert client.post("/v1/events", json={"events": [CLICK]}).status_code == 202
        assert client.get("/readyz").status_code == 200


def _wait_until_full(client: TestClient) -> None:
    deadline = time.monotonic() + 15
    while client.post("/v1/recommendations", json=ASKED).json()["degraded"] != "full":
        assert time.monotonic() < deadline, "the origin did not find the database again"
        time.sleep(0.2)


def test_with_an_empty_catalogue_the_slate_is_empty_and_no_error(
    postgres_url: str, tmp_path: Path
) -> None:
    settings = Settings(database_url=postgres_url, home=tmp_path)
    with TestClient(application(lambda: open_services(settings, postgres_url))) as client:
        slate = client.post("/v1/recommendations", json=ASKED)
        assert (slate.status_code, slate.json()["items"]) == (200, [])
