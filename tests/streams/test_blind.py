"""Silence that is not chance, in event time."""

from __future__ import annotations

from streams.blind import Sources
from streams.part import SourceCount

HOUR = 3600.0
START = 481_000  # Unix hours


def feed(sources: Sources, first: int, hours: int, per_hour: int) -> None:
    for hour in range(first, first + hours):
        newest = (hour + 1) * HOUR - 1
        sources.take({"calls": SourceCount("calls", records=per_hour, newest=newest, seen_by_hour={hour: per_hour})})
        sources.advance(newest + 1)


def test_a_blind_source_names_the_places_it_usually_reports_from() -> None:
    sources = Sources()
    for hour in range(START, START + 72):
        newest = (hour + 1) * HOUR - 1
        heard = {1: 40, 2: 19, 100 + hour % 50: 1}
        sources.take({"calls": SourceCount("calls", newest=newest, seen_by_hour={hour: 60}, by_place=heard)})
        sources.advance(newest + 1)
    (blind,) = sources.blind((START + 72) * HOUR + 1_200)
    assert blind.places[:2] == (1, 2)
    assert len(blind.places) == 2  # one mention in three days is no place it usually reports from


def test_a_busy_source_is_blind_after_minutes_of_silence_and_sees_again_with_the_next_record() -> None:
    sources = Sources()
    feed(sources, START, 72, 60)
    last = (START + 72) * HOUR
    assert sources.blind(last + 300) == ()
    (blind,) = sources.blind(last + 1_200)
    assert blind.source == "calls"
    assert blind.since == last - 1
    assert 50 < blind.usual_per_hour < 70
    feed(sources, START + 73, 1, 60)
    assert sources.blind((START + 74) * HOUR) == ()


def test_a_rare_source_is_not_called_blind_for_a_quiet_day() -> None:
    sources = Sources()
    for day in range(10):
        feed(sources, START + day * 24, 1, 1)
    last = (START + 9 * 24 + 1) * HOUR
    assert sources.blind(last + 24 * HOUR) == ()


def test_a_source_heard_for_less_than_a_day_is_not_judged() -> None:
    sources = Sources()
    feed(sources, START, 10, 100)
    assert sources.blind((START + 20) * HOUR) == ()


def test_a_night_that_is_always_silent_is_not_blindness() -> None:
    sources = Sources()
    for day in range(21):
        feed(sources, START + day * 24, 12, 30)
    evening = (START + 20 * 24 + 12) * HOUR
    assert sources.blind(evening + 8 * HOUR) == ()
    assert sources.blind(evening + 20 * HOUR) != ()


def test_blind_hours_do_not_lower_what_is_usual() -> None:
    sources = Sources()
    feed(sources, START, 14 * 24, 60)
    before = sources.rates["calls"].rate(START + 14 * 24 + 30)
    feed(sources, START + 16 * 24, 1, 60)  # two days of silence
    after = sources.rates["calls"].rate(START + 14 * 24 + 30)
    assert after > 0.95 * before


def test_half_of_the_records_lost_is_half_of_the_exposure() -> None:
    sources = Sources()
    for hour in range(START, START + 72):
        newest = (hour + 1) * HOUR - 1
        counts = {"calls": SourceCount("calls", newest=newest, seen_by_hour={hour: 60})}
        if hour < START + 70:
            counts["posts"] = SourceCount("posts", newest=newest, seen_by_hour={hour: 60})
        sources.take(counts)
        sources.advance(newest + 1)
    assert abs(sources.exposure((START + 72) * HOUR) - 0.5) < 0.1


def test_a_gap_is_seen_as_blindness_also_when_what_came_after_it_is_known_already() -> None:
    sources = Sources()
    feed(sources, START, 72, 60)
    end = (START + 72) * HOUR
    back = START + 72 + 200
    sources.take({"calls": SourceCount("calls", records=5, newest=back * HOUR + 60, seen_by_hour={back: 5})})
    assert sources.blind(end + 100 * HOUR)[0].since == end
    assert sources.blind(back * HOUR + 30) == ()
    (begin, sees, heard), (again, stop, seen) = sources.stretches(end, back * HOUR, 0.5)
    assert (begin, stop, heard, seen) == (end, back * HOUR, False, True)
    assert sees == again > end + 100 * HOUR
