// Plays a song, and knows which moment of it is heard.
import { html, signal, useEffect, useRef } from './vendor/preact.js';
import { explained, response, url } from './api.js';
import { keep, kept } from './memory.js';
import { Icon, minutes } from './parts.js';

const JUMP_S = 0.12, SOFTEN = 0.15;
const PEAKS_RATE = 100;
const LAG = 'lag';

// `currentTime` moves in steps in some browsers; between them time goes on at the playback rate.
export class Clock {
  constructor(audio) {
    this.audio = audio;
    this.at = 0;
    this.media = 0;
    this.last = -1;
  }

  now(stamp = performance.now()) {
    const { audio } = this, raw = audio.currentTime;
    let guess = raw;
    if (!audio.paused && !audio.seeking) {
      guess = this.media + (stamp - this.at) / 1000 * audio.playbackRate;
      const off = raw - guess;
      if (Math.abs(off) > JUMP_S) guess = raw;
      else if (raw !== this.last) guess += off * SOFTEN;
    }
    this.last = raw;
    this.media = guess;
    this.at = stamp;
    return guess;
  }
}

// Times are the song's, in seconds. A rendition's `offset` is its own time where the song's is zero.
export class Player {
  constructor(renditions, duration, stems = '') {
    this.stems = stems;
    // How loud the voice is, 0 to 1; and what is said while it cannot be changed yet.
    this.voice = signal(1);
    this.parting = signal('');
    this.mixer = null;
    this.audio = new Audio();
    this.audio.preload = 'auto';
    this.audio.preservesPitch = true;
    this.clock = new Clock(this.audio);
    this.offset = 0;
    this.duration = signal(duration || 0);
    // 'making' until the service has a form that this browser plays, 'ready', or 'none'.
    this.state = signal('making');
    this.playing = signal(false);
    this.rate = signal(1);
    // How much later than the browser thinks it is heard: headphones without wires.
    this.lag = signal(kept(LAG, 0));
    this.moved = new Set();
    this.left = renditions.filter(({ type }) => !type || this.audio.canPlayType(type));
    this.ended = new AbortController();
    for (const kind of ['play', 'pause', 'ended']) {
      this.audio.addEventListener(kind, () => { this.playing.value = !this.audio.paused; this.tell(); });
    }
    for (const kind of ['seeked', 'seeking']) this.audio.addEventListener(kind, () => this.tell());
    this.audio.addEventListener('loadedmetadata', () => {
      this.duration.value ||= this.audio.duration - this.offset;
    });
    this.audio.addEventListener('error', () => this.audio.hasAttribute('src') && this.next());
    this.next();
  }

  tell() {
    this.moved.forEach(listener => listener());
  }

  // Asks for one byte first: what has to be made is not there at once.
  async next() {
    const chosen = this.left.shift();
    if (!chosen) {
      this.state.value = 'none';
      return;
    }
    this.state.value = 'making';
    try {
      const found = await awaited(chosen.url, this.ended.signal, { Range: 'bytes=0-0' });
      this.offset = chosen.offset ?? Number(found.headers.get('X-Audio-Offset') || 0);
    } catch {
      if (!this.ended.signal.aborted) this.next();
      return;
    }
    this.audio.src = url(chosen.url);
    this.state.value = 'ready';
    this.tell();
  }

  // The lag in seconds of the song: less of it goes by while it plays slowly.
  get behind() { return this.lag.value / 1000 * this.rate.value; }

  time(stamp) {
    return this.clock.now(stamp) - this.offset - this.behind;
  }

  seek(time) {
    const most = this.duration.value || Infinity;
    this.audio.currentTime = Math.max(0, Math.min(most, time) + this.offset + this.behind);
  }

  skip(seconds) {
    this.seek(this.time() + seconds);
  }

  // Plays or pauses; without a form that plays it does nothing.
  async toggle(on = this.audio.paused) {
    if (this.state.value !== 'ready') return;
    if (!on) this.audio.pause();
    else if (this.mixer?.context.state === 'suspended') await this.mixer.context.resume();
    if (on) await this.audio.play().catch(() => {});
  }

  setRate(rate) {
    this.audio.playbackRate = this.rate.value = rate;
  }

  // The first time the service parts the voice from the rest: one file with both, mixed here.
  async setVoice(level) {
    this.voice.value = level;
    if (this.mixer) this.mixer.voice.gain.value = level;
    if (this.mixer || this.parting.value || level === 1) return;
    this.parting.value = 'The voice is separated …';
    try {
      await awaited(this.stems, this.ended.signal, { Range: 'bytes=0-0' });
    } catch (error) {
      this.voice.value = 1;
      this.parting.value = explained(error);
      return;
    }
    this.parting.value = '';
    this.mix();
  }

  mix() {
    const { audio } = this, time = this.time(), playing = !audio.paused;
    const context = new AudioContext(), source = context.createMediaElementSource(audio);
    const parts = context.createChannelSplitter(2), out = context.createChannelMerger(2);
    const [voice, rest] = [context.createGain(), context.createGain()];
    source.connect(parts);
    parts.connect(voice, 0);
    parts.connect(rest, 1);
    for (const part of [voice, rest]) for (const side of [0, 1]) part.connect(out, 0, side);
    out.connect(context.destination);
    voice.gain.value = this.voice.value;
    this.mixer = { context, voice };
    this.left = [];
    this.offset = 0;
    audio.src = url(this.stems);
    audio.playbackRate = this.rate.value;
    this.seek(time);
    if (playing) this.toggle(true);
  }

  setLag(lag) {
    this.lag.value = lag;
    keep(LAG, lag);
    this.tell();
  }

  close() {
    this.ended.abort();
    this.mixer?.context.close();
    this.moved.clear();
    this.audio.pause();
    this.audio.removeAttribute('src');
    this.audio.load();
  }
}

// Asks again for what is being made.
export async function awaited(path, signal, headers = {}) {
  for (;;) {
    const found = await response(path, { signal, headers });
    if (found.status !== 202) return found;
    await new Promise(resolve => setTimeout(resolve, 1000 * (found.headers.get('Retry-After') || 1)));
    signal.throwIfAborted();
  }
}

export function PlayButton({ player }) {
  const on = player.playing.value;
  return html`<button class="round big" onClick=${() => player.toggle()}
    disabled=${player.state.value !== 'ready'} aria-label=${on ? 'Pause' : 'Play'}
    aria-keyshortcuts="Space"><${Icon} name=${on ? 'pause' : 'play'} size="24"/></button>`;
}

export function SeekBar({ player, peaks }) {
  const canvas = useRef(), input = useRef(), text = useRef();
  const duration = player.duration.value;
  useEffect(() => {
    let frame = 0, drawn = -1;
    const draw = () => {
      frame = 0;
      const time = Math.max(0, player.time()), whole = Math.floor(time);
      if (Math.abs(time - drawn) > 0.05) {
        drawn = time;
        bars(canvas.current, peaks, duration, time);
        input.current.value = whole;
        input.current.setAttribute('aria-valuetext', `${minutes(time)} of ${minutes(duration)}`);
        text.current.textContent = minutes(time);
      }
      if (!player.audio.paused) frame = requestAnimationFrame(draw);
    };
    const again = () => { frame ||= requestAnimationFrame(draw); };
    const anew = () => { drawn = -1; again(); };
    const size = new ResizeObserver(anew), dark = matchMedia('(prefers-color-scheme: dark)');
    size.observe(canvas.current);
    dark.addEventListener('change', anew);
    player.moved.add(again);
    again();
    return () => {
      cancelAnimationFrame(frame);
      size.disconnect();
      dark.removeEventListener('change', anew);
      player.moved.delete(again);
    };
  }, [player, peaks, duration]);
  return html`<div class="seek"><span ref=${text} class="time">0:00</span><div class="bar">
    <canvas ref=${canvas} aria-hidden="true"></canvas><input ref=${input} type="range" min="0"
      max=${Math.max(1, Math.floor(duration))} step="1" aria-label="Position in the song"
      onInput=${event => player.seek(+event.target.value)}/></div>
    <span class="time">${minutes(duration)}</span></div>`;
}

// Peaks: one byte each, 255 times the square root of the loudest of 10 ms.
function bars(canvas, peaks, duration, now) {
  const dense = Math.min(2, devicePixelRatio || 1);
  const { clientWidth: width, clientHeight: height } = canvas;
  canvas.width = Math.round(width * dense);
  canvas.height = Math.round(height * dense);
  const pen = canvas.getContext('2d'), style = getComputedStyle(canvas), middle = height / 2;
  const [wave, played, accent] = ['--wave', '--played', '--accent']
    .map(name => style.getPropertyValue(name));
  const perPixel = duration * PEAKS_RATE / Math.max(1, width);
  pen.scale(dense, dense);
  for (let x = 0; x < width; x += 4) {
    let most = 0;
    for (let i = Math.floor(x * perPixel); i < (x + 4) * perPixel && i < (peaks?.length || 0); i++) {
      most = Math.max(most, peaks[i]);
    }
    const half = Math.max(1.2, (most / 255) ** 1.4 * (middle - 1));
    pen.fillStyle = x / width * duration <= now ? played : wave;
    pen.beginPath();
    pen.roundRect(x, middle - half, 2.4, 2 * half, 1.2);
    pen.fill();
  }
  pen.fillStyle = accent;
  pen.fillRect(Math.min(width - 2, now / Math.max(1, duration) * width), 0, 2, height);
}
