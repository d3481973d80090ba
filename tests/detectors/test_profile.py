"""The hour-of-week profile follows local clocks and borrows where it knows little."""

from datetime import UTC, datetime

import numpy as np

from detectors.profile import HOUR_SECONDS, Profile
from detectors.zones import Zones

HOUR = HOUR_SECONDS
MONDAY = 1_704_067_200


def learnt(zone: str, counts_by_local_hour: np.ndarray, weeks: int = 6, start: int = MONDAY) -> Profile:
    profile = Profile(Zones([zone]), np.zeros(1, np.int64), HOUR, flat=False)
    for t in range(start, start + weeks * 168 * HOUR, HOUR):
        local = (t + int(profile.zones.offsets(np.array([t]))[0, 0])) // HOUR % 24
        profile.learn(t, np.zeros(1, np.int64), counts_by_local_hour[[local]], 1.0)
    profile.refresh(np.ones(1))
    return profile


RUSH = np.where(np.arange(24) == 8, 240.0, 20.0)


def test_the_rush_hour_stays_at_eight_in_the_morning_when_clocks_change():
    profile = learnt("Europe/Berlin", RUSH, start=MONDAY)
    for day in (datetime(2024, 2, 14, 7, tzinfo=UTC), datetime(2024, 7, 17, 6, tzinfo=UTC)):
        t = int(day.timestamp())
        hours = profile.masses(
            np.arange(t - 3 * HOUR, t + 3 * HOUR, HOUR), np.arange(t - 2 * HOUR, t + 4 * HOUR, HOUR)
        )[0]
        assert hours.argmax() == 3
        assert hours[3] > 4 * np.delete(hours, 3).max()


def test_masses_add_up_across_weeks_and_both_clock_changes():
    profile = learnt("America/New_York", RUSH)
    for month, day in ((3, 10), (11, 3), (6, 2)):
        edges = int(datetime(2024, month, day, tzinfo=UTC).timestamp()) + 600 * np.arange(-300, 300)
        pieces = profile.masses(edges[:-1], edges[1:]).sum()
        assert np.isclose(profile.masses(edges[:1], edges[-1:])[0, 0], pieces, rtol=1e-9)


def test_the_night_the_clocks_go_forward_lacks_the_skipped_hour():
    profile = learnt("America/New_York", np.where(np.arange(24) == 2, 200.0, 20.0))
    nights = [int(datetime(2024, 3, d, 5, tzinfo=UTC).timestamp()) for d in (9, 10)]
    usual, short = profile.masses(np.array(nights), np.array(nights) + 6 * HOUR)[0]
    assert usual > 9
    assert short < 7


def test_a_week_has_mean_density_one():
    profile = learnt("Asia/Tokyo", RUSH)
    assert np.isclose(profile.masses(np.array([MONDAY]), np.array([MONDAY + 168 * HOUR]))[0, 0], 168)


def test_a_group_with_little_history_borrows_the_shape_of_the_others():
    profile = Profile(Zones(["UTC"]), np.zeros(2, np.int64), HOUR, flat=False)
    for t in range(MONDAY, MONDAY + 4 * 168 * HOUR, HOUR):
        profile.learn(t, np.arange(2), np.array([RUSH[t // HOUR % 24], 0.01]), 1.0)
    profile.refresh(np.ones(2))
    assert profile.density[1].reshape(7, 24)[:, 8].mean() > 3
    assert profile.doubt[1].mean() > 10 * profile.doubt[0].mean()


def test_a_day_of_which_another_clock_has_seen_the_night_alone_is_no_quiet_day():
    """Three ordinary days. Of the fourth a clock far east of its people has seen only their night, their own clock little."""
    profile = Profile(Zones(["UTC", "America/Los_Angeles"]), np.arange(2), HOUR, flat=False)
    for t in range(MONDAY, MONDAY + (72 + 14) * HOUR, HOUR):
        people = 2000.0 if 8 <= (t // HOUR - 8) % 24 < 20 else 200.0
        profile.learn(t, np.arange(2), np.array([people, people]), 1.0)
    profile.refresh(np.ones(2))
    thursday, wednesday = (profile.density[1].reshape(7, 24)[day] for day in (3, 2))
    assert np.abs(thursday / wednesday - 1).max() < 0.1
