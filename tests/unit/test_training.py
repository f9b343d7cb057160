"""When a training can be entered, and until when an invitation counts."""

from datetime import UTC, datetime, timedelta

import hypothesis.strategies as st
import pytest
from hypothesis import given

from domain.training import OPENS_BEFORE, STAYS_OPEN, Training, TrainingState, WrongTime, invitation_ends, require_sound

START = datetime(2025, 3, 5, 16, tzinfo=UTC)
END = START + timedelta(hours=1)


def after(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def test_it_opens_a_quarter_of_an_hour_before_and_stays_open_for_an_hour() -> None:
    session = Training(START, END)
    states = [session.state_at(after(minutes)) for minutes in (-15.01, -15, 0, 59, 119.9, 120)]
    assert states == ["scheduled", "open", "open", "open", "open", "ended"]


def test_it_is_over_when_its_room_was_closed_or_it_was_cancelled() -> None:
    assert Training(START, END, call_ended_at=after(20)).state_at(after(21)) is TrainingState.ENDED
    assert Training(START, END, cancelled_at=after(-60)).state_at(after(5)) is TrainingState.CANCELLED


@given(st.integers(-600, 600), st.integers(-600, 600), st.integers(1, 700))
def test_it_goes_only_forward(first: int, second: int, length: int) -> None:
    order = [TrainingState.SCHEDULED, TrainingState.OPEN, TrainingState.ENDED]
    session = Training(START, START + timedelta(minutes=length))
    earlier, later = sorted((after(first), after(second)))
    assert order.index(session.state_at(earlier)) <= order.index(session.state_at(later))
    assert session.state_at(session.starts_at - OPENS_BEFORE) is TrainingState.OPEN
    assert session.state_at(session.ends_at + STAYS_OPEN) is TrainingState.ENDED


@pytest.mark.parametrize(
    ("starts", "ends", "why"),
    [(60, 60, "after it starts"), (60, 30, "after it starts"), (-120, -60, "in the future"), (60, 60 + 12 * 60 + 1, "12 hours"),
     (366 * 1440, 366 * 1440 + 60, "365 days")],
)  # fmt: skip
def test_what_is_no_time_for_a_training(starts: float, ends: float, why: str) -> None:
    with pytest.raises(WrongTime, match=why):
        require_sound(after(starts), after(ends), START)


@given(st.none() | st.integers(-600, 600))
def test_an_invitation_never_outlives_its_session(wanted: int | None) -> None:
    ends = invitation_ends(END, None if wanted is None else after(wanted))
    assert ends <= END + STAYS_OPEN
    assert wanted is None or ends <= after(wanted)
