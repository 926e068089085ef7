"""The edge tier: what a worker at the PoP decides. Only entry.py knows that JavaScript exists."""
