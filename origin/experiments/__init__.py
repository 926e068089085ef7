"""Experiments: what may be concluded from an A/B test, however often one looks."""
