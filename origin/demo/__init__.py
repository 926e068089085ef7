"""The demo: all three tiers on one machine, and a scripted visit through them."""
