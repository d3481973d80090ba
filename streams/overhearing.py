"""Texts about no keyword: of those of a window a few are kept, for the words nobody listens for; and whose texts count for words."""

from __future__ import annotations

import hashlib

from streams.copies import MIN_CHARACTERS, Copies, fingerprints
from streams.hearing import Heard
from streams.resolver import Resolver
from streams.taxonomy import Taxonomy
from streams.text import fold, without_handles_and_links
from streams.voices import DAY_SECONDS, VOICE_SECONDS, Tokens
from streams.window import Sample


def overheard(heard: Heard, name: int, taxonomy: Taxonomy, resolver: Resolver) -> Sample | None:
    """A text about no keyword, to be kept; None where it is a repost or part of a drill. `name`: the record's digest."""
    complaint = heard.complaint
    text, author = complaint.text, complaint.author
    if complaint.drill or complaint.repost_of is not None or text.startswith("RT @"):
        return None
    words = heard.folded.split()
    said = taxonomy.places_in(heard.folded, words), heard.coded, complaint.location
    place = resolver.resolve(complaint.place, complaint.lat, complaint.lon, *said)
    plain = fold(without_handles_and_links(text)) if "@" in text or "://" in text else heard.folded
    speaker = "" if author is None else f"{complaint.source}\0{author}"
    return Sample(name, place, (), "", plain, 0, -1, speaker)


class Speakers:
    """Who was counted for words within the hour, by token: a person is one, however much is said; so is a text that many post."""

    def __init__(self, tokens: Tokens, copies: Copies) -> None:
        self.tokens = tokens
        self.copies = copies
        self.heard: dict[bytes, float] = {}  # start of the window in which each was counted

    def begin(self, start: float) -> None:
        """Forget who was heard an hour before the window at `start`."""
        self.heard = {token: at for token, at in self.heard.items() if start - at < VOICE_SECONDS}

    def counts(self, sample: Sample, start: float) -> bool:
        """Whether it is one more person's; asked once a text."""
        tokens = self._tokens(sample, start)
        if any(token in self.heard for token in tokens):
            return False
        if not sample.leaves and len(sample.plain) >= MIN_CHARACTERS:
            (print_,) = fingerprints([sample.plain.split()])
            if self.copies.is_copy(print_, start):
                return False
        self.heard[tokens[0]] = start
        return True

    def _tokens(self, sample: Sample, start: float) -> list[bytes]:
        """The author's of this event day, and of the one before while its last hour still counts; of a text without author the text's."""
        speaker = sample.speaker
        if not speaker:
            return [hashlib.blake2b(sample.plain.encode("utf-8", "replace"), digest_size=8).digest()]
        if "\0" not in speaker:
            return [bytes.fromhex(speaker)]
        day, second = divmod(start, DAY_SECONDS)
        days = (day,) if second >= VOICE_SECONDS else (day, day - 1)
        return [self.tokens.of(speaker.encode("utf-8", "replace"), int(one)) for one in days]
