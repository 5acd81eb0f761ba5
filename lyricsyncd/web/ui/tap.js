// Taps along: each tap is where a word starts, a long one is how long it lasts.
import { html, useEffect, useLayoutEffect, useRef, useState } from './vendor/preact.js';
import { ended, moved, repinned } from './book.js';
import { keep, kept } from './memory.js';

const RUN_UP_S = 2, SLOW = 0.75;
const LATE_S = 0.04;   // a finger answers to what was heard; until it is measured
const LATE = 'tap-late';
const BEAT_S = 0.6, BEATS = 11, FIRST_S = 0.5, SURE_TAPS = 6, UNEVEN_S = 0.08;
const HELD_S = 0.25;   // shorter is a tap, not a length
const BEFORE = 2, AFTER = 5;

export function Tap({ book, player, first, choose, close }) {
  const [log, setLog] = useState([]), at = first + log.length;
  const pad = useRef(), held = useRef(null), rate = useRef(player.rate.value);
  const [late, setLate] = useState(kept(LATE, null)), [measuring, measure] = useState(false);
  const { words } = (book.version.value, book.sheet);
  const goOn = () => {
    player.seek((words[at]?.start ?? player.time()) - RUN_UP_S);
    player.toggle(true);
    pad.current.focus();
  };
  // Before the next key, which is the pad's.
  useLayoutEffect(() => {
    player.setRate(SLOW);
    goOn();
    return () => {
      player.setRate(rate.current);
      player.toggle(false);
      book.seal();
    };
  }, []);
  const lateNow = () => (late ?? LATE_S) * player.rate.value;
  // Of the event, not of the moment it is handled: a busy page is late.
  const heard = event => Math.max(0, player.time(event.timeStamp) - lateNow());
  const hit = event => {
    event.preventDefault();
    if (at >= words.length || held.current) return;
    const time = heard(event), { line } = words[at];
    // What was not tapped yet of the line comes along, also where a person had set it.
    book.act('tapping', now => moved(repinned(now, (word, i) => word.line === line && i > at, false),
      at, time, 'line'), `tap ${at}`);
    held.current = { at, time };
    setLog([...log, at]);
    choose(at + 1, { focus: false });
  };
  const release = event => {
    if (!held.current) return;
    const { at: which, time } = held.current, until = heard(event) + lateNow();
    held.current = null;
    if (until - time >= HELD_S) book.act('tapping', now => ended(now, which, until), `tap ${which}`);
    book.seal();
  };
  const back = () => {
    if (!log.length) return;
    book.undo();
    setLog(log.slice(0, -1));
    choose(at - 1, { focus: false });
    pad.current.focus();
  };
  const press = event => {
    if (event.key === 'Escape') close();
    else if (event.key === 'Backspace') back();
    else if (event.key === ' ' && !elsewhere(event)) {
      event.preventDefault();
      if (!event.repeat) hit(event);
    } else return;
    event.stopPropagation();
  };
  const lift = event => {
    if (event.key !== ' ' || elsewhere(event)) return;
    event.preventDefault();
    release(event);
  };
  const from = Math.max(0, at - BEFORE);
  const measured = found => {
    if (found != null) {
      // Delay of headphones that is known already is no lateness of the finger.
      const own = Math.round(1000 * found - player.lag.value) / 1000;
      keep(LATE, own);
      setLate(own);
    }
    measure(false);
  };
  const once = useRef(true);
  useEffect(() => {
    if (!once.current && !measuring) goOn();
    once.current = false;
  }, [measuring]);
  if (measuring) return html`<${Measure} done=${measured}/>`;
  return html`<div class="tap" role="dialog" aria-label="Tap along" onKeyDown=${press} onKeyUp=${lift}>
    <p class="coming" dir="auto">${words.slice(from, at + AFTER).map((word, i) => html`<span key=${from + i}
      class=${from + i === at ? 'cur' : from + i < at ? 'gone' : ''}>${word.text}</span>${word.space ? ' ' : ''}`)}</p>
    <button class="pad" ref=${pad} onPointerDown=${hit} onPointerUp=${release} onPointerCancel=${release}>
      ${at < words.length ? 'Tap on each word' : 'That was the last word'}
      <small>or press Space; hold it as long as a word lasts · ${log.length} set</small></button>
    <p class="quietly">${late == null ? 'How late you tap differs by device. ' : `Taps on this device count ${ms(late)}. `}
      <button class="quiet link" onClick=${() => {
        player.toggle(false);
        measure(true);
      }}>${late == null ? 'Measure it once' : 'Measure again'}</button></p>
    <div class="after"><button disabled=${!log.length} aria-keyshortcuts="Backspace" onClick=${back}>Take back</button>
      <button onClick=${close} aria-keyshortcuts="Escape">Done</button></div></div>`;
}

const elsewhere = event => event.target.closest('.after, .quietly');
const ms = late => `${Math.abs(Math.round(1000 * late))} ms ${late < 0 ? 'later' : 'earlier'}`;

// How late a person taps, in seconds: the median of the taps against the beats beside them.
// Nothing where they are few, or uneven.
export function lateness(taps, beats) {
  const off = taps.map(tap => beats.reduce((best, beat) => (
    Math.abs(tap - beat) < Math.abs(best) ? tap - beat : best), Infinity)).sort((a, b) => a - b);
  const middle = off[off.length >> 1], wide = off.map(each => Math.abs(each - middle)).sort((a, b) => a - b);
  return off.length >= SURE_TAPS && wide[wide.length >> 1] < UNEVEN_S ? middle : null;
}

// Clicks to tap along with. Their times are those of the sound card, as far as the browser knows it.
class Clicks {
  constructor() {
    this.context = new AudioContext();
    const begin = this.context.currentTime + FIRST_S;
    this.beats = Array.from({ length: BEATS }, (_, i) => begin + i * BEAT_S);
    this.beats.forEach(beat => this.click(beat));
  }

  click(at) {
    const tone = this.context.createOscillator(), loud = this.context.createGain();
    tone.frequency.value = 1400;
    loud.gain.setValueAtTime(0.6, at);
    loud.gain.exponentialRampToValueAtTime(0.001, at + 0.06);
    tone.connect(loud).connect(this.context.destination);
    tone.start(at);
    tone.stop(at + 0.07);
  }

  // The moment, in the time of the beats, that was heard when an event happened.
  heard(stamp) {
    const { contextTime, performanceTime } = this.context.getOutputTimestamp();
    return contextTime + (stamp - performanceTime) / 1000;
  }

  close() { this.context.close(); }
}

function Measure({ done }) {
  const pad = useRef(), clicks = useRef(null), taps = useRef([]);
  const [count, setCount] = useState(0), [round, again] = useState(0), [said, say] = useState('');
  useLayoutEffect(() => {
    const made = clicks.current = new Clicks();
    taps.current = [];
    setCount(0);
    pad.current.focus();
    const end = setTimeout(() => {
      const found = lateness(taps.current, made.beats);
      if (found != null) done(found);
      else {
        say(made.context.state !== 'running' ? 'No click could be played. Once more:' : taps.current.length < SURE_TAPS ? 'Too few taps. Once more:' : 'The taps were uneven. Once more:');
        again(round + 1);
      }
    }, 1000 * (FIRST_S + BEATS * BEAT_S));
    return () => {
      clearTimeout(end);
      made.close();
    };
  }, [round]);
  const hit = event => {
    event.preventDefault();
    taps.current.push(clicks.current.heard(event.timeStamp));
    setCount(taps.current.length);
  };
  const press = event => {
    if (event.key === 'Escape') done(null);
    else if (event.key === ' ' && !elsewhere(event)) {
      if (!event.repeat) hit(event);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return html`<div class="tap" role="dialog" aria-label="Measure how late you tap" onKeyDown=${press}>
    <p class="coming" role="status">${said || 'Tap with each click, as evenly as you can.'}</p>
    <button class="pad" ref=${pad} onPointerDown=${hit}>Tap with the clicks
      <small>or press Space · ${count} of ${BEATS}</small></button>
    <div class="after"><button onClick=${() => done(null)} aria-keyshortcuts="Escape">Cancel</button></div></div>`;
}
