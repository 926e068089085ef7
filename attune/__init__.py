"""attune's kernel: the decisions of a real-time personalization engine as pure functions.

Standard library only, no async, no clock, no I/O and no ambient randomness, so that the same
files run in CPython (origin, stream processors) and in Pyodide (edge).
"""

__version__ = "0.1.0"
