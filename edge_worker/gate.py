"""The gate: how often a client may ask, and who it acts for, settled before its body is read."""

from collections.abc import Callable
from dataclasses import replace

from attune.contract.decode import ContractError
from attune.identity import Keys
from edge_worker.arrival import Arrival
from edge_worker.counters import Counters
from edge_worker.identity import Credentials, Identity
from edge_worker.rate_limit import RateLimit
from edge_worker.settings import EdgeSettings

Identifier = Callable[[Keys, Credentials, object, bool, int], tuple[object, Identity]]
"""Puts the user whom a request acts for into its body: one for requests, one for batches."""


class Gate:
    """What one isolate lets in. Built anew when the settings come."""

    def __init__(self, settings: EdgeSettings, counters: Counters) -> None:
        self.settings = settings
        self._counters = counters
        self._rate_limit = RateLimit(settings.requests_per_s, settings.burst)

    @property
    def clients(self) -> int:
        """How many clients' rates are remembered."""
        return len(self._rate_limit)

    def admit(self, arrival: Arrival) -> None:
        """Take one of the client's tokens.

        Raises:
            ContractError: with status 429, when it has none left.
        """
        if not self._rate_limit.admits(arrival.client, arrival.now_ms, arrival.entropy):
            self._counters.errors["rate_limit"] += 1
            raise ContractError("", "too many requests, ask again in a second", 429)

    def identified(
        self, arrival: Arrival, identifier: Identifier
    ) -> tuple[Arrival, dict[str, str]]:
        """Return the arrival with its user in its body, and the headers that its answer needs.

        Raises:
            ContractError: with status 401, when it claims to act for somebody and proves nothing.
        """
        self.admit(arrival)
        try:
            body, identity = identifier(
                self.settings.keys,
                arrival.credentials,
                arrival.body,
                arrival.global_privacy_control,
                arrival.now_ms,
            )
        except ContractError:
            self._counters.errors["identity"] += 1
            raise
        headers = {} if identity.set_cookie is None else {"Set-Cookie": identity.set_cookie}
        if body is not arrival.body:
            arrival = replace(arrival, body=body)
        return arrival, headers
