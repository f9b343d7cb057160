"""Trains the demo model, or trains it further: attention and CTC together.

    python -m demo.recipe.train DATA WEIGHTS.pt OUT.pt --minutes 30 [--lr 2e-4] [--muon 3e-4] [--of-calls 0.67]

WEIGHTS.pt "new" starts from nothing. What made so small a model learn, the most important first: windows as faster-whisper makes them, CTC on the
encoder, short windows beside full ones, an average of the weights, and a learning rate that falls to nearly nothing.
"""

import argparse
import math
import random
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from demo.recipe import shape
from demo.recipe.guidance import Guidance
from demo.recipe.windows import FRAMES_A_SECOND, Said, Windows

FULL_S = 30
FULL_BATCH = 4
RECALL_BATCH = 8
SAVE_EVERY = 200
WARM_UP = 100
CTC_WEIGHT = 0.5
GUIDANCE_WEIGHT = 0.5
LEAST_RATE = 0.02

Labels = tuple[torch.Tensor, torch.Tensor]  # tokens, and the seconds at which they are heard


@dataclass(frozen=True)
class Batch:
    """``letters``: what each window says, for CTC; ``audible``: how many of its frames have sound."""

    features: torch.Tensor
    labels: Labels
    letters: list[list[int]]
    audible: list[int]


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("data", type=Path)
    arguments.add_argument("weights")
    arguments.add_argument("out")
    arguments.add_argument("--minutes", type=float, required=True)
    arguments.add_argument("--lr", type=float, default=2e-4)
    arguments.add_argument("--muon", type=float, default=3e-4)
    arguments.add_argument("--of-calls", type=float, default=0.67)
    arguments.add_argument("--full", type=float, default=0.5, help="share of batches of windows padded to 30 s")
    arguments.add_argument("--whole", action="store_true", help="let the encoder learn from those too, not only from short windows")
    arguments.add_argument("--recall", type=int, default=0, help="train the decoder alone, on this many windows that are encoded once")
    arguments.add_argument("--keep", type=float, default=0.995, help="how much of the averaged weights a step keeps")
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    rng = random.Random(options.seed)
    windows = Windows(options.data, options.seed, options.of_calls)
    whisper, head = shape.new() if options.weights == "new" else shape.load(options.weights)
    average = AveragedModel(whisper, multi_avg_fn=get_ema_multi_avg_fn(options.keep))
    guidance = Guidance(whisper)
    optimizers = optimizers_of(whisper, head, options.lr, options.muon)
    encoded_once = [encoded_window(whisper, windows, rng) for _ in range(options.recall)]
    began, step, shown = time.monotonic(), 0, {}
    while (done := (time.monotonic() - began) / (options.minutes * 60)) < 1:
        falling = 0.5 * (1 + math.cos(math.pi * done)) * (1 - LEAST_RATE) + LEAST_RATE
        set_rates(optimizers, falling * min(1, (step + 1) / WARM_UP))
        full = bool(encoded_once) or rng.random() < options.full
        with torch.autocast("cpu", torch.bfloat16):
            if encoded_once:
                loss, ctc = attention_of(whisper, guidance, *recalled(encoded_once, rng)), None
            else:
                loss, ctc = loss_of(whisper, head, guidance, drawn(windows, rng, full=full), decoder_only=full and not options.whole)
        for optimizer in optimizers:
            optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_([*whisper.parameters(), *head.parameters()], 1.0)
        for optimizer in optimizers:
            optimizer.step()
        step += 1
        if step > WARM_UP:
            average.update_parameters(whisper)
        for name, value in (("loss, full windows" if full else "loss, short windows", loss.item()), ("ctc", ctc)):
            if value is not None:
                shown[name] = 0.96 * shown.get(name, value) + 0.04 * value
        if step % 50 == 0:
            print(step, f"{time.monotonic() - began:.0f} s", {name: round(value, 3) for name, value in shown.items()}, flush=True)
        if step % SAVE_EVERY == 0:
            shape.save(average.module, head, options.out)
    shape.save(average.module, head, options.out)


def drawn(windows: Windows, rng: random.Random, *, full: bool) -> Batch:
    """Windows padded to 30 s, or short ones."""
    seconds = FULL_S if full else rng.choice([5, 6, 8, 10])
    frames = seconds * FRAMES_A_SECOND
    features, targets, letters, audible = [], [], [], []
    while len(features) < (FULL_BATCH if full else 80 // seconds):
        found, said = windows.draw(rng.uniform(4, FULL_S) if full and rng.random() < 0.5 else seconds)
        tokens = tokens_of(said, timestamps=rng.random() < 0.4)
        if said and len(tokens) <= 440:
            features.append(np.pad(found, ((0, 0), (0, frames - found.shape[1]))))
            targets.append(tokens)
            audible.append(found.shape[1])
            letters.append([shape.ALPHABET.index(c) + 1 for c in " ".join(s.text for s in said).lower() if c in shape.ALPHABET])
    return Batch(torch.tensor(np.stack(features)), padded(targets), letters, audible)


@torch.no_grad()
def encoded_window(whisper, windows: Windows, rng: random.Random) -> tuple[torch.Tensor, list[Said]]:
    """A window padded to 30 s as the encoder hears it, and what is said in it."""
    found, said = windows.draw(rng.uniform(8, FULL_S) if rng.random() < 0.4 else FULL_S)
    features = torch.tensor(np.pad(found, ((0, 0), (0, FULL_S * FRAMES_A_SECOND - found.shape[1]))))
    with torch.autocast("cpu", torch.bfloat16):
        return encoded(whisper, features[None])[0].bfloat16(), said


def recalled(windows: list[tuple[torch.Tensor, list[Said]]], rng: random.Random) -> tuple[torch.Tensor, Labels]:
    chosen = rng.sample(windows, RECALL_BATCH)
    tokens = [tokens_of(said, timestamps=rng.random() < 0.3) for _, said in chosen]
    return torch.stack([hidden for hidden, _ in chosen]).float(), padded(tokens)


def padded(rows: list[list[tuple[int, float]]]) -> Labels:
    """(tokens padded with -100, times padded with NaN)."""
    longest = max(map(len, rows))
    tokens, times = torch.full((len(rows), longest), -100), torch.full((len(rows), longest), math.nan)
    for n, row in enumerate(rows):
        tokens[n, : len(row)] = torch.tensor([token for token, _ in row])
        times[n, : len(row)] = torch.tensor([time for _, time in row])
    return tokens, times


def tokens_of(said: list[Said], *, timestamps: bool) -> list[tuple[int, float]]:
    """Tokens, and for a word's the second at which it is about heard; NaN for the others."""
    found = [(token, math.nan) for token in ([shape.START] if timestamps else [shape.START, shape.NO_TIMESTAMPS])]
    for part in said:
        read = shape.tokenizer.encode(" " + part.text)
        words = [
            (token, part.letters_s[max(0, (first + last) // 2 - 1)]) for token, (first, last) in zip(read.ids, read.offsets, strict=True)
        ]
        found += [(stamp(part.start_s), math.nan), *words, (stamp(part.end_s), math.nan)] if timestamps else words
    return [*found, (shape.END, math.nan)]


def stamp(seconds: float) -> int:
    return shape.FIRST_TIMESTAMP + min(1500, round(seconds * 50))


def loss_of(whisper, head, guidance: Guidance, batch: Batch, *, decoder_only: bool):
    """(loss, CTC's part or None). With ``decoder_only`` the encoder learns nothing, which takes less than half the time."""
    with torch.set_grad_enabled(not decoder_only):
        hidden = encoded(whisper, batch.features)
    ctc = None if decoder_only else ctc_of(head, hidden, batch)
    attention = attention_of(whisper, guidance, hidden, batch.labels)
    return (attention, None) if ctc is None else (attention + CTC_WEIGHT * ctc, ctc.item())


def attention_of(whisper, guidance: Guidance, hidden: torch.Tensor, labels: Labels) -> torch.Tensor:
    """The decoder's loss: wrong tokens, and looking elsewhere than where they are heard."""
    tokens, times = labels
    given, wanted = tokens[:, :-1].clamp(min=0), tokens[:, 1:].clone()
    wanted[wanted == shape.NO_TIMESTAMPS] = -100  # whoever transcribes gives it, the model never has to guess it
    states = whisper.model.decoder(input_ids=given, encoder_hidden_states=hidden, use_cache=False).last_hidden_state
    wrong = functional.cross_entropy(whisper.proj_out(states).float().flatten(0, 1), wanted.flatten(), ignore_index=-100)
    return wrong + GUIDANCE_WEIGHT * guidance.loss(times[:, 1:])


def encoded(whisper, features: torch.Tensor) -> torch.Tensor:
    """The encoder by hand, for transformers' own takes nothing but 30 s."""
    encoder = whisper.model.encoder
    hidden = functional.gelu(encoder.conv2(functional.gelu(encoder.conv1(features)))).permute(0, 2, 1)
    hidden = hidden + encoder.embed_positions.weight[: hidden.shape[1]]
    for layer in encoder.layers:
        hidden = layer(hidden, None)
        hidden = hidden[0] if isinstance(hidden, tuple) else hidden
    return encoder.layer_norm(hidden)


def ctc_of(head, hidden: torch.Tensor, batch: Batch) -> torch.Tensor:
    heard = head(hidden).float().log_softmax(-1).transpose(0, 1)
    lengths = torch.tensor([frames // 2 for frames in batch.audible])  # the encoder takes every other frame
    spelled = torch.tensor([letter for row in batch.letters for letter in row])
    return functional.ctc_loss(heard, spelled, lengths, torch.tensor([len(row) for row in batch.letters]), zero_infinity=True)


def optimizers_of(whisper, head, lr: float, muon: float) -> list[torch.optim.Optimizer]:
    """Muon for the layers' matrices, AdamW for everything else."""
    inner = [p for name, p in whisper.named_parameters() if p.ndim == 2 and "embed" not in name and "proj_out" not in name]
    known = {id(p) for p in inner}
    others = [p for p in [*whisper.parameters(), *head.parameters()] if id(p) not in known and p.requires_grad]
    return [torch.optim.Muon(inner, lr=muon, weight_decay=0.0), torch.optim.AdamW(others, lr=lr, weight_decay=0.01, betas=(0.9, 0.98))]


def set_rates(optimizers: list[torch.optim.Optimizer], share: float) -> None:
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group.setdefault("highest", group["lr"])
            group["lr"] = group["highest"] * share


if __name__ == "__main__":
    main()
