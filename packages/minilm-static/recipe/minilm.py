"""The forward pass of all-MiniLM-L6-v2 in numpy: six BERT layers, no framework that would have to be pinned."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file
from scipy.special import erf

HEADS = 12
LAYER_NORM_EPS = 1e-12


@dataclass
class MiniLM:
    weights: dict[str, np.ndarray]
    layers: int
    cls: int
    sep: int

    @classmethod
    def load(cls, folder: Path) -> MiniLM:
        config = json.loads((folder / "config.json").read_text())
        vocabulary = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
        # Copied, because the file's tensors are not aligned, and numpy would copy them at each use.
        weights = {name: tensor.copy() for name, tensor in load_file(folder / "model.safetensors").items()}
        return cls(weights, config["num_hidden_layers"], vocabulary["[CLS]"], vocabulary["[SEP]"])

    def hidden(self, ids: np.ndarray) -> np.ndarray:
        """The last layer's states of sequences of one length: (sequences, tokens) -> (sequences, tokens, 384)."""
        w = self.weights
        state = w["embeddings.word_embeddings.weight"][ids]
        state = state + w["embeddings.position_embeddings.weight"][: ids.shape[1]]
        state = state + w["embeddings.token_type_embeddings.weight"][0]
        state = self._norm(state, "embeddings.LayerNorm")
        for layer in range(self.layers):
            state = self._layer(state, f"encoder.layer.{layer}.")
        return state

    def _layer(self, state: np.ndarray, name: str) -> np.ndarray:
        context = self._attend(state, name + "attention.self.")
        attended = self._linear(context, name + "attention.output.dense")
        state = self._norm(attended + state, name + "attention.output.LayerNorm")
        wide = self._linear(state, name + "intermediate.dense")
        wide = wide * (0.5 * (1.0 + erf(wide / np.float32(np.sqrt(2.0)))))
        return self._norm(self._linear(wide, name + "output.dense") + state, name + "output.LayerNorm")

    def _attend(self, state: np.ndarray, name: str) -> np.ndarray:
        sequences, tokens, width = state.shape

        def heads(part: str) -> np.ndarray:
            projected = self._linear(state, name + part)
            return projected.reshape(sequences, tokens, HEADS, width // HEADS).transpose(0, 2, 1, 3)

        scores = heads("query") @ heads("key").transpose(0, 1, 3, 2) / np.float32(np.sqrt(width // HEADS))
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        scores /= scores.sum(axis=-1, keepdims=True)
        return (scores @ heads("value")).transpose(0, 2, 1, 3).reshape(sequences, tokens, width)

    def _linear(self, state: np.ndarray, name: str) -> np.ndarray:
        return state @ self.weights[name + ".weight"].T + self.weights[name + ".bias"]

    def _norm(self, state: np.ndarray, name: str) -> np.ndarray:
        centred = state - state.mean(axis=-1, keepdims=True)
        deviation = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + np.float32(LAYER_NORM_EPS))
        return centred / deviation * self.weights[name + ".weight"] + self.weights[name + ".bias"]
