"""Data sets: readers, converters and the synthetic storefront that fill a new installation."""
