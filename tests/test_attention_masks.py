"""Networks whose windows are all full are run without the masks of their attention."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lyricsyncd.models import installable
from lyricsyncd.models.attention_masks import without_attention_masks
from lyricsyncd.models.onnx_graph import Graph
from lyricsyncd.models.onnx_session import open_session, run
from lyricsyncd.models.protobuf import fields, integer, nested, text
from tests import lite_models

SIZE = 6


def attention() -> bytes:
    """A softmax of scores where its mask is 0, as an exported attention layer has it."""
    graph = Graph("attention")
    kept = graph.op("Equal", "mask", graph.constant(np.zeros(1)))
    padded = graph.op("Not", kept)
    lowest = graph.constant(np.full((1, SIZE), -np.inf))
    masked = graph.op("Where", padded, lowest, graph.op("Neg", "scores"))
    graph.output(graph.op("Softmax", masked, axis=1), "weights")
    shape = (1, SIZE)
    return graph.to_bytes({"scores": shape, "mask": shape}, {"weights": shape}, {"made by": "us"})


def kinds(model: bytes) -> list[str]:
    (graph,) = (value for number, value, _ in fields(model) if number == 7)
    nodes = [value for number, value, _ in fields(graph) if number == 1]
    return [value.decode() for node in nodes for number, value, _ in fields(node) if number == 4]


class TestAttentionMasks:
    def test_leave_the_graph_with_all_that_only_they_need(self) -> None:
        assert kinds(without_attention_masks(attention())) == ["Neg", "Softmax", "Identity"]

    @given(st.lists(st.floats(-20, 20, width=32), min_size=SIZE, max_size=SIZE))
    def test_do_nothing_where_nothing_is_padded(
        self, tmp_path_factory: pytest.TempPathFactory, scores: list[float]
    ) -> None:
        path = tmp_path_factory.mktemp("network") / "attention.onnx"
        path.write_bytes(attention())
        inputs = {"scores": np.array([scores], np.float32), "mask": np.zeros((1, SIZE), np.float32)}
        masked, unmasked = (
            run(open_session(path, device="cpu", edit=edit), inputs, "weights")
            for edit in (None, without_attention_masks)
        )
        assert np.array_equal(masked, unmasked)

    def test_are_all_that_leaves(self) -> None:
        before, after = (
            [whole for number, _, whole in fields(model) if number != 7]
            for model in (attention(), without_attention_masks(attention()))
        )
        assert before == after

    def test_of_a_broken_file_are_an_error(self) -> None:
        with pytest.raises(ValueError, match="ends within"):
            without_attention_masks(attention()[:-3])


@pytest.mark.song
class TestThePhonemeNetwork:
    def path(self) -> Path:
        return installable.require(installable.PHONEMES, lite_models.installed())

    def test_has_masks_of_all_pairs_of_frames(self) -> None:
        model = self.path().read_bytes()
        assert kinds(model).count("ConstantOfShape") - 2 == kinds(
            without_attention_masks(model)
        ).count("ConstantOfShape")

    def test_says_the_same_without_them(self) -> None:
        noise = np.random.default_rng(0).normal(0.0, 0.1, (2, 16000)).astype(np.float32)
        lengths = np.full(2, noise.shape[1], np.int64)
        masked, unmasked = (
            run(
                open_session(self.path(), device="cpu", edit=edit),
                {"waveform": noise, "waveform_lengths": lengths},
                "log_probs",
            )
            for edit in (None, without_attention_masks)
        )
        assert np.array_equal(masked, unmasked)


messages = st.lists(
    st.one_of(
        st.builds(integer, st.integers(1, 2000), st.integers(0, 2**64 - 1)),
        st.builds(nested, st.integers(1, 2000), st.binary(max_size=300)),
        st.builds(text, st.integers(1, 2000), st.text(max_size=50)),
    )
)


class TestTheFieldsOfAMessage:
    @given(messages)
    def test_are_all_of_its_bytes_in_their_order(self, parts: list[bytes]) -> None:
        assert [whole for _, _, whole in fields(b"".join(parts))] == parts

    @given(st.integers(1, 2000), st.binary(max_size=300))
    def test_have_their_number_and_value(self, number: int, value: bytes) -> None:
        assert list(fields(nested(number, value))) == [(number, value, nested(number, value))]

    @given(st.binary(max_size=60))
    def test_of_anything_else_are_an_error_of_value(self, data: bytes) -> None:
        with contextlib.suppress(ValueError):
            assert b"".join(whole for _, _, whole in fields(data)) == data
