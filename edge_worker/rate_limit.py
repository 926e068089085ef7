"""How often one client may ask: token buckets in the isolate's memory.

A bucket holds up to ``burst`` tokens and gains ``rate`` a second; a request takes one. The isolate
keeps a salted hash of the client's address, never the address.
"""

import hashlib
from collections import OrderedDict

CLIENTS_MAX = 10_000
"""Some 2 MB. Whoever was seen longest ago is forgotten, and with that has a full bucket again."""


class RateLimit:
    """The buckets of the clients seen last. A rate of 0 limits nobody."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._salt: bytes | None = None
        self._buckets: OrderedDict[bytes, tuple[float, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def admits(self, client: str, now_ms: int, entropy: bytes) -> bool:
        """Return whether the client may ask now, having taken a token if so.

        The first ``entropy`` salts the hashes of this isolate's life.
        """
        if not client or self._rate <= 0.0:
            return True
        if self._salt is None:
            self._salt = entropy
        key = hashlib.sha256(self._salt + client.encode("utf-8", "replace")).digest()[:12]
        tokens, at_ms = self._buckets.pop(key, (self._burst, now_ms))
        gained = max(0, now_ms - at_ms) * self._rate / 1000.0
        tokens = min(self._burst, tokens + gained)
        admitted = tokens >= 1.0
        self._buckets[key] = (tokens - 1.0 if admitted else tokens, now_ms)
        if len(self._buckets) > CLIENTS_MAX:
            self._buckets.popitem(last=False)
        return admitted
