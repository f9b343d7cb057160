import pytest

from domain.call_events import ParticipantSeen, party_of
from domain.grants import BY_TYPE, TRAINER, Grants, ParticipantType, grants_of, stated_role
from domain.parties import Party

LIVEKIT_SOURCES = {"microphone", "camera", "screen_share", "screen_share_audio"}
EVERY_ROW = [*BY_TYPE.values(), TRAINER]


def test_every_type_has_a_row() -> None:
    assert set(BY_TYPE) == set(ParticipantType)


@pytest.mark.parametrize("row", EVERY_ROW)
def test_a_row_names_only_sources_that_livekit_knows(row: Grants) -> None:
    assert set(row.sources) <= LIVEKIT_SOURCES
    assert len(set(row.sources)) == len(row.sources)
    assert row.kind in ("standard", "agent")


def test_only_agents_and_trainers_share_their_screen() -> None:
    sharing = {kind for kind in ParticipantType if {"screen_share", "screen_share_audio"} & set(grants_of(kind).sources)}
    assert sharing == {ParticipantType.AGENT}
    assert "screen_share" in grants_of(ParticipantType.PARTNER, trainer=True).sources


def test_a_supervisor_is_hidden_and_sends_nothing() -> None:
    row = grants_of(ParticipantType.SUPERVISOR)
    assert row.hidden and row.can_subscribe and not row.can_publish and not row.can_publish_data


def test_nobody_else_is_hidden() -> None:
    assert [kind for kind in ParticipantType if grants_of(kind).hidden] == [ParticipantType.SUPERVISOR]


def test_only_the_assistant_and_who_sends_nothing_are_of_kind_agent() -> None:
    """An agent may send in somebody else's name."""
    agents = {kind for kind in ParticipantType if grants_of(kind).kind == "agent"}
    assert agents == {ParticipantType.AI, ParticipantType.SUPERVISOR}
    assert not any(grants_of(kind).can_publish or grants_of(kind).can_publish_data for kind in agents - {ParticipantType.AI})


@pytest.mark.parametrize("kind", [kind for kind in ParticipantType if kind is not ParticipantType.PARTNER])
def test_only_a_partner_gives_a_training(kind: ParticipantType) -> None:
    with pytest.raises(ValueError, match=kind):
        grants_of(kind, trainer=True)


@pytest.mark.parametrize(
    ("kind", "party"),
    [
        (ParticipantType.CUSTOMER, Party.CUSTOMER),
        (ParticipantType.AGENT, Party.AGENT),
        (ParticipantType.AI, Party.ASSISTANT),
        (ParticipantType.PARTNER, Party.PARTNER),
        (ParticipantType.ADMIN, Party.ADMIN),
        (ParticipantType.SUPERVISOR, None),
    ],
)
def test_the_role_reads_back_as_the_party(kind: ParticipantType, party: Party | None) -> None:
    seen = ParticipantSeen("PA_1", "prt_1", grants_of(kind).kind.upper(), stated_role(kind), None)
    assert party_of(seen) is party
