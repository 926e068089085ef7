"""The last known good: bundles for everyone, kept for when there is nothing else to show.

Every popular bundle that passes by is one, and a deployment may carry some (``attune known-good``),
so that an isolate which starts while the origin is down has something to show. They hold nothing of
any user.
"""

from collections.abc import Callable, Iterable

from attune.consent import Consent
from attune.contract.bundle import Bundle

BUNDLES_MAX = 16
"""About 60 KB each."""


class KnownGood:
    """One bundle for everyone per surface, and one of any cohort: the youngest that were seen."""

    def __init__(self) -> None:
        self._bundles: dict[tuple[Consent, str], Bundle] = {}
        self._deployed: Callable[[], Iterable[Bundle]] | None = None

    def deploy(self, read: Callable[[], Iterable[Bundle]]) -> None:
        """Have ``read`` called for the deployment's own bundles when they are needed first."""
        self._deployed = read

    def offer(self, bundle: Bundle) -> None:
        """Keep the bundle if it names no user, has items, and no younger one is held."""
        if bundle.consent is Consent.FULL or not bundle.candidates.item_ids:
            return
        place = bundle.consent, bundle.surface
        held = self._bundles.get(place)
        if held is None and len(self._bundles) >= BUNDLES_MAX:
            return
        if held is None or held.created_at_ms <= bundle.created_at_ms:
            self._bundles[place] = bundle

    def find(self, surface: str, consent: Consent) -> Bundle | None:
        """Return a bundle that may be served under the consent: something beats nothing.

        The surface's own for everyone comes first, then another surface's, then any cohort's,
        which only those are shown who belong to one.
        """
        if (Consent.NONE, surface) not in self._bundles and self._deployed is not None:
            read, self._deployed = self._deployed, None
            for bundle in read():
                self.offer(bundle)
        own = self._bundles.get((Consent.NONE, surface))
        if own is not None:
            return own
        allowed = [
            bundle
            for bundle in self._bundles.values()
            if bundle.consent is Consent.NONE or consent.allows_events
        ]
        return max(
            allowed,
            key=lambda each: (each.consent is Consent.NONE, each.created_at_ms),
            default=None,
        )
