// Words that light up while they are sung. The loop touches class names and one property only, and
// rests while the song does.
const LEAD_S = 0.012;   // a frame is seen about this long after it was made
const LINE_LEAD_S = 0.25;
const BREAK_S = 5;
const AT_ONCE = 12;   // words that are sung at the same time, at most
const FAR_PX = 1400;

// Index of the last of the rising starts that is not after a time; -1: none.
export function before(starts, time) {
  let low = 0, high = starts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (starts[middle] <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

// Lines with [text, start, end, confidence, space] become rows and words; what has no time keeps none.
export function prepare(lines) {
  const words = [], rows = [];
  let last = 0, stanza = false;
  for (const line of lines) {
    if (!line.words.length) {
      stanza = true;
      continue;
    }
    const mine = line.words.map(([text, start, end, sure, space], i) => ({
      text, start: start ?? null, end: end ?? null, sure: sure ?? null, space: space ?? true,
      number: words.length + i, tail: [],
    }));
    const timed = mine.filter(word => word.start != null);
    const start = timed[0]?.start ?? line.start ?? null;
    if (start != null && start - last > BREAK_S) rows.push({ gap: true, start: last, end: start });
    timed.forEach((word, i) => { word.end ??= timed[i + 1]?.start ?? line.end ?? word.start + 0.4; });
    let head = timed[0];
    for (const word of mine) {
      if (word.start != null) head = word;
      else head?.tail.push(word.number);   // lights up with the word before it
    }
    const end = timed.length ? Math.max(...timed.map(word => word.end)) : line.end ?? null;
    rows.push({ start, end, words: mine, voice: Boolean(line.voice), stanza, whole: !timed.length,
      parallel: line.parallel });
    words.push(...mine);
    last = Math.max(last, end ?? start ?? 0);
    stanza = false;
  }
  rows.forEach((row, i) => { row.end ??= rows.slice(i + 1).find(next => next.start != null)?.start ?? null; });
  return { words, rows, timed: rows.some(row => !row.gap && row.start != null) };
}

export class Stage {
  constructor(root, model, player) {
    this.root = root;
    this.player = player;
    this.items = [...root.querySelectorAll('li')];
    const spans = [...root.querySelectorAll('.w')];
    const sorted = list => list.sort((a, b) => a.start - b.start);
    this.words = sorted(model.words.filter(word => word.start != null)
      .map(word => ({ ...word, spans: [word.number, ...word.tail].map(i => spans[i]) })));
    this.starts = this.words.map(word => word.start);
    this.rows = sorted(model.rows.map((row, i) => ({ ...row, item: this.items[i] }))
      .filter(row => row.start != null));
    this.rowStarts = this.rows.map(row => row.start);
    this.still = matchMedia('(prefers-reduced-motion: reduce)');
    this.following = true;
    this.lit = -1;
    this.now = [];
    this.row = -1;
    this.shown = '';
    this.frame = 0;
    this.kick = () => { this.frame ||= requestAnimationFrame(stamp => this.draw(stamp)); };
    player.moved.add(this.kick);
    this.size = new ResizeObserver(this.kick);
    this.size.observe(root);
  }

  close() {
    cancelAnimationFrame(this.frame);
    this.player.moved.delete(this.kick);
    this.size.disconnect();
  }

  follow(on) {
    this.following = on;
    if (on) this.kick();
  }

  // The line before or after the one that is sung.
  beside(step) {
    const sung = this.rows.filter(row => !row.gap);
    const at = before(sung.map(row => row.start), this.player.time() + LINE_LEAD_S);
    return sung[Math.max(0, at + step)];
  }

  draw(stamp) {
    this.frame = 0;
    const time = this.player.time(stamp) + LEAD_S;
    this.light(time);
    this.mark(time);
    if (this.scroll() || !this.player.audio.paused) this.kick();
  }

  light(time) {
    const lit = before(this.starts, time);
    for (let k = Math.min(lit, this.lit) + 1; k <= Math.max(lit, this.lit); k++) {
      this.words[k].spans.forEach(span => span.classList.toggle('sung', k <= lit));
    }
    this.lit = lit;
    const now = [];
    for (let k = lit; k >= 0 && k > lit - AT_ONCE; k--) if (this.words[k].end > time) now.push(k);
    for (const k of this.now) {
      if (!now.includes(k)) this.words[k].spans.forEach(span => span.classList.remove('now'));
    }
    for (const k of now) {
      const { start, end, spans } = this.words[k];
      const part = Math.min(100, 100 * (time - start) / Math.max(0.08, end - start)).toFixed(1);
      for (const span of spans) {
        span.classList.add('now');
        span.style.setProperty('--p', part);
      }
    }
    this.now = now;
  }

  mark(time) {
    const at = before(this.rowStarts, time + LINE_LEAD_S);
    const on = [];
    for (let k = at; k >= 0 && k > at - AT_ONCE; k--) {
      if (k === at || this.rows[k].end > time) on.push(k);
    }
    const shown = on.join();
    if (shown !== this.shown || at !== this.row) {
      this.rows.forEach(({ item }, k) => {
        item.classList.toggle('on', on.includes(k));
        item.classList.toggle('past', k < at && !on.includes(k));
        if (k === at) item.setAttribute('aria-current', 'true');
        else item.removeAttribute('aria-current');
      });
      this.row = at;
      this.shown = shown;
    }
    const { gap, start, end, item } = this.rows[at] || {};
    if (gap) item.style.setProperty('--p', Math.min(1, (time - start) / (end - start)).toFixed(3));
  }

  // Moves towards the line that is sung; returns whether it is not there yet.
  scroll() {
    if (!this.following || !this.rows.length) return false;
    const { root } = this, item = this.rows[this.row]?.item;
    const wanted = item ? item.offsetTop - root.clientHeight * 0.36 + item.offsetHeight / 2 : 0;
    const goal = Math.max(0, Math.min(root.scrollHeight - root.clientHeight, Math.round(wanted)));
    const way = goal - root.scrollTop;
    if (Math.abs(way) < 1) return false;
    const far = this.still.matches || Math.abs(way) > FAR_PX;
    root.scrollTop += far ? way : Math.sign(way) * Math.max(1, Math.abs(way) * 0.11);
    return true;
  }
}
