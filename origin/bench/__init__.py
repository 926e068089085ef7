"""Benchmarks that run the real processes, as `attune bench` starts them."""
