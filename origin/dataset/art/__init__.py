"""Generative illustrations for items that have no picture of their own."""
