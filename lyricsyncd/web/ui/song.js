// One song: its words light up as it is played, and a person decides about it.
import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from './vendor/preact.js';
import { Refused, get, mayChange, on, order, post } from './api.js';
import { Action, Icon, Later, Mark, REVIEW, Retry, TakeBack, WRITTEN, artist, folder, percent, place, text, title, useTitle }
  from './parts.js';
import { keep, kept } from './memory.js';
import { PlayButton, Player, SeekBar, awaited } from './player.js';
import { Stage, prepare } from './stage.js';

const RATES = [0.5, 0.75, 0.9, 1, 1.1, 1.25];
const DOUBTFUL = 0.6, BAD = 0.35;
const LAG_STEP_MS = 50, LAG_MOST_MS = 1000;

export const missing = error => {
  if (error instanceof Refused && error.status === 404) return null;
  throw error;
};

// The kept result of a placed song; else what is stored beside it or in its tags.
async function wordsOf(track) {
  const draft = track.quality == null ? null : await get(`tracks/${track.id}/draft`).catch(missing);
  if (draft) return { ...draft.lyrics, draft, audio: draft.audio };
  const audio = [{ url: `tracks/${track.id}/audio` }, { url: `tracks/${track.id}/audio?as=aac` }];
  const has = track.written.length || track.decision || track.state === 'ignored';
  const found = has ? await get(`lyrics?id=${track.id}`).catch(missing) : null;
  if (!found) return { lines: [], audio };
  const lines = found.lines.map(line => ({ ...line,
    words: line.words.map(word => [word.text, word.start, word.end, word.confidence, word.space]) }));
  return { language: found.language, lines, audio };
}

export function Song({ id }) {
  const [track, setTrack] = useState(null), [words, setWords] = useState(null);
  const [wrong, setWrong] = useState(null);
  useTitle(track ? title(track) : '');
  useEffect(() => {
    const leave = event => {
      if (event.key === 'Escape' && !event.target.closest('dialog')) location.hash = place.hash;
    };
    addEventListener('keydown', leave);
    return () => removeEventListener('keydown', leave);
  }, []);
  useEffect(() => {
    let open = true, finished = null;
    const load = async known => {
      try {
        const found = known || await get(`tracks/${id}`);
        finished = found.finished_at;
        const had = await wordsOf(found);
        if (!open) return;
        setTrack(found);
        setWords(had);
      } catch (error) {
        if (open) setWrong(error);
      }
    };
    load();
    const stops = [
      on('track', changed => {
        if (changed.id !== id) return;
        setTrack(changed);
        if (changed.finished_at !== finished) load(changed);
      }),
      on('draft', changed => { if (changed.id === id) load(); }),
    ];
    return () => {
      open = false;
      stops.forEach(stop => stop());
    };
  }, [id]);
  if (wrong && !track) {
    return html`<main class="song" id="main" tabindex="-1"><${Top}><h1>No such song</h1><//>
      <p class="wait" role="alert">${wrong.message}</p></main>`;
  }
  if (!track || !words) {
    return html`<main class="song" id="main" tabindex="-1"><${Top}><h1>Song</h1><//>
      <p class="wait" role="status">Loading …</p></main>`;
  }
  return html`<${Karaoke} track=${track} words=${words}/>`;
}

export const Top = ({ children, more, back = place.hash }) => html`<header class="top"><a class="icon"
  href=${back} aria-label=${back === place.hash ? 'Back to the library' : 'Back to the song'}>
  <${Icon} name="back" size="24"/></a>
  <div class="name">${children}</div><div class="acts">${more}</div></header>`;

export function usePlayer(track, audio) {
  const key = JSON.stringify(audio);
  const player = useMemo(() => new Player(audio, track.duration, `tracks/${track.id}/audio?as=stems`), [track.id, key]);
  useEffect(() => () => player.close(), [player]);
  return player;
}

// `of` is 'vocals', 'mix' or nothing; vocals are separated anew where `make` is set.
export function usePeaks(id, wanted, of, make = false) {
  const [peaks, setPeaks] = useState(null);
  useEffect(() => {
    if (!wanted || !of) return undefined;
    const ended = new AbortController();
    awaited(`tracks/${id}/peaks?of=${of}${make ? '&make=true' : ''}`, ended.signal).then(found => found.arrayBuffer())
      .then(content => setPeaks(new Uint8Array(content))).catch(() => {});
    return () => ended.abort();
  }, [id, wanted, of]);
  return peaks;
}

function Karaoke({ track, words }) {
  const model = useMemo(() => prepare(words.lines), [words]);
  const player = usePlayer(track, words.audio), plays = player.state.value !== 'none';
  // The voice alone where it is kept, else the whole.
  const voice = words.draft?.peaks.includes('vocals');
  const peaks = usePeaks(track.id, player.state.value === 'ready', voice ? 'vocals' : 'mix');
  const beside = model.rows.some(row => row.parallel?.length), [sides, setSides] = useState(kept('beside', true));
  const [follow, setFollow] = useState(true), [doubts, setDoubts] = useState(track.state === 'review');
  const [size, setSize] = useState(kept('size', 1));
  const root = useRef(), stage = useRef();
  const following = yes => {
    setFollow(yes);
    stage.current?.follow(yes);
  };
  useLayoutEffect(() => {
    stage.current = new Stage(root.current, model, player);
    stage.current.kick();
    return () => stage.current.close();
  }, [model, player]);
  useEffect(() => { if (player.playing.value) following(true); }, [player.playing.value]);
  useEffect(() => keep('size', size), [size]);
  useMediaKeys(player, track);
  useLitScreen(player.playing.value);
  const jump = time => {
    if (time == null) return;
    player.seek(time);
    following(true);
    player.toggle(true);
  };
  const larger = step => setSize(now => Math.max(0, Math.min(3, now + step)));
  useEffect(() => {
    const press = event => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.target.closest('input, select, textarea, dialog')) return;
      // On a line Space plays and pauses, as everywhere; Enter goes there.
      const button = event.target.closest('button, a, summary');
      if (event.key === ' ' && button && !button.classList.contains('line')) return;
      const act = {
        ' ': () => player.toggle(),
        ArrowLeft: () => player.skip(-5),
        ArrowRight: () => player.skip(5),
        ArrowUp: () => jump(stage.current.beside(-1)?.start),
        ArrowDown: () => jump(stage.current.beside(1)?.start),
        d: () => setDoubts(yes => !yes),
        '+': () => larger(1),
        '-': () => larger(-1),
      }[event.key];
      if (!act || (event.key.startsWith('Arrow') && !plays)) return;
      event.preventDefault();
      act();
    };
    const lift = event => {
      if (event.key === ' ' && event.target.closest('.line')) event.preventDefault();
    };
    addEventListener('keydown', press);
    addEventListener('keyup', lift);
    return () => {
      removeEventListener('keydown', press);
      removeEventListener('keyup', lift);
    };
  }, [player, model, plays]);

  const unsure = model.words.filter(word => word.sure != null && word.sure < DOUBTFUL).length;
  const written = track.written.length && WRITTEN.includes(track.state);
  const more = html`${written ? html`<${TakeBack} id=${track.id}/>` : null}${unsure ? html`<button aria-pressed=${doubts} onClick=${() => setDoubts(!doubts)}
    aria-label=${`${unsure} unsure`} aria-keyshortcuts="d" title="Mark the words whose place is doubtful"><span class="dot"></span>
    ${unsure}<span class="wide"> unsure</span></button>` : null}${beside ? html`<button aria-pressed=${sides}
    aria-label="Translation" onClick=${() => {
      keep('beside', !sides);
      setSides(!sides);
    }}><span class="wide">Translation</span><span class="narrow"><${Icon} name="beside"/></span></button>` : null}${words.draft && model.words.length && mayChange.value ? html`<a class="button"
    href=${`#/edit/${track.id}`}>Edit<span class="wide"> timing</span></a>` : null}`;
  return html`<main class="song" id="main" tabindex="-1">
    <${Top} more=${more}><h1 dir="auto">${title(track)}</h1>
      <p dir="auto">${artist(track) || folder(track.path)}</p><//>
    <${Verdict} track=${track} draft=${words.draft} player=${plays ? player : null}/>
    <div class="stage" tabindex="0" role="region" aria-label="Lyrics" ref=${root}
      onWheel=${() => following(false)} onTouchMove=${() => following(false)}>
      <${Lyrics} key=${words.draft?.revision} model=${model} words=${words} doubts=${doubts}
        sides=${sides} size=${size} jump=${plays ? jump : null} track=${track}/></div>
    ${follow || !model.timed ? null : html`<button class="pill" onClick=${() => following(true)}>
      Back to where it is sung</button>`}
    <footer class="deck">${plays ? html`<${Deck} player=${player} peaks=${peaks} larger=${larger}
      id=${words.draft && model.timed ? track.id : null}/>`
      : html`<p class="quietly">This song cannot be played in this browser.</p>`}</footer></main>`;
}

function Lyrics({ model, words, doubts, sides, size, jump, track }) {
  if (!model.rows.length) {
    const reason = text(track.error || track.reason) || 'There are no words for this song yet.';
    return html`<p class="wait">${reason}</p>`;
  }
  const shape = `lyrics${doubts ? ' doubts' : ''}${model.timed ? '' : ' plain'}`;
  return html`<ol class=${shape} data-size=${size} lang=${words.language}>${model.rows.map((row, k) => {
    if (row.gap) {
      return html`<li class="gap" key=${k}><span class="dots" role="img" aria-label="Break">
        <i></i><i></i><i></i></span></li>`;
    }
    const kinds = [row.voice && 'voice', row.stanza && 'stanza', row.whole && 'all'];
    const sung = row.words.map(word => html`<span class=${kindOf(word)} data-i=${word.number}>
      ${word.text}</span>${word.space ? ' ' : ''}`);
    const seek = event => {
      const one = event.target.closest('.w');
      jump((one && model.words[+one.dataset.i].start) ?? row.start);
    };
    return html`<li key=${k} class=${kinds.filter(Boolean).join(' ')}>${jump && row.start != null
      ? html`<button class="line" dir="auto" onClick=${seek}>${sung}</button>`
      : html`<span class="line" dir="auto">${sung}</span>`}${sides && row.parallel?.map(each => html`
      <span class=${`beside ${each.kind}`} lang=${langOf(each)} dir="auto">${each.text}</span>`)}</li>`;
  })}</ol>`;
}

const langOf = ({ kind, language }) => language && (kind === 'romanisation' ? `${language}-Latn` : language);

function kindOf({ sure, start, end }) {
  const doubt = sure == null || sure >= DOUBTFUL ? '' : sure < BAD ? ' bad' : ' hmm';
  return `w${doubt}${end - start > 1 ? ' long' : ''}`;
}

const goesDark = () => !navigator.wakeLock && matchMedia('(pointer: coarse)').matches && !kept('dark', false);

function Deck({ player, peaks, larger, id }) {
  const lag = player.lag.value, [dark, setDark] = useState(goesDark());
  const shift = by => player.setLag(Math.max(-LAG_MOST_MS, Math.min(LAG_MOST_MS, lag + by)));
  return html`<${SeekBar} player=${player} peaks=${peaks}/>
    <div class="buttons"><div class="side"><label class="field"><span class="wide">Speed</span>
      <select aria-label="Speed" value=${player.rate.value}
        onChange=${event => player.setRate(+event.target.value)}>${RATES.map(rate => html`
        <option key=${rate} value=${rate}>${rate}×</option>`)}</select></label>
      <span class="lag" role="group" aria-label="Delay of this device">
        <button class="quiet" aria-label="Words earlier" title="Words earlier, on this device"
          onClick=${() => shift(-LAG_STEP_MS)}>◂</button><span class="ms">${lag} ms</span>
        <button class="quiet" aria-label="Words later" title="Words later, on this device"
          onClick=${() => shift(LAG_STEP_MS)}>▸</button></span></div>
    <button class="round" aria-label="Back 5 seconds" aria-keyshortcuts="ArrowLeft"
      onClick=${() => player.skip(-5)}>−5</button>
    <${PlayButton} player=${player}/>
    <button class="round" aria-label="Forward 5 seconds" aria-keyshortcuts="ArrowRight"
      onClick=${() => player.skip(5)}>+5</button>
    <div class="side right"><label class="field sing"><span>Voice</span><input type="range" class="voice" min="0"
        max="100" step="5" aria-label="Voice" aria-valuetext=${`${Math.round(100 * player.voice.value)} %`}
        title="How loud the singer is: the rest stays" value=${100 * player.voice.value}
        onInput=${event => player.setVoice(+event.target.value / 100)}/></label><button class="quiet" aria-label="Smaller words" aria-keyshortcuts="-"
        onClick=${() => larger(-1)}>A−</button>
      <button class="quiet" aria-label="Larger words" aria-keyshortcuts="+"
        onClick=${() => larger(1)}>A+</button></div></div>
    ${lag && id && mayChange.value ? html`<div class="quietly">Words ${Math.abs(lag)} ms ${lag > 0 ? 'later' : 'earlier'} on this device, as headphones may need it. <${Action}
      class="quiet link" run=${async () => {
        await post(`tracks/${id}/shift`, { seconds: lag / 1000 });
        player.setLag(0);
      }}>Is the song itself off? Move its words<//></div>` : null}
    ${dark ? html`<p class="quietly">The screen may go dark while the song plays: browsers keep it lit only over https.
      <button class="quiet link" onClick=${() => {
        keep('dark', true);
        setDark(false);
      }}>Good</button></p>` : null}
    ${player.parting.value ? html`<p class="quietly" role="status">${player.parting.value}</p>` : null}
    ${player.state.value === 'making' ? html`<p class="quietly" role="status">
      The song is made playable …</p>` : null}`;
}

// Goes to the next song that is kept back, from the one that is nearest to being written on.
export async function nextReview(id, screen = 'song', step = 1) {
  const from = location.hash, ids = [...await order({ state: 'review', sort: '-score' })];
  // Who went elsewhere in the meantime stays there.
  if (location.hash !== from) return;
  const at = ids.indexOf(id), next = ids.at(at < 0 ? 0 : (at + step) % ids.length);
  location.hash = next && next !== id ? `#/${screen}/${next}` : `#${REVIEW}`;
}

// The state of the song, and what a person can do about it.
function Verdict({ track, draft, player }) {
  const decide = action => async () => {
    await post(`tracks/${track.id}/decision`, { action, revision: draft.revision });
    await nextReview(track.id);
  };
  const { state } = track, [other, setOther] = useState(false);
  const words = mayChange.value && html`<button onClick=${() => setOther(true)}>Other words …</button>${other ? html`<${Later}
    load=${() => import('./words.js')} name="Words" track=${track} revision=${draft?.revision}
    now=${draft ? plainText(draft.lyrics) : ''} player=${player} close=${() => setOther(false)}/>` : null}`;
  const why = text(track.error || track.reason);
  if (state === 'review' && draft) {
    return html`<section class="verdict" aria-label="Decision"><p><${Mark} state=${state}/>
      <b class="score">${percent(draft.score)}</b> <span>${why}</span></p>
      <div class="decide">${mayChange.value ? html`<${Action} run=${decide('accept')}>Accept<//>
      <${Action} run=${decide('lines')}>Lines only<//>
      <${Action} run=${decide('reject')}>Wrong words<//>${words}` : null}
      <${Action} class="quiet" run=${() => nextReview(track.id)}>Next<//></div></section>`;
  }
  if (state === 'pending' || state === 'working') {
    const part = track.progress == null ? '' : percent(track.progress);
    return html`<section class="verdict" aria-label="State"><p role="status"><${Mark} state=${state}/>
      <span>${text(track.stage)} ${part}</span></p></section>`;
  }
  if (WRITTEN.includes(state)) return null;
  return html`<section class="verdict" aria-label="State"><p><${Mark} state=${state}/>
    <span>${why}</span></p><div class="decide"><${Retry} id=${track.id}/>${words}</div></section>`;
}

const plainText = ({ lines }) => lines.map(({ words }) => words.map(([word, , , , space]) =>
  word + (space === false ? '' : ' ')).join('').trim()).join('\n');

function useMediaKeys(player, track) {
  useEffect(() => {
    const session = navigator.mediaSession;
    if (!session) return undefined;
    session.metadata = new MediaMetadata({ title: title(track), artist: artist(track), album: text(track.album),
      artwork: [{ src: new URL('icon.svg', document.baseURI).href, sizes: 'any', type: 'image/svg+xml' }] });
    const acts = { play: () => player.toggle(true), pause: () => player.toggle(false),
      seekbackward: () => player.skip(-5), seekforward: () => player.skip(5),
      seekto: ({ seekTime }) => player.seek(seekTime) };
    Object.entries(acts).forEach(([key, act]) => session.setActionHandler(key, act));
    // So that the lock screen shows how far the song is.
    const tell = () => {
      const duration = player.duration.value;
      session.playbackState = player.audio.paused ? 'paused' : 'playing';
      if (duration) {
        session.setPositionState({ duration, playbackRate: player.rate.value,
          position: Math.max(0, Math.min(duration, player.time())) });
      }
    };
    player.moved.add(tell);
    return () => {
      player.moved.delete(tell);
      session.metadata = null;
      session.playbackState = 'none';
      Object.keys(acts).forEach(key => session.setActionHandler(key, null));
    };
  }, [player, track.id]);
}

// Keeps the screen lit while a song plays. Browsers do it for pages over https, and on this computer.
function useLitScreen(on) {
  useEffect(() => {
    if (!on || !navigator.wakeLock) return undefined;
    let lock = null, ended = false;
    const hold = async () => {
      if (document.hidden) return;
      try {
        lock = await navigator.wakeLock.request('screen');
      } catch {
        // An empty battery, say.
      }
      if (ended) lock?.release();
    };
    hold();
    document.addEventListener('visibilitychange', hold);
    return () => {
      ended = true;
      lock?.release();
      document.removeEventListener('visibilitychange', hold);
    };
  }, [on]);
}
