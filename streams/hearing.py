"""What a complaint's text alone says, worked out for many at once: keywords, plain words, and the fingerprint that tells copies."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from streams.complaint import Complaint
from streams.copies import MIN_CHARACTERS, fingerprints
from streams.place_codes import with_codes
from streams.taxonomy import Taxonomy
from streams.text import fold_all, without_handles_and_links


class Heard(msgspec.Struct, gc=False):
    """A complaint with what was found in its text."""

    complaint: Complaint
    folded: str
    leaves: tuple[
        int, ...
    ]  # with the subjects named; empty where it is about no keyword, and the rest is not looked for
    coded: str = ""  # the text itself, where it may name an airport by its code
    words: Sequence[str] = ()
    plain: str = ""  # folded, without handles and links
    fingerprint: int | None = None  # of texts long enough, of known authors


def hear(complaints: Sequence[Complaint], taxonomy: Taxonomy) -> list[Heard]:
    """All of them, in their order."""
    texts = [one.text for one in complaints]
    folded = fold_all(texts)
    heard = list(map(Heard, complaints, folded, map(taxonomy.leaves_in, folded), with_codes(texts)))
    marked = []
    signed = []
    for one in heard:
        if one.leaves:
            complaint = one.complaint
            one.plain = one.folded
            one.words = one.folded.split()
            if "@" in complaint.text or "://" in complaint.text:
                marked.append(one)
            if complaint.author is not None and len(complaint.text) >= MIN_CHARACTERS:
                signed.append(one)
    bare = fold_all([without_handles_and_links(one.complaint.text) for one in marked])
    for one, plain in zip(marked, bare, strict=True):
        one.plain = plain
    prints = fingerprints([one.words if one.plain is one.folded else one.plain.split() for one in signed])
    for one, print_ in zip(signed, prints, strict=True):
        one.fingerprint = print_
    return heard
