"""The table of jurisdictions as it is shipped, and as a business changes it: which rule counts where, and on which day."""

from datetime import date, timedelta
from pathlib import Path

import pytest
import yaml

from domain.consent import ConsentRule
from resources.policies import RECORDING_CONSENT, WrongPolicy, recording_consent

ALL, ONE = ConsentRule.ALL_PARTY, ConsentRule.ONE_PARTY
DAY = date(2025, 6, 1)
TABLE = recording_consent()
ALL_PARTY = {f"US-{state}" for state in ["CA", "CT", "DE", "FL", "IL", "MD", "MA", "MI", "MT", "NV", "NH", "OR", "PA", "WA"]}


def changed(tmp_path: Path, *entries: dict[str, object]) -> Path:
    """The shipped table with California's entry replaced."""
    table = yaml.safe_load(RECORDING_CONSENT.read_text())
    table["jurisdictions"] = [entry for entry in table["jurisdictions"] if entry["place"] != "US-CA"] + list(entries)
    path = tmp_path / "consent.yaml"
    path.write_text(yaml.safe_dump(table))
    return path


def california(rule: ConsentRule, since: str, until: str | None = None, **more: object) -> dict[str, object]:
    return {"place": "US-CA", "rule": rule.value, "citation": "an act", "effective_from": since, "effective_until": until, **more}


def test_all_party_are_the_states_that_are_commonly_listed() -> None:
    assert {rule.place for rule in TABLE.rules if rule.rule is ALL} == ALL_PARTY


def test_one_party_are_the_other_states_and_the_district_by_federal_law() -> None:
    others = [rule for rule in TABLE.rules if rule.rule is ONE]
    assert len(others) == 37 and "US-DC" in {rule.place for rule in others}
    assert {rule.citation for rule in others} == {"18 U.S.C. 2511(2)(d)"}


@pytest.mark.parametrize("place", ["US-XX", "US", "DE", "us-tx", "US-TX ", "", None])
def test_what_is_not_listed_counts_as_all_party(place: str | None) -> None:
    assert TABLE.rule_of(place, DAY) is ALL


def test_where_lists_differ_the_entry_says_so() -> None:
    entries = yaml.safe_load(RECORDING_CONSENT.read_text())["jurisdictions"]
    assert {entry["place"] for entry in entries if "lists differ" in entry.get("note", "")} == {"US-CT", "US-MI", "US-NV", "US-OR"}


def test_a_law_that_changes_is_two_entries_and_each_counts_in_its_time(tmp_path: Path) -> None:
    table = recording_consent(changed(tmp_path, california(ALL, "2025-01-01", "2026-01-01"), california(ONE, "2026-01-01")))
    new_year = date(2026, 1, 1)
    assert [table.rule_of("US-CA", new_year + timedelta(days=day)) for day in (-1, 0)] == [ALL, ONE]


def test_in_a_gap_between_two_entries_a_place_counts_as_all_party(tmp_path: Path) -> None:
    table = recording_consent(changed(tmp_path, california(ONE, "2025-01-01", "2025-03-01"), california(ONE, "2025-09-01")))
    assert [table.rule_of("US-CA", date(2025, month, 1)) for month in (2, 3, 8, 9)] == [ONE, ALL, ALL, ONE]


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ([california(ALL, "2025-01-01"), california(ONE, "2026-01-01")], r"US-CA: two entries count on 2026-01-01"),
        ([california(ALL, "2025-01-01", "2026-01-02"), california(ONE, "2026-01-01")], r"US-CA: two entries count on 2026-01-01"),
        ([california(ALL, "2025-01-01", "2025-01-01")], r"US-CA: effective_until 2025-01-01 is not after"),
        ([california(ALL, "2025-01-01", colour="red")], r"jurisdictions\.13\.colour"),
        ([california(ALL, "next spring")], r"jurisdictions\.13\.effective_from"),
        ([{**california(ALL, "2025-01-01"), "place": "California"}], r"jurisdictions\.13\.place"),
        ([{**california(ALL, "2025-01-01"), "citation": ""}], r"jurisdictions\.13\.citation"),
    ],
)
def test_a_wrong_entry_is_refused_by_file_place_and_field(tmp_path: Path, entries: list[dict[str, object]], said: str) -> None:
    with pytest.raises(WrongPolicy, match=rf"^consent\.yaml, {said}"):
        recording_consent(changed(tmp_path, *entries))


def test_a_table_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(WrongPolicy, match=r"^none\.yaml cannot be read: FileNotFoundError$"):
        recording_consent(tmp_path / "none.yaml")
