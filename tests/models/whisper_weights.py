"""The real Whisper base for transformers, out of the CTranslate2 file that wheels ship.

The numbers are OpenAI's, as both libraries have them; only names and the order of files differ.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from transformers import (
    GenerationConfig,
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperForConditionalGeneration,
    WhisperProcessor,
    WhisperTokenizer,
)

Arrays = dict[str, npt.NDArray[Any]]

_KINDS = (np.float32, np.int8, np.int16, np.int32, np.float16)
_NAMES = {
    "ffn/layer_norm": "final_layer_norm",
    "ffn/linear_0": "fc1",
    "ffn/linear_1": "fc2",
    "self_attention/layer_norm": "self_attn_layer_norm",
    "self_attention/linear_1": "self_attn.out_proj",
    "attention/layer_norm": "encoder_attn_layer_norm",
    "attention/linear_0": "encoder_attn.q_proj",
    "attention/linear_2": "encoder_attn.out_proj",
}
_FUSED = {
    "self_attention/linear_0": [f"self_attn.{part}_proj" for part in "qkv"],
    "attention/linear_1": [f"encoder_attn.{part}_proj" for part in "kv"],
}


def save(source: Path, folder: Path) -> None:
    """Write the model as one of the hub.

    Parameters
    ----------
    source : Path
        A folder with faster-whisper's base.
    """
    arrays = _arrays((source / "model.bin").read_bytes())
    reported = json.loads((source / "config.json").read_text())
    network = WhisperForConditionalGeneration(
        WhisperConfig(
            vocab_size=51_865, d_model=512, encoder_layers=6, decoder_layers=6,
            encoder_attention_heads=8, decoder_attention_heads=8, encoder_ffn_dim=2048,
            decoder_ffn_dim=2048,
        )
    )  # fmt: skip
    missing, unexpected = network.load_state_dict(_state(arrays), strict=False)
    # Keys of attention have no bias in Whisper; the last layer is the embeddings again.
    assert set(missing) <= {"proj_out.weight"}
    assert not [name for name in unexpected if not name.endswith("k_proj.bias")]
    folder.mkdir(parents=True)
    tokenizer_file = folder / "tokenizer.json"
    tokenizer_file.write_bytes((source / "tokenizer.json").read_bytes())
    tokenizer = WhisperTokenizer.from_pretrained(folder)
    number = tokenizer.convert_tokens_to_ids
    languages = tokenizer.convert_ids_to_tokens(reported["lang_ids"])
    network.generation_config = GenerationConfig(
        decoder_start_token_id=number("<|startoftranscript|>"),
        bos_token_id=number("<|endoftext|>"),
        eos_token_id=number("<|endoftext|>"),
        pad_token_id=number("<|endoftext|>"),
        no_timestamps_token_id=number("<|notimestamps|>"),
        prev_sot_token_id=number("<|startofprev|>"),
        suppress_tokens=reported["suppress_ids"],
        begin_suppress_tokens=reported["suppress_ids_begin"],
        alignment_heads=reported["alignment_heads"],
        lang_to_id=dict(zip(languages, reported["lang_ids"], strict=True)),
        task_to_id={task: number(f"<|{task}|>") for task in ("translate", "transcribe")},
        is_multilingual=True,
        max_initial_timestamp_index=50,
        max_length=448,
    )
    network.half().save_pretrained(folder)
    WhisperProcessor(WhisperFeatureExtractor(), tokenizer).save_pretrained(folder)


def _arrays(data: bytes) -> Arrays:
    """The variables of a CTranslate2 model."""
    at = 0

    def take(form: str) -> int:
        nonlocal at
        (value,) = struct.unpack_from(f"<{form}", data, at)
        at += struct.calcsize(form)
        return int(value)

    def name() -> str:
        nonlocal at
        length = take("H")
        at += length
        return data[at - length : at - 1].decode()

    take("I"), name(), take("I")
    arrays: Arrays = {}
    for _ in range(take("I")):
        key = name()
        shape = [take("I") for _ in range(take("B"))]
        kind, size = np.dtype(_KINDS[take("B")]), take("I")
        arrays[key] = np.frombuffer(data, kind, size // kind.itemsize, at).reshape(shape)
        at += size
    return arrays


def _state(arrays: Arrays) -> dict[str, torch.Tensor]:
    state: Arrays = {}
    for key, array in arrays.items():
        if array.dtype != np.float16:
            continue
        side, *middle, kind = key.split("/")
        kind = {"gamma": "weight", "beta": "bias", "encodings": "weight"}.get(kind, kind)
        part = "/".join(middle)
        at = f"model.{side}"
        if middle[0].startswith("layer_") and len(middle) > 1:
            at += f".layers.{middle[0].removeprefix('layer_')}"
            part = "/".join(middle[1:])
        if part in _FUSED:
            names = _FUSED[part]
            for name, piece in zip(names, np.split(array, len(names)), strict=True):
                state[f"{at}.{name}.{kind}"] = piece
            continue
        part = {"position_encodings": "embed_positions", "embeddings": "embed_tokens"}.get(
            part, _NAMES.get(part, part)
        )
        state[f"{at}.{part}.{kind}"] = array
    return {name: torch.from_numpy(array.astype(np.float32)) for name, array in state.items()}
