// What is done now, what waits and why, what failed, and what was done last.
import { html, useEffect, useState } from './vendor/preact.js';
import { get, mayChange, on, post, refresh, service } from './api.js';
import { Action, Mark, Page, Retry, TakeBack, WRITTEN, artist, minutes, moment, number, percent, span, text, title }
  from './parts.js';

const FRESH_MS = 5000;
const MOST = 100, NEXT = 20;

const Name = ({ track }) => html`<a class="of" href=${`#/song/${track.id}`}><b dir="auto">
  ${title(track)}</b> <span dir="auto">${artist(track)}</span></a>`;

export function Queue() {
  const [failed, setFailed] = useState([]), [next, setNext] = useState([]);
  useEffect(() => {
    let open = true, timer = 0;
    const load = async () => {
      await refresh();
      const ask = path => get(path).catch(() => ({ tracks: [] }));
      const [bad, coming] = await Promise.all([ask(`tracks?state=failed&limit=${MOST}`), ask(`queue?limit=${NEXT}`)]);
      if (!open) return;
      setFailed(bad.tracks);
      setNext(coming.tracks.filter(track => track.state !== 'working'));
    };
    load();
    const stop = on('track', () => {
      timer ||= setTimeout(() => {
        timer = 0;
        load();
      }, FRESH_MS);
    });
    return () => {
      open = false;
      clearTimeout(timer);
      stop();
    };
  }, []);
  const now = service.value, songs = now.songs;
  const pause = async () => {
    await post('pause');
    await refresh();
  };
  const rest = [now.percent == null ? '' : `${number(now.finished)} of ${number(now.total)} songs done`,
    now.seconds_left ? `${span(now.seconds_left)} left` : '', text(now.resting)].filter(Boolean);
  return html`<${Page} name="Queue" class="queue">
    <div class="sum"><p>${rest.join(' · ') || 'No songs yet.'}</p>
      ${now.paused || !mayChange.value ? null : html`<${Action} run=${pause}>Pause<//>`}</div>
    ${now.total ? html`<progress max=${now.total} value=${now.finished}
      aria-label="Songs done"></progress>` : null}
    <${Part} name="Working" none="Nothing is done just now." items=${now.working} shape=${track => html`
      <${Name} track=${track}/><span class="dim">${text(track.stage)}</span>
      <span class="num">${track.progress == null ? '' : percent(track.progress)}</span>`}/>
    <${Part} name="Failed" count=${songs.failed} all="failed" items=${failed} shape=${track => html`
      <${Name} track=${track}/><span class="why">${text(track.error || track.reason)}</span>
      ${mayChange.value ? html`<${Retry} id=${track.id}/>` : html`<span></span>`}`}/>
    <${Part} name="Waiting for a host" items=${now.waiting} shape=${each => html`<b>${each.host}</b>
      <span class="why">${text(each.why)}</span><span class="dim">${number(each.songs)} songs${each.until
        ? `, again ${moment(each.until)}` : ''}</span>`}/>
    <${Part} name="Waiting" count=${songs.pending} all="pending" items=${next}
      shape=${track => html`<${Name} track=${track}/><span class="dim">${text(track.why)}</span>
      <span class="num">${minutes(track.duration)}</span>`}/>
    <${Part} name="Done last" items=${now.latest} shape=${track => html`<${Name} track=${track}/>
      <span class="about"><${Mark} state=${track.state}/> <span class="dim">${track.finished_at
        ? moment(track.finished_at) : ''}</span></span>${track.written.length && WRITTEN.includes(track.state) && mayChange.value
        ? html`<${TakeBack} id=${track.id}/>` : html`<span></span>`}`}/>
  <//>`;
}

function Part({ name, none = '', items = [], count = items.length, all = '', shape }) {
  if (!items.length && !none) return null;
  return html`<section><h2>${name} ${count ? html`<small>${number(count)}</small>` : null}
    ${all && count > items.length ? html`<a href=${`#/library?state=${all}`}>All</a>` : null}</h2>
    ${items.length ? html`<ul class="list">${items.map(each => html`<li key=${each.id ?? each.host}>
      ${shape(each)}</li>`)}</ul>` : html`<p class="dim">${none}</p>`}</section>`;
}
