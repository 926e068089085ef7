"""A request that is turned away: the plan that answers it at once."""

import json

from attune.contract.decode import ContractError

HEADERS = {401: {"WWW-Authenticate": 'Bearer realm="attune"'}, 429: {"Retry-After": "1"}}
"""What the status obliges to say; a client's bucket is never empty for longer than a second."""


def refusal(error: ContractError) -> dict[str, object]:
    """Return the plan that answers with the error at once."""
    body = json.dumps(error.as_json()).encode()
    return {"status": error.status, "body": body, "headers": HEADERS.get(error.status, {})}
