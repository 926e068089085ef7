"""Bandits: rules that choose, and learn from what came of it. Dice in, propensities out."""
