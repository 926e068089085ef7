"""What a visitor allows to be remembered."""

from enum import StrEnum


class Consent(StrEnum):
    """A visitor's consent, from everything to nothing.

    ``full``: personal data may be kept under the pseudonymous user id. ``cohort``: nothing keyed by
    a user is read or written; events count for the crowd. ``none``: nothing is stored and nothing
    is personalized.
    """

    FULL = "full"
    COHORT = "cohort"
    NONE = "none"

    @property
    def allows_user_data(self) -> bool:
        """Whether anything keyed by a user may be read or written."""
        return self is Consent.FULL

    @property
    def allows_events(self) -> bool:
        """Whether events may be stored at all."""
        return self is not Consent.NONE


def effective_consent(stated: Consent, global_privacy_control: bool) -> Consent:
    """Return the consent in force: ``Sec-GPC: 1`` caps whatever was stated at ``cohort``.

    >>> effective_consent(Consent.FULL, global_privacy_control=True)
    <Consent.COHORT: 'cohort'>
    >>> effective_consent(Consent.NONE, global_privacy_control=True)
    <Consent.NONE: 'none'>
    """
    if global_privacy_control and stated is Consent.FULL:
        return Consent.COHORT
    return stated
