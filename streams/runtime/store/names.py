"""Numbers of places and keywords in the store: given once, kept for ever, whatever the gazetteer and the pack number them today."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, Engine, Table, select

from streams.runtime.store.upsert import keeping, write

Ints = npt.NDArray[np.int64]


class Names:
    """Numbers of one kind of name, by the index the running program uses."""

    def __init__(self, engine: Engine, table: Table, count: int, name: Callable[[int], dict[str, str]]) -> None:
        """`name` gives the columns besides the number, the id first, of an index below `count`."""
        self.table = table
        self.name = name
        self.number = np.full(count, -1, np.int64)
        self._column = table.columns.keys()[1]
        self._new: list[dict[str, str | int]] = []
        with engine.connect() as connection:
            rows = connection.execute(select(table.c.number, table.c[self._column]))
            self._known = {str(row[1]): int(row[0]) for row in rows}

    def numbers(self, index: Ints) -> Ints:
        """The store's numbers; names not met before get one, written by the next `save`."""
        found = self.number[index]
        if (found < 0).any():
            for one in np.unique(index[found < 0]).tolist():
                columns = self.name(one)
                known = self._known.get(columns[self._column])
                if known is None:
                    known = self._known[columns[self._column]] = len(self._known)
                    self._new.append({"number": known, **columns})
                self.number[one] = known
            found = self.number[index]
        return found

    def begin_anew(self, count: int, name: Callable[[int], dict[str, str]]) -> None:
        """The running program has other indexes from now on; names keep their numbers."""
        self.name = name
        self.number = np.full(count, -1, np.int64)

    def save(self, connection: Connection) -> None:
        """Write the new names; again with the next transaction until `saved` says that one was kept."""
        write(connection, keeping(connection, self.table), self._new)

    def saved(self) -> None:
        """The transaction is through."""
        self._new = []
