"""Every kind of work, every detector that suits it, fresh seeds: `python -m benchmarks.detection [--seeds N] [--quick] [--json FILE] [--plots DIR]`.

Prints the README's tables: targets beside what was measured, and all detectors of each work. Simulations are our own; real
data and other people's judges are used where their folders are given or lie beside this one.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.detection import (
    budgets,
    figures,
    judges,
    mentions,
    outbreaks,
    plots,
    replays,
    situations,
    speed,
    stream,
    tweets,
)

BESIDE = Path(__file__).resolve().parents[2].parent / "shared"
FIRST_SEED = 20_261
WORKS = (
    "stream",
    "stream_long",
    "outbreaks",
    "budget",
    "mentions",
    "tweets",
    "situations",
    "speed",
    "replays",
    "judge",
)
LONG: dict[str, Any] = {"lengths": (2, 49), "past": 20}
SLOW = {"river_gaussian", "river_half_space_trees"}
SHOWN = {
    "stream": ("pod@0.01", "pod@0.001", "within_hour@0.01", "pod_at_fdr_0.05", "fa_at_p_0.001"),
    "stream_long": ("pod@0.01", "pod@0.001", "within_hour@0.01", "pod_at_fdr_0.05", "fa_at_p_0.001"),
    "outbreaks": ("pod@0.01", "pod@0.001", "delay@0.01", "fpr_nominal_0.01", "worst_nominal_0.01"),
    "tweets": ("standard", "low_fp", "low_fn", "leave_one_out", "once_standard", "once_leave_one_out"),
    "mentions": ("standard", "low_fp", "low_fn", "once_standard", "p_0.001"),
    "situations": ("quiet", "mornings", "ramp", "step"),
    "speed": ("ms_median", "ms_p95", "bytes_a_series"),
    "replays": ("answered", "labels", "city_answered", "city_labels", "unanswered_per_week", "delay_hours"),
}
BUDGET_SHOWN = ("held", "false_per_week", "pod", "pod_share_of_hindsight", "incidents_per_storm", "false_per_storm_day")


class Piece(NamedTuple):
    """A part of the work that is kept as a whole: what makes its rows."""

    work: str
    seed: int
    make: Callable[[], Iterable[dict[str, Any]]]


def plan(asked: argparse.Namespace) -> Iterator[Piece]:
    """All of it, seed by seed."""
    quick, seeds = asked.quick, seeds_of(asked)
    n, weeks, repeats = (2000, 4, 10) if quick else (10_000, 12, 100)

    def fit(peers: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in peers if not (quick and name in SLOW))

    for seed in seeds:
        yield Piece("stream", seed, partial(stream.run, seed, n_series=n, peers=fit(stream.PEERS)))
        yield Piece("stream_long", seed, partial(stream.run, seed, n_series=n, peers=fit(stream.PEERS), **LONG))
        yield Piece("outbreaks", seed, partial(outbreaks.run, seed, repeats=repeats, peers=fit(outbreaks.PEERS)))
        yield Piece("situations", seed, partial(situations.run, seed, peers=fit(situations.PEERS)))
        yield Piece("mentions", seed, partial(mentions.run, seed, peers=fit(tweets.PEERS)))
        for size in (100, n):
            yield Piece(f"budget_{size}", seed, partial(budgets.run, seed, n_series=size, weeks=weeks))
    if not quick:
        yield Piece("budget_100000", seeds[0], partial(budgets.run, seeds[0], n_series=100_000))
    yield Piece("speed", seeds[0], partial(speed.run, seeds[0], n_series=100_000, peers=fit(speed.PEERS)))
    nab = asked.data / "nab_tweets"
    if nab.is_dir():
        yield Piece(
            "tweets", 0, partial(tweets.run, nab, peers=("tweets", "windowed_gaussian") if quick else tweets.PEERS)
        )
    if asked.data.is_dir() and not quick:
        yield Piece("replays", 0, partial(replays.run, asked.data, asked.judge))
    if asked.judge:
        for seed in seeds:
            yield from (Piece(f"judge_{work}", seed, make) for work, make in judges.pieces(asked.judge, seed, n))
        if nab.is_dir():
            yield Piece("judge_tweets", 0, partial(judges.tweets, asked.judge, nab))


def seeds_of(asked: argparse.Namespace) -> list[int]:
    return [asked.first_seed + number for number in range(asked.seeds)]


def main() -> None:
    """Run the works, keep their rows after each, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5, metavar="N", help="simulations of each kind (5)")
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED, metavar="S")
    parser.add_argument("--quick", action="store_true", help="small simulations without the slow peers and the replays")
    parser.add_argument("--work", default=",".join(WORKS), help="some of: %(default)s")
    parser.add_argument("--json", type=Path, metavar="FILE", help="all rows; works it has already are not run again")
    parser.add_argument("--plots", type=Path, metavar="DIR", help="SVG: delay against false alarms, POD against FPR")
    parser.add_argument("--data", type=Path, default=BESIDE / "data", metavar="DIR", help="real data, where they are")
    parser.add_argument("--judge", type=Path, metavar="DIR", help="judges to run as well, such as ../shared/judge")
    asked = parser.parse_args()
    works = set(asked.work.split(","))
    kept: dict[str, Any] = {"works": {}}
    if asked.json and asked.json.is_file():
        kept = json.loads(asked.json.read_text(encoding="utf-8"))
    kept |= {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
    }
    done = {(work, row["seed"]) for work, rows in kept["works"].items() for row in rows}
    for piece in plan(asked):
        if {piece.work, piece.work.split("_")[0]} & works and (piece.work, piece.seed) not in done:
            _run(kept, piece, asked.json)
    _print(kept)
    for path in plots.draw(kept["works"], asked.plots) if asked.plots else ():
        print(path)


def _run(kept: dict[str, Any], piece: Piece, file: Path | None) -> None:
    begun = time.monotonic()
    kept["works"].setdefault(piece.work, []).extend(piece.make())
    print(f"{piece.work}, seed {piece.seed}: {time.monotonic() - begun:.0f} s", flush=True)
    if file:
        file.write_text(json.dumps(kept) + "\n", encoding="utf-8")


def _print(kept: dict[str, Any]) -> None:
    rows = kept["works"]
    seeds = sorted({row["seed"] for one in rows.values() for row in one if row["seed"]})
    print(f"\n{kept['date']}, {kept['machine']}, seeds {', '.join(map(str, seeds))}; ± is a 95 % interval over seeds\n")
    print(figures.table(rows))
    for work in rows:
        print("\n" + figures.everyone(rows, work, SHOWN.get(work.removeprefix("judge_"), BUDGET_SHOWN)))


if __name__ == "__main__":
    main()
