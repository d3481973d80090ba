"""The keyword tree of a pack, and the one scan (Aho, Corasick 1975) that finds its phrases and place names in a text.

Every phrase is stored with a space on either side, so that it matches whole words only. What the phrases found amount
to is worked out once for each combination and remembered.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

import ahocorasick
import msgspec

from streams.keyword_tree import KeywordNodes, Node
from streams.pack import Pack, PackError, load_pack, parse_pack
from streams.telling import telling_words
from streams.text import normalise

__all__ = ["Pack", "PackError", "Taxonomy", "load_pack", "parse_pack"]

VERSION = 1  # of what a pack and a text give
MIN_JOINED_CHARACTERS = 8  # "power outage" is also found as "poweroutage"
_CACHED = 50_000
_REMEMBERED_PHRASES = 12  # in a text
_ASKS = -1


class _Rule(msgspec.Struct, frozen=True):
    """When a leaf is found: any of its phrases, none of `unless`, one of each group of `needs`; all are codes."""

    unless: frozenset[int]
    needs: tuple[frozenset[int], ...]


class Taxonomy(KeywordNodes):
    """Node 0 is `*`; then the pack's keywords in their order, subjects, and each subject with each top-level keyword.

    `names` are (phrase, place) pairs to find in the same scan. After a change of the pack, `before` are the nodes as they were numbered: who
    stays keeps its number, who is new gets one behind them, who is gone keeps number and name and is heard no more.
    """

    def __init__(self, pack: Pack, names: Iterable[tuple[str, int]] = (), before: Sequence[Node] = ()) -> None:
        super().__init__(pack, before)
        self._build_automaton(pack, names)
        self._leaves: dict[tuple[int, ...], tuple[int, ...]] = {}
        self._closures: dict[tuple[tuple[int, ...], tuple[int, ...]], tuple[int, ...]] = {}
        decided = bytes([VERSION]) + msgspec.json.encode((pack, self.nodes()))
        self.digest = hashlib.blake2b(decided, digest_size=16).hexdigest()

    def leaf_words(self) -> Mapping[int, frozenset[str]]:
        """The words of each leaf's phrases."""
        return {
            node: frozenset(word for one in self._keywords[node].phrases for word in normalise(one))
            for node in self.leaves
        }

    def sayings(self) -> Mapping[int, tuple[str, ...]]:
        """What people may say to be heard under each leaf: its phrases, with a needed word where they alone do not do."""
        return {leaf: tuple(self._sayings(leaf)) for leaf in self.leaves}

    def _sayings(self, leaf: int) -> Iterable[str]:
        needs = self._keywords[leaf].needs
        for phrase in self._keywords[leaf].phrases:
            for saying in (phrase, *(f"{phrase} {need}" for need in needs)):
                if leaf in self.match(normalise(saying)):
                    yield saying
                    break

    # -- the scan ------------------------------------------------------------------------------------------------

    def _build_automaton(self, pack: Pack, names: Iterable[tuple[str, int]]) -> None:
        self._codes: dict[str, int] = {}
        self._triggers: dict[int, list[int]] = {}  # nodes that a phrase stands for: leaves, subjects
        self._rules: dict[int, _Rule] = {}
        for leaf in self.leaves:
            for code in self._code(self._keywords[leaf].phrases):
                self._triggers.setdefault(code, []).append(leaf)
        for subject in pack.subjects:
            for code in self._code(subject.phrases):
                self._triggers.setdefault(code, []).append(self._subjects[subject.id])
        for leaf in self.leaves:
            self._rules[leaf] = self._rule(pack, leaf)
        self._places: dict[int, int] = {}
        for name, place in names:
            code = self._codes.setdefault(" ".join(normalise(name)), len(self._codes))
            if code not in self._triggers:
                self._places[code] = place
        self._lengths = [len(phrase) for phrase in self._codes]
        asked = frozenset[int]().union(*(rule.unless.union(*rule.needs) for rule in self._rules.values()))
        # The second scan is of texts with a telling word of a place, the third, of common words, where a phrase asks for it.
        self._phrases = self._scanner(self._triggers.keys())
        self._names = self._scanner(self._places.keys())
        self._context = self._scanner(asked)
        self._name_words = telling_words(
            [phrase.split() for phrase, code in self._codes.items() if code in self._places]
        )
        stands_for = [tuple(self._triggers.get(code, ())) for code in range(len(self._codes))]
        self._bundles = list(dict.fromkeys(stands_for))
        number = {nodes: at for at, nodes in enumerate(self._bundles)}
        self._bundle = [
            number[nodes] for nodes in stands_for
        ]  # by code: phrases of one number stand for the same nodes

    def _scanner(self, codes: Collection[int]) -> Callable[[str], Iterable[tuple[int, int]]]:
        """Finds the phrases of these codes: (index of the last character, code)."""
        automaton = ahocorasick.Automaton(ahocorasick.STORE_INTS)
        for phrase, code in self._codes.items():
            if phrase and code in codes:
                automaton.add_word(f" {phrase} ", code)
        automaton.make_automaton()
        return automaton.iter if len(automaton) else lambda _: ()

    def _code(self, phrases: Iterable[str], joined: bool = True) -> frozenset[int]:
        """Codes of phrases, and of their joined forms."""
        found = set()
        for phrase in phrases:
            words = normalise(phrase)
            found.add(self._codes.setdefault(" ".join(words), len(self._codes)))
            tag = "".join(words)
            if joined and len(tag) >= MIN_JOINED_CHARACTERS:
                found.add(self._codes.setdefault(tag, len(self._codes)))
        return frozenset(found)

    def _rule(self, pack: Pack, leaf: int) -> _Rule:
        """What the leaf and its ancestors ask for."""
        path = self.id(leaf).split("/")
        above = {"/".join(path[: n + 1]) for n in range(len(path))}
        line = [keyword for keyword in pack.keywords if keyword.id in above]
        unless = frozenset[int]().union(*(self._code(keyword.unless, False) for keyword in line))
        return _Rule(unless, tuple(self._code(keyword.needs, False) for keyword in line if keyword.needs))

    def match(self, words: list[str]) -> tuple[int, ...]:
        """Sorted leaf nodes found in normalised words, with the subjects named; nothing when no leaf is found."""
        return self.leaves_in(f" {' '.join(words)} ")

    def leaves_in(self, text: str) -> tuple[int, ...]:
        """The same for a text in the form of `text.fold`."""
        bundle = self._bundle
        found = tuple([bundle[code] for _, code in self._phrases(text)])
        if not found:
            return ()
        leaves = self._leaves.get(found)
        if leaves is None:
            leaves = self._first(found)
        return self._asked(leaves, text) if leaves and leaves[0] == _ASKS else leaves

    def places_in(self, text: str, words: Iterable[str]) -> list[int]:
        """The places that a folded text names, in its order; `words` are its words."""
        if self._name_words.isdisjoint(words):
            return []
        named = list(self._names(text))
        return self._named(named, self._phrases(text)) if named else []

    def _first(self, bundles: tuple[int, ...]) -> tuple[int, ...]:
        """The nodes that phrases stand for, remembered; led by _ASKS where some depend on other words of the text."""
        if len(self._leaves) >= _CACHED:
            self._leaves.clear()
        nodes = {node for bundle in bundles for node in self._bundles[bundle]}
        leaves = nodes & self._rules.keys()
        asks = any(self._rules[leaf].unless or self._rules[leaf].needs for leaf in leaves)
        found = (tuple(sorted(nodes)) if leaves else ()) if not asks else (_ASKS, *sorted(nodes))
        if len(bundles) <= _REMEMBERED_PHRASES:
            self._leaves[bundles] = found
        return found

    def _asked(self, nodes: tuple[int, ...], text: str) -> tuple[int, ...]:
        """The nodes that the words around them allow."""
        present = frozenset([code for _, code in self._context(text)])
        leaves, subjects = [], []
        for node in nodes[1:]:
            rule = self._rules.get(node)
            if rule is None:
                subjects.append(node)
            elif present.isdisjoint(rule.unless) and not any(map(present.isdisjoint, rule.needs)):
                leaves.append(node)
        return tuple(sorted(leaves + subjects)) if leaves else ()

    def _named(self, named: list[tuple[int, int]], phrases: Iterable[tuple[int, int]]) -> list[int]:
        """Places named: of overlapping names the longest, none that is part of a keyword's or subject's phrase."""
        lengths = self._lengths
        spans = [(end - lengths[code], end, self._places[code]) for end, code in named]
        taken = [(end - lengths[code], end) for end, code in phrases]
        if not taken and len(spans) == 1:
            return [spans[0][2]]
        kept = []
        for start, end, place in sorted(spans, key=lambda span: (span[0] - span[1], span[0])):
            if all(end <= first or last <= start for first, last in taken):
                taken.append((start, end))
                kept.append((start, place))
        return [place for _, place in sorted(kept)]

    def closure(self, leaves: tuple[int, ...], source: str) -> tuple[int, ...]:
        """Every node a complaint counts for, sorted: leaves as `match` gives them, ancestors, `*`, subjects (of the source where it is
        about certain ones, else of the text), subjects x top-level keywords."""
        subjects = self._sources.get(source, ())
        found = self._closures.get((leaves, subjects))
        return self._close(leaves, subjects) if found is None else found

    def _close(self, leaves: tuple[int, ...], subjects: tuple[int, ...]) -> tuple[int, ...]:
        if len(self._closures) >= _CACHED:
            self._closures.clear()
        keywords = [node for node in leaves if node in self._rules]
        about = subjects or tuple(node for node in leaves if node not in self._rules)
        nodes: set[int] = set()
        for node in keywords:
            while node != -1:
                nodes.add(node)
                node = int(self.parent[node])
        if nodes:
            nodes.update(about)
            nodes.update(self._crossed[subject, self.top(node)] for subject in about for node in keywords)
        closed = self._closures[leaves, subjects] = tuple(sorted(nodes))
        return closed
