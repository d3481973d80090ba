"""The benchmark's own complaints: 200 phrases, 500 places, about two matches a record, in memory as JSON bytes; a function of the seed."""

from __future__ import annotations

import json

import numpy as np

from streams.places import Places

SINGLE = ["delayed", "cancelled", "baggage", "refund"]
PAIRS = [
    "baggage lost",
    "wifi down",
    "app broken",
    "rude staff",
    "flight delayed",
    "lost baggage",
    "no one knows",
    "at the gate",
]
_THINGS = "power water signal train bus payment card login elevator parking heating traffic internet cable"
_FAULTS = (
    "outage,leak,failure,delay,stuck,error,declined,broken down,cut,out of order,not working,too slow,missing,closed"
)
_PAIRED = [f"{thing} {fault}" for thing in _THINGS.split() for fault in _FAULTS.split(",")]
PHRASES = (SINGLE + PAIRS + _PAIRED)[:200]
_FILLER = (
    "the and again today really just why now still here my our this morning evening street road office home station please somebody "
    "everyone hours minutes waiting nobody answers phone call help thanks another week second time going bad worse day night"
)
FILLER = _FILLER.split()
START = 1_767_571_200.0


def pack_toml(phrases_a_leaf: int = 8) -> str:
    """A pack of the 200 phrases: leaves of so many under five tops."""
    lines = ["[pack]", 'name = "bench"', 'title = "Benchmark"', "window_seconds = 300", 'language = "en"']
    for top in range(5):
        lines += ["[[keywords]]", f'id = "top{top}"', f'name = "top {top}"']
    for leaf in range(len(PHRASES) // phrases_a_leaf):
        phrases = json.dumps(PHRASES[leaf * phrases_a_leaf : (leaf + 1) * phrases_a_leaf])
        lines += ["[[keywords]]", f'id = "top{leaf % 5}/leaf{leaf}"', f'name = "leaf {leaf}"', f"phrases = {phrases}"]
    return "\n".join(lines) + "\n"


def locations(places: Places, count: int) -> list[str]:
    """`count` profile strings of the largest US cities: "Boston, Massachusetts"."""
    usa = places.index("country:US")
    cities = [one for one in range(len(places)) if places.level(one) == "city" and places.within(one, usa)]
    cities.sort(key=lambda one: -int(places.population[one]))
    return [", ".join(places.path(one)[:2]) for one in cities[:count]]


def records(count: int, seed: int, places: list[str], *, per_second: float, accents: bool = False) -> list[bytes]:
    """JSON complaints in event-time order; `accents` writes a third of the texts with letters outside ASCII."""
    rng = np.random.default_rng(seed)
    times = START + np.cumsum(rng.exponential(1 / per_second, count))
    weights = 1 / np.arange(1, len(places) + 1) ** 0.7
    where = rng.choice(len(places), count, p=weights / weights.sum())
    authors = (rng.pareto(0.8, count) * 1e4).astype(np.int64) % 50_000_000
    phrase = rng.integers(0, len(PHRASES), (count, 2))
    filler = rng.integers(0, len(FILLER), (count, 11))
    out = []
    for i in range(count):
        words = [FILLER[j] for j in filler[i]]
        words[3:3] = [PHRASES[phrase[i, 0]]]
        words[8:8] = [PHRASES[phrase[i, 1]]]
        text = " ".join(words)
        if accents and i % 3 == 0:
            text = text.replace("e", "é", 3) + " 😡"
        out.append(
            json.dumps(
                {
                    "id": f"b{seed}-{i}",
                    "created_at": round(float(times[i]), 3),
                    "text": text,
                    "author": f"u{authors[i]}",
                    "location": places[where[i]],
                    "source": "twitter:bench",
                },
                ensure_ascii=False,
            ).encode()
        )
    return out
