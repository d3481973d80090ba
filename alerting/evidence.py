"""Evidence for cases: terms, redacted examples, copies, and the seconds of records without an author."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from alerting.case import MOST_SECONDS, MOST_TERMS, Case
from alerting.model import Evidence, MadeEvidence
from alerting.places_and_keywords import Atlas

EXAMPLES = 3


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
