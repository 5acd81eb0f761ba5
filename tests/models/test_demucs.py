"""Vocals from a bag of models: the same as the whole bag's, for a part of the work.

The bag is a small one of Demucs' own classes, saved to disk and read back through its repository.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from demucs.apply import BagOfModels, apply_model
from demucs.hdemucs import HDemucs
from demucs.htdemucs import HTDemucs
from demucs.pretrained import get_model

from lyricsyncd.errors import ModelError
from lyricsyncd.registry import ModelContext
from lyricsyncd.separate import VocalSeparator
from lyricsyncd.separate import demucs as ours
from lyricsyncd.separate.spectrogram import Samples

SOURCES = ["drums", "bass", "other", "vocals"]
SONG = Path(__file__).parents[2] / "demo" / "songs" / "Au_clair_de_la_lune.mp3"


def save(network: HTDemucs, signature: str, folder: Path) -> None:
    """As Demucs publishes its networks: SIGNATURE-CHECKSUM.th."""
    args, kwargs = network._init_args_kwargs
    data = io.BytesIO()
    package = {"klass": type(network), "args": args, "kwargs": kwargs}
    torch.save({**package, "state": network.state_dict()}, data)
    checksum = hashlib.sha256(data.getvalue()).hexdigest()[:8]
    (folder / f"{signature}-{checksum}.th").write_bytes(data.getvalue())


@pytest.fixture(scope="module")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    repository = folder / "demucs"
    repository.mkdir()
    signatures = ["aaaa0000", "bbbb1111", "cccc2222", "dddd3333"]
    for number, signature in enumerate(signatures):
        torch.manual_seed(number)
        network = HTDemucs(
            sources=SOURCES, channels=8, depth=4, nfft=2048, t_layers=1, t_heads=2,
            bottom_channels=0, segment=Fraction(1), samplerate=44_100,
        )  # fmt: skip
        save(network, signature, repository)
    eye = np.eye(4).tolist()
    for name, weights in (("small", eye), ("mixed", [[1, 1, 1, 0.25 * k] for k in range(4)])):
        text = yaml.safe_dump({"models": signatures, "weights": weights})
        (repository / f"{name}.yaml").write_text(text)
    (repository / "plain.yaml").write_text(yaml.safe_dump({"models": signatures[:2]}))
    return folder


@pytest.fixture(scope="module")
def mix() -> Samples:
    rng = np.random.default_rng(3)
    t = np.arange(3 * 44_100) / 44_100
    tone = np.sin(2 * np.pi * 220 * t) * (0.3 + 0.2 * np.sin(t))
    return (tone[:, None] + rng.normal(0, 0.05, (len(t), 2))).astype(np.float32)


def whole_bag(bag: Any, mix: Samples) -> Samples:
    """What Demucs' own recipe makes of the mix with all networks."""
    wave = torch.from_numpy(mix.T.copy())
    mono = wave.mean(0)
    wave = (wave - mono.mean()) / (mono.std() + 1e-8)
    out = apply_model(bag, wave[None], shifts=0)[0, SOURCES.index("vocals")]
    vocals: Samples = (out * (mono.std() + 1e-8) + mono.mean()).numpy().T
    return vocals


def opened(name: str, folder: Path, **options: Any) -> ours.Demucs:
    return ours.Demucs(ours.load(name, folder), name, "cpu", **options)


@pytest.mark.parametrize("name", ["small", "mixed", "plain"])
def test_the_vocals_are_those_of_the_whole_bag(name: str, models_dir: Path, mix: Samples) -> None:
    bag = get_model(name, models_dir / "demucs")
    expected = whole_bag(bag, mix)
    found = opened(name, models_dir).vocals(mix)
    assert found.shape == expected.shape == mix.shape
    assert np.abs(expected).max() > 1e-3
    np.testing.assert_allclose(found, expected, atol=2e-5 * np.abs(expected).max(), rtol=0)


def test_only_the_networks_that_make_the_vocals_are_loaded(models_dir: Path) -> None:
    without_prior = ours.load("small", models_dir)
    assert [member.weight for member in without_prior] == [1.0]
    fourth = get_model("dddd3333", models_dir / "demucs")
    ours_state, theirs = without_prior[0].network.state_dict(), fourth.state_dict()
    last = [f"{decoder}.3.conv_tr" for decoder in ("decoder", "tdecoder")]
    assert all(
        torch.equal(ours_state[key], theirs[key])
        for key in theirs
        if not key.startswith(tuple(last))
    )
    assert len(ours.load("mixed", models_dir)) == 3  # the first has no part in them
    assert len(ours.load("plain", models_dir)) == 2


def test_the_published_bag_needs_one_network_of_four() -> None:
    bag = ours._bag("htdemucs_ft", Path("nowhere"))
    at = ours._vocals_at(bag, bag["weights"])
    used = [s for s, w in zip(bag["models"], bag["weights"], strict=True) if w[at]]
    assert used == ["04573f0d"]


def test_twice_the_same_is_the_same(models_dir: Path, mix: Samples) -> None:
    separator = opened("small", models_dir)
    np.testing.assert_array_equal(separator.vocals(mix), separator.vocals(mix))


def test_batches_change_nothing(models_dir: Path, mix: Samples) -> None:
    one = opened("small", models_dir, batch=1).vocals(mix)
    three = opened("small", models_dir, batch=3).vocals(mix)
    np.testing.assert_allclose(one, three, atol=2e-5 * np.abs(one).max(), rtol=0)


@pytest.mark.parametrize("seconds", [0.0, 1 / 44_100, 0.3, 1.0, 1.1])
def test_songs_of_every_length_keep_it(seconds: float, models_dir: Path, mix: Samples) -> None:
    n = round(seconds * 44_100)
    blocks = list(opened("small", models_dir).separate([mix[: n // 2], mix[n // 2 : n]], 44_100))
    assert sum(map(len, blocks)) == n
    assert all(np.isfinite(block).all() for block in blocks)


def small_network(kind: type = HTDemucs, **options: Any) -> Any:
    torch.manual_seed(7)
    options = {"channels": 8, "depth": 4, "nfft": 2048, "samplerate": 44_100} | options
    if kind is HTDemucs:
        options = {"t_layers": 1, "t_heads": 2, "segment": Fraction(1)} | options
    return kind(**{"sources": SOURCES, **options}).eval()


class TestNarrowed:
    """A network that computes the vocals alone to their end."""

    @pytest.mark.parametrize("sources", [SOURCES, ["vocals", "rest"], ["a", "vocals", "b"]])
    def test_gives_the_vocals_of_the_whole(self, sources: list[str], mix: Samples) -> None:
        network = small_network(sources=sources)
        wave = torch.from_numpy(mix[:44_100].T.copy())[None]
        with torch.inference_mode():
            whole = network(wave)
            ours.narrow(network)
            without_prior = network(wave)
        assert without_prior.shape == (1, 1, 2, 44_100)
        expected = whole[:, sources.index("vocals")]
        bound = 1e-6 * float(expected.abs().max())
        torch.testing.assert_close(without_prior[:, 0], expected, atol=bound, rtol=0)

    def test_twice_is_once(self) -> None:
        network = small_network()
        ours.narrow(network)
        state = {key: value.clone() for key, value in network.state_dict().items()}
        ours.narrow(network)
        assert network.sources == ["vocals"]
        assert all(torch.equal(value, state[key]) for key, value in network.state_dict().items())

    @pytest.mark.parametrize(
        "network",
        [
            pytest.param(lambda: small_network(cac=False), id="sources weighed against each other"),
            pytest.param(lambda: small_network(norm_starts=0), id="sources normalised together"),
            pytest.param(lambda: small_network(HDemucs, depth=5), id="another kind"),
        ],
    )
    def test_what_cannot_be_taken_apart_stays_whole(self, network: Callable[[], Any]) -> None:
        made = network()
        state = {key: value.clone() for key, value in made.state_dict().items()}
        ours.narrow(made)
        assert list(made.sources) == SOURCES
        assert all(torch.equal(value, state[key]) for key, value in made.state_dict().items())

    def test_a_bag_may_have_both_kinds(self, mix: Samples) -> None:
        """Each network tells by itself where its vocals are."""
        narrow, whole = small_network(), small_network()
        ours.narrow(narrow)
        both = ours.Demucs([ours.Member(narrow, 0.5), ours.Member(whole, 0.5)], "both", "cpu")
        one = ours.Demucs([ours.Member(whole, 1.0)], "one", "cpu")
        expected = one.vocals(mix)
        bound = 2e-6 * np.abs(expected).max()
        np.testing.assert_allclose(both.vocals(mix), expected, atol=bound, rtol=0)


class Failing(torch.nn.Module):
    """Notes how attention would run, and fails."""

    samplerate, segment, sources = 44_100, Fraction(1), SOURCES

    def forward(self, _: torch.Tensor) -> torch.Tensor:
        self.fast = torch.backends.mha.get_fastpath_enabled()
        raise ArithmeticError


def test_how_attention_runs_is_put_back(mix: Samples) -> None:
    network = Failing()
    separator = ours.Demucs([ours.Member(network, 1.0)], "failing", "cpu")
    for before in (True, False):
        torch.backends.mha.set_fastpath_enabled(before)
        try:
            with pytest.raises(ArithmeticError):
                separator.vocals(mix)
            assert torch.backends.mha.get_fastpath_enabled() is before
        finally:
            torch.backends.mha.set_fastpath_enabled(True)
        assert network.fast is False


class Cramped(torch.nn.Module):
    """A network on a card that holds two segments at once, or none."""

    def __init__(self, network: Any, fits: int) -> None:
        super().__init__()
        self.inner, self.fits, self.sizes = network, fits, list[int]()
        self.samplerate, self.segment = network.samplerate, network.segment
        self.sources, self.valid_length = network.sources, network.valid_length

    def forward(self, chunks: torch.Tensor) -> torch.Tensor:
        self.sizes.append(len(chunks))
        if len(chunks) > self.fits:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        out: torch.Tensor = self.inner(chunks)
        return out


def test_too_large_a_batch_is_halved(models_dir: Path, mix: Samples) -> None:
    (member,) = ours.load("small", models_dir)
    cramped = Cramped(member.network, fits=1)
    found = ours.Demucs([ours.Member(cramped, 1.0)], "small", "cpu", batch=4).vocals(mix)
    expected = opened("small", models_dir).vocals(mix)
    assert cramped.sizes[:3] == [3, 1, 1]
    np.testing.assert_allclose(found, expected, atol=2e-5 * np.abs(expected).max(), rtol=0)


def test_where_nothing_fits_it_says_so(models_dir: Path, mix: Samples) -> None:
    (member,) = ours.load("small", models_dir)
    cramped = Cramped(member.network, fits=0)
    with pytest.raises(ModelError, match="does not fit into memory"):
        ours.Demucs([ours.Member(cramped, 1.0)], "small", "cpu").vocals(mix)


def test_a_full_card_is_left_for_the_cpu(
    models_dir: Path, mix: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    (member,) = ours.load("small", models_dir)
    cramped = Cramped(member.network, fits=0)
    separator = ours.Demucs([ours.Member(cramped, 1.0)], "small", "cpu")

    def leave() -> bool:
        cramped.fits = 1
        return True

    monkeypatch.setattr(separator, "_leave", leave)
    np.testing.assert_array_equal(separator.vocals(mix), opened("small", models_dir).vocals(mix))


class TestMissing:
    def test_an_unknown_model_is_one_line(self, models_dir: Path) -> None:
        with pytest.raises(ModelError, match="Demucs has none") as caught:
            ours.load("nosuch", models_dir)
        assert "\n" not in str(caught.value)

    def test_offline_it_says_which_file_to_put_where(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)

        def no_network(*_: Any, **__: Any) -> None:
            raise OSError("no network")

        monkeypatch.setattr(torch.hub, "load_state_dict_from_url", no_network)
        with pytest.raises(ModelError, match=r"Put 04573f0d-\w+\.th .* into .*demucs"):
            ours.load("htdemucs_ft", tmp_path)

    def test_half_a_file_is_refused(self, models_dir: Path, tmp_path: Path) -> None:
        repository = tmp_path / "demucs"
        repository.mkdir()
        for path in (models_dir / "demucs").iterdir():
            data = path.read_bytes()
            (repository / path.name).write_bytes(
                data[: len(data) // 2] if path.suffix == ".th" else data
            )
        with pytest.raises(ModelError, match="damaged"):
            ours.load("small", tmp_path)


def test_a_song_goes_through_the_public_way(
    models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def small(context: ModelContext) -> ours.Demucs:
        return ours.Demucs(ours.load("small", models_dir), "small", context.device)

    monkeypatch.setattr(ours, "open_demucs", small)
    separator = VocalSeparator("htdemucs_ft", "cpu", models_dir)
    stem = separator.extract(SONG)
    assert stem.separator == "small"
    assert len(stem.vocals) == len(stem.mix)
    assert stem.sr == 16_000


def test_a_bag_is_a_bag(models_dir: Path) -> None:
    assert isinstance(get_model("small", models_dir / "demucs"), BagOfModels)
