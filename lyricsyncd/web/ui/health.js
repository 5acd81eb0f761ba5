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
    <section><h2>This service</h2><p class="dim">lyricsyncd ${version}, state in ${text(state)}</p>
      ${health?.config ? html`<p class="dim">Settings: ${text(health.config)}${health.player ? `, for the player ${health.player}` : ''}.
        They are changed in that file, and used once the service reads it again (SIGHUP) or is started anew.</p>` : null}
      ${signedIn.value ? html`<${Action} run=${signOut}>Sign out<//>` : null}</section>
  <//>`;
}

function summary(findings) {
  const count = verdict => findings.filter(each => each.verdict === verdict).length;
  const failed = count('failed'), warnings = count('warning');
  if (!failed && !warnings) return 'All is well.';
  return [failed && `${failed} wrong`, warnings && `${warnings} to look at`].filter(Boolean).join(', ');
}
