// Draws a song's sound with its words over it, and takes pointers. The list beside it is for all
// others: nothing is shown or done here that is not there, too.
import { BAD, DOUBTFUL, doubt } from './book.js';
import { before } from './stage.js';

const RATE = 100;              // peaks a second: one byte each, 255 times the square root
const RULER = 18, LANE = 26, LANES = 2, GAP = 3;
const WAVE = RULER + LANES * (LANE + GAP) + 6;
const LEAST_SPAN_S = 1, MOST_SPAN_S = 60;
const LOOP_EDGE_S = 0.15;
const FONT = '13px Inter, system-ui, sans-serif';
const COLOURS = ['wave', 'played', 'mix', 'ink', 'dim', 'rule', 'accent', 'sure', 'hmm', 'bad', 'block',
  'onaccent'];

export class Wave {
  // `acts`: choose(i), seek(time), drag(i, edge, time, key), dropped().
  constructor({ over, detail, list, player, acts, span }) {
    Object.assign(this, { over, detail, list, player, acts, span });
    this.sheet = { lines: [], words: [] };
    this.chosen = 0;
    this.from = 0;
    this.peaks = {};
    this.loop = false;
    this.follow = true;
    this.lit = -1;
    this.frame = 0;
    this.pointers = new Map();
    this.colours = null;
    this.kick = () => { this.frame ||= requestAnimationFrame(stamp => this.draw(stamp)); };
    this.size = new ResizeObserver(this.kick);
    this.size.observe(detail);
    this.ended = new AbortController();
    const on = (target, kinds, act, options) => kinds.split(' ').forEach(kind =>
      target.addEventListener(kind, act, { signal: this.ended.signal, ...options }));
    on(matchMedia('(prefers-color-scheme: dark)'), 'change', () => {
      this.colours = null;
      this.kick();
    });
    on(detail, 'pointerdown', event => this.down(event));
    on(detail, 'pointermove', event => this.drag(event));
    on(detail, 'pointerup pointercancel', event => this.up(event));
    on(detail, 'wheel', event => this.wheel(event), { passive: false });
    on(over, 'pointerdown pointermove', event => this.jump(event));
    player.moved.add(this.kick);
  }

  close() {
    cancelAnimationFrame(this.frame);
    this.ended.abort();
    this.size.disconnect();
    this.player.moved.delete(this.kick);
  }

  show(sheet, chosen, loop) {
    if (sheet !== this.sheet) {
      this.sheet = sheet;
      this.sung = sheet.words.map((word, i) => ({ start: word.start, i }))
        .filter(({ start }) => start != null).sort((a, b) => a.start - b.start);
      this.starts = this.sung.map(({ start }) => start);
    }
    this.chosen = chosen;
    this.loop = loop;
    this.kick();
  }

  get duration() {
    return this.player.duration.value || 1;
  }

  // Scrolls to a word, if it is not well in sight.
  reveal(i) {
    const { start, end } = this.sheet.words[i] || {};
    if (start == null) return;
    if (start < this.from + 0.05 * this.span || end > this.from + 0.95 * this.span) {
      this.from = Math.max(0, start - this.span * 0.3);
    }
    this.kick();
  }

  zoom(factor, at = this.span / 2) {
    const time = this.from + at, span = Math.max(LEAST_SPAN_S, Math.min(MOST_SPAN_S, this.span * factor));
    this.from = Math.max(0, time - at * span / this.span);
    this.span = span;
    this.kick();
  }

  draw(stamp) {
    this.frame = 0;
    const now = this.player.time(stamp), playing = !this.player.audio.paused;
    this.now = now;
    if (this.loop && playing) this.again(now);
    const away = now > this.from + this.span * 0.82 || now < this.from;
    if (this.follow && playing && away) this.from = Math.max(0, now - this.span * 0.12);
    this.paint();
    this.light(now);
    if (playing) this.kick();
  }

  again(now) {
    const { words, lines } = this.sheet, { first, count } = lines[words[this.chosen].line];
    const own = words.slice(first, first + count).filter(word => word.start != null);
    if (!own.length) return;
    const start = Math.max(0, own[0].start - LOOP_EDGE_S), end = own.at(-1).end + LOOP_EDGE_S;
    if (now > end || now < start - 0.5) this.player.seek(start);
  }

  light(now) {
    const lit = this.sung?.[before(this.starts, now)]?.i ?? -1;
    if (lit === this.lit) return;
    for (const [i, on] of [[this.lit, false], [lit, true]]) {
      this.list.querySelector(`[data-i="${i}"]`)?.classList.toggle('lit', on);
    }
    this.lit = lit;
  }

  // Drawing

  paint() {
    if (!this.colours) {
      const style = getComputedStyle(document.documentElement);
      this.colours = Object.fromEntries(COLOURS.map(name => [name, style.getPropertyValue(`--${name}`)]));
    }
    this.paintSong();
    this.paintPart();
  }

  paintSong() {
    const [pen, width, height] = fitted(this.over), { colours, duration } = this, base = height - 9;
    const { lines, words } = this.sheet, peaks = this.peaks.vocals || this.peaks.mix;
    for (let x = 0; x < width; x += 3) {
      const time = x / width * duration;
      const tall = Math.max(1, most(peaks, time, 3 / width * duration) ** 1.4 * (base - 4));
      pen.fillStyle = time <= this.now ? colours.played : colours.wave;
      pen.fillRect(x, base - tall, 2, tall);
    }
    for (const { first, count } of lines) {
      const own = words.slice(first, first + count).filter(word => word.start != null);
      if (!own.length) continue;
      const sure = own.reduce((sum, word) => sum + (word.pin ? 1 : word.sure ?? 1), 0) / own.length;
      const x = own[0].start / duration * width;
      const wide = Math.max(2, own.at(-1).end / duration * width - x - 1);
      pen.fillStyle = sure < BAD ? colours.bad : sure < DOUBTFUL ? colours.hmm : colours.sure;
      box(pen, x, height - 6, wide, sure < BAD ? 6 : sure < DOUBTFUL ? 5 : 3, 2);
    }
    const x = this.from / duration * width, wide = Math.max(6, this.span / duration * width);
    pen.fillStyle = pen.strokeStyle = colours.ink;
    faint(pen, 0.09, () => pen.fillRect(x, 0, wide, height));
    pen.lineWidth = 1.5;
    pen.beginPath();
    pen.roundRect(x + 0.75, 0.75, wide - 1.5, height - 1.5, 4);
    pen.stroke();
    pen.fillStyle = colours.accent;
    pen.fillRect(this.now / duration * width - 1, 0, 2, height);
  }

  paintPart() {
    const [pen, width, height] = fitted(this.detail), { colours, from, span } = this;
    const scale = width / span, place = time => (time - from) * scale;
    pen.textBaseline = 'middle';
    this.paintRuler(pen, scale, place, height);
    this.paintLines(pen, place, height);
    const middle = (WAVE + height) / 2, half = (height - WAVE) / 2 - 4;
    for (let x = 0; x < width; x += 3) {
      const time = from + x / scale;
      const all = most(this.peaks.mix, time, 3 / scale) * half;
      pen.fillStyle = colours.mix;
      if (this.peaks.vocals) pen.fillRect(x, middle - all, 2, 2 * all);
      const voice = most(this.peaks.vocals || this.peaks.mix, time, 3 / scale);
      const tall = Math.max(0.8, voice ** 1.25 * half);
      pen.fillStyle = time <= this.now ? colours.played : colours.wave;
      pen.fillRect(x, middle - tall, 2, 2 * tall);
    }
    const { words } = this.sheet;
    words.forEach((word, i) => i !== this.chosen && this.paintWord(pen, word, i, place, height));
    if (words.length) this.paintWord(pen, words[this.chosen], this.chosen, place, height);
    const x = place(this.now);
    pen.fillStyle = colours.accent;
    pen.fillRect(x - 1, 12, 2, height - 12);
    pen.beginPath();
    pen.moveTo(x - 6, 6);
    pen.lineTo(x + 6, 6);
    pen.lineTo(x, 15);
    pen.fill();
  }

  paintRuler(pen, scale, place, height) {
    const step = [0.1, 0.2, 0.5, 1, 2, 5, 10, 30].find(each => each * scale >= 64) || 60;
    pen.font = '11px Inter, system-ui, sans-serif';
    for (let time = Math.ceil(this.from / step) * step; time < this.from + this.span; time += step) {
      const seconds = (time % 60).toFixed(step < 1 ? 1 : 0).padStart(step < 1 ? 4 : 2, '0');
      pen.fillStyle = this.colours.rule;
      pen.fillRect(place(time), RULER, 1, height - RULER);
      pen.fillStyle = this.colours.dim;
      pen.fillText(`${Math.floor(time / 60)}:${seconds}`, place(time) + 4, 8);
    }
  }

  paintLines(pen, place, height) {
    const { lines, words } = this.sheet, { colours } = this, at = words[this.chosen]?.line;
    lines.forEach(({ first, count }, k) => {
      const own = words.slice(first, first + count).filter(word => word.start != null);
      if (!own.length || own.at(-1).end < this.from || own[0].start > this.from + this.span) return;
      const x = place(own[0].start) - 2, wide = place(own.at(-1).end) - x + 2;
      pen.fillStyle = k === at ? colours.accent : colours.ink;
      faint(pen, k === at ? 0.1 : 0.045, () => box(pen, x, RULER - 1, wide, height - RULER - 1, 6));
    });
  }

  paintWord(pen, word, i, place, height) {
    const { colours } = this, { start, end, text } = word;
    if (start == null || end < this.from || start > this.from + this.span) return;
    const kind = doubt(word), chosen = i === this.chosen;
    const sung = this.now >= start && this.now < end;
    const edge = word.pin ? colours.accent : colours[kind || 'sure'];
    const x = place(start), wide = Math.max(3, place(end) - x), top = laneTop(i);
    pen.fillStyle = chosen ? colours.accent : edge;
    faint(pen, chosen || sung ? 0.55 : 0.25, () => pen.fillRect(x - 0.5, top + LANE, 1, height - top - LANE));
    if (chosen) faint(pen, 0.14, () => pen.fillRect(x, WAVE, wide, height - WAVE));
    pen.font = `${chosen ? 600 : 500} ${FONT}`;
    const shown = chosen ? Math.max(wide - 1, pen.measureText(text).width + 14) : wide - 1;
    pen.fillStyle = chosen ? colours.accent : colours.block;
    box(pen, x, top, shown, LANE, 5);
    if (kind && !chosen) hatch(pen, x, top, shown, edge, kind === 'bad' ? 5 : 9);
    if (sung && !chosen) {
      pen.fillStyle = colours.accent;
      pen.fillRect(x, top + LANE - 2, shown, 2);
    }
    pen.fillStyle = chosen ? colours.onaccent : edge;
    pen.fillRect(x, top + 2, 3, LANE - 4);
    if (word.pin) pin(pen, x, WAVE - 3, colours.accent, colours.block);
    const next = this.sheet.words[i + LANES]?.start;
    const free = chosen ? Infinity : (next == null ? Infinity : place(next)) - x - 10;
    if (free < 18) return;
    let label = text;
    while (label.length > 1 && pen.measureText(label).width > free) label = label.slice(0, -1);
    pen.fillStyle = chosen ? colours.onaccent : colours.ink;
    pen.fillText(label, x + 7, top + LANE / 2 + 0.5);
  }

  // Pointers

  point(event) {
    const { left, top, width } = this.detail.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top, scale: width / this.span };
  }

  // The word below a pointer, and which part of it.
  hit(x, y, scale, near) {
    const time = this.from + x / scale, { words } = this.sheet, reach = near / scale;
    const chosen = words[this.chosen];
    if (chosen?.start != null && y > WAVE && Math.abs(time - chosen.start) < reach) return [this.chosen, 'start'];
    for (let i = words.length - 1; i >= 0; i--) {
      const { start, end } = words[i], top = laneTop(i);
      if (start == null || y < top - 2 || y > top + LANE + 2) continue;
      if (time < start - reach || time > end + reach) continue;
      const part = Math.abs(time - end) < Math.min(reach, (end - start) / 3) ? 'end' : 'start';
      return [i, part];
    }
    return null;
  }

  down(event) {
    const { x, y, scale } = this.point(event);
    this.detail.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, x);
    this.follow = false;
    const hold = this.hold = { x, from: this.from, scale, moved: false, kind: 'pan', key: event.timeStamp };
    if (this.pointers.size === 2) {
      const [a, b] = this.pointers.values();
      Object.assign(hold, { kind: 'pinch', apart: Math.abs(a - b), span: this.span });
    } else if (y < RULER - 2) {
      hold.kind = 'seek';
      this.acts.seek(this.from + x / scale);
    } else {
      const hit = this.hit(x, y, scale, event.pointerType === 'touch' ? 16 : 6);
      if (!hit) return;
      this.acts.choose(hit[0]);
      const { start, end } = this.sheet.words[hit[0]];
      Object.assign(hold, { kind: 'word', i: hit[0], edge: hit[1], time: hit[1] === 'end' ? end : start });
    }
  }

  drag(event) {
    const { hold } = this;
    if (!hold || !this.pointers.has(event.pointerId)) return;
    const { x } = this.point(event);
    this.pointers.set(event.pointerId, x);
    hold.moved ||= Math.abs(x - hold.x) > 4;
    if (!hold.moved) return;
    const by = (x - hold.x) / hold.scale;
    if (hold.kind === 'pinch' && this.pointers.size === 2) {
      const [a, b] = this.pointers.values();
      const wanted = hold.span * hold.apart / Math.max(20, Math.abs(a - b));
      this.zoom(wanted / this.span, (a + b) / 2 / hold.scale);
    } else if (hold.kind === 'pan') {
      this.from = Math.max(0, hold.from - by);
    } else if (hold.kind === 'seek') {
      this.acts.seek(hold.from + x / hold.scale);
    } else if (hold.kind === 'word') {
      this.acts.drag(hold.i, hold.edge, hold.time + by, hold.key);
    }
    this.kick();
  }

  up(event) {
    const { hold } = this;
    this.pointers.delete(event.pointerId);
    if (hold && !hold.moved && hold.kind === 'pan' && event.type === 'pointerup') {
      this.acts.seek(hold.from + hold.x / hold.scale);
    }
    if (hold?.kind === 'word' && hold.moved) this.acts.dropped();
    if (!this.pointers.size) {
      this.hold = null;
      this.follow = true;
    }
  }

  wheel(event) {
    event.preventDefault();
    const { x, scale } = this.point(event);
    if (event.ctrlKey || event.metaKey) this.zoom(Math.exp(event.deltaY * 0.004), x / scale);
    else {
      const by = (event.deltaX || event.deltaY) / scale;
      this.from = Math.max(0, Math.min(this.duration - this.span / 2, this.from + by));
    }
    this.kick();
  }

  jump(event) {
    if (!event.buttons) return;
    const { left, width } = this.over.getBoundingClientRect();
    const time = (event.clientX - left) / width * this.duration;
    this.from = Math.max(0, time - this.span / 2);
    this.kick();
    const near = this.sung?.[Math.max(0, before(this.starts, time))];
    if (event.type === 'pointerdown' && near) this.acts.choose(near.i);
  }
}

const laneTop = i => RULER + (i % LANES) * (LANE + GAP);

function fitted(canvas) {
  const dense = Math.min(2, devicePixelRatio || 1), { clientWidth: width, clientHeight: height } = canvas;
  const [w, h] = [Math.round(width * dense), Math.round(height * dense)];
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
  const pen = canvas.getContext('2d');
  pen.setTransform(dense, 0, 0, dense, 0, 0);
  pen.clearRect(0, 0, width, height);
  return [pen, width, height];
}

function most(peaks, time, long) {
  let high = 0;
  const first = Math.max(0, Math.floor(time * RATE)), end = Math.max(first + 1, Math.floor((time + long) * RATE));
  for (let i = first; i < end && i < (peaks?.length || 0); i++) high = Math.max(high, peaks[i]);
  return high / 255;
}

function box(pen, x, y, width, height, radius) {
  pen.beginPath();
  pen.roundRect(x, y, width, height, radius);
  pen.fill();
}

function faint(pen, alpha, act) {
  pen.globalAlpha = alpha;
  act();
  pen.globalAlpha = 1;
}

function hatch(pen, x, top, width, colour, step) {
  pen.save();
  pen.clip();
  pen.strokeStyle = colour;
  pen.globalAlpha = 0.35;
  pen.lineWidth = 1;
  for (let at = x - LANE; at < x + width; at += step) {
    pen.beginPath();
    pen.moveTo(at, top + LANE);
    pen.lineTo(at + LANE, top);
    pen.stroke();
  }
  pen.restore();
}

function pin(pen, x, y, colour, rim) {
  pen.beginPath();
  pen.arc(x, y, 4.5, 0, 7);
  pen.fillStyle = colour;
  pen.strokeStyle = rim;
  pen.lineWidth = 1.5;
  pen.fill();
  pen.stroke();
}
