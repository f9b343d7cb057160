"""Identities: one person, one spelling."""

from collections.abc import Callable
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.parties import one_spelling

SPELLINGS: tuple[Callable[[UUID], str], ...] = (str, lambda one: str(one).upper(), lambda one: one.hex, lambda one: f"{{{one}}}")


@given(st.uuids(), st.sampled_from(SPELLINGS))
def test_every_spelling_of_a_uuid_is_that_of_the_tables(one: UUID, spelt: Callable[[UUID], str]) -> None:
    assert one_spelling(spelt(one)) == str(one)


@given(st.text())
def test_what_is_spelt_once_stays(identity: str) -> None:
    assert one_spelling(one_spelling(identity)) == one_spelling(identity)


@pytest.mark.parametrize("identity", ["", "Agent-1", "auth0|ABC", "Ünï", "9A0D7A3C-8D7E-4A57-A6F7"])
def test_what_is_no_uuid_is_left_alone(identity: str) -> None:
    assert one_spelling(identity) == identity
