"""Sentences people might post: a small grammar of our own around a pack's phrases, for the simulator. No text is anybody's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

OPENERS = (
    "ugh,", "great,", "so", "well", "honestly", "wow", "day two:", "still", "again:", "ok so", "seriously?", "not kidding,",
    "hey", "fyi", "anyone else?", "just great.", "omg", "damn,", "wtf,", "update:", "sigh.", "here we go,", "of course", "lovely,",
)  # fmt: skip
BEFORE = (
    "", "my mum says", "we have", "there is", "I have", "everybody here has", "dealing with", "it looks like", "second time this week:",
    "was hoping for a quiet day but", "while I was making coffee", "my whole street has", "our office has", "kids are crying because of",
)  # fmt: skip
AFTER = (
    "", "and nobody says anything", "for an hour now", "since this morning", "any news?", "what is going on", "can anyone help",
    "and I have a meeting at nine", "no idea when it ends", "thanks for nothing", "this is a joke", "third time this month",
    "same for my neighbour", "phone line is busy too", "guess I will read a book", "lol", "please fix this", "how long will it take?",
)  # fmt: skip
CHATTER = (
    "what a lovely morning", "coffee first, then the world", "anyone watching the game tonight?", "new haircut, who dis",
    "my cat has opinions about mondays", "traffic was kind to me today", "happy birthday to my sister", "need a good book to read",
    "pasta for dinner again and not sorry", "that sunset though", "gym done, feeling fine", "can we talk about this song",
    "looking for a plumber, any tips?", "best tacos in town, trust me", "why is the printer always angry", "movie night with the kids",
)  # fmt: skip
SARCASM = (
    "nothing ever goes wrong in this town, five stars", "absolutely flawless service as always, slow clap",
    "so glad everything works perfectly today", "love paying more for less, keep it up",
)  # fmt: skip
TAILS = ("", "", "", " #fail", " #help", " 😡", " 🙄", " !!", "...", " smh")


class Grammar:
    """Texts about a leaf keyword: one of the pack's phrases among our own words; `rng` decides."""

    def __init__(self, phrases: Sequence[Sequence[str]], rng: np.random.Generator) -> None:
        self.phrases = phrases
        self.rng = rng

    def complaint(self, leaf: int, place: str | None) -> str:
        """A complaint about `phrases[leaf]`, naming `place` when given."""
        pick = self.rng.random(6)
        options = self.phrases[leaf]
        said = options[int(pick[0] * len(options))]
        words = [_of(OPENERS, pick[1]), _of(BEFORE, pick[2]), said, f"at {place}" if place else "", _of(AFTER, pick[3])]
        return " ".join(word for word in words if word) + _of(TAILS, pick[4])

    def chatter(self) -> str:
        """Something that is no complaint."""
        pick = self.rng.random(3)
        return _of(SARCASM if pick[0] < 0.1 else CHATTER, pick[1]) + _of(TAILS, pick[2])


def _of(options: Sequence[str], share: float) -> str:
    return options[int(share * len(options))]
