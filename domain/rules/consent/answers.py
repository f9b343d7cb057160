"""What a customer's words amount to as an answer about being recorded. In which order answers, withdrawals and returns follow is spoken's.

The one mistake that must not be made is to take a refusal for a yes. So a yes counts only where its own words were heard well, nothing seems to be
missing beside them, no "not" is left over that no known phrase explains, and nothing raises suspicion; whatever else cannot be explained is unclear.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from domain.rules.consent import suspicion
from domain.rules.consent.tags import BREATH, Tag, Tagged, among_unheard, badly, of, one_sentence, tagged
from domain.rules.places import Read

NEAR = 6  # words within which a "not" that is left over may belong to a yes
OPENING = 4  # words within which an answer begins
FEW = 6  # an answer of so many words is nothing but one
BESIDE = 3


class Asked(StrEnum):
    """What a yes would mean: that one may record, that one may not, neither for sure, or that nobody has asked."""

    MAY_WE = "may_we"
    DO_YOU_MIND = "do_you_mind"
    EITHER = "either"
    STOP = "stop"  # whether one should stop, or leave it
    OTHER = "other"  # the last question was about something else, or about something else as well
    NOTHING = "nothing"


class Answer(StrEnum):
    GRANT = "grant"
    REFUSE = "refuse"
    UNCLEAR = "unclear"
    NONE = "none"  # nothing that would be an answer


@dataclass(frozen=True, slots=True)
class Answered:
    """Tokens ``start`` to before ``end`` decide it.

    ``explicit``: the words that decide speak of the recording themselves. ``negative``: something sounds like a no, explained or not, and
    ``refusing`` like a refusal of something. ``suspected``: a refusal or withdrawal may be among the words. ``asks_back``: it is a question, or puts
    the answer off.
    """

    answer: Answer
    start: int
    end: int
    explicit: bool
    negative: bool
    refusing: bool
    suspected: bool
    asks_back: bool
    speaks_of_recording: bool
    found: Tagged


_SHORT = frozenset({"yea", "nay"})
MOST_ELSE = 1  # words beside a mere yes: a name
_COURTESY_WORDS = """
thank thanks you please sir ma'am miss mister dear honey hon love mate darling then oh well and so just the i that it is do am
"""
_COURTESY = frozenset(_COURTESY_WORDS.split())


def answer(heard: Read, begin: int, end: int, asked: Asked) -> Answered:
    """What tokens ``begin`` to before ``end`` answer to what was asked."""
    found = tagged(heard, begin, end)
    tags = [tag for tag in found.tags if tag.kind not in _SHORT or _answers(heard, tag, begin, end)]
    decided, by = _decide(tags, asked, heard, found.explained, end)
    refusing = any(tag.kind in {"refuse", "doubtful"} for tag in tags)
    suspected = refusing
    if decided is Answer.GRANT and by is not None:
        suspected = suspicion.beside(heard, begin, end, found, _yes(tags, by), _explicit(heard, by))
        decided = Answer.UNCLEAR if suspected else decided
    return Answered(
        decided,
        by.start if by else begin,
        by.end if by else end,
        explicit=by is not None and _explicit(heard, by),
        negative=refusing or any(_may_be_no(heard, tag, begin, end) for tag in tags),
        refusing=refusing,
        suspected=suspected,
        asks_back=any(tag.kind == "unsure" for tag in tags),
        speaks_of_recording=any(begin <= one.start and one.end <= end for one in of(heard.sure, "recording")),
        found=found,
    )


def _yes(tags: Sequence[Tag], by: Tag) -> list[Tag]:
    """What decides, and what says yes with it in the same breath."""
    yes = [by]
    for tag in tags:
        if tag.start >= yes[-1].end and tag.kind in {"grant", "yea"} and tag.start - yes[-1].end <= BREATH:
            yes.append(tag)
    return yes


def _answers(heard: Read, tag: Tag, begin: int, end: int) -> bool:
    """Whether a mere yes or no stands where one answers: at the beginning, at that of a sentence, or in a few words."""
    breaks = heard.said.breaks
    return tag.start - begin <= OPENING or end - begin <= FEW or breaks[tag.start - 1].ends_sentence


def _may_be_no(heard: Read, tag: Tag, begin: int, end: int) -> bool:
    """Whether a "no" begins the answer, or a "not" stands beside a word that may point at the recording, or that was hardly heard."""
    if tag.kind == "nay":
        return _answers(heard, tag, begin, end)
    if tag.kind != "denial":
        return False
    if any(-BESIDE < one.start - tag.end < BESIDE for one in of(heard.sure, "pointed")):
        return True
    near = range(max(begin, tag.start - BESIDE), min(end, tag.end + BESIDE))
    return any(badly(heard, place) or place in heard.said.lost for place in near)


def _explicit(heard: Read, tag: Tag) -> bool:
    """Whether a phrase names the recording, or consent, or does so in the same breath."""
    for name, reach in (("recording", BREATH), ("consenting", 0)):
        for one in of(heard.sure, name):
            first, last = min(one.start, tag.start), max(one.end, tag.end)
            apart = max(one.start - tag.end, tag.start - one.end)
            if one_sentence(heard, first, last - 1) and (apart < 0 or 0 < reach >= apart):
                return True
    return False


def _decide(tags: Sequence[Tag], asked: Asked, heard: Read, explained: frozenset[int], end: int) -> tuple[Answer, Tag | None]:
    refusals = [tag for tag in tags if tag.kind == "refuse"]
    grants = [tag for tag in tags if tag.kind == "grant"]
    yes = [tag for tag in tags if tag.kind == "yea"]
    no = [tag for tag in tags if tag.kind == "nay"]
    if refusals:
        last = refusals[-1]
        later = [tag for tag in grants if tag.start > last.start and tag.clean]
        if not later:
            turned = asked is Asked.DO_YOU_MIND and (no or yes or grants)
            return (Answer.UNCLEAR if turned and not any(tag.clean for tag in refusals) else Answer.REFUSE), last
        return (Answer.GRANT, later[-1]) if _taken_back(heard, last.end, later[-1], tags) else (Answer.UNCLEAR, later[-1])
    if any(tag.kind == "doubtful" for tag in tags):
        return Answer.UNCLEAR, next(tag for tag in tags if tag.kind == "doubtful")
    if grants:
        return _by_grants(grants, yes, no, tags, asked, heard)
    if any(tag.kind == "unsure" for tag in tags):
        return Answer.UNCLEAR, next(tag for tag in tags if tag.kind == "unsure")
    return _by_word(yes, no, tags, asked, heard, explained, end)


def _by_grants(
    grants: Sequence[Tag], yes: Sequence[Tag], no: Sequence[Tag], tags: Sequence[Tag], asked: Asked, heard: Read
) -> tuple[Answer, Tag]:
    deciding = next((tag for tag in grants if tag.clean), grants[-1])
    speaks = _speaks(heard, deciding)
    if asked in {Asked.MAY_WE, Asked.EITHER} and any(tag.start < deciding.start for tag in no) and not yes and not speaks:
        return Answer.UNCLEAR, deciding
    if asked is Asked.STOP and not _explicit(heard, deciding):
        return Answer.UNCLEAR, deciding
    later = [tag for tag in tags if tag.start > grants[-1].end and tag.kind in {"nay", "unsure"}]
    if any(tag.kind == "nay" or not _starts_sentence(heard, tag) for tag in later):
        return Answer.UNCLEAR, deciding
    return _granted([deciding, *yes], deciding, tags, heard)


def _starts_sentence(heard: Read, tag: Tag) -> bool:
    return tag.start > 0 and heard.said.breaks[tag.start - 1].ends_sentence


def _by_word(
    yes: Sequence[Tag], no: Sequence[Tag], tags: Sequence[Tag], asked: Asked, heard: Read, explained: frozenset[int], end: int
) -> tuple[Answer, Tag | None]:
    """A mere yes or no."""
    if asked is Asked.MAY_WE:
        if no:
            return (Answer.UNCLEAR, no[-1]) if yes else (Answer.REFUSE, no[-1])
        if yes and not _goes_on(heard, yes, explained, end):
            return _granted(yes, next((tag for tag in yes if tag.clean), yes[0]), tags, heard)
        return (Answer.UNCLEAR, yes[0]) if yes else (Answer.NONE, None)
    if asked is Asked.DO_YOU_MIND:
        if no:
            if yes and yes[0].start < no[0].start:
                return Answer.UNCLEAR, no[0]
            return (
                (Answer.UNCLEAR, no[0])
                if _goes_on(heard, no, explained, end)
                else _granted(no, next((tag for tag in no if tag.clean), no[0]), tags, heard)
            )
        return (Answer.UNCLEAR, yes[0]) if yes else (Answer.NONE, None)
    if asked in {Asked.EITHER, Asked.STOP} and (yes or no):
        return Answer.UNCLEAR, [*yes, *no][0]
    return Answer.NONE, None


def _goes_on(heard: Read, deciding: Sequence[Tag], explained: frozenset[int], end: int) -> bool:
    """Whether the sentence of a mere yes or no says something that no known phrase accounts for: it may answer something else."""
    said = heard.said
    since = deciding[-1].end
    stop = next((place + 1 for place in range(since - 1, end) if said.breaks[place].ends_sentence), end)
    return sum(place not in explained and said.tokens[place].text not in _COURTESY for place in range(since, stop)) > MOST_ELSE


def _granted(deciding: Sequence[Tag], by: Tag, tags: Sequence[Tag], heard: Read) -> tuple[Answer, Tag]:
    """A yes, unless it was not heard well or something beside it may deny it. Two yeses that were heard bear each other out."""
    said = [tag for tag in tags if tag.kind in {"grant", "yea"} and tag.heard]
    twice = len(said) > 1 and by in said
    if not twice and not by.clean:
        return Answer.UNCLEAR, by
    if not twice and all(tag.kind in _SHORT and among_unheard(heard, tag) for tag in deciding):
        return Answer.UNCLEAR, by
    for tag in tags:
        if tag.kind == "denial" and any(_reaches(heard, tag, one) for one in deciding):
            return Answer.UNCLEAR, tag
    return Answer.GRANT, by


def _reaches(heard: Read, denial: Tag, granted: Tag) -> bool:
    """Whether a "not" that no phrase explains may belong to a yes: in the same sentence, or where recording is spoken of with it."""
    first, last = min(denial.start, granted.start), max(denial.end, granted.end)
    between = max(denial.start - granted.end, granted.start - denial.end)
    if between <= NEAR and one_sentence(heard, first, last - 1):
        return True
    return any(abs(one.start - denial.start) <= NEAR for name in ("recording", "touchy") for one in of(heard.sure, name))


def _speaks(heard: Read, tag: Tag) -> bool:
    return any(tag.start < one.end and one.start < tag.end for name in ("recording", "go_ahead") for one in of(heard.sure, name))


def _taken_back(heard: Read, since: int, later: Tag, tags: Sequence[Tag]) -> bool:
    """Whether a later yes clearly takes a refusal back: it says so, and nothing after or just before it denies it."""
    marked = any(since - 2 <= one.start <= later.start for one in of(heard.sure, "correction"))
    denied = any(tag.kind in {"nay", "denial", "unsure"} and tag.start > later.end for tag in tags)
    near = any(tag.kind == "denial" and 0 <= later.start - tag.end <= 2 for tag in tags)
    return marked and not denied and not near
