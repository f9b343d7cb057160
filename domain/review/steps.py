"""What may follow what in the life of an item. Pure decisions; time is an argument, and a step returns the item as it is then or raises.

    open → claimed → closed            confirmed, overturned, or without a decision; final
           claimed → open              released, or its time is over; then anybody may claim it
           claimed → escalated         only others, or admins, may claim it then and decide
    escalated → claimed → closed, or back to escalated
    any but closed → gone → open       no evaluation asks it any more; one asks it again

The store locks the row, calls one function here and saves what comes back.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from domain.review.shapes import CLAIM_MINUTES, About, Claimed, Closed, Decision, Escalated, Gone, Item, Open, Reviewer
from domain.roles import Role
from domain.rules.shapes import Verdict


class ReviewRefused(Exception):
    """What was asked of an item cannot be. ``str()`` says why and what to do, and names nobody."""


class AlreadyClaimed(ReviewRefused):
    """Somebody else has it for now."""


class NotYourClaim(ReviewRefused):
    """Only who has claimed it may do this, and only while the claim lasts."""


class NotForYou(ReviewRefused):
    """Who has escalated an item leaves it to somebody else."""


class AlreadyDecided(ReviewRefused):
    """It is closed, with another result or by somebody else: nothing changes any more."""


class NoLongerAsked(ReviewRefused):
    """There is nothing left to decide."""


class NoReason(ReviewRefused):
    """A decision says why."""


class WrongCorrection(ReviewRefused):
    """The verdict that is said to be right cannot be the one that is."""


def claim(item: Item, reviewer: Reviewer, now: datetime, minutes: int = CLAIM_MINUTES) -> Item:
    """The reviewer's alone for so many minutes; claimed again by the same, from now on. Raises AlreadyClaimed, NotForYou, AlreadyDecided,
    NoLongerAsked."""
    _require_asked(item)
    _require_allowed(item, reviewer)
    if isinstance(item.state, Claimed) and item.state.by != reviewer.id and now < item.state.until:
        raise AlreadyClaimed(f"Another reviewer has it until {item.state.until:%H:%M:%S} UTC. Take another one, or try again then.")
    return replace(item, state=Claimed(reviewer.id, now + timedelta(minutes=minutes)))


def release(item: Item, reviewer: Reviewer, now: datetime) -> Item:
    """Back to the queue, undecided. Raises NotYourClaim, AlreadyDecided, NoLongerAsked."""
    _require_claim(item, reviewer, now)
    return replace(item, state=_waiting(item))


def confirm(item: Item, reviewer: Reviewer, reason: str, now: datetime) -> Item:
    """It is as it was found. Raises NotYourClaim, NotForYou, AlreadyDecided, NoLongerAsked, NoReason."""
    return _closed(item, reviewer, Closed(reviewer.id, _said(reason), now, Decision.CONFIRMED), now)


def overturn(item: Item, reviewer: Reviewer, reason: str, corrected: Verdict | None, now: datetime) -> Item:
    """It is otherwise: a finding's right verdict is ``corrected``, and what was redacted is not personal data. Raises WrongCorrection and
    what confirm raises."""
    return _closed(item, reviewer, Closed(reviewer.id, _said(reason), now, Decision.OVERTURNED, _right_one(item, corrected)), now)


def close(item: Item, reviewer: Reviewer, reason: str, now: datetime) -> Item:
    """Put away without a decision. Raises what confirm raises."""
    return _closed(item, reviewer, Closed(reviewer.id, _said(reason), now), now)


def escalate(item: Item, reviewer: Reviewer, reason: str, now: datetime) -> Item:
    """Left to another compliance officer, or an admin. Raises what confirm raises."""
    _said(reason)
    if isinstance(item.state, Escalated) and item.escalated_by[-1] == reviewer.id:  # the same request again
        return item
    _require_claim(item, reviewer, now)
    _require_allowed(item, reviewer)
    return replace(item, state=Escalated(), escalated_by=(*(one for one in item.escalated_by if one != reviewer.id), reviewer.id))


def drop(item: Item) -> Item:
    """No evaluation asks it any more. What is closed stays so, for the decision may count again."""
    return item if isinstance(item.state, Closed) else replace(item, state=Gone())


def ask_again(item: Item) -> Item:
    """An evaluation asks it, as one did before: what was decided stays, and what is being looked at, too."""
    return replace(item, state=_waiting(item)) if isinstance(item.state, Gone) else item


def _closed(item: Item, reviewer: Reviewer, wanted: Closed, now: datetime) -> Item:
    state = item.state
    if isinstance(state, Closed) and replace(state, at=now) == wanted:  # the same request again
        return item
    _require_claim(item, reviewer, now)
    _require_allowed(item, reviewer)
    return replace(item, state=wanted)


def _waiting(item: Item) -> Open | Escalated:
    """As what it waits when nobody has it."""
    return Escalated() if item.escalated_by else Open()


def _said(reason: str) -> str:
    if not reason.strip():
        raise NoReason("A reason is needed: say in a sentence what you heard or read that decides it.")
    return reason.strip()


def _right_one(item: Item, corrected: Verdict | None) -> Verdict | None:
    """What the verdict is instead; None for a redaction."""
    if item.about is About.REDACTION:
        if corrected is not None:
            raise WrongCorrection("A redaction has no verdict: overturn it without one, which says that it is not personal data.")
        return None
    if item.verdict is Verdict.NOT_MET:
        if corrected not in (None, Verdict.MET):
            raise WrongCorrection("It was found not met: overturned, it is met. To leave it as it is, confirm it.")
        return Verdict.MET
    if corrected not in (Verdict.MET, Verdict.NOT_MET):
        raise WrongCorrection("Nobody could tell: say what it is, met or not_met. If you cannot tell either, confirm it.")
    return corrected


def _require_asked(item: Item) -> None:
    if isinstance(item.state, Closed):
        raise AlreadyDecided("It is closed, and stays as it was decided: its steps say by whom and why.")
    if isinstance(item.state, Gone):
        raise NoLongerAsked("A later evaluation no longer finds this, so there is nothing to decide. Take another one.")


def _require_claim(item: Item, reviewer: Reviewer, now: datetime) -> None:
    _require_asked(item)
    state = item.state
    if not isinstance(state, Claimed):
        raise NotYourClaim("Nobody has claimed it: claim it first.")
    if state.by != reviewer.id:
        raise NotYourClaim("Another reviewer has claimed it. Take another one, or claim this one when their time is over.")
    if now >= state.until:
        raise NotYourClaim("Your claim's time is over: claim it again, and see whether it is still as you saw it.")


def _require_allowed(item: Item, reviewer: Reviewer) -> None:
    if reviewer.id in item.escalated_by and reviewer.role is not Role.ADMIN:
        raise NotForYou("You have escalated it: another compliance officer, or an admin, decides it now.")
