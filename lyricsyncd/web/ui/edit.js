// Corrects the times of a song's words: by ear, by hand, by keyboard; and has them placed again.
import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from './vendor/preact.js';
import { explained, get, on, post, put } from './api.js';
import { BAD, Book, DOUBTFUL, agreed, doubt, ended, linesOf, moved, numbers, pinsOf, repinned, reworded, sheetOf, shifted, textOf }
  from './book.js';
import { Action, Icon, Mark, TakeBack, WRITTEN, artist, folder, minutes, percent, text, title, useTitle } from './parts.js';
import { keep, kept } from './memory.js';
import { PlayButton } from './player.js';
import { Top, missing, nextReview, usePeaks, usePlayer } from './song.js';
import { Tap } from './tap.js';
import { Wave } from './wave.js';
import { History, Keys, Words } from './words.js';

const RATES = [0.5, 0.75, 1];
const SCOPES = { word: 'Word', line: 'Line', song: 'Song' };
const SHORT_S = 0.01, LONG_S = 0.05;
const RUN_UP_S = 0.6;
const SPAN_S = { wide: 8, narrow: 4 };

const exact = seconds => (seconds == null ? '' : `${minutes(seconds)}.${String(Math.round(1000 * seconds) % 1000)
  .padStart(3, '0')}`);
function secondsOf(written) {
  const found = /^(?:(\d+):)?(\d+(?:[.,]\d*)?)$/.exec(written.trim());
  return found ? 60 * (found[1] || 0) + Number(found[2].replace(',', '.')) : null;
}

export function Edit({ id }) {
  const [found, setFound] = useState(null), [wrong, setWrong] = useState(null), [stale, setStale] = useState(false);
  // The revision that is shown, and whether it is of no consequence to lose it.
  const shown = useRef({ revision: 0, dirty: false });
  useTitle(found ? `Edit ${title(found.track)}` : 'Edit');
  const load = async () => {
    try {
      const track = await get(`tracks/${id}`);
      const draft = await get(`tracks/${id}/draft`).catch(missing);
      shown.current = { revision: draft?.revision, dirty: false };
      setStale(false);
      setFound({ track, draft });
    } catch (error) {
      setWrong(error);
    }
  };
  useEffect(() => {
    load();
    const stops = [
      on('track', track => track.id === id && setFound(now => now && { ...now, track })),
      on('draft', draft => {
        if (draft.id !== id || draft.revision === shown.current.revision) return;
        if (shown.current.dirty) setStale(true);
        else load();
      }),
    ];
    return () => stops.forEach(stop => stop());
  }, [id]);
  if (!found || !found.draft) {
    const said = found ? 'The song has no placed words to edit.' : wrong ? wrong.message : 'Loading …';
    return html`<main class="song" id="main" tabindex="-1"><${Top} back=${`#/song/${id}`}>
      <h1>${found ? title(found.track) : 'Edit'}</h1><//>
      <p class="wait" role=${wrong ? 'alert' : 'status'}>${said}</p></main>`;
  }
  return html`<${Editor} key=${found.draft.revision} ...${found} shown=${shown.current}
    stale=${stale} load=${load}/>`;
}

function bookOf(draft) {
  return new Book(sheetOf(draft.lyrics.lines, new Set(draft.pinned)));
}

function Editor({ track, draft, shown, stale, load }) {
  const { id } = track, unsaved = `edit.${id}`;
  const book = useMemo(() => bookOf(draft), [draft]);
  const { version } = book, { sheet } = (version.value, book), { words, lines } = sheet;
  const [earlier, setEarlier] = useState(() => {
    const left = kept(unsaved, null);
    return left?.revision === draft.revision ? left : null;
  });
  const [chosen, setChosen] = useState(() => Math.max(0, words.findIndex(word => doubt(word) === 'bad')));
  const [scope, setScope] = useState('word'), [loop, setLoop] = useState(false), [tap, setTap] = useState(null);
  const [sheetOpen, open] = useState(''), [said, say] = useState('');
  const player = usePlayer(track, draft.audio), plays = player.state.value !== 'none';
  const ready = player.state.value === 'ready';
  // What was pruned is separated anew, unless there never were vocals.
  const keeps = draft.peaks.includes('vocals'), separated = draft.separator && !['mix', 'none'].includes(draft.separator);
  const vocals = usePeaks(id, ready, keeps || separated ? 'vocals' : '', !keeps);
  const mix = usePeaks(id, ready, 'mix');
  const busy = track.state === 'pending' || track.state === 'working';
  const over = useRef(), detail = useRef(), list = useRef(), wave = useRef();
  const at = Math.min(chosen, words.length - 1), word = words[at];

  const choose = (i, { focus = true, reveal = true } = {}) => {
    const next = Math.max(0, Math.min(words.length - 1, i));
    setChosen(next);
    if (reveal) wave.current.reveal(next);
    const button = list.current.querySelector(`[data-i="${next}"]`);
    button?.scrollIntoView({ block: 'nearest' });
    if (focus && list.current.contains(document.activeElement)) button?.focus({ preventScroll: true });
  };
  const act = (name, change, key) => {
    if (!book.act(name, change, key)) return false;
    const { text: which, start } = book.sheet.words[at];
    say(`${which} ${exact(start)}`);
    return true;
  };
  const nudge = by => word.start != null
    && act('moving a word', now => moved(now, at, now.words[at].start + by, scope), `move ${at} ${scope}`);
  const startHere = () => act('setting a start', now => moved(now, at, player.time(), scope));
  const endHere = () => act('setting an end', now => ended(now, at, player.time()));
  const shift = by => book.act('shifting all words', now => shifted(now, by), 'shift')
    && say(`All words ${by > 0 ? 'later' : 'earlier'}`);
  const togglePin = () => word.start != null
    && book.act(word.pin ? 'taking a pin back' : 'pinning a word', now => repinned(now, (_, i) => i === at, !word.pin))
    && say(word.pin ? 'Not pinned' : 'Pinned');
  const lineIsRight = () => {
    book.act('agreeing with a line', now => repinned(now, each => each.line === word.line, true));
    say('The line is right');
    choose(lines[word.line].first + lines[word.line].count);
  };
  const undo = () => say(((name) => (name ? `Undone: ${name}` : 'Nothing to undo'))(book.undo()));
  const redo = () => say(((name) => (name ? `Done again: ${name}` : 'Nothing to do again'))(book.redo()));
  const hear = (i = at) => {
    if (words[i]?.start == null) return;
    player.seek(words[i].start - RUN_UP_S);
    player.toggle(true);
  };
  const doubtful = words.filter(each => doubt(each)).length;
  const nextDoubt = step => {
    let i = at + step;
    while (words[i] && !doubt(words[i])) i += step;
    if (words[i]) choose(i);
    else say('No more doubtful words');
  };
  const goLine = step => {
    let k = word.line + step;
    while (lines[k] && !lines[k].count) k += step;
    if (lines[k]) choose(lines[k].first);
  };
  const zoom = factor => wave.current.zoom(factor);

  const save = async () => {
    if (!book.dirty) return;
    const language = /^[a-z]{2,3}$/.test(draft.lyrics.language || '') ? draft.lyrics.language : null;
    const body = { revision: shown.revision, pinned: numbers(book.sheet),
      lyrics: { language, lines: linesOf(book.sheet) } };
    // The stream may tell of it before the answer is here.
    shown.revision += 1;
    try {
      shown.revision = (await put(`tracks/${id}/draft`, body)).revision;
    } catch (error) {
      shown.revision = body.revision;
      throw error;
    }
    book.keep();
    keep(unsaved, null);
  };
  const decide = action => async () => {
    await save();
    await post(`tracks/${id}/decision`, { action, revision: shown.revision });
  };
  const written = WRITTEN.includes(track.state);
  const saveAll = async () => {
    await (written ? decide(track.state === 'lines' ? 'lines' : 'accept')() : save());
    say('Saved');
  };
  const decideAndGo = action => async () => {
    await decide(action)();
    if (track.state === 'review') await nextReview(id, 'edit');
  };
  const placeAgain = async () => {
    const language = /^[a-z]{2,3}$/.test(draft.lyrics.language || '') ? draft.lyrics.language : null;
    await post(`tracks/${id}/place`, { revision: shown.revision, pins: pinsOf(book.sheet),
      lyrics: { language, lines: linesOf(book.sheet) } });
    book.keep();
    keep(unsaved, null);
    say('The words are placed again');
  };
  const placeRest = async () => {
    if (busy || !at) return;
    book.act('agreeing with the words before', now => agreed(now, at));
    await placeAgain();
  };

  useLayoutEffect(() => {
    const acts = {
      choose: i => choose(i, { focus: false, reveal: false }),
      seek: time => player.seek(time),
      drag: () => {}, dropped: () => book.seal(),
    };
    wave.current = new Wave({ over: over.current, detail: detail.current, list: list.current, player, acts,
      span: innerWidth < 760 ? SPAN_S.narrow : SPAN_S.wide });
    wave.current.show(book.sheet, at, loop);
    wave.current.reveal(at);
    return () => wave.current.close();
  }, [player]);
  useLayoutEffect(() => {
    wave.current.peaks = { vocals, mix };
    wave.current.acts.choose = i => choose(i, { focus: false, reveal: false });
    wave.current.acts.drag = (i, edge, time, key) => act('dragging a word', (now, base) => (edge === 'end'
      ? ended(base, i, time) : moved(base, i, time, scope)), `drag ${key}`);
    wave.current.show(sheet, at, loop);
  });
  useEffect(() => {
    shown.dirty = book.dirty;
    if (earlier && !book.steps) return;
    const steps = book.dirty ? book.steps : 0;
    keep(unsaved, steps ? { revision: shown.revision, steps, lines: linesOf(book.sheet), pinned: numbers(book.sheet) } : null);
  }, [version.value, earlier]);

  const startTap = () => {
    if (!ready || word.start == null) return;
    setTap(lines[word.line].first);
  };
  // Before the next key: it is of the word and the scope that were chosen by the last one.
  useLayoutEffect(() => {
    const press = event => {
      if (event.target.closest('dialog, .tap')) return;
      const { key, shiftKey } = event, control = event.ctrlKey || event.metaKey;
      const field = event.target.closest('input, textarea, select');
      const commands = { z: shiftKey ? redo : undo, y: redo, s: () => saveAll().catch(tell) };
      let todo = null;
      if (control) todo = commands[key.toLowerCase()];
      else if (event.altKey || field) return;
      else if ((key === ' ' || key === 'Enter') && event.target.closest('button:not(.word), a, summary')) return;
      else {
        const arrows = { ArrowLeft: () => (shiftKey ? nudge(-LONG_S) : choose(at - 1)),
          ArrowRight: () => (shiftKey ? nudge(LONG_S) : choose(at + 1)),
          ArrowUp: () => goLine(-1), ArrowDown: () => goLine(1), Enter: () => hear(),
          ' ': () => player.toggle(), Escape: () => { location.hash = `#/song/${id}`; } };
        const single = { ',': () => nudge(-SHORT_S), '.': () => nudge(SHORT_S), '<': () => nudge(-LONG_S),
          '>': () => nudge(LONG_S), '[': startHere, ']': endHere, p: togglePin, y: lineIsRight,
          r: () => placeRest().catch(tell), n: () => nextDoubt(1), N: () => nextDoubt(-1), l: () => setLoop(!loop), t: startTap,
          1: () => setScope('word'), 2: () => setScope('line'), 3: () => setScope('song'),
          '+': () => zoom(0.7), '=': () => zoom(0.7), '-': () => zoom(1.4), '?': () => open('keys'),
          j: () => nextReview(id, 'edit').catch(tell), k: () => nextReview(id, 'edit', -1).catch(tell),
          ...(track.state === 'review' ? { a: () => decideAndGo('accept')().catch(tell),
            o: () => decideAndGo('lines')().catch(tell), x: () => decideAndGo('reject')().catch(tell) } : {}) };
        // As it is now: the dialog with the switch may have closed a moment ago.
        todo = arrows[key] || (kept('letters', true) || key === '?' ? single[key] : null);
      }
      if (!todo) return;
      event.preventDefault();
      todo();
    };
    // A browser clicks a button when Space is let go.
    const lift = event => { if (event.key === ' ' && event.target.closest('.word')) event.preventDefault(); };
    addEventListener('keydown', press);
    addEventListener('keyup', lift);
    return () => {
      removeEventListener('keydown', press);
      removeEventListener('keyup', lift);
    };
  });
  const tell = error => say(explained(error));

  const restore = () => {
    book.act('going on', () => sheetOf(earlier.lines, new Set(earlier.pinned)));
    setEarlier(null);
  };
  const top = html`
    <button class="icon" aria-label="Undo" title="Undo (Ctrl Z)" aria-keyshortcuts="Control+Z"
      disabled=${!book.steps} onClick=${undo}><${Icon} name="undo"/></button>
    <button class="icon" aria-label="Redo" title="Redo (Ctrl Shift Z)" aria-keyshortcuts="Control+Shift+Z"
      disabled=${!book.left} onClick=${redo}><${Icon} name="redo"/></button>
    <a class="button wide" href=${`#/song/${id}`}>Listen</a>
    <${Action} class="primary" run=${saveAll} disabled=${!book.dirty || busy}
      aria-keyshortcuts="Control+S">Save<//>`;
  return html`<main class="editor" id="main" tabindex="-1">
    <${Top} back=${`#/song/${id}`} more=${top}><h1 dir="auto">${title(track)}</h1>
      <p dir="auto">${[artist(track) || folder(track.path), minutes(track.duration),
        draft.lyrics.source && `words from ${draft.lyrics.source}`].filter(Boolean).join(' · ')}</p><//>
    <${Judgement} track=${track} draft=${draft} busy=${busy} decide=${decideAndGo} open=${open}
      pins=${pinsOf(sheet).length} placeAgain=${placeAgain} placeRest=${at ? placeRest : null} from=${word.text}/>
    ${stale ? html`<div class="banner bad" role="alert"><span>The words have been changed meanwhile, elsewhere.</span>
      <button onClick=${() => { keep(unsaved, null); load(); }}>Load them</button></div>` : null}
    ${earlier ? html`<div class="banner" role="status"><span>${earlier.steps === 1 ? 'One change was' : `${earlier.steps} changes were`} not saved.</span>
      <button onClick=${restore}>Go on with them</button>
      <button class="quiet" onClick=${() => { keep(unsaved, null); setEarlier(null); }}>Discard</button></div>` : null}
    <div class="over"><canvas ref=${over} aria-hidden="true"></canvas></div>
    <div class="detail"><canvas ref=${detail} aria-hidden="true"></canvas></div>
    <div class="tools" role="toolbar" aria-label="Playing and moving"><${PlayButton} player=${player}/>
      <button aria-pressed=${loop} aria-keyshortcuts="l" title="L" onClick=${() => setLoop(!loop)}>Loop line</button>
      <select aria-label="Speed" value=${player.rate.value}
        onChange=${event => player.setRate(+event.target.value)}>${RATES.map(rate => html`
        <option key=${rate} value=${rate}>${rate}×</option>`)}</select>
      <span class="group" role="group" aria-label="Zoom"><button aria-label="Zoom out" aria-keyshortcuts="-"
          onClick=${() => zoom(1.4)}>−</button><button aria-label="Zoom in" aria-keyshortcuts="+"
          onClick=${() => zoom(0.7)}>+</button></span>
      <span class="group" role="group" aria-label="What moves along"><em>Move</em>${Object.entries(SCOPES).map(([key, name], i) =>
        html`<button key=${key} aria-pressed=${scope === key} aria-keyshortcuts=${i + 1}
          onClick=${() => setScope(key)}>${name}</button>`)}</span>
      <span class="group" role="group" aria-label="Shift all words"><button aria-label="All words 50 ms earlier"
        onClick=${() => shift(-LONG_S)}>◂ 50</button><em>all</em><button aria-label="All words 50 ms later"
        onClick=${() => shift(LONG_S)}>50 ▸</button></span>
      <button aria-keyshortcuts="t" title="T" disabled=${!ready} onClick=${startTap}>Tap along</button>
      <button class="quiet keys" aria-keyshortcuts="?" onClick=${() => open('keys')}>Keys</button></div>
    ${plays ? null : html`<p class="quietly">This song cannot be played in this browser.</p>`}
    <div class="work"><div class="list" ref=${list} role="region" aria-label="Words" tabindex="-1">
      <div class="listhead"><span>${doubtful ? `${doubtful} of ${words.length} words are doubtful`
        : 'Every word has its place'}</span>${doubtful ? html`<button aria-keyshortcuts="n"
        onClick=${() => nextDoubt(1)}>Next doubtful</button>` : null}</div>
      <ol lang=${draft.lyrics.language} onDblClick=${() => hear()} onClick=${event => {
        const which = event.target.closest('[data-i]');
        if (which) choose(+which.dataset.i);
      }}>${lines.map((line, k) => (line.count ? html`<${Row} key=${k} line=${line} number=${k + 1} words=${words}
        chosen=${at} play=${i => { choose(i); hear(i); }}/>` : html`<li class="space" key=${k}></li>`))}</ol></div>
      <${Card} word=${word} nudge=${nudge} hear=${hear} step=${by => choose(at + by)} startHere=${startHere}
        togglePin=${togglePin} lineIsRight=${lineIsRight} set=${(edge, time) => act('setting a time', now => (edge === 'end'
          ? ended(now, at, time) : moved(now, at, time, scope)))}/></div>
    ${tap == null ? null : html`<${Tap} book=${book} player=${player} first=${tap} choose=${choose}
      close=${() => {
        setTap(null);
        // Where a person goes on by keyboard.
        list.current.querySelector(`[data-i="${at}"]`)?.focus({ preventScroll: true });
      }}/>`}
    ${sheetOpen === 'keys' ? html`<${Keys} close=${() => open('')}/>` : null}
    ${sheetOpen === 'history' ? html`<${History} track=${track} close=${() => open('')}/>` : null}
    ${sheetOpen === 'words' ? html`<${Words} track=${track} revision=${shown.revision} now=${textOf(sheet)} player=${plays ? player : null}
      keepTimes=${words_ => book.act('other words', now => reworded(now, words_))} close=${() => open('')}/>` : null}
    <p class="unseen" role="status">${said}</p></main>`;
}

// Words that did not change keep what was made of them: of a long song hundreds are shown.
function Row({ line, number, words, chosen, play }) {
  const last = useRef({}), own = words.slice(line.first, line.first + line.count);
  const here = chosen >= line.first && chosen < line.first + line.count ? chosen : -1;
  const same = last.current.own?.length === own.length && last.current.here === here
    && own.every((word, i) => word === last.current.own[i]);
  if (!same) {
    const start = own.find(word => word.start != null)?.start;
    last.current = { own, here, made: html`<li class=${[here >= 0 && 'on', line.voice && 'voice'].filter(Boolean).join(' ')}>
      <button class="clock" aria-label=${`Play line ${number}`} tabindex=${here >= 0 ? 0 : -1}
        onClick=${() => play(line.first)}>${minutes(start)}</button>
      <p dir="auto">${own.map((word, j) => {
        const i = line.first + j, kind = doubt(word);
        const state = word.pin ? ', set by you' : kind === 'bad' ? ', doubtful' : kind ? ', unsure' : '';
        return html`<button class=${`word ${kind}${word.pin ? ' pin' : ''}`} data-i=${i} key=${i}
          tabindex=${i === here ? 0 : -1} aria-pressed=${i === here}
          aria-label=${`${word.text} ${exact(word.start) || 'no time'}${state}`}>${word.text}</button>${word.space ? ' ' : ''}`;
      })}</p></li>` };
  }
  return last.current.made;
}

function Card({ word, nudge, hear, step, startHere, togglePin, lineIsRight, set }) {
  const kind = doubt(word), by = word.was == null || word.start == null ? null : word.start - word.was;
  const field = (edge, name, value) => html`<label>${name}<input value=${exact(value)} inputmode="decimal"
    aria-label=${`${name} at`} onChange=${event => {
      const seconds = secondsOf(event.target.value);
      if (seconds != null) set(edge, seconds);
      event.target.value = exact(seconds ?? value);
    }} onKeyDown=${event => event.key === 'Enter' && event.target.blur()}/></label>`;
  return html`<aside class="card" aria-label="The chosen word"><h2 dir="auto">${word.text}</h2>
    <p class=${`conf ${kind || 'sure'}`}><span class="mark"></span>${word.pin ? 'Set by you'
      : word.sure == null ? 'Not judged' : `${percent(word.sure)} sure`}</p>
    <div class="times">${field('start', 'Starts', word.start)}${field('end', 'Ends', word.end)}
      <span>Moved<b>${by == null ? '–' : `${by < 0 ? '−' : '+'}${Math.abs(by).toFixed(2)} s`}</b></span></div>
    <div class="nudges" role="group" aria-label="Move this word">
      <button aria-label="50 ms earlier" onClick=${() => nudge(-LONG_S)}>−50</button>
      <button aria-label="10 ms earlier" aria-keyshortcuts="," onClick=${() => nudge(-SHORT_S)}>−10</button>
      <button class="hear" aria-keyshortcuts="Enter" onClick=${() => hear()}>Hear</button>
      <button aria-label="10 ms later" aria-keyshortcuts="." onClick=${() => nudge(SHORT_S)}>+10</button>
      <button aria-label="50 ms later" onClick=${() => nudge(LONG_S)}>+50</button></div>
    <div class="step"><button aria-label="Word before" onClick=${() => step(-1)}>‹ Word</button>
      <button aria-keyshortcuts="[" onClick=${startHere}>Starts here</button>
      <button aria-label="Word after" onClick=${() => step(1)}>Word ›</button></div>
    <div class="step more"><button aria-keyshortcuts="p" aria-pressed=${word.pin} disabled=${word.start == null}
      onClick=${togglePin}>${word.pin ? 'Pinned' : 'Pin'}</button>
      <button aria-keyshortcuts="y" onClick=${lineIsRight}>Line is right</button></div></aside>`;
}

const QUESTIONS = { bad: 'Kept back: are these the right words?', hmm: 'Kept back: some words are doubtful',
  sure: 'Kept back, to be looked at' };

// What the service thinks of the words, and what a person may do about them.
function Judgement({ track, draft, busy, decide, open, pins, placeAgain, placeRest, from }) {
  const { state } = track, level = draft.score < BAD ? 'bad' : draft.score < DOUBTFUL ? 'hmm' : 'sure';
  const review = state === 'review', menu = useRef();
  const part = track.progress == null ? '' : percent(track.progress);
  const closed = act => () => {
    menu.current.open = false;
    act();
  };
  const shut = event => { if (!menu.current?.contains(event.target)) menu.current.open = false; };
  useEffect(() => {
    addEventListener('pointerdown', shut);
    return () => removeEventListener('pointerdown', shut);
  }, []);
  const leaveMenu = ({ relatedTarget: next }) => {
    if (next && !menu.current.contains(next)) menu.current.open = false;
  };
  const escape = event => {
    if (event.key !== 'Escape' || !menu.current.open) return;
    event.stopPropagation();
    menu.current.open = false;
    menu.current.querySelector('summary').focus();
  };
  const leave = async () => {
    await post(`tracks/${track.id}/skip`);
    await nextReview(track.id, 'edit');
  };
  const again = pins ? `Place again with ${pins === 1 ? 'one pin' : `${pins} pins`}` : 'Place again';
  return html`<section class=${`verdict judged ${level}`} aria-label="Decision">
    <svg class="ring" viewBox="0 0 44 44" width="44" height="44" role="img" aria-label=${`${percent(draft.score)} sure`}>
      <circle cx="22" cy="22" r="18"/><circle class="arc" cx="22" cy="22" r="18" pathLength="100"
        stroke-dasharray=${`${100 * draft.score} 100`} transform="rotate(-90 22 22)"/>
      <text x="22" y="26.5" text-anchor="middle">${Math.round(100 * draft.score)}</text></svg>
    <p role=${busy ? 'status' : null}><b>${review ? QUESTIONS[level] : html`<${Mark} state=${state}/>`}</b>
      <span>${busy ? `${text(track.stage)} ${part}` : text(track.error || track.reason)}</span></p>
    <div class="decide">
      <button class=${review && level === 'bad' ? 'primary' : ''} disabled=${busy} onClick=${() => open('words')}>Other words …</button>
      ${review ? html`<${Action} run=${decide('lines')} aria-keyshortcuts="o">Lines only<//>
        <${Action} class=${level === 'bad' ? '' : 'primary'} run=${decide('accept')} aria-keyshortcuts="a">Accept<//>` : null}
      <${Action} run=${placeAgain} disabled=${busy} class=${pins && !review ? '' : 'wide'}>${again}<//>
      <details class="menu" ref=${menu} onKeyDown=${escape} onFocusOut=${leaveMenu}><summary aria-label="More">⋯</summary><div>
        <button class="narrow" disabled=${busy} onClick=${closed(() => placeAgain().catch(() => {}))}>${again}</button>
        <${Action} run=${async () => { await placeRest(); menu.current.open = false; }} disabled=${busy || !placeRest} aria-keyshortcuts="r"
          title="All words before stay where they are">Place again from “${from}”<//>
        <${Action} run=${decide('reject')} aria-keyshortcuts="x">Wrong words<//>
        <${Action} run=${decide('instrumental')}>Nothing is sung<//>
        <button onClick=${closed(() => open('history'))}>History …</button>
        ${review ? html`<${Action} run=${leave}>Leave alone<//>` : null}
        ${WRITTEN.includes(state) && track.written.length ? html`<${TakeBack} id=${track.id}/>` : null}
      </div></details></div></section>`;
}
