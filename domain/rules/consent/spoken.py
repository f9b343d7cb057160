"""What the customer's own words amount to over a call: told or asked, answered, withdrawn, taken back. What one answer means is decided in answers.

Times are those of the words. How this meets the API's records and the law of the place is decided in combined.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from domain.consent import ConsentOutcome
from domain.parties import Party
from domain.rules.consent.answers import BREATH, Answer, Answered, Asked, answer
from domain.rules.consent.stretches import Stretch, asks_more, garbled, in_question, inside, last_turn, phrases, stretches
from domain.rules.phrases import HARDLY, Phrase
from domain.rules.places import Read
from domain.rules.shapes import HeardTurn, Interval
from domain.rules.tokens import Break

ASKS = frozenset({Party.AGENT, Party.ASSISTANT, Party.PARTNER, Party.ADMIN})
MOST_AFTER = 12  # words that may follow a question before a mere yes may mean something else
PATIENCE = 3  # the business's turns after a question within which it can still be answered
CONTEXT = 3  # turns within which "it" may be the recording
QUESTION_NEAR = 45  # words between what is said of the recording and the question about it
SHORT = 8  # words; in so few a refusal may hide that was badly heard
BADLY = 0.4  # share of words that were hardly heard, beyond which an answer says nothing

_PASSES = frozenset({ConsentOutcome.GRANTED, ConsentOutcome.IMPLIED})
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

    ``doubtful``: the words can be taken either way, or a refusal may be among them.
    """

    outcome: ConsentOutcome = ConsentOutcome.UNKNOWN
    words: Words | None = None
    given_ms: int | None = None
    granted_ms: int | None = None
    refused: tuple[Interval, ...] = ()
    doubtful: bool = False


@dataclass(slots=True)
class _State:
    outcome: ConsentOutcome = ConsentOutcome.UNKNOWN
    words: Words | None = None
    told: bool = False
    asked: Asked = Asked.NOTHING
    waiting: int = 0  # how many turns of the business a question has waited for
    open_question: bool = False  # asked, and not answered: going on says nothing then
    clarifying: bool = False  # the customer asked back
    direct: bool = False  # the business has just spoken of the recording, and of nothing else since
    given_ms: int | None = None
    granted_ms: int | None = None
    refused_ms: int | None = None
    refused: list[Interval] = field(default_factory=list)
    doubtful: bool = False
    mentioned: int = -100  # the turn in which recording was last spoken of
    told_at: int = -100  # the turn in which it was first told
    last_unclear: Words | None = None
    unclear_at: int = -100


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
    return Spoken(state.outcome, state.words, state.given_ms, state.granted_ms, tuple(state.refused), state.doubtful)


def _business(state: _State, stretch: Stretch, disclosed: Collection[tuple[int, bool]]) -> None:
    """A disclosure, a question, another question, or word that the recording was stopped."""
    recording = phrases(stretch, "recording")
    minds, mays = phrases(stretch, "do_you_mind"), phrases(stretch, "may_we")
    others = phrases(stretch, "other_question")
    asks = [phrase for phrase in (*minds, *mays) if _about(phrase, recording, state, stretch)]
    stopped = bool(phrases(stretch, "stopped")) and (bool(recording) or stretch.turn - state.mentioned <= CONTEXT)
    if stopped and (state.outcome in _REFUSED or not asks):
        asks = []  # whatever is asked beside it, it is not whether one may record
        _stopped(state, stretch)
    turns = {token.turn for token in stretch.heard.said.tokens[stretch.begin : stretch.end]}
    telling = {sure and not garbled(stretch) for turn, sure in disclosed if turn in turns}
    if telling and not state.told:
        state.told, state.told_at = True, stretch.turn
        state.doubtful = state.doubtful or True not in telling
    breaks = stretch.heard.said.breaks
    marked = any(breaks[place] is Break.QUESTION for place in range(stretch.begin, stretch.end))
    others += [phrase for phrase in phrases(stretch, "wh") if in_question(stretch, phrase)]
    if asks:
        last = max(phrase.end for phrase in asks)
        minding = any(inside(phrase, minds) for phrase in asks)
        asking = any(not inside(phrase, minds) for phrase in asks)
        state.asked = Asked.EITHER if minding and asking else Asked.DO_YOU_MIND if minding else Asked.MAY_WE
        state.waiting, state.clarifying, state.direct = 0, False, True
        if state.outcome not in {ConsentOutcome.GRANTED, *_REFUSED}:
            state.open_question = True
        more = any(other.start >= last for other in others if not inside(other, asks)) or stretch.end - last > MOST_AFTER
        if more or asks_more(stretch, last):
            state.asked, state.direct = Asked.OTHER, False
        return
    if True in telling and marked and not others:  # something is asked, and nobody can say that it is something else
        state.asked, state.waiting, state.open_question = Asked.EITHER, 0, True
        return
    state.direct = bool(recording) and not marked and not any(other.start >= recording[0].end for other in others)
    if state.asked is not Asked.NOTHING:
        state.waiting += 1
        if state.waiting > PATIENCE:
            state.asked = Asked.NOTHING
        elif others or marked or not state.clarifying:
            state.asked = Asked.OTHER
    elif recording and (others or marked):
        state.asked = Asked.OTHER


def _about(phrase: Phrase, recording: Sequence[Phrase], state: _State, stretch: Stretch) -> bool:
    """Whether a question is about the recording: that is spoken of close to it, or was just asked about. After a refusal it must name it."""
    if state.outcome in _REFUSED:
        breaks = stretch.heard.said.breaks
        return any(
            phrase.start <= one.start <= phrase.end + BREATH and not any(breaks[at].ends_sentence for at in range(phrase.start, one.start))
            for one in recording
        )
    if any(-QUESTION_NEAR <= phrase.start - one.start <= QUESTION_NEAR for one in recording):
        return True
    return state.open_question and stretch.turn - state.mentioned <= 2 * CONTEXT


def _stopped(state: _State, stretch: Stretch) -> None:
    """The business says that it has stopped: whoever was taken to have agreed has not, or no more."""
    just = state.last_unclear is not None and stretch.turn - state.unclear_at <= 2
    if just and state.outcome not in _REFUSED:
        assert state.last_unclear is not None
        _refused(state, state.last_unclear)
    elif state.outcome in _PASSES:
        state.outcome, state.doubtful = ConsentOutcome.UNKNOWN, True


def _somebody(state: _State, stretch: Stretch) -> None:
    """Nobody knows who spoke: their yes is nobody's, but their no may be the customer's."""
    given = answer(stretch.heard, stretch.begin, stretch.end, state.asked)
    near = given.explicit or state.asked in _WAITING
    if given.answer is Answer.REFUSE and near and state.outcome not in _REFUSED:
        state.outcome, state.doubtful, state.open_question = ConsentOutcome.UNKNOWN, True, True


_WAITING = frozenset({Asked.MAY_WE, Asked.DO_YOU_MIND, Asked.EITHER})


def _customer(state: _State, stretch: Stretch, turns: Sequence[HeardTurn]) -> None:
    given = answer(stretch.heard, stretch.begin, stretch.end, state.asked)
    words = _words(stretch, given, turns)
    waiting = state.asked in _WAITING
    about = stretch.turn - state.mentioned <= CONTEXT
    explicit = given.explicit and (state.told or state.mentioned >= 0 or given.speaks_of_recording)
    if given.negative:
        state.last_unclear, state.unclear_at = words, stretch.turn
    if phrases(stretch, "withdraw") and given.answer is not Answer.GRANT and not given.asks_back:
        return _refused(state, words)
    if given.answer is Answer.REFUSE and (waiting or explicit or (about and (state.direct or phrases(stretch, "switch_off")))):
        return _refused(state, words)
    if given.answer is Answer.GRANT and (waiting or explicit or (state.direct and state.told and not state.doubtful)):
        if state.outcome in _REFUSED and not waiting and not explicit:
            return None
        return _agreed(state, words)
    if given.asks_back and phrases(stretch, "consenting"):
        state.open_question = True
    state.clarifying = given.asks_back or given.answer is Answer.NONE
    state.direct = False
    if given.answer is Answer.UNCLEAR and (waiting or explicit or (given.negative and given.speaks_of_recording)):
        state.last_unclear, state.unclear_at = words, stretch.turn
        if state.outcome is ConsentOutcome.IMPLIED or state.outcome is ConsentOutcome.UNKNOWN:
            state.outcome, state.open_question, state.words = ConsentOutcome.UNKNOWN, True, words
            state.doubtful = state.doubtful or not given.asks_back or given.negative
        elif state.outcome is ConsentOutcome.GRANTED and given.refusing and given.speaks_of_recording:
            state.outcome, state.doubtful = ConsentOutcome.UNKNOWN, True
    elif (
        given.refusing and state.outcome in {ConsentOutcome.UNKNOWN, ConsentOutcome.IMPLIED} and 0 < stretch.turn - state.told_at <= CONTEXT
    ):
        state.outcome, state.doubtful, state.open_question = ConsentOutcome.UNKNOWN, True, True
    elif state.outcome is ConsentOutcome.UNKNOWN and state.told and not state.open_question and not state.doubtful:
        _went_on(state, stretch, given, words)
    return None


def _went_on(state: _State, stretch: Stretch, given: Answered, words: Words) -> None:
    """Was told, not asked, and goes on with the call: that is a consent, unless a no is among the words, or they were badly heard."""
    tokens = stretch.heard.said.tokens[stretch.begin : stretch.end]
    if sum(token.confidence < HARDLY for token in tokens) > BADLY * len(tokens):
        state.doubtful = state.doubtful or len(tokens) <= SHORT
        return
    said = stretch.heard.said
    gaps = (
        any(said.tokens[place].confidence < HARDLY or place in said.lost for place in range(stretch.begin, stretch.end))
        or stretch.begin - 1 in said.lost
    )
    if (given.negative and (given.speaks_of_recording or state.asked is not Asked.OTHER)) or (
        gaps and (given.negative or len(tokens) <= SHORT)
    ):
        state.doubtful, state.open_question = True, True
        return
    if given.asks_back and given.speaks_of_recording:
        return
    state.outcome, state.words = ConsentOutcome.IMPLIED, words
    state.given_ms = words.end_ms if state.given_ms is None else state.given_ms


def _refused(state: _State, words: Words) -> None:
    if state.outcome in _REFUSED:
        return
    stood = state.given_ms is not None
    state.outcome = ConsentOutcome.REVOKED if stood else ConsentOutcome.DECLINED
    state.words, state.refused_ms = words, words.end_ms
    state.asked, state.open_question = Asked.NOTHING, False


def _agreed(state: _State, words: Words) -> None:
    if state.refused_ms is not None:
        state.refused.append(Interval(state.refused_ms, words.end_ms))
    state.outcome, state.words, state.granted_ms = ConsentOutcome.GRANTED, words, words.end_ms
    state.given_ms = words.end_ms if state.given_ms is None else state.given_ms
    state.refused_ms, state.doubtful, state.open_question = None, False, False
    state.asked = Asked.NOTHING


def _words(stretch: Stretch, given: Answered, turns: Sequence[HeardTurn]) -> Words:
    tokens = stretch.heard.said.tokens[given.start : given.end]
    turn = turns[tokens[0].turn]
    inside = [token for token in tokens if token.turn == tokens[0].turn]
    return Words(turn, inside[0].word, inside[-1].word, tokens[0].start_ms, tokens[-1].end_ms, min(token.confidence for token in tokens))
