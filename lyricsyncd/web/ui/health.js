// Whether all is well with the service, its libraries, its models and the hosts that it asks.
import { html, useEffect, useState } from './vendor/preact.js';
import { get, refresh, service, signOut, signedIn } from './api.js';
import { Action, Page, moment, text } from './parts.js';

const VERDICTS = { failed: ['bad', 'Wrong'], warning: ['hmm', 'Warning'], ok: ['sure', 'Good'] };

export function Health() {
  const [health, setHealth] = useState(null), [wrong, setWrong] = useState('');
  const load = () => Promise.all([get('health').then(setHealth), refresh()])
    .catch(error => setWrong(error.message));
  useEffect(() => { load(); }, []);
  const { version, state, repairs = [] } = service.value;
  const order = Object.keys(VERDICTS);
  const findings = [...(health?.findings || [])]
    .sort((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict));
  return html`<${Page} name="Health" class="health">
    <div class="sum"><p role="status">${wrong || (health ? summary(findings) : 'Looking …')}</p>
      <${Action} run=${load}>Look again<//></div>
    <ul class="list findings">${findings.map((each, i) => html`<li key=${i}>
      <span class=${`verdict-mark ${VERDICTS[each.verdict][0]}`}><span class="mark"></span>
        ${VERDICTS[each.verdict][1]}</span>
      <span><b>${each.topic}</b> ${text(each.text)}
        ${each.remedy ? html`<span class="remedy">${text(each.remedy)}</span>` : null}</span></li>`)}</ul>
    ${repairs.length ? html`<section><h2>Repaired</h2><ul class="list">${repairs.map(each => html`
      <li key=${each.report}><span>${text(each.text)}</span><span class="dim">${moment(each.at)}</span>
      </li>`)}</ul></section>` : null}
    ${health ? html`<section><h2>Libraries</h2><ul class="list">${health.libraries.map(each => html`
      <li key=${each.path}><b dir="auto">${text(each.path)}</b>
      <span>${each.online ? 'There' : 'Not there'}</span><span class="dim">${each.scanned_at
        ? `scanned ${moment(each.scanned_at)}` : 'not scanned yet'}</span></li>`)}</ul></section>` : null}
    ${health?.resting.length ? html`<section><h2>Hosts that are left alone</h2><ul class="list">
      ${health.resting.map(each => html`<li key=${each.host}><b>${each.host}</b>
      <span class="why">${text(each.why)}</span><span class="dim">until ${moment(each.until)}</span>
      </li>`)}</ul></section>` : null}
    <${Settings} file=${health?.config}/>
    <section><h2>This service</h2><p class="dim">lyricsyncd ${version}, state in ${text(state)}</p>
      ${signedIn.value ? html`<${Action} run=${signOut}>Sign out<//>` : null}</section>
  <//>`;
}

// What is used, secrets left out: those that were changed, and on request all others.
function Settings({ file }) {
  const [found, setFound] = useState(null), [all, setAll] = useState(false);
  useEffect(() => { get('settings').then(answer => setFound(answer.settings), () => {}); }, []);
  if (!found) return null;
  const shown = found.filter(each => all || each.changed), more = found.length - found.filter(each => each.changed).length;
  return html`<section><h2>Settings in force</h2>
    ${shown.length ? html`<dl class="settings">${shown.map(({ key, value, changed }) => html`<div key=${key} class=${changed ? 'changed' : ''}>
      <dt>${key}</dt><dd dir="ltr">${text(value)}</dd></div>`)}</dl>` : html`<p class="dim">All are as they are by default.</p>`}
    <p class="dim">${file ? html`They are changed in ${text(file)}, and used once the service reads it again
      (<code>systemctl reload</code>, or SIGHUP).` : null} Secrets are not shown.</p>
    <p><button class="quiet" aria-expanded=${all} onClick=${() => setAll(!all)}>${all ? 'Only what was changed'
      : `Show the ${more} others, too`}</button></p></section>`;
}

function summary(findings) {
  const count = verdict => findings.filter(each => each.verdict === verdict).length;
  const failed = count('failed'), warnings = count('warning');
  if (!failed && !warnings) return 'All is well.';
  return [failed && `${failed} wrong`, warnings && `${warnings} to look at`].filter(Boolean).join(', ');
}
