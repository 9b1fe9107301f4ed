'use strict';
// The page is whole without this file, as far as reading goes. Here: playing in place, marking, deleting, the live view.

const find = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const status = find('#status');
const mailbox = document.body.dataset.mailbox;
const api = '/api/v1/mailboxes/' + encodeURIComponent(mailbox || '');
let statusTimer;

// Says something to the user, seen and heard, with one thing to do about it.
function say(text, label, action) {
  clearTimeout(statusTimer);
  const span = document.createElement('span');
  span.textContent = text;
  status.replaceChildren(span);
  if (action) {
    const button = document.createElement('button');
    button.textContent = label;
    button.addEventListener('click', () => { status.replaceChildren(); action(); });
    status.append(button);
  }
  statusTimer = setTimeout(() => status.replaceChildren(), action ? 12000 : 6000);
}

async function ask(method, path, body, type = 'application/json') {
  try {
    const response = await fetch(path, { method, body, headers: body ? { 'Content-Type': type } : {} });
    if (response.ok) return true;
    const problem = await response.json().catch(() => ({ error: response.statusText, hint: '' }));
    say(problem.error + '. ' + problem.hint);
  } catch {
    say('The server cannot be reached.');
  }
  return false;
}

// ---- parts of the page that the server renders anew ----------------------------------------------------------------

// What has the focus, as a selector that finds its successor in the new part.
function focusIn(part) {
  const element = document.activeElement;
  if (!part.contains(element)) return null;
  const message = element.closest('[data-id]');
  const within = message ? `[data-id="${CSS.escape(message.dataset.id)}"] ` : '';
  if (element.id) return '#' + CSS.escape(element.id);
  if (element.classList.contains('play')) return within + '.play';
  if (element.dataset.do === 'read' || element.dataset.do === 'unread') return within + '[data-do$="read"]';
  if (element.dataset.run) return `[data-run="${CSS.escape(element.dataset.run)}"]`;
  return element.dataset.do ? within + `[data-do="${element.dataset.do}"]` : null;
}

const waiting = new Map();
function refresh(part) {
  clearTimeout(waiting.get(part));
  waiting.set(part, setTimeout(async () => {
    try {
      const response = await fetch(part.dataset.part);
      if (!response.ok) return;
      const focus = focusIn(part);
      part.innerHTML = await response.text(); // Rendered and escaped by the server.
      dress(part);
      if (focus) (find(focus, part) || find('#main')).focus();
    } catch { /* The stream tells when the server is gone, and when it is back. */ }
  }, 120));
}
const refreshAll = () => all('[data-part]').forEach(refresh);

// Times in the reader's own zone; the message that plays.
function dress(root) {
  for (const time of all('time[datetime]', root)) {
    const date = new Date(time.dateTime);
    const today = date.toDateString() === new Date().toDateString();
    time.textContent = today
      ? 'Today ' + date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })
      : date.toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' });
    time.title = date.toLocaleString();
  }
  const list = find('#messages');
  if (!list) return;
  for (const message of all('.message', list)) {
    if (message.dataset.id === playing) message.setAttribute('aria-current', 'true');
    else message.removeAttribute('aria-current');
  }
  const unread = all('.unread', list).length;
  document.title = document.title.replace(/^(\(\d+\) )?/, unread ? `(${unread}) ` : '');
}

// ---- a mailbox --------------------------------------------------------------------------------------------------------

let playing = null;
const audio = find('#audio');

function play(source, title, id) {
  playing = id;
  find('#player').hidden = false;
  find('#playing').textContent = title;
  audio.src = source;
  audio.play().catch(() => say('Press play to listen.'));
  dress(document);
}

// The number that was rung last, offered again.
let phone = '';

// How far play on phone has come.
function tellPhoneCall(event) {
  const hangUp = () => ask('DELETE', api + '/play-on-phone');
  const failures = { UserBusy: 'is busy', NoAnswer: 'does not answer', Other: 'could not be reached' };
  if (event.state === 'Connecting') say(`Calling ${event.phone}.`, 'Hang up', hangUp);
  else if (event.state === 'Alerted') say(`${event.phone} rings.`, 'Hang up', hangUp);
  else if (event.state === 'Connected') say(`The message is played on ${event.phone}.`, 'Hang up', hangUp);
  else say(event.failure === 'None' ? 'The call is over.' : `${event.phone} ${failures[event.failure] || failures.Other}.`);
}

function openMailbox() {
  const mark = (id, read) => ask('PATCH', `${api}/messages/${id}`, JSON.stringify({ read }));
  audio.addEventListener('ended', () => {
    const message = playing && find(`.message.unread[data-id="${CSS.escape(playing)}"]`);
    if (message) mark(playing, true);
  });
  audio.addEventListener('error', () => { if (audio.getAttribute('src')) say('The recording could not be played.'); });

  document.addEventListener('click', async (event) => {
    const target = event.target.closest('.play, [data-do], #greeting-play, #greeting-delete');
    if (!target || event.ctrlKey || event.metaKey) return;
    const message = target.closest('.message');
    if (target.classList.contains('play')) {
      event.preventDefault();
      play(target.href, message.dataset.from, message.dataset.id);
    } else if (target.id === 'greeting-play') {
      event.preventDefault();
      play(target.href, 'Your greeting', null);
    } else if (target.id === 'greeting-delete') {
      if (await ask('DELETE', api + '/greeting')) say('Your greeting was removed. Callers hear the system’s.');
    } else if (target.dataset.do === 'phone') {
      const number = window.prompt('Which number shall ring?', phone || document.body.dataset.mailbox);
      if (!number) return;
      phone = number;
      await ask('POST', `${api}/messages/${message.dataset.id}/play-on-phone`, JSON.stringify({ number }));
    } else if (target.dataset.do === 'delete') {
      const id = message.dataset.id;
      if (!await ask('DELETE', `${api}/messages/${id}`)) return;
      if (playing === id) { audio.pause(); audio.removeAttribute('src'); find('#player').hidden = true; playing = null; }
      say('Message deleted.', 'Undo', () => ask('PATCH', `${api}/messages/${id}`, '{"deleted":false}'));
    } else {
      mark(message.dataset.id, target.dataset.do === 'read');
    }
  });

  document.addEventListener('change', async (event) => {
    if (event.target.id !== 'greeting-file' || !event.target.files.length) return;
    if (await ask('PUT', api + '/greeting', event.target.files[0], 'audio/wav')) say('Callers hear your new greeting.');
    event.target.value = '';
  });
}

// ---- the administrator's ladder -----------------------------------------------------------------------------------------

const MOST = 500;
const lanes = [];
const ours = new Map(); // address of one of our own halves -> its name
let paused = false;
let held = [];

const host = (address) => address.slice(0, address.lastIndexOf(':'));
const port = (address) => Number(address.slice(address.lastIndexOf(':') + 1));

// A role speaks from many ports; only those that it listens on are worth a lane of their own.
function lane(address) {
  const passing = ours.has(host(address)) && port(address) > 10000;
  const known = lanes.findIndex((lane) => (passing ? host(lane.address) === host(address) : lane.address === address));
  if (known >= 0) return known;
  const [span, name, small] = ['span', 'span', 'small'].map((tag) => document.createElement(tag));
  small.textContent = address;
  span.append(name, small);
  if (!lanes.length) find('#lanes').append(document.createElement('span'));
  find('#lanes').append(span);
  lanes.push({ address, name });
  find('.ladder-frame').style.setProperty('--lanes', Math.max(2, lanes.length));
  nameLanes();
  return lanes.length - 1;
}

// A half that has only been spoken to so far is known by name once it speaks itself.
function nameLanes() {
  for (const { address, name } of lanes) name.textContent = ours.get(host(address)) || 'phone or peer';
}

function ownAddress(address, name) {
  if (ours.get(host(address)) === name) return;
  ours.set(host(address), name);
  nameLanes();
}

function stamp(event) {
  const time = document.createElement('time');
  const at = new Date(event.at_ms);
  time.textContent = at.toLocaleTimeString([], { hour12: false }) + '.' + String(at.getMilliseconds()).padStart(3, '0');
  return time;
}

// "INVITE sip:43334@127.0.222.4;transport=tcp" is INVITE 43334 on its arrow; the whole is in the arrow's title.
function request(summary) {
  const [method, uri = ''] = summary.split(' ');
  const user = /^[^:]+:([^@]*)@/.exec(uri);
  return user ? `${method} ${user[1]}` : method;
}

function row(event) {
  const item = document.createElement('li');
  item.dataset.text = JSON.stringify(event).toLowerCase();
  item.append(stamp(event));
  const box = document.createElement('div');
  if (event.event === 'sip_message') {
    ownAddress(event.local, event.by);
    // Between our own halves each message is reported twice: the sender's report is the one shown.
    if (!event.sent && ours.has(host(event.remote))) return null;
    const [from, to] = event.sent ? [event.local, event.remote] : [event.remote, event.local];
    const [a, b] = [lane(from), lane(to)];
    const [first, last] = [Math.min(a, b), Math.max(a, b)];
    box.className = 'arrow ' + (a <= b ? 'right' : 'left');
    const code = /^(\d)\d\d /.exec(event.summary);
    if (code) box.classList.add('2' === code[1] ? 'ok' : '456'.includes(code[1]) ? 'bad' : 'other');
    box.style.gridColumn = `${first + 2} / ${last + 3}`;
    box.style.marginInline = `calc(50% / ${last - first + 1})`;
    box.textContent = code ? event.summary : request(event.summary);
    box.title = `${event.summary}\n${from} → ${to} (${event.transport})\nCall-ID ${event.call_id}\nCSeq ${event.cseq}`;
    if (/^(REGISTER|OPTIONS)\b/.test(event.summary) || /(REGISTER|OPTIONS)$/.test(event.cseq)) item.dataset.routine = '';
  } else {
    box.className = 'note' + (event.level === 'info' ? '' : ' warning');
    const span = document.createElement('span');
    const fields = Object.entries(event)
      .filter(([name, value]) => !['event', 'number', 'at_ms', 'level'].includes(name) && value !== null)
      .map(([name, value]) => `${name.replaceAll('_', ' ')} ${value}`);
    const small = document.createElement('small');
    small.textContent = ' ' + fields.join(', ');
    span.append(event.event.replaceAll('_', ' '), small);
    box.append(span);
    if (/^(un)?registered$/.test(event.event)) item.dataset.routine = '';
  }
  item.append(box);
  return item;
}

function sift(item) {
  const wanted = find('#filter').value.trim().toLowerCase();
  item.hidden = (wanted && !item.dataset.text.includes(wanted)) || (find('#only-calls').checked && 'routine' in item.dataset);
}

function happened(event) {
  if (paused) { held = held.concat(event).slice(-MOST); return; }
  const item = row(event);
  if (!item) return;
  const ladder = find('#ladder');
  const frame = find('.ladder-frame');
  const atEnd = frame.scrollTop + frame.clientHeight > frame.scrollHeight - 40;
  find('#nothing-yet').hidden = true;
  sift(item);
  ladder.append(item);
  while (ladder.children.length > MOST) ladder.firstChild.remove();
  if (atEnd) frame.scrollTop = frame.scrollHeight;
}

function openOverview() {
  find('#filters').addEventListener('submit', (event) => event.preventDefault());
  find('#filters').addEventListener('input', () => all('#ladder > li').forEach(sift));
  find('#pause').addEventListener('click', (event) => {
    paused = !paused;
    event.target.setAttribute('aria-pressed', String(paused));
    event.target.textContent = paused ? 'Go on' : 'Pause';
    if (!paused) held.splice(0).forEach(happened);
  });
  find('#clear').addEventListener('click', () => {
    find('#ladder').replaceChildren();
    find('#lanes').replaceChildren();
    lanes.length = 0;
    find('#nothing-yet').hidden = false;
  });
}

// ---- the administrator's forms ---------------------------------------------------------------------------------------------

// A command of the PBX. Its answer, or what is wrong: { error, hint, parameter, status }.
async function command(body) {
  try {
    const response = await fetch('/api/v1/node/commands', {
      method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' },
    });
    const answer = await response.json();
    return response.ok ? { answer } : { problem: { ...answer, status: response.status } };
  } catch {
    return { problem: { error: 'The server cannot be reached', hint: 'Try again' } };
  }
}

// "NOT ACCEPTED: position 12: give ..." is for shells; the page says the rest of it.
const plain = (problem) => problem.error.replace(/^NOT (ACCEPTED|EXECUTED): /, '');

// The fields of a form that were filled in, each with its type.
function fieldsOf(form) {
  const fields = {};
  for (const input of form.elements) {
    if (!input.name) continue;
    if (input.type === 'checkbox') fields[input.name] = input.checked;
    else if (input.value.trim() === '') continue;
    else if (input.type === 'number' || 'number' in input.dataset) fields[input.name] = Number(input.value);
    else fields[input.name] = input.type === 'password' ? input.value : input.value.trim();
  }
  return fields;
}

// What came of a form stands in the form: read aloud, and with the focus where something is to be mended.
function report(form, text, problem) {
  let place = find('.report', form);
  if (!place) {
    place = document.createElement('p');
    form.append(place);
  }
  place.className = problem ? 'report problem' : 'report done';
  place.setAttribute('role', problem ? 'alert' : 'status');
  place.textContent = text;
  for (const input of form.elements) input.removeAttribute('aria-invalid');
  const name = problem && problem.parameter && ({ d: 'dir' }[problem.parameter] || problem.parameter.replaceAll('-', '_').toLowerCase());
  const field = name && form.elements.namedItem(name);
  if (field && field.type !== 'hidden') {
    field.setAttribute('aria-invalid', 'true');
    field.focus();
  }
}

const notes = (answer) => (answer.notes || []).map((note) => note + '.').join(' ');

async function send(form) {
  const body = { ...JSON.parse(form.dataset.command), ...fieldsOf(form) };
  let { answer, problem } = await command(body);
  // What is not there yet is initiated.
  if (problem && problem.status === 404 && form.dataset.else) ({ answer, problem } = await command({ ...body, verb: form.dataset.else }));
  if (problem) return report(form, plain(problem) + '.', problem);
  if ('clear' in form.dataset) form.reset();
  report(form, ('Done. ' + notes(answer)).trim());
}

// An extension is made by several commands; when one of them is refused, what was made is taken back.
async function create(form) {
  const { dir, name1, name2, auth_code, voice_mail } = fieldsOf(form);
  const position = (fields) => ({ command: 'call_list', verb: 'initiate', dir, ...fields });
  const steps = [
    { command: 'extension', verb: 'initiate', dir },
    { command: 'ip_extension', verb: 'initiate', dir, protocol: 'SIP' },
    (name1 || name2) && { command: 'name', verb: 'initiate', dir, name1, name2 },
    auth_code && { command: 'auth_code', verb: 'initiate', dir, auth_code },
    voice_mail && position({ dest_number: dir, position: 1, busy_position: 2 }),
    voice_mail && position({ dest_number: voice_mail, position: 2, ird_bypass: true }),
  ].filter(Boolean);
  for (const [done, step] of steps.entries()) {
    const { problem } = await command(step);
    if (!problem) continue;
    if (problem.parameter === 'dest-number') problem.parameter = 'voice_mail';
    if (done) await command({ command: 'extension', verb: 'end', dir });
    return report(form, plain(problem) + '. Nothing was created.', problem);
  }
  form.reset();
  report(form, `Extension ${dir} was created.`);
}

async function press(button) {
  const { run, sure, then } = button.dataset;
  if (sure && !confirm(sure)) return;
  const { answer, problem } = await command(JSON.parse(run));
  if (problem) say(plain(problem) + '.');
  else if (then) location.assign(then);
  else say(('Done. ' + notes(answer)).trim());
}

function openAdministration() {
  for (const link of all('.menu a')) {
    const own = link.pathname === '/' ? location.pathname === '/' : location.pathname.startsWith(link.pathname);
    if (own) link.setAttribute('aria-current', 'page');
  }
  document.addEventListener('submit', async (event) => {
    const form = event.target;
    if (!form.dataset.command && form.id !== 'new-extension') return;
    event.preventDefault();
    const button = find('button', form);
    button.disabled = true;
    await (form.dataset.command ? send(form) : create(form));
    button.disabled = false;
  });
  document.addEventListener('click', (event) => {
    const button = event.target.closest('[data-run]');
    if (button) press(button);
  });
}

// ---- what happens, from the server --------------------------------------------------------------------------------------

function follow() {
  const overview = document.body.dataset.page === 'admin';
  let source;
  let last = 0;
  let lost = false;
  const open = () => {
    source = new EventSource('/api/v1/events' + (overview ? '?past=' + (last ? 1000 : 300) : ''));
    source.addEventListener('open', () => { if (lost) { lost = false; say('Connected again.'); } refreshAll(); });
    source.addEventListener('error', () => {
      if (!lost) say('The connection was lost. It is tried again.');
      lost = true;
      if (source.readyState === EventSource.CLOSED) {
        // Signed out elsewhere, or the server has restarted and forgotten the session.
        setTimeout(async () => {
          const who = await fetch('/api/v1/session').catch(() => null);
          if (who && who.status === 401) location.assign('/');
          else open();
        }, 3000);
      }
    });
    source.addEventListener('mailbox_changed', (message) => {
      const change = JSON.parse(message.data);
      if (mailbox && change.mailbox === mailbox) {
        refresh(find(change.change === 'greeting' ? '#greeting' : '#messages'));
        if (change.change === 'delivered') say('A new message has come.');
      }
      all('[data-follows~="mailbox_changed"]').forEach(refresh);
    });
    source.addEventListener('gap', () => refreshAll());
    source.addEventListener('message', (message) => {
      const event = JSON.parse(message.data);
      if (mailbox && event.event === 'play_on_phone' && event.mailbox === mailbox) tellPhoneCall(event);
      if (mailbox || event.number <= last) return;
      last = event.number;
      if (overview) happened(event);
      all(`[data-follows~="${event.event}"]`).forEach(refresh);
    });
  };
  open();
}

// Parts that nothing tells of are asked for now and then.
for (const part of all('[data-every]')) {
  setInterval(() => { if (!document.hidden) refresh(part); }, 1000 * part.dataset.every);
}
dress(document);
if (document.body.dataset.page === 'mailbox') openMailbox();
if (document.body.dataset.page === 'admin') openOverview();
if (find('.menu')) openAdministration();
if (document.body.dataset.page) follow();
