"""Python's collector of cycles, set for a program that makes very many objects and hardly any cycles."""

from __future__ import annotations

import gc

YOUNG = 50_000  # containers made before the young ones are looked through


def collect_rarely() -> None:
    """For this process, from here on."""
    gc.set_threshold(YOUNG, 20, 50)
