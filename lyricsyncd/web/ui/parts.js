// Small parts that screens share.
import { html, useEffect, useRef, useState } from './vendor/preact.js';
import { explained, mayChange, post } from './api.js';

export const LABELS = {
  review: 'Needs a look',
  done: 'Word by word',
  mixed: 'Words and lines',
  lines: 'Lines only',
  no_lyrics: 'No lyrics',
  failed: 'Failed',
  working: 'Working',
  pending: 'Waiting',
  instrumental: 'Instrumental',
  ignored: 'Left alone',
};

// States of songs whose lyrics have been written.
export const WRITTEN = ['done', 'mixed', 'lines'];

// What is nearest to being written comes first.
export const REVIEW = '/library?state=review&sort=-score';

// Where a person is in the library: the songs that are listed, and how far they were looked through.
export const place = { hash: '#/library', key: '', at: 0, top: 0 };

const ICONS = {
  review: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zm-1 4h2v6h-2zm0 8h2v2h-2z',
  library: 'M4 5h16v2H4zm0 6h16v2H4zm0 6h10v2H4z',
  queue: 'M4 6h12v2H4zm0 5h12v2H4zm0 5h8v2H4zm13-2 5 3-5 3z',
  health: 'M3 12h4l3-7 4 14 3-7h4v2h-3l-4 9-4-14-2 5H3z',
  back: 'M15 4 7 12l8 8 1.4-1.4L9.8 12l6.6-6.6z',
  play: 'M7 4v16l14-8z',
  pause: 'M6 4h4v16H6zm8 0h4v16h-4z',
  beside: 'M3 5h14v3H3zm0 5h9v1.6H3zm0 5h16v3H3zm0 5h11v1.6H3z',
  search: 'M10.5 3a7.5 7.5 0 1 0 4.6 13.4l4.7 4.7 1.5-1.5-4.7-4.7A7.5 7.5 0 0 0 10.5 3zm0 2a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11z',
  note: 'M9 6.2v8.4a3.4 3.4 0 1 0 2 3.1V9.3l8-1.9v5.2a3.4 3.4 0 1 0 2 3.1V3.4z',
  good: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zm-1.2 13.2-4-4 1.4-1.4 2.6 2.6 5-5 1.4 1.4z',
  undo: 'M9 5 4 10l5 5v-4h5a3.5 3.5 0 0 1 0 7h-3v2h3a5.5 5.5 0 0 0 0-11H9z',
  redo: 'M15 5l5 5-5 5v-4h-5a3.5 3.5 0 0 0 0 7h3v2h-3a5.5 5.5 0 0 1 0-11h5z',
};
export const Icon = ({ name, size = 20 }) => html`<svg viewBox="0 0 24 24" width=${size}
  height=${size} aria-hidden="true"><path fill="currentColor" d=${ICONS[name]}/></svg>`;

export const number = value => value.toLocaleString('en');
export const percent = part => `${Math.round(100 * part)} %`;
export function minutes(seconds) {
  if (seconds == null) return '';
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}
export function span(seconds) {
  if (seconds < 90) return 'about a minute';
  if (seconds < 5400) return `about ${Math.round(seconds / 60)} minutes`;
  if (seconds < 129600) return `about ${Math.round(seconds / 3600)} hours`;
  return `about ${Math.round(seconds / 86400)} days`;
}
export const moment = at => new Date(1000 * at).toLocaleString(undefined,
  { dateStyle: 'medium', timeStyle: 'short' });

// File names need not be valid text: what is not is shown as a replacement character.
const readable = text => text.replace(/[\ud800-\udfff]/gu, '\ufffd');
export const fileName = path => readable(path.split('/').pop());
export const folder = path => readable(path.split('/').slice(-2)[0]);
export const title = track => readable(track.title || fileName(track.path).replace(/\.[^.]+$/, ''));
export const artist = track => readable(track.artist || '');
export const text = value => readable(value || '');

export const Mark = ({ state }) => html`<span class="state" data-state=${state}>
  <span class="mark"></span>${LABELS[state] || state}</span>`;

// Runs an action of a person: disables its button meanwhile, and shows why it was refused.
export function Action({ run, children, class: name = '', done = '', disabled = false, ...more }) {
  const [busy, setBusy] = useState(false), [said, say] = useState('');
  const act = async () => {
    setBusy(true);
    say('');
    try {
      await run();
      say(done);
    } catch (error) {
      say(explained(error));
    }
    setBusy(false);
  };
  return html`<span class="action"><button class=${name} disabled=${busy || disabled} onClick=${act} ...${more}>
    ${children}</button><span class="said" role="status">${said}</span></span>`;
}
export const Retry = ({ id, children = 'Try again', ...more }) => (mayChange.value
  ? html`<${Action} run=${() => post(`tracks/${id}/retry`)} done="Queued" ...${more}>${children}<//>` : null);

// Shows first what would be given back or removed.
export function TakeBack({ id }) {
  const [would, setWould] = useState(null), dialog = useRef();
  const ask = async () => setWould(await post(`tracks/${id}/undo`, { dry_run: true }));
  useEffect(() => { if (would) dialog.current.showModal(); }, [would]);
  const close = () => dialog.current.close();
  const act = async () => {
    await post(`tracks/${id}/undo`, { dry_run: false });
    close();
  };
  const part = (name, paths) => (paths.length ? html`<p>${name}</p><ul>${paths.map(path => html`
    <li key=${path} dir="auto">${text(path)}</li>`)}</ul>` : null);
  if (!mayChange.value) return null;
  return html`<${Action} class="quiet" run=${ask}>Take back …<//>${would ? html`
    <dialog ref=${dialog} aria-labelledby="back" onClose=${() => setWould(null)}>
      <h2 id="back">Take back the words of this song?</h2>
      ${part('Removed:', would.removed)}${part('As it was before:', would.written)}
      ${part('Kept:', would.notes)}<p class="dim">The song is then left alone.</p>
      <div class="decide"><${Action} run=${act}>Take back<//>
        <button class="quiet" onClick=${close}>Cancel</button></div></dialog>` : null}`;
}

// A component of a module that is only loaded when it is needed.
export function Later({ load, name, ...props }) {
  const [made, setMade] = useState(null), [wrong, setWrong] = useState(false);
  useEffect(() => { load().then(module => setMade(() => module[name]), () => setWrong(true)); }, []);
  if (wrong) return html`<p class="wait" role="alert">This part of the page could not be loaded. Load it again.</p>`;
  return made ? html`<${made} ...${props}/>` : null;
}

export function Page({ name, class: kind = '', children }) {
  useTitle(name);
  return html`<main class=${`page ${kind}`} id="main" tabindex="-1">
    <h1>${name}</h1>${children}</main>`;
}
export function useTitle(name) {
  useEffect(() => { document.title = name ? `${name} · lyricsyncd` : 'lyricsyncd'; }, [name]);
}
