"""When overheard says that it is alive, and when not."""

from __future__ import annotations

from alerting.vital import Life, Vital

WELL = Vital(taken=5, waiting=0, closed_until=60.0, outbox_age=0.0)


def reasons(*looks: tuple[float, Vital]) -> list[str | None]:
    life = Life(window_seconds=60.0)
    return [life.look(now, vital) for now, vital in looks]


def test_an_idle_service_whose_windows_close_is_alive() -> None:
    assert reasons(*((60.0 * minute, WELL._replace(closed_until=60.0 * minute)) for minute in range(30))) == [None] * 30


def test_windows_that_do_not_close_any_more_are_told_within_a_window_and_half_a_minute() -> None:
    assert reasons((0, WELL), (89, WELL), (91, WELL)) == [None, None, "no window was closed for 91 s"]


def test_entries_that_wait_while_none_is_counted() -> None:
    busy = WELL._replace(waiting=1200)
    moving = [busy._replace(taken=number, closed_until=number) for number in range(3)]
    assert reasons((0, moving[0]), (50, moving[1]), (100, moving[2]))[-1] is None
    stuck = reasons((0, busy), (61, busy._replace(closed_until=120.0)))[-1]
    assert stuck == "1,200 entries wait and none was counted for 61 s"


def test_a_message_that_waits_for_five_minutes() -> None:
    assert reasons((0, WELL._replace(outbox_age=299.0)))[-1] is None
    assert reasons((0, WELL._replace(outbox_age=301.0)))[-1] == "a message has been waiting for 301 s"


def test_a_channel_that_must_be_told_again_and_does_not_answer() -> None:
    assert reasons((100, WELL._replace(unheard={"am": 60.0})))[-1] is None
    assert reasons((106, WELL._replace(unheard={"am": 60.0})))[-1] == "am has not answered for 46 s"


def test_what_the_service_itself_says_is_broken() -> None:
    assert reasons((0, WELL._replace(broken="The disk is full.")))[-1] == "The disk is full."
