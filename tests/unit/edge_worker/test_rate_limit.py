"""Token buckets in the isolate's memory."""

from edge_worker.rate_limit import CLIENTS_MAX, RateLimit

SALT = bytes(18)


def admitted(limit: RateLimit, count: int, now_ms: int, client: str = "a") -> int:
    return sum(limit.admits(client, now_ms, SALT) for _ in range(count))


def test_a_client_may_ask_in_bursts_and_then_at_its_rate() -> None:
    limit = RateLimit(rate=10.0, burst=20.0)
    assert admitted(limit, 50, 0) == 20
    assert admitted(limit, 50, 1_000) == 10
    assert admitted(limit, 50, 1_050) == 0
    assert admitted(limit, 50, 3_600_000) == 20
    assert admitted(limit, 50, 3_600_000, client="b") == 20


def test_a_clock_that_goes_back_gives_nothing() -> None:
    limit = RateLimit(rate=10.0, burst=5.0)
    assert admitted(limit, 9, 10_000) == 5
    assert admitted(limit, 9, 1_000) == 0


def test_no_rate_and_no_address_are_no_limit() -> None:
    assert admitted(RateLimit(0.0, 0.0), 500, 0) == 500
    limit = RateLimit(1.0, 1.0)
    assert admitted(limit, 500, 0, client="") == 500
    assert len(limit) == 0


def test_the_clients_that_are_remembered_are_bounded() -> None:
    limit = RateLimit(rate=1.0, burst=1.0)
    for number in range(CLIENTS_MAX + 10):
        limit.admits(f"client-{number}", 0, SALT)
    assert len(limit) == CLIENTS_MAX
