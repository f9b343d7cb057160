"""What a customer's words amount to as an answer about being recorded. In which order answers, withdrawals and returns follow is spoken's.

The one mistake that must not be made is to take a refusal for a yes. So a yes counts only where its own words were heard well, nothing seems to be
missing beside them, and no "not" is left over that no known phrase explains; whatever else cannot be explained is unclear.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from domain.rules.phrases import HARDLY, Phrase
from domain.rules.places import DENIALS, Read
from domain.rules.rules import IDIOM, consent_kind
from domain.rules.tokens import Break

NEAR = 6  # words within which a "not" that is left over may belong to a yes
OPENING = 4  # words within which an answer begins
FEW = 6  # an answer of so many words is nothing but one
BESIDE = 3
BREATH = 4  # words between a phrase and what it is about
MOST_MASKED = 8  # words of somebody else's that are told


class Asked(StrEnum):
    """What a yes would mean: that one may record, that one may not, neither for sure, or that nobody has asked."""

    MAY_WE = "may_we"
    DO_YOU_MIND = "do_you_mind"
    EITHER = "either"
    OTHER = "other"  # the last question was about something else
    NOTHING = "nothing"


class Answer(StrEnum):
    GRANT = "grant"
    REFUSE = "refuse"
    UNCLEAR = "unclear"
    NONE = "none"  # nothing that would be an answer


@dataclass(frozen=True, slots=True)
class Tag:
    """``kind``: yea, nay, grant, refuse, unsure, denial (a "not" that is left over)."""

    kind: str
    start: int
    end: int
    clean: bool


@dataclass(frozen=True, slots=True)
class Answered:
    """Tokens ``start`` to before ``end`` decide it.

    ``explicit``: the words that decide speak of the recording themselves. ``negative``: something sounds like a no, explained or not, and
    ``refusing`` like a refusal of something. ``asks_back``: it is a question, or puts the answer off.
    """

    answer: Answer
    start: int
    end: int
    explicit: bool
    negative: bool
    refusing: bool
    asks_back: bool
    speaks_of_recording: bool


_CLASSES = ("refuse", "grant", "unsure", "nay", "yea", "curt", "neutral")  # of two that are equally long, the first counts
_SHORT = frozenset({"yea", "nay"})


def answer(heard: Read, begin: int, end: int, asked: Asked) -> Answered:
    """What tokens ``begin`` to before ``end`` answer to what was asked."""
    tags = _tags(heard, begin, end)
    speaks = any(begin <= one.start and one.end <= end for one in _of(heard.sure, "recording"))
    decided, by = _decide([tag for tag in tags if tag.kind not in _SHORT or _answers(heard, tag, begin, end)], asked, heard)
    return Answered(
        decided,
        by.start if by else begin,
        by.end if by else end,
        explicit=by is not None and _explicit(heard, by),
        negative=any(tag.kind in {"refuse", "doubtful"} or _may_be_no(heard, tag, begin, end) for tag in tags),
        refusing=any(tag.kind in {"refuse", "doubtful"} for tag in tags),
        asks_back=any(tag.kind == "unsure" for tag in tags),
        speaks_of_recording=speaks,
    )


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
    if any(-BESIDE < one.start - tag.end < BESIDE for one in _of(heard.sure, "pointed")):
        return True
    beside = range(max(begin, tag.start - BESIDE), min(end, tag.end + BESIDE))
    return any(heard.said.tokens[place].confidence < HARDLY or place in heard.said.lost for place in beside)


def _explicit(heard: Read, tag: Tag) -> bool:
    """Whether a phrase names the recording, or consent, or does so in the same breath."""
    breaks = heard.said.breaks
    for name, reach in (("recording", BREATH), ("consenting", 0)):
        for one in _of(heard.sure, name):
            first, last = min(one.start, tag.start), max(one.end, tag.end)
            apart = max(one.start - tag.end, tag.start - one.end)
            parted = any(breaks[place].ends_sentence for place in range(first, last - 1))
            if not parted and (apart < 0 or 0 < reach >= apart):
                return True
    return False


def _of(phrases: Mapping[str, Sequence[Phrase]], name: str) -> Sequence[Phrase]:
    return phrases.get(consent_kind(name), ())


def _tags(heard: Read, begin: int, end: int) -> list[Tag]:
    """The phrases that count, without overlap, and the denials that none of them explains, in order."""
    said = heard.said
    hidden = _told_of_others(heard, begin, end)
    spans = [
        (name, phrase.start, phrase.end)
        for name in _CLASSES
        for phrase in _of(heard.sure, name)
        if begin <= phrase.start
        and phrase.end <= end
        and (name != "curt" or phrase.end == end or said.breaks[phrase.end - 1])
        and not any(said.breaks[place].ends_sentence for place in range(phrase.start, phrase.end - 1))
    ]
    spans += [("neutral", idiom.start, idiom.end) for idiom in heard.sure.get(IDIOM, ()) if begin <= idiom.start and idiom.end <= end]
    taken: set[int] = set()
    chosen: list[tuple[str, int, int]] = []
    for name, start, stop in sorted(spans, key=lambda span: (span[1] - span[2], _CLASSES.index(span[0]), span[1])):
        if not taken & set(range(start, stop)):
            taken |= set(range(start, stop))
            chosen.append((name, start, stop))
    tags = [
        Tag("nay" if name == "curt" else name, start, stop, _clean(heard, start, stop, taken))
        for name, start, stop in chosen
        if name != "neutral" and start not in hidden
    ]
    contrary = {one.start for one in _of(heard.sure, "contrary")}
    for place in range(begin, end):
        if place not in taken and place not in hidden and (said.tokens[place].text in DENIALS or place in contrary):
            tags.append(Tag("denial", place, place + 1, True))
    tags += [
        Tag("doubtful", one.start, one.end, False)
        for one in _of(heard.perhaps, "refuse")
        if begin <= one.start
        and one.end <= end
        and not any(tag.kind == "refuse" and tag.start < one.end and one.start < tag.end for tag in tags)
    ]
    return sorted(tags, key=lambda tag: (tag.start, tag.end))


def _told_of_others(heard: Read, begin: int, end: int) -> set[int]:
    """Places of words that are told as somebody else's, up to the end of the clause."""
    hidden: set[int] = set()
    for quote in _of(heard.sure, "quote"):
        if not begin <= quote.start < end:
            continue
        for place in range(quote.start, min(end, quote.end + MOST_MASKED)):
            if place >= quote.end and heard.said.tokens[place].text in {"but", "so", "i", "me"}:
                break
            hidden.add(place)
            if place >= quote.end and heard.said.breaks[place] not in {0, 2}:
                break
    return hidden


def _clean(heard: Read, start: int, end: int, taken: set[int]) -> bool:
    said = heard.said
    if any(said.tokens[place].confidence < HARDLY for place in range(start, end)):
        return False
    if any(place in said.lost for place in range(start - 1, end)):
        return False
    turn = said.tokens[start].turn
    beside = [place for place in (start - 2, start - 1, end) if 0 <= place < len(said.tokens) and place not in taken]
    return not any(said.tokens[place].confidence < HARDLY and said.tokens[place].turn == turn for place in beside)


def _decide(tags: Sequence[Tag], asked: Asked, heard: Read) -> tuple[Answer, Tag | None]:
    refusals = [tag for tag in tags if tag.kind == "refuse"]
    grants = [tag for tag in tags if tag.kind == "grant"]
    yes = [tag for tag in tags if tag.kind == "yea"]
    no = [tag for tag in tags if tag.kind == "nay"]
    if refusals:
        last = refusals[-1]
        later = [tag for tag in grants if tag.start > last.start and tag.clean]
        if not later:
            return Answer.REFUSE, last
        return (Answer.GRANT, later[-1]) if _taken_back(heard, last.end, later[-1], tags) else (Answer.UNCLEAR, later[-1])
    if any(tag.kind == "doubtful" for tag in tags):
        return Answer.UNCLEAR, next(tag for tag in tags if tag.kind == "doubtful")
    if grants:
        deciding = next((tag for tag in grants if tag.clean), grants[-1])
        if (
            asked in {Asked.MAY_WE, Asked.EITHER}
            and any(tag.start < deciding.start for tag in no)
            and not yes
            and not _speaks(heard, deciding)
        ):
            return Answer.UNCLEAR, deciding
        if any(tag.start > grants[-1].end for tag in [*no, *(tag for tag in tags if tag.kind == "unsure")]):
            return Answer.UNCLEAR, deciding
        return _granted([deciding, *yes], deciding, tags, heard)
    if any(tag.kind == "unsure" for tag in tags):
        return Answer.UNCLEAR, next(tag for tag in tags if tag.kind == "unsure")
    if asked is Asked.MAY_WE:
        if no:
            return (Answer.UNCLEAR, no[-1]) if yes else (Answer.REFUSE, no[-1])
        return _granted(yes, yes[0], tags, heard) if yes else (Answer.NONE, None)
    if asked is Asked.DO_YOU_MIND:
        if no:
            if yes and yes[0].start < no[0].start:
                return Answer.UNCLEAR, no[0]
            return _granted(no, no[0], tags, heard)
        return (Answer.UNCLEAR, yes[0]) if yes else (Answer.NONE, None)
    if asked is Asked.EITHER and (yes or no):
        return Answer.UNCLEAR, [*yes, *no][0]
    return Answer.NONE, None


def _granted(deciding: Sequence[Tag], by: Tag, tags: Sequence[Tag], heard: Read) -> tuple[Answer, Tag]:
    """A yes, unless it was not heard well or something beside it may deny it."""
    if not any(tag.clean for tag in deciding):
        return Answer.UNCLEAR, by
    if all(tag.kind in _SHORT and _among_unheard(heard, tag) for tag in deciding):
        return Answer.UNCLEAR, by
    for tag in tags:
        if tag.kind == "denial" and any(_reaches(heard, tag, one) for one in deciding):
            return Answer.UNCLEAR, tag
    return Answer.GRANT, by


def _among_unheard(heard: Read, tag: Tag) -> bool:
    """Whether a mere yes or no stands in one sentence with words that were not heard."""
    said = heard.said
    for at in range(tag.end - 1, min(len(said.tokens), tag.end + BREATH)):
        if at in said.lost or said.tokens[at].confidence < HARDLY:
            return True
        if said.breaks[at] >= Break.TURN:
            break
    for at in range(tag.start - 1, max(-2, tag.start - BREATH - 2), -1):
        if at >= 0 and said.breaks[at] >= Break.TURN:
            return at in said.lost
        if at in said.lost or (at >= 0 and said.tokens[at].confidence < HARDLY):
            return True
    return False


def _reaches(heard: Read, denial: Tag, granted: Tag) -> bool:
    """Whether a "not" that no phrase explains may belong to a yes: in the same sentence, or where recording is spoken of with it."""
    first, last = min(denial.start, granted.start), max(denial.end, granted.end)
    between = max(denial.start - granted.end, granted.start - denial.end)
    parted = any(heard.said.breaks[place].ends_sentence for place in range(first, last - 1))
    if between <= NEAR and not parted:
        return True
    return any(abs(one.start - denial.start) <= NEAR for name in ("recording", "touchy") for one in _of(heard.sure, name))


def _speaks(heard: Read, tag: Tag) -> bool:
    return any(tag.start < one.end and one.start < tag.end for name in ("recording", "go_ahead") for one in _of(heard.sure, name))


def _taken_back(heard: Read, since: int, later: Tag, tags: Sequence[Tag]) -> bool:
    """Whether a later yes clearly takes a refusal back: it says so, and nothing after or just before it denies it."""
    marked = any(since - 2 <= one.start <= later.start for one in _of(heard.sure, "correction"))
    denied = any(tag.kind in {"nay", "denial", "unsure"} and tag.start > later.end for tag in tags)
    near = any(tag.kind == "denial" and 0 <= later.start - tag.end <= 2 for tag in tags)
    return marked and not denied and not near
