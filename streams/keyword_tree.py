"""The keyword tree of a pack: numbered nodes that keep their numbers when the pack changes, so that counts and baselines live on."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from alerting.model import Ints
from streams.pack import Keyword, Pack

ROOT = 0


class Node(msgspec.Struct, frozen=True, array_like=True):
    """What stays of a keyword's number when the pack changes; `parent` is a number, -1 at the root."""

    id: str
    name: str
    parent: int


class KeywordNodes:
    """Node 0 is `*`; then the pack's keywords from the top down, subjects, and each subject with each top-level keyword.

    After a change of the pack, `before` are the nodes as they were numbered: who stays keeps its number, who is new gets one behind them, who
    is gone keeps number and name and is heard no more.
    """

    def __init__(self, pack: Pack, before: Sequence[Node] = ()) -> None:
        self.pack = pack
        self._build_tree(pack, before)

    def _build_tree(self, pack: Pack, before: Sequence[Node]) -> None:
        self._keywords: list[Keyword] = [Keyword("*", "anything")]
        self._index: dict[str, int] = {"*": ROOT}
        parent = [-1]
        for known in before[1:]:
            self._add(Keyword(known.id, known.name), known.parent, parent)
        own = []
        for keyword in sorted(pack.keywords, key=lambda one: one.id.count("/")):
            above = self._index[keyword.id.rpartition("/")[0] or "*"]
            own.append(self._add(_inherit(keyword, self._keywords[above]), above, parent))
        tops = [node for node in own if parent[node] == ROOT]
        self._tops = {node: node for node in tops}
        self._inner = {parent[node] for node in own}
        self.leaves = tuple(node for node in own if node not in self._inner)
        self._subjects: dict[str, int] = {}
        self._crossed: dict[tuple[int, int], int] = {}
        for subject in pack.subjects:
            node = self._subjects[subject.id] = self._add(Keyword(subject.id, subject.name), ROOT, parent)
            for top in tops:
                plain = self._keywords[top]
                path, name = f"{subject.id}/{plain.id}", f"{subject.name} {plain.name}"
                made = msgspec.structs.replace(plain, id=path, name=name)
                crossed = self._crossed[node, top] = self._add(made, node, parent)
                self._tops[crossed] = top
        self._problems = {crossed: top for (_, top), crossed in self._crossed.items()}
        self.parent: Ints = np.array(parent, dtype=np.int64)
        self.level: Ints = np.zeros(len(parent), dtype=np.int64)  # steps from the root
        for node in range(1, len(parent)):
            self.level[node] = self.level[parent[node]] + 1
            if node not in self._tops:
                self._tops[node] = self._tops.get(parent[node], ROOT)
        self._sources: dict[str, tuple[int, ...]] = {}
        for subject in pack.subjects:
            for source in subject.sources:
                self._sources[source] = (*self._sources.get(source, ()), self._subjects[subject.id])

    def _add(self, keyword: Keyword, above: int, parent: list[int]) -> int:
        node = self._index.setdefault(keyword.id, len(parent))
        if node < len(parent):
            self._keywords[node] = keyword
        else:
            self._keywords.append(keyword)
            parent.append(above)
        return node

    def nodes(self) -> list[Node]:
        """All nodes by number, for the `before` of another pack's."""
        return [Node(one.id, one.name, int(self.parent[node])) for node, one in enumerate(self._keywords)]

    def changed_since(self, before: KeywordNodes) -> frozenset[int]:
        """Nodes that are new or are heard by other phrases than before."""
        old = {before.id(leaf): before.heard_by(leaf) for leaf in before.leaves}
        leaves = {leaf for leaf in self.leaves if old.get(self.id(leaf)) != self.heard_by(leaf)}
        return frozenset(leaves.union(range(len(before), len(self))))

    def heard_by(self, leaf: int) -> tuple[tuple[str, ...], ...]:
        """Everything that decides whether a text is about a leaf: its phrases, and what it and those above it ask for."""
        above = {leaf}
        while (leaf := int(self.parent[leaf])) > 0:
            above.add(leaf)
        line = [self._keywords[node] for node in sorted(above)]
        return tuple(part for one in line for part in (one.phrases, one.unless, one.needs))

    def __len__(self) -> int:
        return len(self._keywords)

    def index(self, id: str) -> int:
        """The node of an id. Raises KeyError."""
        return self._index[id]

    def id(self, keyword: int) -> str:
        """The slug path: `baggage/lost-bag`, `southwest`, `southwest/baggage`, or `*`."""
        return self._keywords[keyword].id

    def name(self, keyword: int) -> str:
        """For people, fits "<name> at <place>"."""
        return self._keywords[keyword].name

    def team(self, keyword: int) -> str | None:
        """Who is asked, of the keyword or the nearest ancestor that says."""
        return self._keywords[keyword].team

    def runbook_url(self, keyword: int) -> str | None:
        """What to do, of the keyword or the nearest ancestor that says."""
        return self._keywords[keyword].runbook_url

    def first_question(self, keyword: int) -> str | None:
        """What to ask first, of the keyword or the nearest ancestor that says."""
        return self._keywords[keyword].first_question

    def problem(self, keyword: int) -> int:
        """The problem that a keyword crosses with its subject; -1 for any other keyword."""
        return self._problems.get(keyword, -1)

    def top(self, keyword: int) -> int:
        """The top-level keyword it belongs to, without its subject; the root for the root and for a subject."""
        return self._tops.get(keyword, ROOT)


def _inherit(keyword: Keyword, above: Keyword) -> Keyword:
    """The keyword with what it leaves unsaid taken from its parent."""
    return msgspec.structs.replace(
        keyword,
        team=keyword.team or above.team,
        runbook_url=keyword.runbook_url or above.runbook_url,
        first_question=keyword.first_question or above.first_question,
    )
