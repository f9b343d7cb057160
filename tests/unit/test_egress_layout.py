"""Whose voice a channel can carry, for every way in which an egress can be asked."""

import pytest

from domain.attribution import Candidate
from domain.egress_layout import EgressLayout, LayoutKind, Listed, Route, channel_members
from domain.hearing import Person, layout_of, live_ms
from domain.parties import Party

CUSTOMER = Listed("PA_c", "cus", Party.CUSTOMER, ("TR_c",))
AGENT = Listed("PA_a", "agt", Party.AGENT, ("TR_a",))
ASSISTANT = Listed("PA_i", "bot", Party.ASSISTANT, ("TR_i",))
PEOPLE = [CUSTOMER, AGENT, ASSISTANT]


def sides(layout: EgressLayout, channels: int = 2) -> list[set[str]]:
    return [{member.sid for member in members} for members in channel_members(layout, channels, PEOPLE)]


LAYOUTS = {
    "customer left, the others right": (
        EgressLayout(LayoutKind.ROUTES, (Route("left", identity="cus"), Route("right", identity="agt"), Route("right", identity="bot"))),
        [{"PA_c"}, {"PA_a", "PA_i"}],
    ),
    "by kind: agents left": (
        EgressLayout(LayoutKind.ROUTES, (Route("left", kind="AGENT"), Route("right", kind="STANDARD"))),
        [{"PA_i"}, {"PA_c", "PA_a"}],
    ),
    "identity before kind": (
        EgressLayout(LayoutKind.ROUTES, (Route("right", kind="STANDARD"), Route("left", identity="cus"), Route("right", kind="AGENT"))),
        [{"PA_c"}, {"PA_a", "PA_i"}],
    ),
    "by track": (
        EgressLayout(
            LayoutKind.ROUTES, (Route("left", track_sid="TR_c"), Route("right", track_sid="TR_a"), Route("both", track_sid="TR_i"))
        ),
        [{"PA_c", "PA_i"}, {"PA_a", "PA_i"}],
    ),
    "dual channel agent puts the human agent beside the customer": (EgressLayout(LayoutKind.AGENTS_LEFT), [{"PA_i"}, {"PA_c", "PA_a"}]),
    "alternating tracks say nothing": (EgressLayout(LayoutKind.ALTERNATE), [{"PA_c", "PA_a", "PA_i"}] * 2),
    "a plain mix says nothing": (EgressLayout(LayoutKind.MIXED), [{"PA_c", "PA_a", "PA_i"}] * 2),
    "one participant": (EgressLayout(LayoutKind.ONE_PARTICIPANT, (Route("both", identity="agt"),)), [{"PA_a"}] * 2),
    "one participant's track": (EgressLayout(LayoutKind.ONE_PARTICIPANT, (Route("both", track_sid="TR_a"),)), [{"PA_a"}] * 2),
    "an import's roles": (
        EgressLayout(LayoutKind.ROLES, (Route("left", role="agent"), Route("right", role="customer"))),
        [{"PA_a", "PA_i"}, {"PA_c", "PA_i"}],
    ),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_who_can_be_heard_on_which_channel(name: str) -> None:
    layout, expected = LAYOUTS[name]
    assert sides(layout) == expected
    assert EgressLayout.from_json(layout.to_json()) == layout


def test_the_file_decides_and_not_the_request() -> None:
    """Two channels were asked for and one came: everybody is on it."""
    assert sides(LAYOUTS["customer left, the others right"][0], channels=1) == [{"PA_c", "PA_a", "PA_i"}]


@pytest.mark.parametrize("stored", [{}, {"kind": "of tomorrow"}, {"kind": "routes", "routes": [{"nonsense": 1}]}])
def test_an_unreadable_layout_claims_nothing(stored: dict[str, object]) -> None:
    assert EgressLayout.from_json(stored).kind is LayoutKind.MIXED


def test_whoever_was_not_there_while_it_was_recorded_is_no_candidate() -> None:
    people = [Person(CUSTOMER, -5_000, None, 0), Person(ASSISTANT, -9_000, -1_000, None), Person(AGENT, 70_000, None, None)]
    layout = layout_of(EgressLayout(LayoutKind.MIXED), 1, people, recording_ms=60_000)
    assert layout.channels == ((Candidate("PA_c", Party.CUSTOMER, -5_000, None),),)


def test_how_long_a_channels_party_could_have_spoken() -> None:
    asked = LAYOUTS["customer left, the others right"][0]
    people = [Person(CUSTOMER, 0, 50_000, 10_000), Person(AGENT, 0, None, -3_000), Person(ASSISTANT, 0, None, None)]
    assert live_ms(asked, 2, people, recording_ms=60_000) == [40_000, 60_000]
