"""Voices, repeats and duplicates: who counts, and for how long it is known."""

from __future__ import annotations

from streams.voices import Seen, Voices

DAY = 86400.0
NOON = 20_000 * DAY + 12 * 3600


def test_a_repeat_within_the_hour_is_no_voice_and_after_it_is_one() -> None:
    voices = Voices(b"secret")
    assert voices.hear("ann", (1, 2), NOON) == (1, 2)
    assert voices.hear("ann", (1, 2), NOON + 3599) == ()
    assert voices.hear("ann", (1, 2), NOON + 3600) == (1, 2)


def test_a_new_problem_of_the_same_author_is_a_voice_on_that_problem_only() -> None:
    voices = Voices(b"secret")
    voices.hear("ann", (0, 1), NOON)
    assert voices.hear("ann", (0, 1, 2), NOON + 60) == (2,)


def test_the_hour_runs_over_midnight_though_tokens_change_with_the_day() -> None:
    voices = Voices(b"secret")
    midnight = 20_001 * DAY
    voices.hear("ann", (1,), midnight - 600)
    assert voices.hear("ann", (1,), midnight + 600) == ()
    assert voices.hear("bob", (1,), midnight + 600) == (1,)


def test_ten_thousand_posts_of_one_author_are_one_voice() -> None:
    voices = Voices(b"secret")
    assert sum(bool(voices.hear("ann", (1,), NOON + i * 0.3)) for i in range(10_000)) == 1


def test_authors_leave_memory_after_two_hours() -> None:
    voices = Voices(b"secret")
    for i in range(20_000):
        voices.hear(str(i), (1,), NOON + i * 3.6)  # 20 hours, 1,000 authors an hour
    assert len(voices.now) + len(voices.before) <= 2_000


def test_tokens_of_two_days_or_two_secrets_do_not_match() -> None:
    voices, others = Voices(b"secret"), Voices(b"another")
    assert voices.tokens.of(b"ann", 1) != voices.tokens.of(b"ann", 2)
    assert voices.tokens.of(b"ann", 1) != others.tokens.of(b"ann", 1)


def test_a_redelivered_record_is_known_for_a_day_and_memory_stays_bounded() -> None:
    seen = Seen(max_records=1_000)
    assert seen.add(12345678, NOON)
    assert not seen.add(12345678, NOON + DAY - 1)
    for i in range(5_000):
        seen.add(i, NOON + DAY + i)
    assert len(seen.now) + len(seen.before) <= 2_000
    assert 1_000 <= seen.reach_seconds(NOON + DAY + 5_000) <= 2_001
