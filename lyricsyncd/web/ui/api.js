// The service's interface: requests, sign-in, and its stream of changes.
import { keep, kept } from './memory.js';
import { signal } from './vendor/preact.js';

// Relative to the page: whatever prefix a reverse proxy puts before it, this holds.
const base = new URL('../api/v1/', document.baseURI);
const RETRY_MS = 5000;

// 'starting', 'ready', 'locked' (a token is needed), 'refused' or 'away' (see `trouble`).
export const door = signal('starting');
export const trouble = signal(null);
export const service = signal(null);
// Whether this browser signed in, and so can sign out.
export const signedIn = signal(kept('signed-in', false));
// Whether this browser may change anything, and not only look and listen.
export const mayChange = signal(true);
let admit;
// Fulfilled once the service lets this browser in; its status comes one request later.
export const admitted = new Promise(resolve => { admit = resolve; });

export const url = path => new URL(path, base).href;

export class Refused extends Error {
  constructor(status, answer) {
    super(answer.error || `The service answered ${status}`);
    this.status = status;
    this.remedy = answer.remedy || '';
  }
}

// What went wrong and what to do, as one text.
export const explained = error => [error.message, error.remedy].filter(Boolean).join('. ');

async function send(path, options) {
  let response;
  try {
    response = await fetch(url(path), { credentials: 'same-origin', ...options });
  } catch (error) {
    if (error.name !== 'AbortError') door.value = door.value === 'locked' ? 'locked' : 'away';
    throw error;
  }
  if (response.ok) return response;
  const answer = await response.json().catch(() => ({}));
  const refused = new Refused(response.status, answer);
  if (response.status === 401 && path !== 'session') {
    stop();
    door.value = 'locked';
  }
  throw refused;
}

export const get = async (path, options) => (await send(path, options)).json();
export const response = send;

const asJson = (method, body) => ({
  method, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body),
});
export const put = async (path, body) => (await send(path, asJson('PUT', body))).json();
export const post = async (path, body = {}) => (await send(path, asJson('POST', body))).json();

// Numbers of songs, four bytes each, the lowest first.
export async function order(query, options) {
  const content = await (await send(`tracks/order?${new URLSearchParams(query)}`, options)).arrayBuffer();
  const view = new DataView(content);
  return Uint32Array.from({ length: content.byteLength / 4 }, (_, i) => view.getUint32(4 * i, true));
}

export async function refresh() {
  try {
    if (door.value !== 'ready') {
      const { needed, signed_in: known, may_change: may } = await get('session');
      mayChange.value = may;
      if (needed && !known) {
        door.value = 'locked';
        return;
      }
      admit();
    }
    service.value = await get('status');
    trouble.value = null;
    door.value = 'ready';
  } catch (error) {
    if (door.value === 'locked') return;
    if (error instanceof Refused) {
      trouble.value = error;
      door.value = 'refused';
    }
    clearTimeout(timer);
    timer = setTimeout(start, RETRY_MS);
  }
}

export async function signIn(token) {
  const { needed } = await post('session', { token });
  keep('signed-in', signedIn.value = needed);
  await start();
}

export async function signOut() {
  stop();
  await response('session', { method: 'DELETE' });
  keep('signed-in', signedIn.value = false);
  await start();
}

// The stream: only while the page is seen, since browsers open few connections to one host.
const listeners = { track: new Set(), draft: new Set() };
let stream = null, timer = 0;

export function on(kind, listener) {
  listeners[kind].add(listener);
  return () => listeners[kind].delete(listener);
}

export function stop() {
  clearTimeout(timer);
  stream?.close();
  stream = null;
}

export async function start() {
  stop();
  await refresh();
  if (door.value !== 'ready' || document.hidden || stream) return;
  const mine = stream = new EventSource(url('events'));
  mine.addEventListener('status', event => {
    service.value = { ...service.value, ...JSON.parse(event.data) };
  });
  for (const kind of Object.keys(listeners)) {
    mine.addEventListener(kind, event => {
      const data = JSON.parse(event.data);
      listeners[kind].forEach(listener => listener(data));
    });
  }
  mine.addEventListener('error', () => {
    // Browsers connect again by themselves, but not after a refusal.
    if (mine !== stream) return;
    if (mine.readyState === EventSource.CLOSED) {
      stop();
      timer = setTimeout(start, RETRY_MS);
    } else {
      refresh();
    }
  });
}

document.addEventListener('visibilitychange', () => (document.hidden ? stop() : start()));
