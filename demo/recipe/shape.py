"""The demo model's shape: a Whisper of 3.3 million parameters with a vocabulary of its own, and a CTC head that only training uses."""

from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import WhisperConfig, WhisperForConditionalGeneration

WIDTH = 160
ALPHABET = " abcdefghijklmnopqrstuvwxyz'"  # of the CTC head, whose index 0 is the blank
TOKENIZER = Path(__file__).resolve().parent.parent / "model" / "tokenizer.json"

ALIGNMENT_HEADS = [[2, head] for head in range(4)]
"""(layer, head) of the decoder that look at the sound of the word being written: word times are read off there."""

tokenizer = Tokenizer.from_file(str(TOKENIZER))
VOCABULARY = tokenizer.get_vocab_size()
END, START, NO_TIMESTAMPS = (tokenizer.token_to_id(token) for token in ("<|endoftext|>", "<|startoftranscript|>", "<|notimestamps|>"))
FIRST_TIMESTAMP = NO_TIMESTAMPS + 1  # then one token each 20 ms, up to 30 s


def new() -> tuple[WhisperForConditionalGeneration, torch.nn.Linear]:
    config = WhisperConfig(
        vocab_size=VOCABULARY,
        d_model=WIDTH,
        encoder_layers=4,
        decoder_layers=3,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=4 * WIDTH,
        decoder_ffn_dim=4 * WIDTH,
        num_mel_bins=80,
        max_source_positions=1500,
        max_target_positions=448,
        pad_token_id=END,
        bos_token_id=END,
        eos_token_id=END,
        decoder_start_token_id=START,
        dropout=0.0,
        attn_implementation="sdpa",
    )
    return WhisperForConditionalGeneration(config), torch.nn.Linear(WIDTH, len(ALPHABET) + 1)


def load(path: str) -> tuple[WhisperForConditionalGeneration, torch.nn.Linear]:
    whisper, head = new()
    saved = torch.load(path)
    whisper.load_state_dict({name: value.float() for name, value in saved["whisper"].items()})
    head.load_state_dict({name: value.float() for name, value in saved["ctc"].items()})
    return whisper, head


def save(whisper: torch.nn.Module, head: torch.nn.Module, path: str) -> None:
    halves = [{name: value.half() for name, value in part.state_dict().items()} for part in (whisper, head)]
    torch.save({"whisper": halves[0], "ctc": halves[1]}, path)
