"""Arithmetic on stretches of time. All in whole milliseconds; a stretch goes from ``start_ms`` to before ``end_ms``, open where that is None."""

from collections.abc import Iterable

from domain.rules.shapes import Interval

ENDLESS = 1 << 62


def joined(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """The same time as disjoint stretches, in order. Empty ones go, those that touch become one."""
    found: list[tuple[int, int]] = []
    for start, end in sorted((one.start_ms, _end(one)) for one in intervals):
        if end <= start:
            continue
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return tuple(_interval(start, end) for start, end in found)


def common(first: Iterable[Interval], second: Iterable[Interval]) -> tuple[Interval, ...]:
    """The time that is in both."""
    ours, theirs = joined(first), joined(second)
    found: list[Interval] = []
    one = other = 0
    while one < len(ours) and other < len(theirs):
        a, b = ours[one], theirs[other]
        found.append(_interval(max(a.start_ms, b.start_ms), min(_end(a), _end(b))))
        if _end(a) < _end(b):
            one += 1
        else:
            other += 1
    return joined(found)


def before(intervals: Iterable[Interval], moment_ms: int) -> tuple[Interval, ...]:
    return common(intervals, (Interval(-ENDLESS, moment_ms),))


def without(intervals: Iterable[Interval], others: Iterable[Interval]) -> tuple[Interval, ...]:
    """The time that is in the first and not in the second."""
    found: list[Interval] = []
    start = -ENDLESS
    for other in joined(others):
        found += common(intervals, (Interval(start, other.start_ms),))
        start = _end(other)
    return joined([*found, *common(intervals, (_interval(start, ENDLESS),))])


def touches(intervals: Iterable[Interval], start_ms: int, end_ms: int) -> bool:
    """Whether what goes from ``start_ms`` to ``end_ms`` lies in one of them, if only in part. What ends where one begins does not."""
    return any(start_ms < _end(one) and one.start_ms < end_ms for one in intervals)


def since(intervals: Iterable[Interval], moment_ms: int) -> tuple[Interval, ...]:
    return common(intervals, (Interval(moment_ms, None),))


def length_ms(intervals: Iterable[Interval]) -> int:
    """How long they last together, an open end counting as endless."""
    return sum(_end(one) - one.start_ms for one in joined(intervals))


def _end(interval: Interval) -> int:
    return ENDLESS if interval.end_ms is None else interval.end_ms


def _interval(start: int, end: int) -> Interval:
    return Interval(start, None if end >= ENDLESS else end)
