"""Evaluation: how good the answers are, measured on what happened next."""
