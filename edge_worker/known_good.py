"""The last known good: bundles for everyone, kept for when there is nothing else to show.

Every popular bundle that passes by is one, and a deployment may carry some (``attune edge keep``),
so that an isolate which starts while the origin is down has something to show. They hold nothing of
any user.
"""

from collections.abc import Callable, Iterable

from attune.consent import Consent
from attune.contract.bundle import Bundle

SURFACES_MAX = 16
"""About 100 KB each."""


class KnownGood:
    """One bundle for everyone per surface, the youngest that was seen."""

    def __init__(self) -> None:
        self._bundles: dict[str, Bundle] = {}
        self._deployed: Callable[[], Iterable[Bundle]] | None = None

    def deploy(self, read: Callable[[], Iterable[Bundle]]) -> None:
        """Have ``read`` called for the deployment's own bundles when they are needed first."""
        self._deployed = read

    def offer(self, bundle: Bundle) -> None:
        """Keep the bundle if it is for everyone, has items, and no younger one is held."""
        if bundle.consent is not Consent.NONE or not bundle.candidates.item_ids:
            return
        held = self._bundles.get(bundle.surface)
        if held is None and len(self._bundles) >= SURFACES_MAX:
            return
        if held is None or held.created_at_ms <= bundle.created_at_ms:
            self._bundles[bundle.surface] = bundle

    def find(self, surface: str) -> Bundle | None:
        """Return the surface's bundle, else another one's: something beats nothing."""
        if surface not in self._bundles and self._deployed is not None:
            read, self._deployed = self._deployed, None
            for bundle in read():
                self.offer(bundle)
        own = self._bundles.get(surface)
        return own or max(self._bundles.values(), key=lambda each: each.created_at_ms, default=None)
