// All songs: an order of numbers, and of these the ones that are seen.
import { html, useEffect, useLayoutEffect, useRef, useState } from './vendor/preact.js';
import { get, mayChange, on, order, post, service } from './api.js';
import { Action, Icon, LABELS, Mark, artist, folder, minutes, number, percent, place, text, title, useTitle } from './parts.js';

const ROW = 60, PAGE = 100, AROUND = 6, FIRST = 200;
const SETTLE_MS = 2000, FRESH_MS = 5000;
const AT_ONCE = 500;   // songs of one request, at most
// What can be done with many songs: its name, and whether it changes files.
const ACTIONS = [['retry', 'Try again'], ['accept', 'Accept', true], ['lines', 'Lines only', true],
  ['reject', 'Wrong words', true], ['skip', 'Leave alone'], ['undo', 'Take back', true]];
const SORTS = {
  artist: 'Artist', title: 'Title', '-finished': 'Newest result', '-score': 'Surest first',
  score: 'Least sure first',
};

// What of the address says which songs are shown.
const shown = query => ({
  state: query.get('state') in LABELS ? query.get('state') : '', q: query.get('q') || '',
  sort: query.get('sort') in SORTS ? query.get('sort') : 'artist',
});
const keyOf = query => JSON.stringify([query.state, query.q, query.sort]);
const firstOf = query => order({ ...query, limit: FIRST });

let ahead = null;
// Asks for the first songs while the service still says how it is: the list needs both.
export function askAhead(query) {
  const asked = shown(query), found = firstOf(asked);
  found.catch(() => {});  // who takes it hears of that
  ahead = { key: keyOf(asked), found, until: performance.now() + FRESH_MS };
}

export function Library({ query }) {
  useTitle(query.get('state') === 'review' ? 'Review' : 'Library');
  const asked = query.get('q') || '', [q, setQ] = useState(asked), ours = useRef(asked);
  // A link elsewhere in the library, but not what is being typed just now.
  if (asked !== ours.current) setQ(ours.current = asked);
  const { state, sort } = shown(query);
  // Of the address as it is then: a search that waits must not take back what was chosen since.
  const show = more => {
    const now = Object.fromEntries(new URLSearchParams(location.hash.split('?')[1]));
    const named = Object.entries({ ...now, ...more }).filter(([, value]) => value);
    const path = `#/library${named.length ? '?' : ''}${new URLSearchParams(named)}`;
    ours.current = more.q ?? ours.current;
    history.replaceState(null, '', path);
    dispatchEvent(new HashChangeEvent('hashchange'));
  };
  useEffect(() => {
    const find = event => {
      if (event.key !== '/' || event.target.closest('input, select')) return;
      event.preventDefault();
      document.getElementById('q').focus();
    };
    addEventListener('keydown', find);
    return () => removeEventListener('keydown', find);
  }, []);
  useEffect(() => {
    if (q === ours.current) return undefined;
    const wait = setTimeout(() => show({ q }), 150);
    return () => clearTimeout(wait);
  }, [q]);
  const songs = service.value.songs;
  const counts = [['', 'All', Object.values(songs).reduce((sum, count) => sum + count, 0)],
    ...Object.entries(LABELS).map(([key, name]) => [key, name, songs[key] || 0])]
    .filter(([key, , count]) => count || key === '' || key === state);
  return html`<main class="library" id="main" tabindex="-1">
    <header class="head"><h1>${state === 'review' ? 'Review' : 'Library'}</h1>
      <div class="search"><svg viewBox="0 0 24 24" width="18" height="18" aria-hidden="true"><path
        fill="none" stroke="currentColor" stroke-width="2"
        d="M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zm5 11.5L21 21"/></svg>
        <input id="q" type="search" placeholder="Song, artist or folder" aria-label="Search"
          aria-keyshortcuts="/" value=${q} onInput=${event => setQ(event.target.value)}/>
        <kbd aria-hidden="true">/</kbd></div></header>
    <div class="chips"><div class="states" role="group" aria-label="State">
      ${counts.map(([key, name, count]) => html`<button key=${key} aria-pressed=${state === key}
        data-state=${key} onClick=${() => show({ state: key })}><span class="mark"></span>${name}
        <small>${number(count)}</small></button>`)}</div>
      <select aria-label="Order" value=${sort} onChange=${event => show({ sort: event.target.value })}>
        ${Object.entries(SORTS).map(([key, name]) => html`<option key=${key} value=${key}>
          ${name}</option>`)}</select></div>
    <${Rows} state=${state} q=${asked} sort=${sort}/></main>`;
}

function Rows({ state, q, sort }) {
  const [ids, setIds] = useState(null), [partly, setPartly] = useState(false), [wrong, setWrong] = useState('');
  const [[from, to], setView] = useState([0, 30]), [at, setAt] = useState(0), [, redraw] = useState(0);
  // The numbers of the songs that are chosen; none: songs are opened, not chosen.
  const [picked, pick] = useState(null), last = useRef(0);
  const box = useRef(), known = useRef(new Map()), asked = useRef(new Set()), pending = useRef(0);
  const key = keyOf({ state, q, sort }), current = useRef(), back = useRef(null);

  const lookUp = some => {
    const wanted = [...some].filter(id => !known.current.has(id) && !asked.current.has(id));
    if (!wanted.length) return undefined;
    wanted.forEach(id => asked.current.add(id));
    return get(`tracks?ids=${wanted}`).then(({ tracks }) => {
      tracks.forEach(track => known.current.set(track.id, track));
      redraw(count => count + 1);
    }).catch(() => {}).finally(() => wanted.forEach(id => asked.current.delete(id)));
  };
  const load = async fresh => {
    const mine = current.current, query = { state, q, sort };
    try {
      // The first rows wait neither for the order of a hundred thousand nor beside it.
      const early = fresh && ahead?.key === mine && performance.now() < ahead.until ? ahead.found : null;
      ahead = null;
      const first = fresh ? await (early ?? firstOf(query)) : null;
      if (mine !== current.current) return;
      const all = first && first.length < FIRST;
      if (first) {
        setIds(first);
        setPartly(!all);
        if (!all) await lookUp(first.subarray(0, PAGE));
        if (mine !== current.current) return;
      }
      const found = all ? first : await order(query);
      if (mine !== current.current) return;
      setIds(found);
      setPartly(false);
      setWrong('');
    } catch (error) {
      if (mine === current.current) setWrong(error.message);
    }
  };
  useEffect(() => {
    current.current = key;
    // Back from a song the list is where it was left.
    back.current = place.key === key ? { ...place } : null;
    Object.assign(place, { hash: location.hash || '#/library', key });
    setAt(back.current?.at || 0);
    pick(now => now && new Set());
    box.current.scrollTop = 0;
    load(true);
    // What changes may be many songs a second; the order is asked for once they rest.
    const stop = on('track', track => {
      known.current.set(track.id, track);
      redraw(count => count + 1);
      pending.current ||= setTimeout(() => {
        pending.current = 0;
        load();
      }, SETTLE_MS);
    });
    return () => {
      stop();
      clearTimeout(pending.current);
      pending.current = 0;
      current.current = null;
    };
  }, [key]);

  useLayoutEffect(() => {
    if (!ids || partly || !back.current) return;
    box.current.scrollTop = back.current.top;
    back.current = null;
  }, [ids, partly]);
  useEffect(() => { place.at = at; }, [at]);

  const look = () => {
    const { scrollTop, clientHeight } = box.current;
    if (!back.current) place.top = scrollTop;
    const first = Math.max(0, Math.floor(scrollTop / ROW) - AROUND);
    setView([first, Math.ceil((scrollTop + clientHeight) / ROW) + AROUND]);
  };
  useEffect(() => {
    const seen = new ResizeObserver(look);
    seen.observe(box.current);
    return () => seen.disconnect();
  }, []);
  useEffect(() => {
    if (!ids) return;
    for (let page = Math.floor(from / PAGE); page * PAGE < Math.min(to, ids.length); page++) {
      lookUp(ids.subarray(page * PAGE, (page + 1) * PAGE));
    }
  }, [ids, from, to]);

  const total = ids?.length ?? 0;
  const go = index => {
    const next = Math.max(0, Math.min(total - 1, index)), view = box.current, top = next * ROW;
    setAt(next);
    if (top < view.scrollTop) view.scrollTop = top;
    else if (top + ROW > view.scrollTop + view.clientHeight) {
      view.scrollTop = top + ROW - view.clientHeight;
    }
  };
  const toggle = (index, range) => {
    const chosen = new Set(picked), on = !chosen.has(ids[index]);
    const [from_, to_] = range ? [Math.min(index, last.current), Math.max(index, last.current)] : [index, index];
    for (let i = from_; i <= to_; i++) {
      if (on) chosen.add(ids[i]);
      else chosen.delete(ids[i]);
    }
    last.current = index;
    pick(chosen);
  };
  const press = event => {
    if (event.target.closest('button')) return;
    const steps = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: 10, PageUp: -10,
      Home: -total, End: total };
    if (event.ctrlKey || event.metaKey || event.altKey || !total) return;
    if (event.key === ' ' && mayChange.value) toggle(at, event.shiftKey);
    else if (event.key === 'Escape' && picked) pick(null);
    else if (event.key === 'Enter') location.hash = `#/song/${ids[at]}`;
    else if (event.key in steps) go(at + steps[event.key]);
    else return;
    event.preventDefault();
  };
  const rows = [];
  for (let index = from; index < Math.min(to, total); index++) rows.push(index);
  const seen = at >= from && at < Math.min(to, total);
  const looking = !q && !state && service.value.libraries.some(each => each.online && each.scanned_at == null);
  const empty = wrong || (state === 'review' && !q ? 'Nothing waits for you here.' : q || state ? 'No song is like this.'
    : looking ? 'Looking for songs …' : 'No songs yet. They show up here as soon as they lie in a music folder.');
  return html`${picked ? html`<${Bulk} picked=${picked} ids=${ids} pick=${pick} reload=${load}/>` : null}
    <div class="rows" ref=${box} onScroll=${look} role="grid" aria-label="Songs"
      aria-rowcount=${ids && !partly ? total : -1} tabindex="0" aria-multiselectable=${picked ? 'true' : null} onKeyDown=${press} aria-busy=${!ids}
      aria-activedescendant=${seen ? `row${at}` : null}>
      <div class="tall" role="rowgroup" style=${{ height: `${total * ROW}px` }}>
      ${rows.map(index => html`<${Row} key=${ids[index]} index=${index} id=${ids[index]}
        track=${known.current.get(ids[index])} current=${index === at} choose=${setAt}
        picked=${picked && picked.has(ids[index])} toggle=${picked && toggle}/>`)}
      ${ids && !total ? html`<div role="row" class="empty"><div role="gridcell">
        <${Icon} name=${q ? 'search' : state === 'review' ? 'good' : 'note'} size="44"/><p>${empty}</p>${q || state ? html`
        <a class="button" href="#/library">Show all songs</a>` : null}</div></div>`
        : null}</div></div>
    <div class="foot"><p role="status">${wrong || (ids && !partly ? `${number(total)} ${total === 1 ? 'song' : 'songs'}`
      : 'Loading …')}</p>${picked || partly || !total || !mayChange.value ? null : html`<button class="quiet" onClick=${() => pick(new Set())}>
      Choose several</button>`}</div>`;
}

// The same for all songs that are chosen; tells of how many it was done, and why not of others.
function Bulk({ picked, ids, pick, reload }) {
  const [said, say] = useState(''), [asked, ask] = useState(null), dialog = useRef();
  const count = picked.size, songs = `${number(count)} ${count === 1 ? 'song' : 'songs'}`;
  useEffect(() => { if (asked) dialog.current.showModal(); }, [asked]);
  const run = async action => {
    const chosen = [...picked], why = new Map();
    let done = 0;
    for (let from = 0; from < chosen.length; from += AT_ONCE) {
      const part = chosen.slice(from, from + AT_ONCE);
      const answer = await post('tracks/bulk', { ids: part, action });
      done += answer.done.length;
      answer.refused.forEach(each => why.set(each.why, (why.get(each.why) || 0) + 1));
      say(`${number(done)} of ${number(count)} …`);
    }
    const reasons = [...why].map(([reason, times]) => `${number(times)}: ${reason}`);
    say([`Done with ${number(done)} of ${songs}`, ...reasons].join('. '));
    pick(new Set());
    reload();
  };
  const start = ([action, name, files]) => (files ? ask([action, name]) : run(action));
  return html`<div class="bulk" role="group" aria-label="With the chosen songs"><b>${songs} chosen</b>
    <button class="quiet" onClick=${() => pick(new Set(count < ids.length ? ids : []))}>
      ${count < ids.length ? 'All' : 'None'}</button>
    ${ACTIONS.map(each => html`<${Action} key=${each[0]} disabled=${!count} run=${() => start(each)}>${each[1]}<//>`)}
    <button class="quiet" onClick=${() => pick(null)}>Done</button><p class="said" role="status">${said}</p>
    ${asked ? html`<dialog ref=${dialog} aria-labelledby="sure" onClose=${() => ask(null)}>
      <h2 id="sure">${asked[1]}: ${songs}?</h2><p class="dim">This writes, changes or removes files. Each can be taken back.</p>
      <div class="decide"><${Action} class="primary" run=${async () => {
        await run(asked[0]);
        dialog.current.close();
      }}>${asked[1]}<//><button class="quiet" onClick=${() => dialog.current.close()}>Cancel</button></div></dialog>` : null}
  </div>`;
}

function Row({ index, id, track, current, choose, picked, toggle }) {
  const open = event => {
    choose(index);
    if (toggle) {
      event.preventDefault();
      toggle(index, event.shiftKey);
    } else if (!event.target.closest('a')) location.hash = `#/song/${id}`;
  };
  return html`<div id=${`row${index}`} role="row" aria-rowindex=${index + 1}
    aria-selected=${toggle ? picked : current} class=${`row${current ? ' cur' : ''}${picked ? ' picked' : ''}`} onClick=${open}
    style=${{ transform: `translateY(${index * ROW}px)` }}>
    ${!track ? html`<div role="gridcell" class="ghost"><span class="unseen">Loading</span></div>` : html`
    <div role="gridcell" class="what">${toggle ? html`<i class="tick" aria-hidden="true">${picked ? '✓' : ''}</i>` : null}<a href=${`#/song/${id}`} tabindex="-1" dir="auto">
      ${title(track)}</a><span dir="auto">${artist(track) || folder(track.path)}</span></div>
    <div role="gridcell" class="album" dir="auto">${text(track.album)}</div>
    <div role="gridcell"><${Mark} state=${track.state}/></div>
    <div role="gridcell" class="score">${track.quality == null ? '' : html`
      <svg class="meter" viewBox="0 0 64 6" aria-hidden="true"><rect width="64" height="6" rx="3"/>
      <rect class="v" data-state=${track.state} width=${64 * track.quality} height="6" rx="3"/></svg>
      ${percent(track.quality)}`}</div>
    <div role="gridcell" class="len">${minutes(track.duration)}</div>`}</div>`;
}
