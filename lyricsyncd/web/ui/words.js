// Other words for a song, and what was written of it: dialogs over a song and its editor.
import { html, useEffect, useMemo, useRef, useState } from './vendor/preact.js';
import { get, post } from './api.js';
import { common } from './book.js';
import { Action, Icon, artist, fileName, moment, percent, text, title } from './parts.js';
import { keep, kept } from './memory.js';

export function Dialog({ name, close, class: kind = '', children }) {
  const dialog = useRef();
  useEffect(() => dialog.current.showModal(), []);
  return html`<dialog ref=${dialog} class=${kind} aria-labelledby="about" onClose=${close}>
    <h2 id="about">${name}</h2>${children}</dialog>`;
}
const shut = event => event.target.closest('dialog').close();

const TIMING = { none: 'text only', line: 'with line times', word: 'with word times' };
const OWN = -1;

// `now` is the text that is shown, `keepTimes` takes a text without placing it, `player` plays the song to compare;
// all may be missing.
export function Words({ track, revision, now = '', keepTimes, player, close }) {
  const [found, setFound] = useState(null), [chosen, choose] = useState(null), [own, write] = useState(now);
  const [said, say] = useState('');
  useEffect(() => {
    get(`tracks/${track.id}/candidates`).then(({ candidates }) => {
      setFound(candidates.map((each, number) => ({ ...each, number })));
      const other = candidates.findIndex(each => !each.chosen && !each.rejected);
      choose(other < 0 ? OWN : other);
    }).catch(() => {
      setFound([]);
      choose(OWN);
    });
  }, []);
  const search = async event => {
    event.preventDefault();
    const names = Object.fromEntries([...new FormData(event.target)].filter(([, value]) => value.trim()));
    say('Asking …');
    try {
      const { candidates, warnings } = await post(`tracks/${track.id}/candidates`, names);
      setFound([...found.filter(each => each.number != null), ...candidates]);
      if (candidates.length) choose(found.filter(each => each.number != null).length);
      say([candidates.length ? `${candidates.length} found` : 'None found', ...warnings].join('. '));
    } catch (error) {
      say(error.message);
    }
  };
  const place = async () => {
    const one = found[chosen];
    const words = chosen === OWN ? { text: own } : one.number == null ? { text: one.text } : { candidate: one.number };
    await post(`tracks/${track.id}/place`, { ...words, ...(revision == null ? {} : { revision }) });
    close();
  };
  if (!found) return null;
  const shown = chosen === OWN ? own : found[chosen]?.text ?? '';
  const option = (key, name, about) => html`<label key=${key}><input type="radio" name="words" checked=${chosen === key}
    onChange=${() => choose(key)}/><span><b>${name}</b><small>${about}</small></span></label>`;
  return html`<${Dialog} name="Other words" class="words" close=${close}>
    <form class="find" onSubmit=${search} role="search" aria-label="Words of other sources">
      <input name="artist" aria-label="Artist" placeholder="Artist" value=${artist(track)}/>
      <input name="title" aria-label="Title" placeholder="Title" value=${title(track)}/><button>Search</button></form>
    <p class="said" role="status">${said}</p>
    <div class="choice"><fieldset><legend class="unseen">Which words</legend>${found.map((each, i) => option(i,
      text(each.source) || 'A source', [each.chosen && 'shown now', each.rejected && 'rejected',
        each.score == null ? '' : percent(each.score), TIMING[each.timing], text(each.why)].filter(Boolean).join(' · ')))}
      ${option(OWN, 'Write or paste', 'one line a row')}</fieldset>
      ${chosen === OWN ? html`<textarea aria-label="The words" value=${own} dir="auto" spellcheck="false"
        onInput=${event => write(event.target.value)}></textarea>`
        : html`<${Compared} now=${now} other=${shown}/>`}</div>
    <p class="dim">Words are placed for you to look at: nothing is written before you accept them.</p>
    <div class="decide"><${Action} class="primary" run=${place} disabled=${!shown.trim()}>Place these words<//>
      ${keepTimes ? html`<button disabled=${!shown.trim()} onClick=${event => {
        keepTimes(shown);
        shut(event);
      }}>Take them, keep the times</button>` : null}
      ${player ? html`<button disabled=${player.state.value !== 'ready'} onClick=${() => player.toggle()}>
        <${Icon} name=${player.playing.value ? 'pause' : 'play'} size="16"/>${player.playing.value ? 'Stop' : 'Listen'}</button>` : null}
      <button class="quiet" onClick=${shut}>Cancel</button></div><//>`;
}

// The other words, with those marked that are not among the present ones.
function Compared({ now, other }) {
  const [rows, fresh] = useMemo(() => {
    const split = other.split('\n').map(row => row.split(/\s+/).filter(Boolean)), tokens = split.flat();
    const before = now.split(/\s+/).filter(Boolean);
    const same = before.length ? new Set(common(before, tokens).map(([, j]) => j)) : null;
    let at = 0;
    const made = split.map(row => row.map(token => [token, Boolean(same) && !same.has(at++)]));
    return [made, same ? tokens.length - same.size : 0];
  }, [now, other]);
  return html`<div class="compared" tabindex="0" role="region" aria-label="These words">
    ${now ? html`<p class="dim">${fresh ? `${fresh} words are other ones` : 'The same words'}</p>` : null}
    ${rows.map((row, i) => html`<p key=${i} dir="auto">${row.map(([token, isNew]) => (isNew ? html`<mark>${token}</mark> `
      : `${token} `))}</p>`)}</div>`;
}

export function History({ track, close }) {
  const [writes, setWrites] = useState(null), [wrong, setWrong] = useState('');
  useEffect(() => {
    get(`tracks/${track.id}/history`).then(found => setWrites(found.writes.reverse()))
      .catch(error => setWrong(error.message));
  }, []);
  const did = each => [each.removed ? 'Removed' : each.before ? 'Changed' : 'Written', each.by_hand && 'by hand']
    .filter(Boolean).join(' ');
  return html`<${Dialog} name="What was written" close=${close}>
    ${writes?.length ? html`<ul class="list">${writes.map((each, i) => html`<li key=${i}>
      <b dir="auto">${fileName(each.path)}</b><span>${did(each)}</span><span class="dim">${moment(each.at)}</span></li>`)}</ul>`
      : html`<p class="dim" role="status">${wrong || (writes ? 'Nothing was written for this song.' : 'Loading …')}</p>`}
    <div class="decide"><button onClick=${shut}>Close</button></div><//>`;
}

const KEYS = [['Space', 'play, pause'], ['Enter', 'hear the word'], ['← →', 'word before, after'],
  ['↑ ↓', 'line before, after'], ['N Shift+N', 'next, last doubtful word'], [', .', '10 ms earlier, later'],
  ['Shift+← Shift+→', '50 ms earlier, later'], ['[ ]', 'starts, ends at the playhead'],
  ['1 2 3', 'move the word, its line, the song'], ['P', 'pin, or take the pin back'], ['R', 'place again from this word on'], ['Y', 'the line is right'],
  ['T', 'tap along'], ['L', 'loop the line'], ['+ −', 'zoom'], ['Ctrl+Z', 'undo; with Shift again'],
  ['Ctrl+S', 'save'], ['A O X', 'accept, lines only, wrong words'], ['J K', 'next, last song'], ['Esc', 'back']];

export function Keys({ close }) {
  const [letters, setLetters] = useState(kept('letters', true));
  const change = event => {
    keep('letters', event.target.checked);
    setLetters(event.target.checked);
  };
  return html`<${Dialog} name="Keys" class="keysheet" close=${close}><dl>${KEYS.map(([keys, what]) => html`<div key=${keys}>
    <dt>${keys.split(' ').map(key => html`<kbd key=${key}>${key}</kbd> `)}</dt><dd>${what}</dd></div>`)}</dl>
    <p>While a word is moved, pinned words stay: those between are stretched, the others shifted.</p>
    <label class="check"><input type="checkbox" checked=${letters} onChange=${change}/>Keys that are single letters and marks</label>
    <div class="decide"><button class="primary" onClick=${shut}>Close</button></div><//>`;
}
