"""Evidence for cases: terms, redacted examples, copies, and the seconds of records without an author."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from unicodedata import combining, normalize

import numpy as np

from alerting.case import MOST_SECONDS, MOST_TERMS, Case
from alerting.model import MAX_CHANNELS, Close, Evidence, MadeEvidence
from alerting.places_and_keywords import Atlas
from alerting.tracks import keys_of

EXAMPLES = 3
Key = tuple[int, int]  # place, keyword


def collect(cases: Iterable[Case], evidence: Mapping[tuple[int, int], Evidence], atlas: Atlas) -> None:
    """Give each case what one window brought for its places and keywords."""
    watched = list(cases)
    if not watched or not evidence:
        return
    of_case: dict[int, list[tuple[int, int]]] = {}
    for place, keyword in sorted(evidence):
        places, keywords = atlas.trees.above(place), atlas.trees.keywords_above(keyword)
        for number, case in enumerate(watched):
            here = case.place in places or not case.parts.keys().isdisjoint(places)
            if here and (case.main in keywords or not set(keywords).isdisjoint(case.keywords)):
                of_case.setdefault(number, []).append((place, keyword))
    for number, keys in of_case.items():
        _take(watched[number], keys, evidence)


def _take(case: Case, keys: list[tuple[int, int]], evidence: Mapping[tuple[int, int], Evidence]) -> None:
    seconds: dict[int, Counter[int]] = {}
    brief = evidence.brief if isinstance(evidence, MadeEvidence) else evidence.__getitem__
    for key in keys:
        one = evidence[key] if len(case.examples) < EXAMPLES else brief(key)
        for term, count in one.terms:
            case.terms[term] = case.terms.get(term, 0) + count
        for example in one.examples:
            if len(case.examples) < EXAMPLES and example not in case.examples:
                case.examples.append(example)
        case.copies = max(case.copies, one.copies)
        if one.seconds:  # a record may match several keywords: at one place it is counted once a second
            seconds[key[0]] = seconds.get(key[0], Counter()) | Counter(one.seconds)
    if len(case.terms) > MOST_TERMS:
        strongest = sorted(case.terms.items(), key=lambda item: (-item[1], item[0]))[: MOST_TERMS // 2]
        case.terms = dict(strongest)
    fresh = sorted(second for counts in seconds.values() for second in counts.elements())
    if fresh:
        case.seconds = sorted([*case.seconds, *fresh])[-MOST_SECONDS:]


def quote(case: Case, evidence: Mapping[Key, Evidence], atlas: Atlas) -> list[Key]:
    """Give an unnamed case the examples that hold its words, of rows at its place that have a keyword too; the rows' keys.

    Texts about no keyword leave INTAKE as words only, so these are all there are.
    """
    words = {word for term in case.terms for word in term.split()}
    brief = evidence.brief if isinstance(evidence, MadeEvidence) else evidence.__getitem__
    found = []
    for key in sorted(evidence):
        if not atlas.lies_in(key[0], case.place) or words.isdisjoint(term for term, _ in brief(key).terms):
            continue
        found.append(key)
        examples = evidence[key].examples if len(case.examples) < EXAMPLES else ()
        fitting = [one for one in examples if one not in case.examples and not words.isdisjoint(_plain(one))]
        case.examples = [*case.examples, *fitting][:EXAMPLES]
    return found


def count_channels(case: Case, close: Close, keys: Iterable[Key]) -> None:
    """Add the rows' people by channel: of a place those of its largest row by each, as a text may have several keywords; in all no more
    than the case has people.
    """
    ordered = keys_of(close.place, close.keyword)
    most: dict[int, np.ndarray] = {}  # by place
    for place, keyword in keys:
        row = int(np.searchsorted(ordered, keys_of(place, keyword)))
        if row < len(ordered) and ordered[row] == keys_of(place, keyword):
            most[place] = np.maximum(most.get(place, 0), close.channels[row])
    if most:
        total = np.array(case.channels or [0.0] * MAX_CHANNELS) + sum(most.values())
        case.channels = (total * min(1.0, case.people / max(total.sum(), 1.0))).tolist()


def _plain(text: str) -> list[str]:
    """The words of a redacted text, as terms are written: lower case, without marks."""
    bare = "".join(letter for letter in normalize("NFKD", text.casefold()) if not combining(letter))
    return re.findall(r"\w+", bare.replace("'", "").replace("’", ""))
