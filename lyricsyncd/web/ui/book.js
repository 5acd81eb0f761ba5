// The words of a song while a person corrects their times: values, changes of them, and undo.
import { signal } from './vendor/preact.js';

export const LEAST_S = 0.03;   // between two starts of a voice, and from a start to its end
export const DOUBTFUL = 0.6, BAD = 0.35;
const GUESS_S = 0.4;           // how long a word lasts of which only the start is known
const MOST_STEPS = 500;

const round = seconds => Math.round(1000 * seconds) / 1000;
const timed = word => word.start != null;
export const doubt = word => (word.pin || word.sure == null || word.sure >= DOUBTFUL ? ''
  : word.sure < BAD ? 'bad' : 'hmm');

// A word with other times; its syllables, [text, start, end], stay in proportion.
function retimed(word, start, end) {
  const scale = (end - start) / (word.end - word.start);
  const map = time => (time == null ? null : round(start + (time - word.start) * scale));
  const parts = word.parts?.map(([text, from, until]) => [text, map(from), map(until)]);
  return { ...word, start, end, parts };
}

// Lines with [text, start, end, confidence, space, syllables] become a sheet: lines, and all words in a row.
// `pinned` has the numbers of words that a person set. What is out of order is put in order.
export function sheetOf(lines, pinned) {
  const words = [], made = [], voices = new Map();
  for (const { voice = null, start, end, words: own, parallel } of lines) {
    made.push({ first: words.length, count: own.length, voice, start, end, parallel });
    own.forEach(([text, from, until, sure, space, parts], i) => {
      const after = own[i + 1]?.[1];
      const word = { text, start: from ?? null, end: until ?? null, sure: sure ?? null,
        space: space ?? true, parts, voice, line: made.length - 1, was: from ?? null };
      word.pin = timed(word) && pinned.has(words.length);
      if (timed(word)) {
        word.end ??= after ?? word.start + GUESS_S;
        follow(voices.get(voice), word);
        voices.set(voice, word);
      }
      words.push(word);
    });
  }
  return { lines: made, words };
}

// Puts a word after the one before it in its voice.
function follow(before, word) {
  const least = before ? round(before.start + LEAST_S) : 0;
  if (word.start < least) Object.assign(word, { start: least, parts: undefined });
  word.end = Math.max(word.end, round(word.start + LEAST_S));
  if (before && before.end > word.start) before.end = word.start;
}

// As the service takes it, with `numbers` of the pins.
export function linesOf({ lines, words }) {
  return lines.map(({ first, count, voice, start, end }) => {
    const own = words.slice(first, first + count), known = own.filter(timed);
    return { voice, start: known[0]?.start ?? start ?? null, end: known.at(-1)?.end ?? end ?? null,
      words: own.map(word => [word.text, word.start, word.end,
        word.pin ? 1 : word.sure, word.space,
        ...(word.parts ? [word.parts] : [])]) };
  });
}

export const numbers = ({ words }) => words.flatMap((word, i) => (word.pin ? [i] : []));
export const pinsOf = ({ words }) => words.flatMap((word, i) => (word.pin ? [[i, word.start]] : []));
export const textOf = ({ lines, words }) => lines.map(({ first, count }) => words
  .slice(first, first + count).map(({ text, space }) => text + (space ? ' ' : '')).join('').trim()).join('\n');

// How far a word may go: other pins, and the words that have to fit between, stay.
function room(words, i) {
  const { voice } = words[i];
  let low = 0, high = Infinity;
  for (let j = i - 1, n = 1; j >= 0; j--) {
    if (!timed(words[j]) || words[j].voice !== voice) continue;
    low = words[j].pin ? words[j].start + n * LEAST_S : n * LEAST_S;
    if (words[j].pin) break;
    n += 1;
  }
  for (let j = i + 1, n = 1; j < words.length; j++) {
    if (!timed(words[j]) || words[j].voice !== voice) continue;
    if (words[j].pin) {
      high = words[j].start - n * LEAST_S;
      break;
    }
    n += 1;
  }
  return [low, Math.max(low, high)];
}

// Sets where a word starts. In the scope 'line' or 'song' the others come along: as far as one pin
// is shifted, stretched between two. What would lie on the other side is pushed, and doubtful then.
export function moved(sheet, i, wanted, scope = 'word') {
  const words = [...sheet.words], word = words[i], [low, high] = room(words, i);
  const start = round(Math.min(high, Math.max(low, wanted)));
  if (!timed(word)) {
    words[i] = { ...word, start, end: round(start + GUESS_S), pin: true };
    return { ...sheet, words: pushed(words, i) };
  }
  if (start === word.start && word.pin) return sheet;
  const by = start - word.start;
  const among = each => scope === 'song' || (scope === 'line' && each.line === word.line);
  const fixed = words.filter(each => each.pin && each.voice === word.voice && each !== word && among(each));
  const left = fixed.filter(each => each.start < word.start).at(-1);
  const right = fixed.find(each => each.start > word.start);
  const map = time => {
    const edge = time < word.start ? left : right;
    if (!edge) return time + by;
    if (time < word.start ? time <= edge.start : time >= edge.start) return time;
    return edge.start + (time - edge.start) * (start - edge.start) / (word.start - edge.start);
  };
  if (scope !== 'word') {
    words.forEach((each, j) => {
      if (j === i || each.pin || !timed(each) || !among(each)) return;
      const from = Math.max(0, round(map(each.start)));
      words[j] = retimed(each, from, Math.max(round(map(each.end)), round(from + LEAST_S)));
    });
  }
  const end = scope === 'word' ? word.end + by : map(word.end);
  words[i] = { ...retimed(word, start, Math.max(round(end), round(start + LEAST_S))), pin: true };
  return { ...sheet, words: pushed(words, i) };
}

function pushed(words, i) {
  const { voice } = words[i];
  let before = i;
  for (let j = i + 1; j < words.length; j++) {
    if (!timed(words[j]) || words[j].voice !== voice) continue;
    const least = round(words[before].start + LEAST_S);
    if (words[j].start < least) {
      const end = Math.max(words[j].end, round(least + LEAST_S));
      words[j] = { ...retimed(words[j], least, end), sure: 0 };
    }
    if (words[before].end > words[j].start) words[before] = retimed(words[before], words[before].start, words[j].start);
    before = j;
  }
  let after = i;
  for (let j = i - 1; j >= 0; j--) {
    if (!timed(words[j]) || words[j].voice !== voice) continue;
    const most = round(words[after].start - LEAST_S);
    const start = Math.max(0, Math.min(words[j].start, most)), end = Math.min(words[j].end, words[after].start);
    if (start < words[j].start) words[j] = { ...retimed(words[j], start, end), sure: 0 };
    else if (end < words[j].end) words[j] = retimed(words[j], start, end);
    after = j;
  }
  return words;
}

export function ended(sheet, i, wanted) {
  const words = [...sheet.words], word = words[i];
  if (!timed(word)) return sheet;
  const next = words.slice(i + 1).find(each => timed(each) && each.voice === word.voice);
  const end = round(Math.min(next?.start ?? Infinity, Math.max(word.start + LEAST_S, wanted)));
  words[i] = { ...retimed(word, word.start, end), pin: true };
  return { ...sheet, words };
}

export function shifted(sheet, by) {
  const first = Math.min(...sheet.words.filter(timed).map(word => word.start));
  const most = Math.max(by, -first);
  return { ...sheet, words: sheet.words.map(word => (timed(word)
    ? retimed(word, round(word.start + most), round(word.end + most)) : word)) };
}

export function repinned(sheet, chosen, pin) {
  return { ...sheet, words: sheet.words.map((word, i) => (timed(word) && chosen(word, i)
    ? { ...word, pin } : word)) };
}

// Pins all words before one where they are; of voices that sing at once those that are in order.
export function agreed(sheet, i) {
  let last = -Infinity;
  const right = new Set();
  sheet.words.forEach((word, j) => {
    if (!timed(word) || word.start < last + LEAST_S) return;
    if (j < i) right.add(j);
    if (j < i || word.pin) last = word.start;
  });
  return repinned(sheet, (_, j) => right.has(j), true);
}

// Pairs of equal words of two texts, in order: the longest common subsequence.
export function common(one, other) {
  const a = one.map(plain), b = other.map(plain), wide = b.length + 1;
  const best = new Uint16Array((a.length + 1) * wide);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      best[i * wide + j] = a[i] === b[j] ? 1 + best[(i + 1) * wide + j + 1]
        : Math.max(best[(i + 1) * wide + j], best[i * wide + j + 1]);
    }
  }
  const pairs = [];
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    if (a[i] === b[j]) pairs.push([i++, j++]);
    else if (best[(i + 1) * wide + j] >= best[i * wide + j + 1]) i += 1;
    else j += 1;
  }
  return pairs;
}
const plain = text => text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '') || text;

// Other words with the times of those that stay; new ones share the gap they lie in, and are doubtful.
export function reworded(sheet, text) {
  const rows = text.split(/\r?\n/).map(row => row.trim().split(/\s+/).filter(Boolean));
  const tokens = rows.flat();
  const kept = new Map(common(sheet.words.map(word => word.text), tokens).map(([i, j]) => [j, sheet.words[i]]));
  const times = tokens.map((_, j) => kept.get(j)).map(word => (word && timed(word) ? word : null));
  let at = 0;
  while (at < times.length) {
    let stop = at;
    while (stop < times.length && !times[stop]) stop += 1;
    const left = times[at - 1]?.end ?? Math.max(0, (times[stop]?.start ?? 0) - GUESS_S * (stop - at));
    const right = times[stop]?.start ?? left + GUESS_S * (stop - at);
    for (let j = at; j < stop; j++) {
      const step = Math.max(LEAST_S, (right - left) / (stop - at));
      times[j] = { start: round(left + (j - at) * step), end: round(left + (j - at + 1) * step), sure: 0 };
    }
    at = stop + 1;
  }
  const pinned = new Set(times.flatMap((word, j) => (word.pin ? [j] : [])));
  at = 0;
  const lines = rows.map(row => ({ voice: null, words: row.map(token => {
    const { start, end, sure, text: was, parts } = times[at++];
    return [token, start, end, sure, true, ...(parts && was === token ? [parts] : [])];
  }) }));
  return sheetOf(lines, pinned);
}

// The states of a sheet, one after the other. Changes of one kind in a row are one step.
export class Book {
  constructor(sheet) {
    this.states = [{ sheet, name: '', key: null }];
    this.at = 0;
    this.saved = sheet;
    this.version = signal(0);
  }

  get sheet() { return this.states[this.at].sheet; }
  get dirty() { return this.sheet !== this.saved; }
  get steps() { return this.at; }
  get left() { return this.states.length - 1 - this.at; }

  // `change` gets the sheet now, and that before the step it belongs to.
  act(name, change, key = null) {
    const top = this.states[this.at], same = key != null && top.key === key && this.at > 0;
    const sheet = change(top.sheet, same ? this.states[this.at - 1].sheet : top.sheet);
    if (sheet === top.sheet) return false;
    const at = same ? this.at : this.at + 1;
    this.states.splice(at, Infinity, { sheet, name, key });
    if (this.states.length > MOST_STEPS) this.states.shift();
    this.at = this.states.length - 1;
    this.version.value += 1;
    return true;
  }

  // What comes next is a step of its own.
  seal() { this.states[this.at].key = null; }

  undo() {
    if (!this.at) return '';
    const { name } = this.states[this.at--];
    this.version.value += 1;
    return name;
  }

  redo() {
    if (!this.left) return '';
    this.version.value += 1;
    return this.states[++this.at].name;
  }

  keep() {
    this.saved = this.sheet;
    this.seal();
    this.version.value += 1;
  }
}
