"""Trained weights to what faster-whisper loads without asking anybody: a CTranslate2 folder in int8.

python -m demo.recipe.export WEIGHTS.pt [FOLDER]        (demo/model unless told otherwise)
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path

from ctranslate2.converters import TransformersConverter
from transformers import PreTrainedTokenizerFast

from demo.recipe import shape

FEATURES = {"feature_size": 80, "sampling_rate": 16000, "hop_length": 160, "chunk_length": 30, "n_fft": 400}


class Converter(TransformersConverter):
    """CTranslate2's converter with a tokenizer that is only a file."""

    def load_tokenizer(self, tokenizer_class, path, **kwargs):
        return PreTrainedTokenizerFast(tokenizer_file=f"{path}/tokenizer.json")


def export(weights: str, folder: Path) -> None:
    whisper, _ = shape.load(weights)
    generation = whisper.generation_config
    generation.alignment_heads = shape.ALIGNMENT_HEADS
    generation.suppress_tokens, generation.begin_suppress_tokens = [], [shape.END]
    generation.no_timestamps_token_id = shape.NO_TIMESTAMPS
    with tempfile.TemporaryDirectory() as source, tempfile.TemporaryDirectory() as made:
        whisper.save_pretrained(source)
        shutil.copyfile(shape.TOKENIZER, Path(source, "tokenizer.json"))
        Path(source, "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast"}))
        Path(source, "preprocessor_config.json").write_text(json.dumps(FEATURES))
        Converter(source, copy_files=["tokenizer.json", "preprocessor_config.json"]).convert(made, quantization="int8", force=True)
        config = Path(made, "config.json")
        config.write_text(json.dumps(json.loads(config.read_text()) | {"alignment_heads": shape.ALIGNMENT_HEADS}, indent=2) + "\n")
        folder.mkdir(parents=True, exist_ok=True)
        for file in Path(made).iterdir():
            shutil.copyfile(file, folder / file.name)


if __name__ == "__main__":
    export(sys.argv[1], Path(sys.argv[2]) if len(sys.argv) > 2 else shape.TOKENIZER.parent)
