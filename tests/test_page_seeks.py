"""Seeks in a real browser: what is heard after each is what lies there in the song."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from lyricsyncd import audio
from lyricsyncd.catalog.catalog import Priority
from tests import web_api
from tests.browser import Visit
from tests.test_audio import encode
from tests.test_page import address
from tests.web_api import Home

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.usefixtures("own_folders")]

RATE = 44_100
LENGTH_S, SEEKS_S = 24.0, (20.5, 7.3)
EXACT_S = 0.015

SONGS = {
    "cbr.mp3": "libmp3lame",
    "vbr.mp3": "libmp3lame",
    "song.wav": "pcm_s16le",
    "deep.wav": "pcm_s24le",
    "song.flac": "flac",
    "song.opus": "libopus",
    "song.ogg": "vorbis",
    "song.oga": "vorbis",
    "song.m4a": "aac",
    "lossless.m4a": "alac",
    "song.aac": "aac",
    "song.aiff": "pcm_s16be",
    "song.wv": "wavpack",
    "song.wma": "wmav2",
    "song.mka": "libopus",
    "song.tta": "tta",
}
"""A song of each container that FFmpeg writes, and its encoder."""
_FORMATS = {".wma": "asf", ".mka": "matroska", ".oga": "ogg", ".aac": "adts"}

PLAYED = """async ([id, seeks]) => {
  const main = document.querySelector('script[src]').src;
  const { Player } = await import(main.replace('main.js', 'player.js'));
  const player = new Player([{ url: `tracks/${id}/audio` }], 24);
  const wait = test => new Promise(done => {
    const look = () => (test() ? done() : setTimeout(look, 20));
    look();
  });
  await wait(() => player.state.value !== 'making');
  if (player.state.value !== 'ready') return player.state.value;
  const context = new AudioContext({ sampleRate: 44100 });
  await context.resume();
  const tap = context.createScriptProcessor(8192, 1, 1);
  context.createMediaElementSource(player.audio).connect(tap);
  tap.connect(context.destination);
  const found = [];
  for (const seek of seeks) {
    player.seek(seek);
    await wait(() => !player.audio.seeking && player.audio.readyState >= 3);
    // What was captured before is silence: the sound begins where the seek led.
    const heard = [];
    tap.onaudioprocess = ({ inputBuffer }) => {
      const block = inputBuffer.getChannelData(0);
      if (heard.length || block.some(Boolean)) heard.push(...block);
    };
    await player.toggle(true);
    await wait(() => heard.length >= 3 * 8192);
    tap.onaudioprocess = null;
    await player.toggle(false);
    const from = heard.findIndex(Boolean);
    found.push(heard.slice(from, from + 16000).map(sample => Math.round(1e5 * sample)));
    // What was on its way is played out.
    let silent = false;
    tap.onaudioprocess = ({ inputBuffer }) => {
      silent = !inputBuffer.getChannelData(0).some(Boolean);
    };
    await wait(() => silent);
    tap.onaudioprocess = null;
  }
  player.close();
  await context.close();
  return found;
}"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with web_api.home(tmp_path) as made:
        yield made


def noise(rate: int) -> NDArray[np.float32]:
    """Noise of which every part is known again: shape (n, 2)."""
    mono = np.random.default_rng(5).normal(size=int(LENGTH_S * rate)) * 0.2
    smooth = np.convolve(mono, np.ones(8) / 4, "same").astype(np.float32)
    return np.stack([smooth, smooth], axis=1)


def place(piece: NDArray[np.float64], whole: NDArray[np.float64]) -> float:
    """Return the second of a song at which a piece of it lies, by the peak of the correlation."""
    size = 1 << (len(piece) + len(whole)).bit_length()
    spectrum = np.fft.rfft(whole, size) * np.conj(np.fft.rfft(piece, size))
    return int(np.argmax(np.fft.irfft(spectrum, size)[: len(whole)])) / RATE


@pytest.mark.parametrize("name", SONGS)
def test_each_leads_where_the_decoder_has_it(
    home: Home, visit: Callable[..., Visit], name: str
) -> None:
    rate = 48_000 if SONGS[name] == "libopus" else RATE
    song = encode(
        home.music / name,
        noise(rate),
        rate,
        SONGS[name],
        options={"global_quality": "300"} if name == "vbr.mp3" else None,
        container_format=_FORMATS.get(Path(name).suffix),
    )
    exact = audio.decode(song, RATE).astype(np.float64)
    home.catalog.enqueue(song, Priority.BACKFILL, "test", library=home.music)
    page = visit(address(home), "#/queue").page
    page.get_by_role("heading", name="Queue").wait_for()
    found = page.evaluate(PLAYED, [1, SEEKS_S])
    assert found != "none"
    errors = [
        place(np.array(piece) / 1e5, exact) - seek
        for piece, seek in zip(found, SEEKS_S, strict=True)
    ]
    assert max(map(abs, errors)) < EXACT_S, errors
