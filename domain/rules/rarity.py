"""Which words of a pattern say the most: the rarest ones, around which it is worth to look. How patterns are found is told in phrases."""

from collections.abc import Sequence

from domain.rules.syntax import Item

_FUNCTION_WORDS = """
a all am an and any are as at be been being but by can could did do does for from get go going got had has have he her here him his how i if
in is it just like me my no not of on one or our out say she so some that the their them then there they this to up us was we what when
which who will with would you your
"""
FUNCTION = frozenset(_FUNCTION_WORDS.split())
_COMMON_WORDS = """
right really know need want everything anything nothing good think said tell mean policy insurance recording recorded record call covered
claim paid coverage person
"""
_COMMON = FUNCTION | frozenset(_COMMON_WORDS.split())


def rarest(segment: Sequence[Item]) -> tuple[frozenset[str], frozenset[str]]:
    """The words of a segment's rarest item, and of the next; none for that where there is but one that must be there."""
    needed = sorted((item for item in segment if item.words and not item.optional), key=lambda item: commonness((item,)))
    return needed[0].words, needed[1].words if len(needed) > 1 else frozenset()


def commonness(items: tuple[Item, ...]) -> tuple[int, int]:
    """Of a segment's rarest item: how many of its words are common, how many there are."""
    return min((sum(word in _COMMON for word in item.words), len(item.words)) for item in items if item.words and not item.optional)
