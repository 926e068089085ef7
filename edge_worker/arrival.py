"""A request as it arrives: what JavaScript says of it, and what it asks once consent is applied."""

from dataclasses import dataclass, field, replace

from attune.consent import effective_consent
from attune.contract.recommendation import RecommendationRequest, read_recommendation_request
from edge_worker.identity import Credentials


@dataclass(frozen=True, slots=True)
class Arrival:
    """An HTTP request as JavaScript hands it over, with the clock's and the dice's say.

    ``client`` is the network address that it came from, empty where the platform does not tell.
    """

    body: object
    global_privacy_control: bool
    region: str
    now_ms: int
    entropy: bytes
    client: str = ""
    credentials: Credentials = field(default_factory=Credentials)


def arrived_request(arrival: Arrival) -> RecommendationRequest:
    """Return the request with the consent in force and the region that the network knows.

    Raises:
        ContractError: when the request breaks the contract.
    """
    request = read_recommendation_request(arrival.body)
    consent = effective_consent(request.consent, arrival.global_privacy_control)
    context = request.context
    if context.region == "ZZ" and arrival.region:
        context = replace(context, region=arrival.region)
    user_id = request.user_id if consent.allows_user_data else None
    if consent is request.consent and context is request.context:
        return request  # its user was read under this consent
    return replace(request, consent=consent, user_id=user_id, context=context)
