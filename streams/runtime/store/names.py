"""Numbers of places and keywords in the store: given once, kept for ever, whatever the gazetteer and the pack number them today."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, Engine, Table, select

from alerting.model import PlaceTree
from streams.runtime.store.upsert import replacing, write

Ints = npt.NDArray[np.int64]
Columns = dict[str, str | int | float | None]


class KeywordIds(Protocol):
    """As much of a keyword tree as the store needs: how many, and their ids."""

    parent: Ints

    def id(self, keyword: int) -> str:
        """The id of a keyword."""

    def name(self, keyword: int) -> str:
        """What people call it."""


class Names:
    """Numbers of one kind of name, by the index the running program uses."""

    def __init__(self, engine: Engine, table: Table, count: int, name: Callable[[int], Columns]) -> None:
        """`name` gives the columns besides the number, the id first, of an index below `count`."""
        self.table = table
        self.name = name
        self.number = np.full(count, -1, np.int64)
        self._column = table.columns.keys()[1]
        self._new: list[Columns] = []
        with engine.connect() as connection:
            rows = connection.execute(select(table.c.number, table.c[self._column], table.c.name)).all()
        self._known = {str(row[1]): int(row[0]) for row in rows}
        self._unnamed = {str(row[1]) for row in rows if row[2] is None}  # written by an earlier version

    def numbers(self, index: Ints) -> Ints:
        """The store's numbers; names not met before get one, written by the next `save`."""
        found = self.number[index]
        if (found < 0).any():
            for one in np.unique(index[found < 0]).tolist():
                columns = self.name(one)
                id = str(columns[self._column])
                known = self._known.get(id)
                if known is None or id in self._unnamed:
                    known = self._known.setdefault(id, len(self._known))
                    self._unnamed.discard(id)
                    self._new.append({"number": known, **columns})
                self.number[one] = known
            found = self.number[index]
        return found

    def begin_anew(self, count: int, name: Callable[[int], Columns]) -> None:
        """The running program has other indexes from now on; names keep their numbers."""
        self.name = name
        self.number = np.full(count, -1, np.int64)

    def save(self, connection: Connection) -> None:
        """Write the new names; again with the next transaction until `saved` says that one was kept."""
        write(connection, replacing(connection.dialect.name, self.table), self._new)

    def saved(self) -> None:
        """The transaction is through."""
        self._new = []


def place_row(places: PlaceTree, place: int) -> Columns:
    """A place as the store names it."""
    line = [place]
    while (above := int(places.parent[line[-1]])) >= 0:
        line.append(above)
    lat, lon = places.coordinates(place) or (None, None)
    within = f"|{'|'.join(places.id(one) for one in line)}|"
    return {"place": places.id(place), "level": places.level(place), "name": places.name(place), "within": within,
            "lat": lat, "lon": lon}  # fmt: skip


def keyword_row(keywords: KeywordIds, keyword: int) -> Columns:
    """A keyword as the store names it."""
    return {"keyword": keywords.id(keyword), "name": keywords.name(keyword)}
