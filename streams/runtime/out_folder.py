"""A folder of results that is there whole or not at all: written beside its place, renamed at the end."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

RESULTS = ("incidents.jsonl", "cells.csv.gz", "evaluation.json", "report.html")
SWEEP = "sweep.json"


class FolderInTheWayError(FileExistsError):
    """What stands at the place of the results is not a folder of results, and is left alone."""


def check_replaceable(target: Path) -> None:
    """Raises FolderInTheWayError unless `target` is absent, empty, or holds nothing but results of a replay."""
    if not target.exists():
        return
    if not target.is_dir():
        raise FolderInTheWayError(f"{target} is a file; name a folder")
    foreign = _foreign(target, (*RESULTS, SWEEP))
    if foreign is not None:
        raise FolderInTheWayError(f"{target} holds {foreign}, which no replay wrote; name another folder")


@contextmanager
def out_folder(target: Path) -> Iterator[Path]:
    """A folder to fill, which becomes `target` when all went well. Raises FolderInTheWayError."""
    check_replaceable(target)
    target = target.absolute()
    target.parent.mkdir(parents=True, exist_ok=True)
    filling = target.with_name(f".{target.name}.{os.getpid()}.partial")
    leaving = target.with_name(f".{target.name}.{os.getpid()}.replaced")
    filling.mkdir()
    try:
        yield filling
        if target.exists():
            target.rename(leaving)
        filling.rename(target)
    finally:
        shutil.rmtree(filling, ignore_errors=True)
        shutil.rmtree(leaving, ignore_errors=True)


def _foreign(folder: Path, known: Collection[str]) -> str | None:
    """The first entry that is not of a replay; the folders of a sweep hold results in turn."""
    sweep = (folder / SWEEP).is_file()
    for entry in sorted(folder.iterdir()):
        if entry.is_dir() and sweep:
            inner = _foreign(entry, RESULTS)
            if inner is not None:
                return f"{entry.name}/{inner}"
        elif entry.name not in known or not entry.is_file():
            return entry.name
    return None
