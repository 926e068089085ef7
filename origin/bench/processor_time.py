"""Processor time of other processes, as Linux counts it."""

import os
from collections.abc import Iterable
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")


def seconds_of(process_ids: Iterable[int]) -> float:
    """Return the seconds that the processes have worked; 0 for one that is gone."""
    return sum(map(_seconds, process_ids))


def family_of(process_id: int) -> list[int]:
    """Return a process with all that descend from it."""
    parents: dict[int, list[int]] = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit() and (fields := _fields(int(entry.name))):
            parents.setdefault(int(fields[1]), []).append(int(entry.name))
    family = [process_id]
    for member in family:
        family.extend(parents.get(member, ()))
    return family


def _seconds(process_id: int) -> float:
    fields = _fields(process_id)
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S if fields else 0.0


def _fields(process_id: int) -> list[str]:
    """Return the fields of ``/proc/PID/stat`` after the name, which may hold blanks."""
    try:
        return (PROC / str(process_id) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
