// The shell: which screen is shown, the way between them, and what stands before them all.
import { html, render, signal, useEffect, useLayoutEffect, useRef, useState } from './vendor/preact.js';
import { admitted, door, explained, mayChange, post, refresh, service, signIn, start, trouble } from './api.js';
import { Action, Icon, Later, Page, REVIEW, text, useTitle } from './parts.js';
import { Library, askAhead } from './library.js';
import { Song } from './song.js';
import { Queue } from './queue.js';
import { Health } from './health.js';

const SCREENS = { library: Library, queue: Queue, health: Health };

const route = signal(parsed());
function parsed() {
  const [path, query] = (location.hash.slice(1) || '/library').split('?');
  const [screen, id] = path.split('/').filter(Boolean);
  return { screen, id, query: new URLSearchParams(query) };
}
addEventListener('hashchange', () => { route.value = parsed(); });

const short = count => (count > 999 ? `${Math.floor(count / 1000)}k` : count);

function Nav({ at, reviews }) {
  const { failed = 0, review = 0 } = service.value.songs;
  const items = [
    ['library', '#/library', 'Library'],
    ['review', `#${REVIEW}`, 'Review', review, 'to look at'],
    ['queue', '#/queue', 'Queue', failed, 'failed'],
    ['health', '#/health', 'Health'],
  ];
  const here = at === 'library' && reviews ? 'review' : at;
  return html`<nav class="nav" aria-label="Main">
    <a class="brand" href="#/library"><img src="icon.svg" alt="" width="28" height="28"/>
      <span>lyricsyncd</span></a>
    ${items.map(([key, link, name, count, of]) => html`<a key=${key} href=${link}
      aria-current=${here === key ? 'page' : null}><${Icon} name=${key}/><span>${name}</span>
      ${count ? html`<b class="badge">${short(count)}<span class="unseen"> ${of}</span></b>` : null}
      </a>`)}
  </nav>`;
}

function Banner() {
  if (door.value === 'away') {
    return html`<p class="banner bad" role="alert">The service does not answer. Trying again …</p>`;
  }
  const { paused, settings_error: wrong } = service.value || {};
  if (wrong) return html`<p class="banner bad" role="alert">${text(wrong)}</p>`;
  if (!paused) return null;
  const resume = async () => {
    await post('resume');
    await refresh();
  };
  return html`<div class="banner"><span>Paused: no new songs are taken up.</span>
    ${mayChange.value ? html`<${Action} run=${resume}>Go on<//>` : null}</div>`;
}

function SignIn() {
  const [said, say] = useState(''), [busy, setBusy] = useState(false), field = useRef();
  useTitle('Sign in');
  useLayoutEffect(() => field.current.focus(), []);
  const open = async event => {
    event.preventDefault();
    setBusy(true);
    say('');
    try {
      await signIn(field.current.value.trim());
    } catch (error) {
      say(explained(error));
      field.current.select();
    }
    setBusy(false);
  };
  return html`<main class="lock" id="main"><form onSubmit=${open}>
    <img src="icon.svg" width="56" height="56" alt=""/><h1>lyricsyncd</h1>
    <p id="hint">The token is in the configuration of the service, under <code>web.token</code>.</p>
    <label for="token">Token</label>
    <input ref=${field} id="token" type="password" autocomplete="current-password" required
      aria-describedby="hint said"/>
    <p id="said" class="bad" role="alert">${said}</p>
    <button class="primary" disabled=${busy}>Sign in</button></form></main>`;
}

function Refusal() {
  useTitle('Refused');
  return html`<main class="lock" id="main"><div><h1>The service refuses this page</h1>
    <p>${trouble.value?.message}.</p><p>${trouble.value?.remedy}</p></div></main>`;
}

function App() {
  const { screen, id, query } = route.value, shown = useRef();
  useEffect(() => {
    // Keyboards and screen readers go on from the new screen.
    if (shown.current && shown.current !== screen) document.getElementById('main')?.focus();
    shown.current = screen;
  }, [screen]);
  if (door.value === 'locked') return html`<${SignIn}/>`;
  if (door.value === 'refused') return html`<${Refusal}/>`;
  if (!service.value) {
    return html`<main class="lock" id="main"><h1 class="unseen">lyricsyncd</h1>
      <p role="status">${door.value === 'away' ? 'The service does not answer. Trying again …'
        : 'Loading …'}</p></main>`;
  }
  if (screen === 'song' && /^\d+$/.test(id)) {
    return html`<div class="whole"><${Banner}/><${Song} key=${id} id=${+id}/></div>`;
  }
  if (screen === 'edit' && !mayChange.value) {
    return html`<div class="whole"><main class="lock" id="main" tabindex="-1"><div><h1>Only to look and listen</h1>
      <p>With the token of this browser nothing can be changed.</p>
      <p><a class="button" href=${`#/song/${id}`}>Listen to the song</a></p></div></main></div>`;
  }
  if (screen === 'edit' && /^\d+$/.test(id)) {
    return html`<div class="whole"><${Banner}/><${Later} key=${`edit${id}`} load=${() => import('./edit.js')}
      name="Edit" id=${+id}/></div>`;
  }
  const { libraries, total } = service.value;
  if (!libraries.length && !total && screen === 'library') {
    return html`<div class="whole"><${Banner}/><${Later} key="setup" load=${() => import('./setup.js')} name="Setup"/></div>`;
  }
  const Screen = Object.hasOwn(SCREENS, screen) ? SCREENS[screen] : null;
  return html`<div class="shell"><${Nav} at=${screen}
    reviews=${query.get('state') === 'review'}/><div class="content"><${Banner}/>
    ${Screen ? html`<${Screen} query=${query}/>` : html`<${Page} name="There is no such screen">
      <p><a href="#/library">Open the library</a></p><//>`}</div></div>`;
}

render(html`<${App}/>`, document.getElementById('app'));
admitted.then(() => { if (route.value.screen === 'library') askAhead(route.value.query); });
start();
