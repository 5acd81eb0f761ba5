// The first run: music folders and a player are chosen, and what would be done is shown before.
import { html, useEffect, useLayoutEffect, useRef, useState } from './vendor/preact.js';
import { explained, get, mayChange, post, refresh, service } from './api.js';
import { Action, number, text, useTitle } from './parts.js';

const ASK_MS = 500, ASK_TIMES = 40;
const PLAYERS = {
  generic: 'Any player', navidrome: 'Navidrome', navidrome_web: 'Navidrome’s web page', jellyfin: 'Jellyfin',
  plex: 'Plex, Plexamp', kodi: 'Kodi', embed: 'Tags only',
};
const FIRST = ['generic', 'navidrome', 'navidrome_web', 'jellyfin', 'plex', 'kodi', 'embed'];
const SOURCES = {
  local: 'files beside the songs and their tags', lrclib: 'LRCLIB', syncedlyrics: 'NetEase and Megalobiz',
  genius: 'Genius', transcript: 'what is recognised of the singing',
};
const THERE = ['local', 'transcript'];   // sources that are not asked by name

const rank = ({ name }) => (FIRST.indexOf(name) + 1 || FIRST.length + 1);
const short = seconds => (seconds < 5400 ? `${Math.max(1, Math.round(seconds / 60))} min`
  : seconds < 172800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} days`);

export function Setup() {
  const [there, setThere] = useState(null), [wrong, setWrong] = useState('');
  const [folders, setFolders] = useState([]), [chosen, choose] = useState([]);
  const [player, setPlayer] = useState('generic'), [would, setWould] = useState(null);
  useTitle('Welcome');
  useEffect(() => {
    get('setup').then(found => {
      setThere(found);
      setFolders(found.suggested);
      choose(found.suggested.slice(0, 1));
      setPlayer(found.player || 'generic');
    }).catch(error => setWrong(explained(error)));
  }, []);
  const change = act => (...given) => {
    setWould(null);
    act(...given);
  };
  const add = change(path => {
    if (!folders.includes(path)) setFolders([...folders, path]);
    choose([...new Set([...chosen, path])]);
  });
  const toggle = change(path => choose(chosen.includes(path) ? chosen.filter(each => each !== path)
    : [...chosen, path]));
  const body = { libraries: chosen, player };
  if (!there) {
    return html`<${Frame}><p class="dim" role="status">${wrong || 'Loading …'}</p><//>`;
  }
  if (!mayChange.value) {
    return html`<${Frame}><p>No music folder is configured yet. With the token of this browser none can be chosen.</p><//>`;
  }
  if (!there.needed) {
    return html`<${Frame}><p>No music folder is configured, and this page cannot write the configuration.</p>
      <p class="dim">Run <code>lyricsyncd init --library FOLDER</code>, then start the service anew.</p><//>`;
  }
  return html`<${Frame}><p class="lead">Lyrics that light up word by word, for the songs you own. Two choices, then
      you see what would be done. Nothing is written before you start it.</p>
    <section class="ask" aria-labelledby="where"><h2 id="where"><i aria-hidden="true">1</i>Where is your music?</h2>
      <${Folders} folders=${folders} chosen=${chosen} toggle=${toggle} add=${add}/></section>
    ${there.player ? html`<section class="ask" aria-labelledby="what"><h2 id="what"><i aria-hidden="true">2</i>
      What plays it?</h2><${Players} players=${there.players} player=${player} choose=${change(setPlayer)}/></section>` : null}
    <section class="ask" aria-labelledby="would"><h2 id="would"><i aria-hidden="true">${there.player ? 3 : 2}</i>
      What would be done</h2>
      ${would ? html`<${Plan} would=${would} body=${body}/>` : html`<p class="dim">The folders are looked through; no song
        is changed, and nothing is asked of the network.</p>
        <div class="decide"><${Action} class="primary" disabled=${!chosen.length}
          run=${async () => setWould(await post('setup/preview', body))}>Show me<//></div>`}</section><//>`;
}

const Frame = ({ children }) => html`<main class="page setup" id="main" tabindex="-1"><header class="hello">
  <img src="icon.svg" width="52" height="52" alt=""/><h1>Welcome to lyricsyncd</h1></header>${children}
  <p class="dim foot-note"><a href="#/health">Is all well with this computer?</a></p></main>`;

function Folders({ folders, chosen, toggle, add }) {
  const field = useRef();
  const submit = event => {
    event.preventDefault();
    const path = field.current.value.trim().replace(/(.)\/+$/, '$1');
    if (!path) return;
    add(path);
    field.current.value = '';
    field.current.focus();
  };
  return html`${folders.length ? html`<div class="folders" role="group" aria-label="Music folders">${folders.map(path => html`
    <label key=${path} class="pick"><input type="checkbox" checked=${chosen.includes(path)}
      onChange=${() => toggle(path)}/><span dir="auto">${text(path)}</span></label>`)}</div>` : null}
    <form class="add" onSubmit=${submit}><label for="folder" class="unseen">Full path of a folder</label>
      <input id="folder" ref=${field} placeholder=${folders.length ? 'Another folder: its full path' : 'Full path, such as /srv/music'}
        autocomplete="off" autocapitalize="off" spellcheck="false" dir="ltr"/><button>Add</button></form>`;
}

function Players({ players, player, choose }) {
  const reads = ({ files, tags }) => [...files.map(name => name.replace(/^NAME/, '')), tags && 'the song’s tags']
    .filter(Boolean).join(', ').replace(/, ([^,]*)$/, ' and $1');
  return html`<div class="players" role="radiogroup" aria-labelledby="what">
    ${[...players].sort((a, b) => rank(a) - rank(b)).map(each => html`<label key=${each.name} class="pick">
      <input type="radio" name="player" checked=${player === each.name} onChange=${() => choose(each.name)}/>
      <span><b>${PLAYERS[each.name] || each.name}</b><small>${reads(each)}</small></span></label>`)}</div>`;
}

function Plan({ would, body }) {
  const [started, start] = useState(false), box = useRef();
  const { example, songs } = would, beside = example?.files.length || 0;
  const asked = would.sources.filter(name => !THERE.includes(name));
  useLayoutEffect(() => box.current.focus(), []);
  const begin = async () => {
    await post('setup', body);
    start(true);
    // The service reads its configuration, and then the folders.
    for (let times = 0; times < ASK_TIMES && !service.value.libraries.length; times++) {
      await new Promise(done => setTimeout(done, ASK_MS));
      await refresh();
    }
    if (service.value.libraries.length) location.hash = '#/library';
    else throw new Error('The configuration was written, but the service does not use it yet: see its log');
  };
  const name = path => text(path.split('/').pop());
  return html`<div class="plan" ref=${box} tabindex="-1" aria-label="Plan" role="group">
    <dl class="figures"><div><dt>${songs === 1 && would.complete ? 'song' : 'songs'}</dt>
        <dd>${would.complete ? '' : '> '}${number(songs)}</dd></div>
      <div><dt>of work${would.measured_with ? '' : ', roughly'}</dt><dd>${songs ? short(would.seconds) : '–'}</dd></div>
      <div><dt>${beside === 1 ? 'file beside each song' : 'files beside each song'}${example?.tags
        ? html`, and its tags` : ''}</dt><dd>${example ? beside || 'Tags' : '–'}</dd></div></dl>
    ${would.folders.length > 1 || would.folders.some(each => each.skipped) ? html`<ul class="list">${would.folders.map(each => html`
      <li key=${each.path}><b dir="auto">${text(each.path)}</b><span class="dim">${number(each.songs)} songs${each.skipped
        ? `, ${number(each.skipped)} left alone` : ''}</span></li>`)}</ul>` : null}
    ${would.complete ? null : html`<p class="dim">The folders are large: only a part was looked through.</p>`}
    ${example ? html`<p>For example, beside <b dir="auto">${name(example.song)}</b>:</p>
      <ul class="files">${example.files.map(path => html`<li key=${path}><code>${name(path)}</code>${example.kept.includes(path)
        ? html` <span class="dim">is there: it stays, unless lyricsyncd wrote it</span>` : ''}</li>`)}
        ${example.tags ? html`<li>Lyrics in the tags of the song itself, exchanged as a whole or not at all</li>` : null}</ul>`
      : would.complete ? html`<p role="alert">No song was found there. Are these the right folders?</p>` : null}
    <ul class="points"><li>Only songs whose words are found and sure get word times; doubtful ones wait for you under Review.</li>
      <li>What others wrote stays. All that is written can be taken back.</li>
      <li>Words are looked for in this order: ${would.sources.map(each => SOURCES[each] || each).join('; ')}. ${asked.length
        ? `Sites on the internet get artist, title, album and length${would.sources.includes('transcript')
          ? ', and a few recognised lines where they know none' : ''}; the music stays here.`
        : 'Nothing leaves this computer.'}</li></ul>
    ${would.findings.length ? html`<ul class="list findings">${would.findings.map((each, i) => html`<li key=${i}>
      <span class=${`verdict-mark ${each.verdict === 'failed' ? 'bad' : 'hmm'}`}><span class="mark"></span>
        ${each.verdict === 'failed' ? 'Wrong' : 'Warning'}</span><span>${text(each.text)}
        <span class="remedy">${text(each.remedy)}</span></span></li>`)}</ul>` : null}
    <details><summary>What is written to start</summary><p class="dim">Into <code>${text(would.config)}</code>, with a copy of
      what was there; or run <code>${text(would.command)}</code></p><pre tabindex="0" aria-label="Settings">${text(would.settings)}</pre></details>
    <div class="decide"><${Action} class="primary big" disabled=${would.complete && !songs} run=${begin}>${started ? 'Starting …' : 'Start'}<//></div></div>`;
}
