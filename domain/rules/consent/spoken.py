"""What the customer's own words amount to over a call: told or asked, answered, withdrawn, taken back. What one answer means is decided in answers.

Times are those of the words. How this meets the API's records and the law of the place is decided in combined.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from domain.consent import ConsentOutcome
from domain.parties import Party
from domain.rules.consent import suspicion
from domain.rules.consent.answers import Answer, Answered, Asked, answer
from domain.rules.consent.questions import question
from domain.rules.consent.stretches import Stretch, garbled, last_turn, phrases, stretches, told_clearly
from domain.rules.consent.tags import badly
from domain.rules.places import Read
from domain.rules.shapes import HeardTurn, Interval

ASKS = frozenset({Party.AGENT, Party.ASSISTANT, Party.PARTNER, Party.ADMIN})
PATIENCE = 3  # the business's turns after a question within which it can still be answered
CONTEXT = 3  # turns within which "it" may be the recording
SHORT = 8  # words; in so few a refusal may hide that was badly heard
CURT = 3
BADLY = 0.4  # share of words that were hardly heard, beyond which an answer says nothing

_REFUSED = frozenset({ConsentOutcome.DECLINED, ConsentOutcome.REVOKED})


@dataclass(frozen=True, slots=True)
class Words:
    """Where the words are that decide: a turn, the places in it, and when."""

    turn: HeardTurn
    first: int
    last: int
    start_ms: int
    end_ms: int
    confidence: float


@dataclass(frozen=True, slots=True)
class Spoken:
    """``given_ms``: when consent first stood. ``granted_ms``: the last clear yes. ``refused``: the stretches in which a refusal stood.

    ``may_refuse``: a refusal or withdrawal may be among the words. ``unclear``: told or asked, with no clear answer, and nothing heard that speaks
    against it.
    """

    outcome: ConsentOutcome = ConsentOutcome.UNKNOWN
    words: Words | None = None
    given_ms: int | None = None
    granted_ms: int | None = None
    refused: tuple[Interval, ...] = ()
    may_refuse: bool = False
    unclear: bool = False


@dataclass(slots=True)
class _State:
    outcome: ConsentOutcome = ConsentOutcome.UNKNOWN
    words: Words | None = None
    told: bool = False
    asked: Asked = Asked.NOTHING
    joint: bool = False  # asked together with something else
    waiting: int = 0  # how many turns of the business a question has waited for
    open_question: bool = False  # asked, and not answered: going on says nothing then
    clarifying: bool = False  # the customer asked back
    direct: bool = False  # the business has just spoken of the recording, and of nothing else since
    given_ms: int | None = None
    granted_ms: int | None = None
    refused_ms: int | None = None
    refused: list[Interval] = field(default_factory=list)
    may_refuse: bool = False
    turning: bool = False  # refused, and said since what may take that back
    mentioned: int = -100  # the turn in which recording was last spoken of
    told_at: int = -100  # the turn in which it was first told
    last_unclear: Words | None = None
    unclear_at: int = -100
    answered_at: int = -100  # the customer's turn in which consent came to stand


def spoken(turns: Sequence[HeardTurn], heard: Sequence[Read], disclosed: Collection[tuple[int, bool]]) -> Spoken:
    """The customer's consent by words alone. ``disclosed``: the turns in which the business says that it records, and whether that is sure."""
    state = _State()
    for stretch in stretches(heard):
        role = stretch.heard.said.role
        if role is Party.CUSTOMER:
            _customer(state, stretch, turns)
        elif role in ASKS:
            _business(state, stretch, disclosed)
        else:
            _somebody(state, stretch)
        if phrases(stretch, "recording"):
            state.mentioned = last_turn(stretch)
    return _told(state)


def _told(state: _State) -> Spoken:
    if state.refused_ms is not None:
        state.refused.append(Interval(state.refused_ms, None))
    outcome = ConsentOutcome.UNKNOWN if state.turning else state.outcome
    unclear = outcome is ConsentOutcome.UNKNOWN and (state.open_question or state.told)
    return Spoken(outcome, state.words, state.given_ms, state.granted_ms, tuple(state.refused), state.may_refuse, unclear)


def _business(state: _State, stretch: Stretch, disclosed: Collection[tuple[int, bool]]) -> None:
    """A disclosure, a question, another question, or word that the recording was stopped."""
    recording = phrases(stretch, "recording")
    asked = question(stretch, state.open_question and stretch.turn - state.mentioned <= 2 * CONTEXT, state.outcome in _REFUSED)
    stopped = bool(phrases(stretch, "stopped")) and (bool(recording) or stretch.turn - state.mentioned <= CONTEXT)
    if stopped and (state.outcome in _REFUSED or not asked.about):
        asked = replace(asked, about=False)  # whatever is asked beside it, it is not whether one may record
        _stopped(state, stretch)
    elif stretch.turn - state.answered_at == 1 and suspicion.yields(stretch.heard, stretch.begin, stretch.end):
        _doubt(state)
    turns = {token.turn for token in stretch.heard.said.tokens[stretch.begin : stretch.end]}
    clearly = told_clearly(stretch, recording)
    telling = {(sure or clearly) and not garbled(stretch, recording) for turn, sure in disclosed if turn in turns}
    if True in telling and not state.told:
        state.told, state.told_at = True, stretch.turn
    if asked.about:
        state.asked, state.joint = asked.asked, asked.joint
        state.waiting, state.clarifying, state.direct = 0, False, asked.asked is not Asked.OTHER
        if state.outcome not in {ConsentOutcome.GRANTED, *_REFUSED}:
            state.open_question = True
        return
    if telling and asked.marked and not asked.others:  # something is asked, and nobody can say that it is something else
        state.asked, state.waiting, state.open_question = Asked.EITHER, 0, True
        return
    if telling and True not in telling and state.outcome is ConsentOutcome.UNKNOWN and not state.told:
        state.open_question = True  # what was hardly heard may have been a question
    more = bool(recording) and any(other.start >= recording[0].end for other in phrases(stretch, "other_question"))
    state.direct = bool(recording) and not asked.marked and not more
    if state.asked is not Asked.NOTHING:
        state.waiting += 1
        if state.waiting > PATIENCE:
            state.asked, state.joint = Asked.NOTHING, False
        elif asked.others or asked.marked or not state.clarifying:
            state.asked = Asked.OTHER
    elif recording and (asked.others or asked.marked):
        state.asked = Asked.OTHER


def _stopped(state: _State, stretch: Stretch) -> None:
    """The business says that it has stopped: whoever was taken to have agreed has not, or no more."""
    just = state.last_unclear is not None and stretch.turn - state.unclear_at <= 2
    if just and state.outcome not in _REFUSED:
        assert state.last_unclear is not None
        _refused(state, state.last_unclear)
    else:
        _doubt(state)


def _doubt(state: _State) -> None:
    """A refusal or withdrawal may have been among the words: nobody can say that consent stands."""
    if state.outcome not in _REFUSED:
        state.outcome, state.may_refuse, state.open_question = ConsentOutcome.UNKNOWN, True, True


def _somebody(state: _State, stretch: Stretch) -> None:
    """Nobody knows who spoke: their yes is nobody's, but their no may be the customer's."""
    given = answer(stretch.heard, stretch.begin, stretch.end, state.asked)
    near = given.explicit or state.asked in _WAITING
    if given.answer is Answer.REFUSE and near:
        _doubt(state)
    elif given.answer is not Answer.NONE and state.outcome is ConsentOutcome.UNKNOWN and (near or state.direct):
        state.open_question = True


_WAITING = frozenset({Asked.MAY_WE, Asked.DO_YOU_MIND, Asked.EITHER, Asked.STOP})


def _customer(state: _State, stretch: Stretch, turns: Sequence[HeardTurn]) -> None:
    given = answer(stretch.heard, stretch.begin, stretch.end, state.asked)
    words = _words(stretch, given, turns)
    waiting = state.asked in _WAITING
    about = stretch.turn - state.mentioned <= CONTEXT
    explicit = given.explicit and (state.told or state.mentioned >= 0 or given.speaks_of_recording)
    explicit = explicit or (state.joint and bool(phrases(stretch, "both")))
    if given.negative or given.suspected:
        state.last_unclear, state.unclear_at = words, stretch.turn
    if phrases(stretch, "withdraw") and given.answer is not Answer.GRANT and not given.asks_back:
        return _refused(state, words)
    if given.answer is Answer.REFUSE and (waiting or explicit or (about and (state.direct or phrases(stretch, "switch_off")))):
        return _refused(state, words)
    if given.answer is Answer.GRANT and (waiting or explicit or (state.direct and state.told and not state.may_refuse)):
        if state.outcome in _REFUSED and not waiting and not explicit:
            state.turning = True
            return None
        return _agreed(state, words, stretch.turn)
    if given.asks_back and phrases(stretch, "consenting"):
        state.open_question = True
    state.clarifying = given.asks_back or given.answer is Answer.NONE
    direct, state.direct = state.direct, False
    if state.outcome in _REFUSED:
        yes = any(tag.kind == "grant" for tag in given.found.tags)
        state.turning = state.turning or (yes and given.answer in {Answer.UNCLEAR, Answer.GRANT})
        return None
    if _suspicious(state, stretch, given, waiting or explicit, direct):
        _doubt(state)
    elif given.answer is Answer.UNCLEAR and (waiting or explicit):
        if state.outcome is not ConsentOutcome.GRANTED:
            state.outcome, state.open_question = ConsentOutcome.UNKNOWN, True
    elif state.outcome is ConsentOutcome.UNKNOWN and state.told and not state.open_question and not state.may_refuse:
        _went_on(state, stretch, given, words, direct)
    if state.outcome is ConsentOutcome.UNKNOWN and (waiting or state.may_refuse):
        state.words = state.words or words
    return None


def _suspicious(state: _State, stretch: Stretch, given: Answered, answering: bool, direct: bool) -> bool:
    """Whether a refusal, or a withdrawal, may be among what is no clear answer."""
    heard, begin, end = stretch.heard, stretch.begin, stretch.end
    if (state.told or state.open_question or given.speaks_of_recording) and suspicion.touches(heard, begin, end, given.found):
        return True
    if answering:
        return given.negative or given.suspected or suspicion.limits(heard, begin, end, given.found)
    if stretch.turn - state.told_at <= CONTEXT or stretch.turn - state.answered_at <= CONTEXT:
        other = state.asked is Asked.OTHER or not direct
        objects = (given.negative or given.refusing) and (given.speaks_of_recording or not other)
        fresh = stretch.turn - state.told_at == 1
        curt = given.refusing and fresh and end - begin <= SHORT
        return objects or curt or suspicion.at_once(heard, begin, end, given.found, other, fresh)
    return given.refusing and given.speaks_of_recording


def _went_on(state: _State, stretch: Stretch, given: Answered, words: Words, direct: bool) -> None:
    """Was told, not asked, and goes on with the call: that is a consent, unless the words were badly heard."""
    tokens = stretch.heard.said.tokens[stretch.begin : stretch.end]
    said = stretch.heard.said
    bad = [place for place in range(stretch.begin, stretch.end) if badly(stretch.heard, place) or place in said.lost]
    short = len(tokens) <= SHORT
    if len(tokens) <= CURT and given.negative:
        state.open_question = True  # a mere no: to what, nobody can say
        return
    if len(bad) > BADLY * len(tokens) or ((bad or stretch.begin - 1 in said.lost) and (given.negative or short)):
        state.open_question = short and (
            direct or given.negative or stretch.turn - state.told_at == 1
        )  # else what is said next may be heard better
        return
    if given.refusing or (given.asks_back and given.speaks_of_recording):
        return
    state.outcome, state.words, state.answered_at = ConsentOutcome.IMPLIED, words, stretch.turn
    state.given_ms = words.end_ms if state.given_ms is None else state.given_ms


def _refused(state: _State, words: Words) -> None:
    state.turning = False
    if state.outcome in _REFUSED:
        return
    stood = state.given_ms is not None
    state.outcome = ConsentOutcome.REVOKED if stood else ConsentOutcome.DECLINED
    state.words, state.refused_ms = words, words.end_ms
    state.asked, state.open_question = Asked.NOTHING, False


def _agreed(state: _State, words: Words, turn: int) -> None:
    if state.refused_ms is not None:
        state.refused.append(Interval(state.refused_ms, words.end_ms))
    state.outcome, state.words, state.granted_ms = ConsentOutcome.GRANTED, words, words.end_ms
    state.given_ms = words.end_ms if state.given_ms is None else state.given_ms
    state.refused_ms, state.may_refuse, state.open_question, state.turning = None, False, False, False
    state.asked, state.joint, state.answered_at = Asked.NOTHING, False, turn


def _words(stretch: Stretch, given: Answered, turns: Sequence[HeardTurn]) -> Words:
    tokens = stretch.heard.said.tokens[given.start : given.end]
    turn = turns[tokens[0].turn]
    inside = [token for token in tokens if token.turn == tokens[0].turn]
    return Words(turn, inside[0].word, inside[-1].word, tokens[0].start_ms, tokens[-1].end_ms, min(token.confidence for token in tokens))
