"""``make bench``: every figure as a ratio within this run, as a table and as bench.json. Status 1 if one is past its limit."""

import json
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from bench import compliance, handoff, pipeline, speech, tokens, webhook
from demo import truth
from resources.speech.model import SpeechModel
from resources.speech.settings import SpeechSettings

CALLS = Path(truth.__file__).parent / "calls"
TEN_MINUTES_S = 600
ROUNDS = 3


@dataclass(frozen=True)
class Figure:
    """``value`` may be at most ``limit``, None: it is only told. ``of`` says what was divided by what, with the medians in seconds or ms."""

    name: str
    value: float
    limit: float | None
    of: str

    @property
    def holds(self) -> bool:
        return self.limit is None or self.value <= self.limit


def main() -> int:
    console = Console()
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=console) as progress:

        def step(words: str) -> None:
            progress.add_task(words, total=1)

        figures = [
            *speech_figures(step),
            *compliance_figures(step),
            *webhook_figures(step),
            *token_figures(step),
            *handoff_figures(step),
        ]
    table = Table("figure", "value", "limit", "", "measured", title="Verbatim's figures")
    for figure in figures:
        limit, verdict = ("", "") if figure.limit is None else (f"{figure.limit:g}", "holds" if figure.holds else "PAST ITS LIMIT")
        table.add_row(figure.name, f"{figure.value:.3f}" if figure.value < 0.1 else f"{figure.value:.2f}", limit, verdict, figure.of)
    console.print(table)
    Path("bench.json").write_text(json.dumps([asdict(figure) | {"holds": figure.holds} for figure in figures], indent=2))
    return 0 if all(figure.holds for figure in figures) else 1


def speech_figures(step: Callable[[str], None]) -> list[Figure]:
    """On a ten-minute call of the demo's own two-channel calls, with the demo model on the CPU, each way in turn."""
    calls, model = two_channel_calls(), demo_model()
    used: dict[str, list[float]] = {name: [] for name in ("run", "ours", "bare", "mono", "whole", "whole, batched")}
    with tempfile.TemporaryDirectory() as folder:
        step("making a ten-minute call")
        two = speech.looped(calls, Path(folder) / "two.ogg", TEN_MINUTES_S)
        one = speech.looped(calls, Path(folder) / "one.ogg", TEN_MINUTES_S, channels=1)
        speech.bare(model, calls[0])
        for number in range(1, ROUNDS + 1):
            step(f"speech, round {number} of {ROUNDS}")
            used["bare"].append(speech.bare(model, two))
            used["run"].append(pipeline.whole_run(two, TEN_MINUTES_S, model)[0])
            used["ours"].append(speech.ours(model, two))
            used["mono"].append(speech.ours(model, one))
            used["whole"].append(speech.whole_channels(model, two))
            used["whole, batched"].append(speech.whole_channels_batched(model, two))
        step("counting model loads")
        loads = pipeline.whole_run(calls[0], 60)[1]

    def ratio(name: str, over: str, limit: float | None, words: str) -> Figure:
        pairs = [a / b for a, b in zip(used[name], used[over], strict=True)]
        medians = f"{statistics.median(used[name]):.1f} s / {statistics.median(used[over]):.1f} s of CPU"
        return Figure(words, statistics.median(pairs), limit, medians)

    return [
        ratio("run", "bare", 1.15, "a whole run / bare faster-whisper on the mix"),
        ratio("ours", "mono", 1.2, "two channels / mono of the same call"),
        ratio("ours", "whole", 0.6, "our way / faster-whisper on each whole channel without VAD"),
        ratio("ours", "whole, batched", None, "our way / the same in batches of 30 s, cut blindly"),
        Figure("model loads in a run", loads, 1, "a run that starts without a model"),
    ]


def compliance_figures(step: Callable[[str], None]) -> list[Figure]:
    """Judging and redacting the same ten-minute call, and calls from a minute to a thousand.

    The demo model knows three voices and is small: against one that knows every voice the share is a fraction of this.
    """
    step("rules and redaction")
    with tempfile.TemporaryDirectory() as folder:
        recording = speech.looped(two_channel_calls(), Path(folder) / "two.ogg", TEN_MINUTES_S)
        model = demo_model()
        rounds = [compliance.one_call(model, recording) for _ in range(ROUNDS)]
    grown = {one.minutes: one for one in compliance.growth(step)}

    looking_twice = statistics.median((one.rules - one.rules_if_sure) / (one.rules + one.redaction) for one in rounds)
    why = f", {looking_twice:.0%} of it for what {rounds[0].hardly} hardly heard of {rounds[0].words} words may have been"

    def over_speech(words: str, part: Callable[[compliance.OneCall], float], limit: float | None) -> Figure:
        ours, theirs = (statistics.median(of(one) for one in rounds) for of in (part, lambda one: one.speech))
        share = statistics.median(part(one) / one.speech for one in rounds)
        return Figure(f"{words} / speech step", share, limit, f"{ours * 1000:.0f} ms / {theirs:.1f} s of CPU{why if limit else ''}")

    def growing(words: str, part: Callable[[compliance.PerWord], float]) -> Figure:
        told = ", ".join(f"{minutes} min {part(one):.0f}" for minutes, one in grown.items())
        return Figure(f"{words}, CPU a word, 1000 minutes / 10", part(grown[1000]) / part(grown[10]), 1.5, f"{told} us a word")

    return [
        over_speech("rules and redaction", lambda one: one.rules + one.redaction, 0.02),
        over_speech("rules alone", lambda one: one.rules, None),
        over_speech("rules were every word sure", lambda one: one.rules_if_sure, None),
        over_speech("redaction alone", lambda one: one.redaction, None),
        over_speech("redaction without its second look", lambda one: one.found_only, None),
        over_speech("silencing the sound", lambda one: one.silencing, None),
        growing("rules", lambda one: one.rules),
        growing("redaction", lambda one: one.redaction),
    ]


def two_channel_calls() -> list[Path]:
    return sorted(
        CALLS / egress.file
        for call in truth.load_calls(CALLS)
        for egress in call.egresses
        if egress.file and egress.request.kind == "routes"
    )


def demo_model() -> SpeechModel:
    return SpeechModel.load(SpeechSettings(model="demo", device="cpu", compute_type="int8"))


def webhook_figures(step: Callable[[str], None]) -> list[Figure]:
    step("webhooks")
    found = webhook.measure()
    return [
        Figure(
            "our webhook / signature check and one insert",
            found["ratio"],
            1.5,
            f"{found['ours_ms']:.2f} ms / {found['bare_ms']:.2f} ms of CPU",
        )
    ]


def token_figures(step: Callable[[str], None]) -> list[Figure]:
    step("tokens")
    found = tokens.measure()
    ours = f"{found['ours_ms']:.2f} ms"
    return [
        Figure("token endpoint / caller, room and token alone", found["over_asking"], 4, f"{ours} / {found['asking_ms']:.2f} ms of CPU"),
        Figure("token endpoint / a route that only mints", found["over_http"], None, f"{ours} / {found['http_ms']:.2f} ms of CPU"),
        Figure("token endpoint / minting bare, no request", found["ratio"], None, f"{ours} / {found['bare_ms']:.3f} ms of CPU"),
    ]


def handoff_figures(step: Callable[[str], None]) -> list[Figure]:
    step("handoffs")
    found = handoff.measure()
    accepts = f"{found['accepts']:.0f} accepts over {handoff.HANDOFFS} handoffs in {found['accepts_s']:.1f} s"
    return [
        Figure("handoff push, ms, 99 of 100", found["p99_ms"], 200, f"{handoff.DASHBOARDS} dashboards, median {found['p50_ms']:.0f} ms"),
        Figure("handoffs without exactly one winner", found["wrong"], 0, accepts),
    ]


if __name__ == "__main__":
    sys.exit(main())
