"""What becomes of recordings without consent: kept unless the policy says otherwise, and destroyed never too early."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.consent import ConsentOutcome
from domain.quarantine import Fate, WithoutConsent, destroy_at
from domain.rules.shapes import Interval, Publication
from resources.policies import WrongPolicy, without_consent

END = datetime(2025, 3, 3, 15, tzinfo=UTC)
DESTROYS = WithoutConsent("v", Fate.DESTROY, Fate.DESTROY, Fate.KEEP, Fate.DESTROY, timedelta(days=30))


def test_the_policy_that_comes_with_it_keeps_everything() -> None:
    policy = without_consent()
    for publication in Publication:
        for outcome in ConsentOutcome:
            assert policy.fate(publication, outcome) is Fate.KEEP
        assert policy.lost(publication, (Interval(5_000, None),)) == ()
    assert policy.grace == timedelta(days=30) and policy.version.startswith("2025-1+")


@pytest.mark.parametrize("outcome", list(ConsentOutcome))
@pytest.mark.parametrize("publication", list(Publication))
def test_only_what_is_in_quarantine_for_a_named_reason_is_destroyed(publication: Publication, outcome: ConsentOutcome) -> None:
    refused = publication is Publication.QUARANTINED and outcome in (ConsentOutcome.DECLINED, ConsentOutcome.REVOKED)
    assert (DESTROYS.fate(publication, outcome) is Fate.DESTROY) == refused


def test_what_comes_after_a_withdrawal() -> None:
    withheld = (Interval(10_000, 20_000), Interval(33_000, None))
    assert DESTROYS.lost(Publication.CUT, withheld) == withheld
    assert DESTROYS.lost(Publication.PUBLISHED, withheld[:1]) == withheld[:1]
    assert DESTROYS.lost(Publication.QUARANTINED, withheld) == (), "of the whole call something else is decided"


@given(st.integers(0, 100), st.booleans())
def test_never_before_the_grace_period_is_over_nor_while_it_is_reviewed(days: int, in_review: bool) -> None:
    now = END + timedelta(days=days)
    due = destroy_at(DESTROYS, END, in_review=in_review, now=now)
    assert due >= END + timedelta(days=30)
    assert not in_review or due > now
    assert in_review or due == END + timedelta(days=30)


def test_a_misspelt_policy_is_named(tmp_path: Path) -> None:
    path = tmp_path / "without_consent.yaml"
    path.write_text("version: v\ndeclined: burn\nrevoked: keep\nunknown: keep\nafter_withdrawal: keep\ngrace_days: 3\n")
    with pytest.raises(WrongPolicy, match=r"without_consent\.yaml, declined"):
        without_consent(path)
