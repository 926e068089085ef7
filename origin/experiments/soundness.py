"""Whether an experiment's arms were filled as planned: the sample-ratio check.

If arms of equal shares hold 50,000 and 51,000 users, somebody is lost on the way, and whoever is
lost is no random user: the experiment says nothing, whatever its result. Pearson's chi-square test,
with a threshold that is strict because it is looked at daily. Fabijan et al., "Diagnosing Sample
Ratio Mismatch in Online Controlled Experiments", 2019.
"""

from collections.abc import Sequence

from scipy.special import gammaincc

MISMATCH_P = 0.0005
"""Below it the arms are not believed; a sound experiment falls below once in 2,000 looks."""


def sample_ratio_p(counts: Sequence[int], shares: Sequence[float]) -> float:
    """Return how probable counts as uneven as these are under the planned shares.

    >>> round(sample_ratio_p([50_000, 50_400], [0.5, 0.5]), 3)
    0.207
    >>> sample_ratio_p([50_000, 51_000], [0.5, 0.5]) < 0.002
    True
    """
    assert len(counts) == len(shares) >= 2
    total, scale = sum(counts), sum(shares)
    expected = [total * share / scale for share in shares]
    statistic = sum((n - e) ** 2 / e for n, e in zip(counts, expected, strict=True))
    return float(gammaincc((len(counts) - 1) / 2.0, statistic / 2.0))


def is_sound(counts: Sequence[int], shares: Sequence[float]) -> bool:
    """Return whether the arms may be compared."""
    return sum(counts) == 0 or sample_ratio_p(counts, shares) >= MISMATCH_P
