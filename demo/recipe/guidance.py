"""Teaches the decoder to look at the sound of the word that it is about to write: it then loses its place less, and word times are right."""

import torch

from demo.recipe.shape import ALIGNMENT_HEADS

REACH_S = 0.25
"""A token's time is only known from its place among the letters of what is said: anywhere within this is as good."""

FRAMES_A_SECOND = 50  # the encoder's


class Guidance:
    """Listens to the cross-attention of the heads that word times are read from."""

    def __init__(self, whisper) -> None:
        self._queries: dict[int, torch.Tensor] = {}
        self._keys: dict[int, torch.Tensor] = {}
        self._heads = whisper.config.decoder_attention_heads
        for layer in {layer for layer, _ in ALIGNMENT_HEADS}:
            attention = whisper.model.decoder.layers[layer].encoder_attn
            attention.q_proj.register_forward_hook(lambda module, given, made, layer=layer: self._queries.update({layer: made}))
            attention.k_proj.register_forward_hook(lambda module, given, made, layer=layer: self._keys.update({layer: made}))

    def loss(self, times: torch.Tensor) -> torch.Tensor:
        """How much the heads looked elsewhere, after the decoder has run. ``times``: (batch, tokens) seconds, NaN where any place will do."""
        row, place = torch.nonzero(~times.isnan(), as_tuple=True)
        losses = []
        for layer in self._queries:
            queries, keys = self._split(self._queries[layer]), self._split(self._keys[layer])
            seconds = torch.arange(keys.shape[2]) / FRAMES_A_SECOND
            near = (seconds - times[row, place][:, None]).abs() < REACH_S
            for head in [head for chosen, head in ALIGNMENT_HEADS if chosen == layer]:
                scores = (queries[:, head] @ keys[:, head].transpose(1, 2)).float() * queries.shape[-1] ** -0.5
                looked = scores.log_softmax(-1)[row, place]
                losses.append(-looked.masked_fill(~near, -torch.inf).logsumexp(-1).mean())
        return torch.stack(losses).mean()

    def _split(self, states: torch.Tensor) -> torch.Tensor:
        """(batch, heads, places, width of a head)."""
        return states.unflatten(-1, (self._heads, -1)).transpose(1, 2)
