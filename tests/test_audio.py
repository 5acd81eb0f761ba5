"""Songs in any format become samples whose time zero is what a player plays first."""

from __future__ import annotations

import os
import shutil
import struct
import wave
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.audio.stream import AudioStream
from av.video.stream import VideoStream
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lyricsyncd import audio
from lyricsyncd.errors import AudioError
from tests.noise_songs import stream_like

CLICKS_S = (0.5, 1.25, 2.0)
LENGTH_S = 3.0


def clicks(rate: int, channels: int = 2) -> NDArray[np.float32]:
    """Short bursts of noise in silence: shape (n, channels), float32."""
    samples = np.zeros((round(LENGTH_S * rate), channels), np.float32)
    burst = np.random.default_rng(0).uniform(-0.7, 0.7, round(0.02 * rate))
    for start in CLICKS_S:
        at = round(start * rate)
        samples[at : at + len(burst)] = burst[:, None]
    return samples


def encode(
    path: Path,
    samples: NDArray[np.float32],
    rate: int,
    codec: str,
    *,
    layout: str = "stereo",
    options: dict[str, str] | None = None,
    container_format: str | None = None,
) -> Path:
    """Write samples of shape (n, channels) with FFmpeg's encoder of that name."""
    with av.open(str(path), "w", format=container_format) as container:
        stream = container.add_stream(
            codec, rate=rate, options={"strict": "experimental", **(options or {})}
        )
        assert isinstance(stream, AudioStream)
        stream.layout = layout
        stream.bit_rate = 128_000
        wanted = stream.codec_context.codec.audio_formats
        stream.format = wanted[0] if wanted else "s16"
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(samples).reshape(1, -1), format="flt", layout=layout
        )
        frame.sample_rate = rate
        frame.pts, frame.time_base = 0, Fraction(1, rate)
        fifo = av.AudioResampler(stream.format.name, layout, rate, frame_size=1024)
        for part in [*fifo.resample(frame), *fifo.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return path


def onsets(samples: NDArray[np.float32], rate: int) -> list[float]:
    """Where the bursts are, by the best match of the loudness curve's rise."""
    loudness = np.abs(samples).max(axis=1) if samples.ndim == 2 else np.abs(samples)
    loud = np.flatnonzero(loudness > 0.25)
    starts = loud[np.insert(np.diff(loud) > 0.2 * rate, 0, True)]
    return [float(start / rate) for start in starts]


CODECS: Sequence[tuple[str, str, int]] = (
    ("song.wav", "pcm_s16le", 44_100),
    ("song24.wav", "pcm_s24le", 96_000),
    ("song8.wav", "pcm_u8", 22_050),
    ("song.aiff", "pcm_s16be", 44_100),
    ("song.flac", "flac", 44_100),
    ("song.mp3", "libmp3lame", 44_100),
    ("slow.mp3", "libmp3lame", 24_000),
    ("song.m4a", "aac", 44_100),
    ("alac.m4a", "alac", 44_100),
    ("song.ogg", "vorbis", 44_100),
    ("song.opus", "libopus", 48_000),
    ("song.wv", "wavpack", 44_100),
    ("odd.flac", "flac", 37_800),
)


class TestEveryCodec:
    @pytest.mark.parametrize(("name", "codec", "rate"), CODECS)
    def test_a_sound_keeps_its_time(self, tmp_path: Path, name: str, codec: str, rate: int) -> None:
        song = encode(tmp_path / name, clicks(rate), rate, codec)
        found = onsets(audio.decode(song, 16_000), 16_000)
        assert found == pytest.approx(list(CLICKS_S), abs=0.005)

    @pytest.mark.parametrize(("name", "codec", "rate"), CODECS)
    def test_the_header_tells_length_rate_and_channels(
        self, tmp_path: Path, name: str, codec: str, rate: int
    ) -> None:
        info = audio.probe(encode(tmp_path / name, clicks(rate), rate, codec))
        assert info.duration == pytest.approx(LENGTH_S, abs=0.1)
        assert (info.sample_rate, info.channels) == (rate, 2)

    @pytest.mark.parametrize("ending", ["wma", "mka", "aac", "ac3"])
    def test_other_containers_are_read_too(self, tmp_path: Path, ending: str) -> None:
        codec = {"wma": "wmav2", "mka": "flac", "aac": "aac", "ac3": "ac3"}[ending]
        formats = {"wma": "asf", "mka": "matroska", "aac": "adts", "ac3": "ac3"}
        song = encode(
            tmp_path / f"song.{ending}",
            clicks(44_100),
            44_100,
            codec,
            container_format=formats[ending],
        )
        # Some of these do not tell how much the encoder put before the song.
        found = onsets(audio.decode(song, 16_000), 16_000)
        assert found == pytest.approx(list(CLICKS_S), abs=0.06)
        assert audio.probe(song).duration == pytest.approx(LENGTH_S, abs=0.2)


class TestSamples:
    @pytest.mark.parametrize(
        "codec", ["pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le"]
    )
    def test_full_scale_is_one_in_every_sample_format(self, tmp_path: Path, codec: str) -> None:
        tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)
        stereo = np.stack([tone, -tone], axis=1).astype(np.float32)
        song = encode(tmp_path / "song.wav", stereo, 16_000, codec)
        got = np.concatenate(list(audio.blocks(song, 16_000)))
        assert np.abs(got - stereo).max() < 0.01

    def test_mono_comes_twice_at_its_own_level(self, tmp_path: Path) -> None:
        mono = clicks(44_100, 1)
        song = encode(tmp_path / "song.flac", mono, 44_100, "flac", layout="mono")
        got = np.concatenate(list(audio.blocks(song, 44_100)))
        assert got.shape == (len(mono), 2)
        assert np.abs(got - mono).max() < 0.001

    def test_six_channels_are_mixed_down(self, tmp_path: Path) -> None:
        song = encode(tmp_path / "song.flac", clicks(48_000, 6), 48_000, "flac", layout="5.1")
        assert audio.probe(song).channels == 6
        got = np.concatenate(list(audio.blocks(song, 16_000)))
        assert got.shape[1] == 2
        assert onsets(got, 16_000) == pytest.approx(list(CLICKS_S), abs=0.005)

    def test_noise_bytes_as_floats_stay_finite(self, tmp_path: Path) -> None:
        song = encode(tmp_path / "song.wav", clicks(16_000), 16_000, "pcm_f32le")
        data = bytearray(song.read_bytes())
        data[-4000:] = struct.pack("<1000f", *([float("nan"), float("inf"), -1e38, 3e38] * 250))
        song.write_bytes(data)
        got = audio.decode(song, 16_000)
        assert np.isfinite(got).all()
        assert np.abs(got).max() <= 4

    @settings(max_examples=12, deadline=None)
    @given(rate=st.sampled_from([8_000, 11_025, 22_050, 44_100, 48_000, 88_200]))
    def test_resampling_keeps_the_length(
        self, tmp_path_factory: pytest.TempPathFactory, rate: int
    ) -> None:
        song = encode(tmp_path_factory.mktemp("rate") / "song.wav", clicks(rate), rate, "pcm_s16le")
        assert len(audio.decode(song, 16_000)) == pytest.approx(LENGTH_S * 16_000, abs=2)

    def test_the_picture_on_the_cover_is_not_listened_to(self, tmp_path: Path) -> None:
        sound = encode(tmp_path / "bare.mp3", clicks(44_100), 44_100, "libmp3lame")
        song = tmp_path / "song.mp3"
        with av.open(str(sound)) as bare, av.open(str(song), "w") as container:
            picture = container.add_stream("png", rate=1)
            assert isinstance(picture, VideoStream)
            picture.width, picture.height, picture.pix_fmt = 16, 16, "rgb24"
            copy = stream_like(container, bare.streams.audio[0])
            for packet in [
                *picture.encode(av.VideoFrame(16, 16, "rgb24")),
                *picture.encode(None),
            ]:
                container.mux(packet)
            for packet in bare.demux(bare.streams.audio[0]):
                if packet.dts is not None:
                    packet.stream = copy
                    container.mux(packet)
        with av.open(str(song)) as container:
            assert container.streams.video
        samples = audio.decode(song, 16_000)
        assert len(onsets(samples, 16_000)) == len(CLICKS_S)

    def test_two_songs_glued_at_two_rates_follow_each_other(self, tmp_path: Path) -> None:
        first = encode(tmp_path / "a.mp3", clicks(44_100), 44_100, "libmp3lame")
        second = encode(
            tmp_path / "b.mp3", clicks(24_000), 24_000, "libmp3lame", options={"write_xing": "0"}
        )
        glued = tmp_path / "glued.mp3"
        glued.write_bytes(first.read_bytes() + second.read_bytes())
        try:
            samples = audio.decode(glued, 16_000)
        except AudioError:
            return  # refused is as good as decoded; what matters is that it does not crash
        assert len(samples) >= LENGTH_S * 16_000 - 1000


@pytest.fixture
def loud_mp3(tmp_path: Path) -> Path:
    """Half a minute of noise."""
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, (30 * 44_100, 2)).astype(np.float32)
    return encode(tmp_path / "noise.mp3", noise, 44_100, "libmp3lame")


class TestRefusals:
    """Each is one line that names the file and says what to do."""

    def refused(self, song: Path, **limits: float) -> str:
        with pytest.raises(AudioError) as caught:
            audio.decode(song, 16_000, **limits)
        line = str(caught.value)
        assert "\n" not in line
        assert caught.value.remedy
        assert not caught.value.transient
        return line

    def test_a_missing_file(self, tmp_path: Path) -> None:
        assert "is not there" in self.refused(tmp_path / "gone.mp3")

    def test_a_folder(self, tmp_path: Path) -> None:
        assert "is a folder" in self.refused(tmp_path)

    def test_an_empty_file(self, tmp_path: Path) -> None:
        song = tmp_path / "empty.mp3"
        song.touch()
        assert "is empty (0 bytes)" in self.refused(song)

    @pytest.mark.parametrize("content", [b"Dear diary,\n" * 50, b"\x00" * 5000, b"ID3"])
    def test_what_is_not_audio(self, tmp_path: Path, content: bytes) -> None:
        song = tmp_path / "diary.mp3"
        song.write_bytes(content)
        assert str(song) in self.refused(song)

    @pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
    def test_what_may_not_be_read(self, loud_mp3: Path) -> None:
        loud_mp3.chmod(0)
        assert "cannot be read" in self.refused(loud_mp3)

    @pytest.mark.parametrize("name", ["song.mp3", "song.flac", "song.m4a"])
    def test_a_truncated_song(self, tmp_path: Path, name: str) -> None:
        codec = {"mp3": "libmp3lame", "flac": "flac", "m4a": "aac"}
        noise = np.random.default_rng(1).uniform(-0.5, 0.5, (441_000, 2)).astype(np.float32)
        # The index of an M4A stands at its front in files that are sold.
        options = {"movflags": "faststart"} if name.endswith("m4a") else {}
        song = tmp_path / name
        with av.open(str(song), "w", options=options) as container:
            stream = container.add_stream(codec[song.suffix[1:]], rate=44_100, layout="stereo")
            frame = av.AudioFrame.from_ndarray(noise.reshape(1, -1), format="flt", layout="stereo")
            frame.sample_rate = 44_100
            frame.pts, frame.time_base = 0, Fraction(1, 44_100)
            resampler = av.AudioResampler(stream.format.name, "stereo", 44_100, frame_size=1024)
            for part in [*resampler.resample(frame), *resampler.resample(None)]:
                container.mux(stream.encode(part))
            container.mux(stream.encode(None))
        whole = song.read_bytes()
        assert len(audio.decode(song, 16_000)) == pytest.approx(160_000, abs=1000)
        song.write_bytes(whole[: len(whole) * 6 // 10])
        assert "truncated" in self.refused(song)

    def test_silence(self, tmp_path: Path) -> None:
        hiss = np.random.default_rng(2).uniform(-1e-4, 1e-4, (44_100, 2)).astype(np.float32)
        song = encode(tmp_path / "silence.wav", hiss, 44_100, "pcm_f32le")
        assert "holds only silence" in self.refused(song)

    def test_a_song_that_is_too_long_is_refused_from_its_header(self, tmp_path: Path) -> None:
        song = tmp_path / "concert.wav"
        with wave.open(str(song), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(1)
            file.setframerate(8_000)
            file.writeframes(b"\x80" * (3 * 3600 * 8_000))
        assert "3:00:00 long; songs up to 30:00" in self.refused(song)

    def test_a_small_file_that_decodes_for_hours_is_refused_from_its_header(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        silence = np.zeros((8_000 * 3600, 1), np.float32)
        song = encode(tmp_path / "song.flac", silence, 8_000, "flac", layout="mono")
        assert song.stat().st_size < 2_000_000
        decoded: list[object] = []
        monkeypatch.setattr(audio, "_stereo", decoded.append)
        assert "1:00:00 long" in self.refused(song)
        assert not decoded

    def test_and_only_as_far_as_is_allowed_where_the_header_claims_less(
        self, tmp_path: Path
    ) -> None:
        silence = np.zeros((8_000 * 600, 1), np.float32)
        song = encode(tmp_path / "song.flac", silence, 8_000, "flac", layout="mono")
        data = bytearray(song.read_bytes())
        data[8 + 14 : 8 + 18] = (8_000).to_bytes(4, "big")
        song.write_bytes(data)
        assert "is over 1:0" in self.refused(song, max_duration=60.0)

    def test_a_long_mp3_without_a_header_is_refused_without_decoding(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        noise = np.random.default_rng(1).uniform(-0.5, 0.5, (24_000 * 20, 1)).astype(np.float32)
        song = encode(
            tmp_path / "cast.mp3",
            noise,
            24_000,
            "libmp3lame",
            layout="mono",
            options={"write_xing": "0", "id3v2_version": "0"},
            container_format="mp3",
        )
        song.write_bytes(song.read_bytes() * 5)
        decoded: list[object] = []
        monkeypatch.setattr(audio, "_stereo", decoded.append)
        assert "long; songs up to 1:00" in self.refused(song, max_duration=60)
        assert not decoded

    def test_a_header_that_lies_about_the_length_is_not_believed(self, tmp_path: Path) -> None:
        song = encode(tmp_path / "song.flac", clicks(44_100), 44_100, "flac")
        data = bytearray(song.read_bytes())
        # STREAMINFO: 36 bits of total samples end at byte 8 + 18.
        data[8 + 14 : 8 + 18] = (22_050).to_bytes(4, "big")
        song.write_bytes(data)
        assert audio.probe(song).duration == pytest.approx(0.5)
        assert "is over" in self.refused(song, max_duration=1.0)

    def test_a_playlist_in_disguise_opens_nothing(self, tmp_path: Path, loud_mp3: Path) -> None:
        lists = {
            "hls.mp3": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n"
            f"{loud_mp3}\n#EXT-X-ENDLIST\n",
            "concat.mp3": f"ffconcat version 1.0\nfile '{loud_mp3}'\n",
        }
        for name, text in lists.items():
            song = tmp_path / name
            song.write_text(text, encoding="utf-8")
            assert "is not an audio file" in self.refused(song)


class TestNames:
    @pytest.mark.parametrize("name", [b"caf\xe9.wav", b"http:song.wav", b"a b'\n.wav"])
    def test_any_file_name_will_do(self, tmp_path: Path, name: bytes) -> None:
        song = encode(tmp_path / "song.wav", clicks(16_000), 16_000, "pcm_s16le")
        odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
        try:
            shutil.move(song, odd)
        except OSError:
            pytest.skip("this file system has no such names")
        assert onsets(audio.decode(odd, 16_000), 16_000) == pytest.approx(list(CLICKS_S), abs=0.005)

    def test_an_ending_that_lies_does_not_matter(self, tmp_path: Path) -> None:
        song = encode(
            tmp_path / "song.mp3", clicks(16_000), 16_000, "flac", container_format="flac"
        )
        assert audio.probe(song).codec == "flac"


class TestHostileBytes:
    """Whatever the bytes are: samples, or an `AudioError`."""

    @settings(
        max_examples=40,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(data=st.data())
    @pytest.mark.parametrize(("name", "codec", "rate"), [c for c in CODECS if c[2] == 44_100])
    def test_a_damaged_song_never_crashes(
        self, tmp_path: Path, name: str, codec: str, rate: int, data: st.DataObject
    ) -> None:
        whole = tmp_path / f"whole-{name}"
        if not whole.exists():
            encode(whole, clicks(rate)[: rate // 2 + 4410], rate, codec)
        content = bytearray(whole.read_bytes())
        head = st.integers(0, min(600, len(content) - 1))
        anywhere = st.integers(0, len(content) - 1)
        for place in data.draw(st.lists(head | anywhere, min_size=1, max_size=12)):
            content[place] = data.draw(st.integers(0, 255))
        song = tmp_path / name
        song.write_bytes(content[: data.draw(anywhere | st.just(len(content)))])
        try:
            samples = audio.decode(song, 16_000, max_duration=60)
        except AudioError:
            return
        assert samples.ndim == 1
        assert np.isfinite(samples).all()
