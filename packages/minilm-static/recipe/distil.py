"""Distils all-MiniLM-L6-v2 into one vector per token: the weights of this package.

The method is model2vec's (https://github.com/MinishLab/model2vec): each token of the vocabulary is sent through the
model alone, the results are reduced by principal component analysis, and frequent tokens are weighted down as in SIF
(Arora, Liang and Ma, "A Simple but Tough-to-Beat Baseline for Sentence Embeddings", ICLR 2017). A text's vector is the
sum of its tokens'. See README.md beside this file for what differs and what was measured.

    python distil.py FOLDER_OF_THE_MODEL OUTPUT_FOLDER
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from minilm import MiniLM

# Says which weights these are: other vectors need another name.
NAME = "minilm-static-1"
DIMENSIONS = 256
# How far the components are evened out: 0 leaves them as they are, 1 gives all the same variance.
WHITENING = 0.5
# SIF's a: a token as frequent as this weighs half.
SIF = 1e-4
BATCH = 128


def main() -> None:
    parser = argparse.ArgumentParser(description="Distils all-MiniLM-L6-v2 into static token vectors.")
    parser.add_argument("model", type=Path, help="folder with model.safetensors, config.json and tokenizer.json")
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()

    tokenizer = json.loads((arguments.model / "tokenizer.json").read_text())
    kept = words(tokenizer)
    states = token_states(MiniLM.load(arguments.model), kept)
    table, scales = quantise(reduce(states))
    weights = sif_weights(len(kept)) * scales
    write(arguments.output, slim(tokenizer, kept), table, weights)


def words(tokenizer: dict) -> list[tuple[str, int]]:
    """The vocabulary in its own order, which is by falling frequency, without the tokens that stand for no text."""
    by_id = sorted(tokenizer["model"]["vocab"].items(), key=lambda item: item[1])
    return [(token, id_) for token, id_ in by_id if not (token.startswith("[") and len(token) > 1)]


def token_states(model: MiniLM, kept: list[tuple[str, int]]) -> np.ndarray:
    """The model's sentence embedding of each token alone, between [CLS] and [SEP], before normalisation."""
    ids = np.array([id_ for _, id_ in kept])
    alone = np.stack([np.full_like(ids, model.cls), ids, np.full_like(ids, model.sep)], axis=1)
    batches = range(0, len(alone), BATCH)
    return np.concatenate([model.hidden(alone[start : start + BATCH]).mean(axis=1) for start in batches])


def reduce(states: np.ndarray) -> np.ndarray:
    centred = (states - states.mean(axis=0)).astype(np.float64)
    _, deviations, axes = np.linalg.svd(centred, full_matrices=False)
    evened = deviations[:DIMENSIONS] ** -WHITENING
    return centred @ axes[:DIMENSIONS].T * evened


def sif_weights(tokens: int) -> np.ndarray:
    """Zipf's law stands in for frequencies that were never counted: the token of rank r has a share of 1/r."""
    shares = 1.0 / np.arange(2, tokens + 2)
    shares /= shares.sum()
    return SIF / (SIF + shares)


def quantise(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whole numbers from -127 to 127 and each row's scale."""
    scales = np.abs(vectors).max(axis=1) / 127.0
    return np.round(vectors / scales[:, None]).astype(np.int8), scales


def slim(tokenizer: dict, kept: list[tuple[str, int]]) -> dict:
    """The tokenizer with the rows' numbers. Without special tokens: "[SEP]" in somebody's text is text."""
    vocabulary = {token: row for row, (token, _) in enumerate(kept)}
    unknown = tokenizer["model"]["unk_token"]
    vocabulary[unknown] = len(kept)
    model = {**tokenizer["model"], "vocab": vocabulary}
    return {
        **tokenizer,
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "post_processor": None,
        "model": model,
    }


def write(folder: Path, tokenizer: dict, table: np.ndarray, weights: np.ndarray) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    # The unknown token is skipped by all readers, and has a row because they check that each token has one.
    table = np.vstack([table, np.zeros((1, table.shape[1]), np.int8)])
    weights = np.append(weights, 0.0).astype(np.float32)
    save_file({"embeddings": table, "weights": weights}, folder / "model.safetensors")
    compact = {"ensure_ascii": False, "separators": (",", ":")}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer, **compact) + "\n")
    config = {"name": NAME, "model_type": "model2vec", "normalize": True, "hidden_dim": DIMENSIONS}
    (folder / "config.json").write_text(json.dumps(config, **compact) + "\n")


if __name__ == "__main__":
    main()
