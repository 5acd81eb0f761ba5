// Taps along: each tap is where a word starts, a long one is how long it lasts.
import { html, useEffect, useRef, useState } from './vendor/preact.js';
import { ended, moved, repinned } from './book.js';

const RUN_UP_S = 2, SLOW = 0.75;
const LATE_S = 0.04;   // a finger answers to what was heard
const HELD_S = 0.25;   // shorter is a tap, not a length
const BEFORE = 2, AFTER = 5;

export function Tap({ book, player, first, choose, close }) {
  const [log, setLog] = useState([]), at = first + log.length;
  const pad = useRef(), held = useRef(null), rate = useRef(player.rate.value);
  const { words } = (book.version.value, book.sheet);
  useEffect(() => {
    player.setRate(SLOW);
    player.seek(words[first].start - RUN_UP_S);
    player.toggle(true);
    pad.current.focus();
    return () => {
      player.setRate(rate.current);
      player.toggle(false);
      book.seal();
    };
  }, []);
  // Of the event, not of the moment it is handled: a busy page is late.
  const heard = event => Math.max(0, player.time(event.timeStamp) - LATE_S);
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
    const { at: which, time } = held.current, until = heard(event) + LATE_S;
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
    else if (event.key === ' ' && !event.target.closest('.after')) {
      event.preventDefault();
      if (!event.repeat) hit(event);
    } else return;
    event.stopPropagation();
  };
  const lift = event => {
    if (event.key !== ' ' || event.target.closest('.after')) return;
    event.preventDefault();
    release(event);
  };
  const from = Math.max(0, at - BEFORE);
  return html`<div class="tap" role="dialog" aria-label="Tap along" onKeyDown=${press} onKeyUp=${lift}>
    <p class="coming" dir="auto">${words.slice(from, at + AFTER).map((word, i) => html`<span key=${from + i}
      class=${from + i === at ? 'cur' : from + i < at ? 'gone' : ''}>${word.text}</span>${word.space ? ' ' : ''}`)}</p>
    <button class="pad" ref=${pad} onPointerDown=${hit} onPointerUp=${release} onPointerCancel=${release}>
      ${at < words.length ? 'Tap on each word' : 'That was the last word'}
      <small>or press Space; hold it as long as a word lasts · ${log.length} set</small></button>
    <div class="after"><button disabled=${!log.length} aria-keyshortcuts="Backspace" onClick=${back}>Take back</button>
      <button onClick=${close} aria-keyshortcuts="Escape">Done</button></div></div>`;
}
