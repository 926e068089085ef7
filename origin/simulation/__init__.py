"""Simulation: serving policies in a storefront whose visitors' clicks are known exactly."""
