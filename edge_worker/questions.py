"""What the edge asks the origin for: a request's own bundle, or one that others share."""

from dataclasses import replace

from attune.consent import Consent
from attune.context import Context
from attune.contract.bundle import CANDIDATES_MAX, BundleRequest
from attune.contract.recommendation import RecommendationRequest

CANDIDATES_WANTED = min(120, CANDIDATES_MAX)
"""What a bundle is asked to hold: enough for several pages, and 25 KB on the wire."""


def own_question(request: RecommendationRequest) -> BundleRequest:
    """Return the question for the request's own bundle.

    Only a user's own bundle may hold the session's items; the one for everyone knows no context.
    """
    return BundleRequest(
        consent=request.consent,
        user_id=request.user_id,
        surface=request.surface,
        context=request.context if request.consent.allows_events else Context(),
        candidates_max=CANDIDATES_WANTED,
        recent=request.recent if request.consent.allows_user_data else (),
    )


def shared_question(request: RecommendationRequest, consent: Consent) -> BundleRequest:
    """Return the question for a bundle that holds nothing of any user."""
    return own_question(replace(request, consent=consent, user_id=None))
