"""Text that the store takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.prose import storable


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_text_is_taken_as_it_is(text: str) -> None:
    assert storable(text) == text


@given(st.text(), st.sampled_from(["\0", "\ud800", "\udfff"]), st.text())
def test_what_postgresql_cannot_keep_is_not_taken_and_not_repeated(before: str, bad: str, after: str) -> None:
    with pytest.raises(ValueError, match=r"^must ") as refused:
        storable(before + bad + after)
    assert str(refused.value) in ("must not have a NUL character", "must be text that can be written as UTF-8")
