"""Who must consent, and when a call may be recorded: examples from the table as it is shipped, and properties of the gate."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.consent import ConsentOutcome, ConsentRecord, ConsentRule, ConsentTable, Present, Stay, gate, refused_since, standing, was_open
from domain.parties import Party
from resources.policies import RECORDING_CONSENT, WrongPolicy, recording_consent

NOW = datetime(2025, 3, 3, 15, tzinfo=UTC)
TABLE = recording_consent()
CUSTOMER, AGENT = Party.CUSTOMER, Party.AGENT
G, D, R, U = ConsentOutcome.GRANTED, ConsentOutcome.DECLINED, ConsentOutcome.REVOKED, ConsentOutcome.UNKNOWN


def said(party: str, outcome: ConsentOutcome, second: int = 0) -> ConsentRecord:
    return ConsentRecord(party, outcome, NOW - timedelta(minutes=5) + timedelta(seconds=second))


def present_in(party: str, role: Party, *places: str | None) -> Present:
    return Present(party, role, frozenset(place for place in places if place))


def people(customer: str | None, agent: str | None = "US-TX", *more: Present) -> list[Present]:
    return [present_in("c", CUSTOMER, customer), present_in("a", AGENT, agent), Present("bot", Party.ASSISTANT), *more]


@pytest.mark.parametrize(
    ("present", "records", "opens", "missing", "refused"),
    [
        (people("US-CA"), [], False, ("c",), ()),
        (people("US-CA"), [said("c", G)], True, (), ()),
        (people("US-CA"), [said("c", ConsentOutcome.IMPLIED)], True, (), ()),
        (people("US-CA"), [said("c", U)], False, ("c",), ()),
        (people("US-CA"), [said("c", D)], False, (), ("c",)),
        (people("US-CA"), [said("c", G), said("c", R, 60)], False, (), ("c",)),
        (people("US-CA"), [said("c", R), said("c", G, 60)], True, (), ()),
        (people("US-CA"), [said("c", G), said("c", U, 60)], True, (), ()),
        (people("US-TX"), [], True, (), ()),
        (people("US-TX", "US-CA"), [], False, ("c",), ()),
        (people(None), [], False, ("c",), ()),
        (people("US-XX"), [], False, ("c",), ()),
        (people("DE-BE"), [], False, ("c",), ()),
        (people("US-TX"), [said("c", D)], False, (), ("c",)),
        (people("US-CA", "US-CA", present_in("c2", CUSTOMER, "US-CA")), [said("c", G)], False, ("c2",), ()),
        (people("US-CA", "US-CA", present_in("p", Party.PARTNER, "US-TX")), [said("c", G)], False, ("p",), ()),
        ([present_in("c", CUSTOMER, "US-TX"), Present("bot", Party.ASSISTANT)], [], False, ("c",), ()),
        ([Present("bot", Party.ASSISTANT)], [], False, (), ()),
        ([], [], False, (), ()),
    ],
)
def test_the_gate(
    present: list[Present], records: list[ConsentRecord], opens: bool, missing: tuple[str, ...], refused: tuple[str, ...]
) -> None:
    found = gate(TABLE, present, records, NOW)
    assert (found.open, found.missing, found.refused) == (opens, missing, refused)
    assert found.table_version == TABLE.version


def test_staff_who_are_asked_must_answer() -> None:
    asked = ConsentTable(TABLE.version, TABLE.rules, staff_asked=True)
    assert gate(asked, people("US-CA"), [said("c", G)], NOW).missing == ("a",)
    assert gate(asked, people("US-TX"), [], NOW).missing == ("a",)
    assert gate(asked, people("US-CA"), [said("c", G), said("a", G)], NOW).open


def test_before_the_tables_first_day_every_place_is_unknown() -> None:
    assert TABLE.rule_of("US-TX", datetime(2024, 12, 31, tzinfo=UTC).date()) is ConsentRule.ALL_PARTY
    assert TABLE.rule_of("US-TX", datetime(2025, 1, 1, tzinfo=UTC).date()) is ConsentRule.ONE_PARTY


places = st.frozensets(st.sampled_from(["US-CA", "US-TX", "US-NY", "US-WA", "US-XX"]), max_size=2)
roles = st.sampled_from([party for party in Party if party is not Party.UNKNOWN])
outcomes = st.sampled_from(ConsentOutcome)
present = st.lists(st.builds(Present, party=st.sampled_from(["c", "d", "a", "p", "bot"]), role=roles, places=places), max_size=5)
records = st.lists(st.builds(said, party=st.sampled_from(["c", "d", "a", "p"]), outcome=outcomes, second=st.integers(0, 9)), max_size=6)
few = st.lists(st.builds(said, party=st.sampled_from(["c", "a"]), outcome=outcomes, second=st.integers(0, 3)), max_size=4)


def test_of_several_places_stated_of_one_party_the_strictest_counts() -> None:
    for stated in permutations(["US-CA", "US-NY"]):
        found = gate(TABLE, [present_in("c", CUSTOMER, *stated), present_in("a", AGENT, "US-NY")], [said("c", U)], NOW)
        assert (found.open, found.rule, found.required) == (False, ConsentRule.ALL_PARTY, ("c",))


@given(present, records)
def test_a_stricter_place_never_opens_a_gate(here: list[Present], told: list[ConsentRecord]) -> None:
    stricter = [replace(person, places=person.places | {"US-CA"}) for person in here]
    if gate(TABLE, stricter, told, NOW).open:
        assert gate(TABLE, here, told, NOW).open


@given(present, records, st.sampled_from([D, R]))
def test_a_refusal_always_closes(here: list[Present], told: list[ConsentRecord], refusal: ConsentOutcome) -> None:
    for person in here:
        if person.role is not Party.ASSISTANT:
            assert not gate(TABLE, here, [*told, said(person.party, refusal, 100)], NOW).open


@given(present, records, st.sampled_from([D, R]), st.sampled_from([U, ConsentOutcome.IMPLIED, ConsentOutcome.NOT_REQUIRED]))
def test_only_a_grant_takes_a_refusal_back(
    here: list[Present], told: list[ConsentRecord], refusal: ConsentOutcome, later: ConsentOutcome
) -> None:
    for person in here:
        if person.role is not Party.ASSISTANT:
            refused = [*told, said(person.party, refusal, 100), said(person.party, later, 101)]
            assert person.party in gate(TABLE, here, refused, NOW).refused
            assert person.party not in gate(TABLE, here, [*refused, said(person.party, G, 102)], NOW).refused


@given(present, records)
def test_a_refusal_stands_since_it_was_first_said(here: list[Present], told: list[ConsentRecord]) -> None:
    since, now = refused_since(told), standing(told)
    assert {party for party, outcome in now.items() if outcome in (D, R)} == set(since)
    for party, moment in since.items():
        before = [
            one for one in told if one.at < moment or (one.at == moment and one.outcome not in (D, R))
        ]  # of one moment a no is the last
        assert standing(before).get(party) not in (D, R)
    found = gate(TABLE, here, told, NOW)
    assert found.refused_at == min((since[party] for party in found.refused), default=None)


@given(present, records)
def test_unknown_never_passes(here: list[Present], told: list[ConsentRecord]) -> None:
    found = gate(TABLE, here, told, NOW)
    now = standing(told)
    if found.open:
        assert all(now.get(party) in (G, ConsentOutcome.IMPLIED) for party in found.required)


@given(
    present,
    st.lists(
        st.builds(said, party=st.sampled_from(["c", "a"]), outcome=st.sampled_from(ConsentOutcome), second=st.integers(0, 3)), max_size=4
    ),
)
def test_the_order_in_which_records_come_does_not_matter(here: list[Present], told: list[ConsentRecord]) -> None:
    assert len({gate(TABLE, here, order, NOW) for order in permutations(told)}) == 1


@given(present, records)
def test_somebody_who_joins_never_opens_a_closed_gate_that_a_refusal_closed(here: list[Present], told: list[ConsentRecord]) -> None:
    before = gate(TABLE, here, told, NOW)
    if before.refused:
        assert not gate(TABLE, [*here, present_in("new", AGENT, "US-TX")], told, NOW).open


def test_the_shipped_table_lists_every_state_once() -> None:
    listed = [rule.place for rule in TABLE.rules]
    assert len(listed) == len(set(listed)) == 51
    assert all(rule.citation for rule in TABLE.rules)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (('rule: all_party, citation: "Fla', 'rule: none, citation: "Fla'), "jurisdictions.3.rule"),
        (("staff:", "stuff:"), "staff"),
        (("consent: prior", "consent: no"), "staff.consent"),
        (("US-DC, ", "US-CA, "), "US-CA"),
        (("  rule: all_party\n", "  rule: one_party\n"), "default.rule"),
        (("version:", "version: ["), "line"),
    ],
)
def test_a_wrong_table_is_refused_where_it_is_wrong(tmp_path: Path, change: tuple[str, str], named: str) -> None:
    path = tmp_path / "consent.yaml"
    text = RECORDING_CONSENT.read_text()
    assert change[0] in text
    path.write_text(text.replace(*change, 1))
    with pytest.raises(WrongPolicy, match=named):
        recording_consent(path)


def test_every_change_of_the_table_is_another_version(tmp_path: Path) -> None:
    path = tmp_path / "consent.yaml"
    path.write_text(RECORDING_CONSENT.read_text() + "\n# looked at again\n")
    assert recording_consent(path).version != TABLE.version


CUSTOMER_CA, AGENT_TX, BOT = present_in("c", CUSTOMER, "US-CA"), present_in("a", AGENT, "US-TX"), Present("bot", Party.ASSISTANT)


def at(second: int) -> datetime:
    return NOW - timedelta(minutes=5) + timedelta(seconds=second)


@pytest.mark.parametrize(
    ("stays", "customer", "records", "opened"),
    [
        ([], CUSTOMER_CA, [said("c", G)], False),
        ([Stay(CUSTOMER_CA, at(0))], CUSTOMER_CA, [], False),
        ([Stay(CUSTOMER_CA, at(0))], CUSTOMER_CA, [said("c", G, 60)], True),
        ([Stay(CUSTOMER_CA, at(0), at(50))], CUSTOMER_CA, [said("c", G, 60)], False),  # said when nobody was there any more
        ([Stay(CUSTOMER_CA, at(0))], CUSTOMER_CA, [said("c", G, 60), said("c", R, 70)], True),
        ([Stay(CUSTOMER_CA, at(0))], CUSTOMER_CA, [said("c", D, 60)], False),
        ([Stay(AGENT_TX, at(0))], CUSTOMER_CA, [], False),  # the customer is asked although away
        ([Stay(AGENT_TX, at(0))], None, [], True),
        ([Stay(present_in("c", CUSTOMER, "US-TX"), at(0)), Stay(AGENT_TX, at(9))], None, [], True),
        ([Stay(CUSTOMER_CA, at(0)), Stay(Present("p", Party.PARTNER), at(0), at(90))], CUSTOMER_CA, [said("c", G, 5)], True),  # p left
        ([Stay(CUSTOMER_CA, at(0)), Stay(Present("p", Party.PARTNER), at(0))], CUSTOMER_CA, [said("c", G, 5)], False),
    ],
)
def test_whether_the_gate_was_ever_open(stays: list[Stay], customer: Present | None, records: list[ConsentRecord], opened: bool) -> None:
    assert was_open(TABLE, stays, customer, records) is opened


moments = st.integers(0, 20).map(at)
stays = st.lists(
    st.builds(
        Stay, who=st.sampled_from([CUSTOMER_CA, AGENT_TX, BOT, Present("p", Party.PARTNER)]), since=moments, until=st.none() | moments
    ),
    max_size=4,
)
records = st.lists(st.builds(ConsentRecord, st.sampled_from(["c", "p"]), st.sampled_from([G, D, R, U]), moments), max_size=5)


@given(stays, records, st.sampled_from([None, CUSTOMER_CA]))
def test_it_was_open_where_somebody_looking_every_moment_would_have_seen_it(
    stays: list[Stay], records: list[ConsentRecord], customer: Present | None
) -> None:
    def seen(moment: datetime) -> bool:
        here = [stay.who for stay in stays if stay.since <= moment and (stay.until is None or moment < stay.until)]
        away = [customer] if customer is not None and customer not in here else []
        return bool(here) and gate(TABLE, here + away, [one for one in records if one.at <= moment], moment).open

    assert was_open(TABLE, stays, customer, records) is any(seen(at(second)) for second in range(22))
