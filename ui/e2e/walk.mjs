// The pages before the real network: an operator and two drivers in a real headless Chromium, against the real binary
// over TLS. Every rule prints a line; the first that does not hold prints what was on the page and ends with status 1.
//   LEYDEN_BIN=../target/debug/leyden npm run e2e
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dailyWork } from './daily.mjs';
import { CHROMIUM, chromiumMissing, knock, openBrowser, person, signIn, startDemo } from './demo.mjs';
import { tolerances } from './quirks.mjs';

if (chromiumMissing()) {
  console.log(`SKIPPED: no chromium at ${CHROMIUM}. The pages were NOT tested in a browser.`);
  process.exit(0);
}
/** The demo's drivers come and go by chance; one of them does something within this time. */
const SOMETHING_HAPPENS_MS = 120_000;
/** A start without a car waits for the station's ConnectionTimeOut, and some. */
const OUTCOME_MS = 180_000;
const TABS_MAX = 150;
/** A station that this walk enrols, and retires again. */
const WALKED = 'WALK1';
const ENERGY = '.figures .main strong';
/** Software rendering on a busy machine. */
const DRAWN_WITHIN_MS = 40_000;
/** Of at least some pixels each: water, land, lines, letters and places in several shades. */
const COLOURS_MIN = 8;

const faults = [];
const pages = [];
let demo = await startDemo();
const browser = await openBrowser(demo);
/** Where pictures of pages are examined; no policy of theirs holds here. */
const easel = await browser.newPage();
let failed = false;
try {
  const operator = await enter();
  const birke = await enter({ viewport: { width: 390, height: 844 }, colorScheme: 'dark' });
  const amsel = await enter({ viewport: { width: 390, height: 844 } });
  await landing(operator);
  await login(operator);
  await keyboard(operator);
  await stations(operator);
  await driverEnters(birke, 'birke');
  await startWithoutCar(birke);
  await sessionsLive(operator);
  await driverEnters(amsel, 'amsel');
  await startCar(amsel);
  await growsAndStops(amsel);
  await receipt(amsel);
  await offline(await enter(), await record(amsel));
  await ownKeys(amsel);
  await places(operator);
  await dailyWork(operator, demo, ok);
  await refusedAndGone(operator);
  await meters(operator);
  await tariffTried(operator);
  await operatorSession(operator);
  await outcome(birke);
  await newPassword(operator);
} catch (fault) {
  failed = true;
  console.error(`not ok - ${fault.stack ?? fault}`);
  for (const [number, page] of pages.entries()) await show(page, number);
  console.error(`the demo said last:\n${demo.said.slice(-20).join('\n')}`);
}
await browser.close();
if (!failed) await secondStart().catch((fault) => { failed = true; console.error(`not ok - ${fault.stack ?? fault}`); });
const code = await demo.stop();
check(code === 0, 'Ctrl-C ends the demo with status 0', `it ended with ${String(code)}`);
check(faults.length === 0, 'no policy violation, no script error, no request to another host', faults.join('\n'));
if (!failed) demo.sweep();
process.exit(failed ? 1 : 0);

async function enter(look) {
  const page = await person(browser, demo, faults, look);
  pages.push(page);
  return page;
}

function ok(rule) { console.log(`ok - ${rule}`); }

function check(holds, rule, otherwise) {
  if (holds) return ok(rule);
  failed = true;
  console.error(`not ok - ${rule}\n${otherwise}`);
}

async function show(page, number) {
  const picture = join(demo.dir, `page-${number}.png`);
  const text = await page.locator('body').innerText({ timeout: 5_000 }).catch((fault) => String(fault));
  console.error(`--- ${page.url()} (${picture})\n${text}`);
  await page.screenshot({ path: picture }).catch((fault) => console.error(String(fault)));
}

/** Waits until what `read` gives is as wanted; the page is asked again as often as it paints. */
async function until(page, is, given, timeout = 30_000) { return page.waitForFunction(is, given, { timeout }).then((handle) => handle.jsonValue()); }

async function landing(page) {
  await page.goto(demo.base);
  for (const name of ['Voltwerk', 'Drehkreuz', 'Amsel Mobil', 'Birke Strom']) await page.getByRole('link', { name }).first().waitFor();
  ok('the start page shows every party');
  await page.getByRole('link', { name: 'Voltwerk' }).click();
}

async function login(page) {
  const { user, password } = demo.login('operator');
  const attempt = async (word) => {
    await page.getByLabel('User name').fill(user);
    await page.getByLabel('Password').fill(word);
    await page.getByRole('button', { name: 'Sign in' }).click();
  };
  await attempt('not the password');
  await page.getByText('User name or password is wrong.').waitFor();
  ok('a wrong password is refused and said so');
  await attempt(password);
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  await page.getByText('6 / 6').waitFor();
  ok('the operator enters and sees 6 of 6 stations connected');
}

/** Only the keyboard from here: Tab to each page's link, Enter. */
async function keyboard(page) {
  const labels = await page.getByRole('navigation', { name: 'Pages' }).getByRole('link').allInnerTexts();
  if (labels.length < 9) throw new Error(`only ${labels.length} pages in the navigation`);
  for (const label of [...labels.slice(1), labels[0]]) {
    await tabTo(page, label);
    await page.keyboard.press('Enter');
    await page.locator('nav a[aria-current=page]', { hasText: label }).waitFor();
    await page.locator('main h1').first().waitFor();
  }
  ok(`all ${labels.length} pages of the operator are reached by Tab and Enter`);
}

async function tabTo(page, label) {
  for (let pressed = 0; pressed < TABS_MAX; pressed += 1) {
    await page.keyboard.press('Tab');
    const at = await page.evaluate(() => (document.activeElement?.closest('nav') ? document.activeElement.textContent : null));
    if (at === label) return;
  }
  throw new Error(`"${label}" is not reached with ${TABS_MAX} presses of Tab`);
}

async function stations(page) {
  await page.getByRole('link', { name: 'Stations', exact: true }).click();
  await until(page, () => document.querySelectorAll('tbody tr').length === 6);
  const rows = await page.locator('tbody tr').allInnerTexts();
  if (!rows.every((row) => row.includes('Connected'))) throw new Error(`not all are connected:\n${rows.join('\n')}`);
  if (!rows.some((row) => row.includes('1.6')) || !rows.some((row) => row.includes('2.0.1'))) throw new Error('not both versions of OCPP');
  ok('the list shows six connected stations of OCPP 1.6 and 2.0.1');
  await page.locator('tbody tr a').first().click();
  await page.getByRole('navigation', { name: 'Of this station' }).getByRole('link', { name: 'Messages' }).click();
  const search = page.getByRole('searchbox', { name: 'Search in messages' });
  await search.fill('BootNotification');
  await until(page, () => {
    const lines = [...document.querySelectorAll('section[aria-labelledby=log] summary')];
    return lines.length > 0 && lines.every((line) => line.textContent.includes('BootNotification'));
  });
  await search.fill('no such word');
  await page.getByText('No message fits.').waitFor();
  ok("a station's messages are searched");
}

async function sessionsLive(page) {
  await page.getByRole('link', { name: 'Sessions', exact: true }).click();
  await page.getByRole('heading', { name: 'Sessions' }).waitFor();
  // the row of a session tells its start, state, station, energy and cost; a row that comes or changes is news
  const before = await page.evaluate(() => {
    window.stillThisDocument = true;
    return [...document.querySelectorAll('tbody tr')].map((row) => row.textContent);
  });
  await until(page, (known) => {
    const rows = [...document.querySelectorAll('tbody tr')].map((row) => row.textContent);
    return window.stillThisDocument && rows.some((row) => !known.includes(row));
  }, before, SOMETHING_HAPPENS_MS);
  await until(page, () => /\d[\d.,]*\skWh/.test(document.querySelector('tbody')?.textContent ?? ''), null, SOMETHING_HAPPENS_MS);
  ok('sessions come and grow in the list without a reload');
}

async function driverEnters(page, slug) {
  const [driver] = demo.drivers[slug];
  await signIn(page, demo, `/drive/${slug}`, driver);
  const canvas = page.locator('canvas.maplibregl-canvas');
  await canvas.waitFor();
  await page.getByText('6 places here').waitFor({ state: 'attached' });
  await drawn(canvas);
  ok(`a driver of ${slug} enters; the map is drawn`);
  await page.getByRole('button', { name: 'List' }).click();
  await until(page, () => document.querySelectorAll('button.place').length === 6);
  ok(`the same six places stand in a list for ${slug}`);
}

/** Takes pictures of the map until land, water and a place are on one: a canvas that is only there has one colour. */
async function drawn(canvas) {
  const latest = Date.now() + DRAWN_WITHIN_MS;
  for (let colours = 0; colours < COLOURS_MIN;) {
    if (Date.now() > latest) throw new Error(`the map has ${colours} colours only`);
    const picture = (await canvas.screenshot()).toString('base64');
    colours = await easel.evaluate(async (source) => {
      const image = new Image();
      image.src = `data:image/png;base64,${source}`;
      await image.decode();
      const copy = Object.assign(document.createElement('canvas'), { width: image.width, height: image.height });
      const pen = copy.getContext('2d');
      pen.drawImage(image, 0, 0);
      const counts = new Map();
      for (const colour of new Uint32Array(pen.getImageData(0, 0, copy.width, copy.height).data.buffer)) counts.set(colour, (counts.get(colour) ?? 0) + 1);
      return [...counts.values()].filter((count) => count > 30).length;
    }, picture);
  }
}

async function openPlace(page, name) {
  await page.getByRole('searchbox', { name: 'Search places' }).fill(name);
  await page.locator('button.place', { hasText: name }).click();
  await page.getByRole('heading', { name: 'Price before you start' }).waitFor();
  const price = await page.locator('.price dd').first().innerText();
  if (!/€\s?\d|\d\s?€/.test(price)) throw new Error(`no price: ${price}`);
}

async function startWithoutCar(page) {
  // neither of the two places where a car waits
  const taken = Object.values(demo.cars).map(({ place }) => place);
  const names = await page.locator('button.place strong').allInnerTexts();
  await openPlace(page, names.find((name) => !taken.includes(name)));
  await page.locator('label.point', { hasText: 'Available' }).first().click();
  await page.getByRole('button', { name: 'Start charging' }).click();
  await page.waitForURL('**/order/**');
  await page.getByText('Sent to the operator').waitFor();
  ok('a start without a car is sent, and the page says how far it has come');
}

async function outcome(page) {
  const told = page.getByRole('alert').filter({ hasText: /The start was refused|No answer in time/ });
  await told.waitFor({ timeout: OUTCOME_MS });
  ok(`a start without a car is told as what it was: "${(await told.innerText()).replaceAll('\n', ' ')}"`);
}

async function startCar(page) {
  const { place, point } = demo.cars.amsel;
  await openPlace(page, place);
  ok('the price stands there before the start');
  await page.locator('label.point', { hasText: point }).click();
  await page.getByRole('button', { name: 'Start charging' }).click();
  await page.waitForURL('**/session/**', { timeout: 60_000 });
  ok('the car that waits is started from the page');
}

async function growsAndStops(page) {
  const first = await until(page, energyAbove, { selector: ENERGY, least: 0 }, 60_000);
  await until(page, energyAbove, { selector: ENERGY, least: first }, 60_000);
  await page.locator('.plot canvas').waitFor();
  ok('energy and power curve of the running session grow by themselves');
  await page.getByRole('button', { name: 'Stop charging' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Stop charging' }).click();
  await page.getByRole('heading', { name: 'Receipt' }).waitFor({ timeout: 60_000 });
  if (await page.getByRole('button', { name: 'Stop charging' }).isVisible()) throw new Error('a session that is over can be stopped');
  ok('stop is asked for, confirmed, and told when it has happened');
}

/** Runs in the page: the energy shown in Wh, once it is above `least`. */
function energyAbove({ selector, least }) {
  const [, value, unit] = /([\d.,]+)\s(k?Wh)/.exec(document.querySelector(selector)?.textContent ?? '') ?? [];
  const wh = value ? Number(value.replaceAll(',', '')) * (unit === 'kWh' ? 1_000 : 1) : 0;
  return wh > least && wh;
}

async function receipt(page) {
  const verdict = page.locator('.verdict strong');
  await verdict.waitFor({ timeout: 60_000 });
  const word = await verdict.innerText();
  if (word !== 'valid') throw new Error(`the provider's verdict is ${word}`);
  ok("the receipt says of the meter's record: valid, checked with the key of the operator's register");
  await page.getByRole('button', { name: 'Check it in my browser' }).click();
  await page.getByText('Checked just now in this browser.').waitFor();
  if ((await verdict.innerText()) !== 'valid') throw new Error(`the browser says ${await verdict.innerText()}`);
  ok('and the browser, with the same key, says the same');
  await page.getByRole('heading', { name: 'Who learned what' }).waitFor();
  ok('the receipt tells who learned what');
}

async function record(page) {
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Signed record' }).click()]);
  const file = join(demo.dir, 'record.xml');
  await download.saveAs(file);
  return file;
}

async function offline(page, file) {
  await page.goto(`${demo.base}/verify`);
  await page.getByRole('heading', { name: 'Verify a receipt' }).waitFor();
  await page.context().setOffline(true);
  await page.setInputFiles('input[type=file]', file);
  const verdict = page.locator('.verdict strong');
  await verdict.first().waitFor();
  const word = await verdict.first().innerText();
  if (!['valid', 'valid with remarks'].includes(word)) throw new Error(`the record is ${word}`);
  ok(`without a network the browser says of the downloaded record: ${word}`);
  const text = readFileSync(file, 'utf8');
  const tampered = text.replace(/((?:"|&quot;)RV(?:"|&quot;):)(\d)/, (_, name, digit) => `${name}${(Number(digit) + 1) % 10}`);
  if (tampered === text) throw new Error('the record has no reading to tamper with');
  writeFileSync(`${file}.tampered.xml`, tampered);
  await page.setInputFiles('input[type=file]', `${file}.tampered.xml`);
  await until(page, () => document.querySelector('.verdict strong')?.textContent === 'not valid');
  ok('and of one with a changed digit: not valid');
}

async function operatorSession(page) {
  await page.getByRole('link', { name: 'Sessions', exact: true }).click();
  await page.getByRole('combobox', { name: 'State' }).selectOption('ended');
  const first = page.locator('tbody tr', { hasText: 'Ended' }).first();
  await first.waitFor({ timeout: SOMETHING_HAPPENS_MS });
  await first.locator('a').first().click();
  await page.locator('.plot canvas').waitFor();
  await page.getByRole('heading', { name: 'What the meter signed' }).waitFor();
  await page.locator('.verdict strong').waitFor();
  ok("the operator's page of a session has a power curve and the meter's evidence");
}

async function ownKeys(page) {
  await page.getByRole('link', { name: 'Account' }).click();
  await page.getByLabel('Name of the program').fill('my home');
  await page.getByRole('button', { name: 'Make a key' }).click();
  const key = await page.locator('.once code').innerText();
  // no cookie goes along: the key alone opens
  const ask = () => page.evaluate(async ([path, bearer]) => (await fetch(path, { credentials: 'omit', headers: { Authorization: `Bearer ${bearer}` } })).status, ['/api/p/amsel/driver/sessions', key]);
  if ((await ask()) !== 200) throw new Error('the new key opens nothing');
  await page.reload();
  await page.locator('strong', { hasText: 'my home' }).waitFor();
  if ((await page.getByText(key).count()) > 0) throw new Error('the key is shown twice');
  await page.getByRole('button', { name: 'Delete my home' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await page.locator('strong', { hasText: 'my home' }).waitFor({ state: 'detached' });
  if ((await ask()) !== 401) throw new Error('a deleted key still opens');
  ok('a driver makes a key that is shown once, works, and is over when it is deleted');
}

async function places(page) {
  const taken = Object.values(demo.cars).map(({ place }) => place);
  await page.getByRole('link', { name: 'Places', exact: true }).click();
  await until(page, () => document.querySelectorAll('details summary').length === 6);
  const names = await page.locator('details summary strong').allInnerTexts();
  const name = names.find((one) => !taken.includes(one));
  await page.locator('details summary', { hasText: name }).click();
  const pole = page.locator('details[open]').getByLabel(/On the pole of/).first();
  await pole.fill('P1');
  await page.locator('details[open]').getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved. Drivers see it on the map.').waitFor();
  await page.getByRole('button', { name: /^Change what .* can do$/ }).first().click();
  await page.getByRole('dialog').getByLabel('Terminal for contactless cards').check();
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
  await page.locator('details[open] td', { hasText: 'Terminal for contactless cards' }).first().waitFor();
  await page.getByRole('button', { name: 'Change the place' }).first().click();
  const dialog = page.getByRole('dialog');
  const latitude = dialog.getByLabel('Latitude in degrees');
  const before = await latitude.inputValue();
  await dialog.locator('canvas.maplibregl-canvas').waitFor();
  await dialog.locator('canvas.maplibregl-canvas').click({ position: { x: 60, y: 40 } });
  if ((await latitude.inputValue()) === before) throw new Error('a click on the map chooses nothing');
  await latitude.fill(before);
  await dialog.getByLabel('Time zone').fill('Europe/Bielefeld');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.getByRole('alert').filter({ hasText: 'time zone' }).waitFor();
  await dialog.getByLabel('Time zone').fill('Europe/Berlin');
  await dialog.getByLabel('Name').fill(`${name} Nord`);
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.locator('details summary strong', { hasText: `${name} Nord` }).waitFor();
  ok('a place is renamed, a pole is lettered, an EVSE can more than its station says, the map chooses a position, and a wrong time zone is told');
}

/** A station of our own: refused with a wrong key, let in with the right one, and then gone. */
async function refusedAndGone(page) {
  await page.getByRole('link', { name: 'Stations', exact: true }).click();
  await page.getByRole('button', { name: 'Enrol a station' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Station id').fill(WALKED);
  await dialog.getByLabel('Security profile').selectOption('2');
  await dialog.getByLabel('Place').selectOption({ index: 1 });
  await dialog.getByRole('button', { name: 'Enrol', exact: true }).click();
  const key = (await dialog.locator('.once code').first().innerText()).trim();
  await dialog.getByRole('button', { name: 'Close' }).click();
  if ((await knock(demo, WALKED, 'no key of mine')) !== 401) throw new Error('a wrong key is not refused');
  await page.getByRole('link', { name: WALKED }).click();
  const why = page.locator('section[aria-labelledby=refused]');
  await why.getByText('Make a new key on the station’s page and enter it in the station.').waitFor();
  ok("a station's page says why it was not let in, and what to do");
  if ((await knock(demo, WALKED, key)) !== 101) throw new Error('the right key is refused');
  await tolerances(page, demo, { id: WALKED, key }, ok);
  await page.getByRole('link', { name: 'Alarms', exact: true }).click();
  const alarm = page.locator('li.card', { hasText: WALKED });
  // the page hears of nothing while a station is silent: it is looked at again until the break is no short one
  const latest = Date.now() + SOMETHING_HAPPENS_MS;
  while ((await alarm.count()) === 0) {
    if (Date.now() > latest) throw new Error('a station that is gone is no alarm');
    await page.reload();
    await page.getByRole('heading', { name: 'Alarms' }).waitFor();
    await page.waitForLoadState('networkidle').catch(() => undefined);
    await page.locator('li.card, .empty').first().waitFor();
  }
  await alarm.getByRole('heading', { name: 'A station is gone' }).waitFor();
  await alarm.getByRole('button', { name: 'Seen' }).click();
  await alarm.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Undo' }).click();
  await alarm.waitFor();
  ok('a station that is gone is an alarm, which is seen, and seen no more by Undo');
}

async function meters(page) {
  await page.getByRole('link', { name: 'Meters', exact: true }).click();
  await page.getByRole('searchbox', { name: 'Search meters' }).fill(WALKED);
  await page.locator('tbody tr', { hasText: 'not known' }).waitFor();
  await page.getByRole('button', { name: 'Enter a key' }).click();
  const field = page.getByLabel('Public key of the meter');
  await field.fill('no key');
  await page.getByText('This is no key of a meter that is known here.').waitFor();
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await field.fill(publicKey.export({ type: 'spki', format: 'der' }).toString('hex'));
  await page.getByRole('button', { name: 'I compared it: use this key' }).click();
  await page.getByText('are now fully valid').waitFor();
  await page.locator('tbody tr', { hasText: 'compared' }).waitFor();
  ok("a meter's key is entered, compared and kept");
  await page.goto(`${demo.base}/operator/stations/${WALKED}`);
  await page.getByRole('button', { name: 'Retire' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Retire' }).click();
  await page.getByText('The station is retired.').waitFor();
  ok('a station is retired after a question');
}

async function tariffTried(page) {
  await page.getByRole('link', { name: 'Tariffs', exact: true }).click();
  await page.getByRole('button', { name: 'New tariff' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Id').fill('WALK-1');
  await dialog.getByLabel('Price', { exact: true }).fill('0.50');
  // 20 kWh at 0.50 and 19 % VAT
  await dialog.locator('tfoot', { hasText: '€11.90' }).waitFor();
  await dialog.getByLabel('Price', { exact: true }).fill('0.60');
  await dialog.locator('tfoot', { hasText: '€14.28' }).waitFor();
  ok('the price of an example follows every change of a tariff');
  await dialog.getByRole('button', { name: 'Add prices for certain times or amounts' }).click();
  await dialog.getByLabel('Begins').fill('2026-11-23T23:00');
  // all of it at night: 20 kWh at 0.39
  await dialog.locator('tfoot', { hasText: '€9.28' }).waitFor();
  await dialog.getByRole('button', { name: 'Save' }).click();
  const card = page.locator('section[aria-label=WALK-1]');
  await card.getByText('Only: 22:00 to 06:00').waitFor();
  await card.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await card.waitFor({ state: 'detached' });
  ok('a tariff with a price for the night is kept, shown in words, and deleted after a question');
}

/** Whoever changes the first password must not lock the demo out of its own house. */
async function newPassword(page) {
  await page.getByRole('link', { name: 'Users and keys', exact: true }).click();
  await page.getByLabel('Present password').fill(demo.login('operator').password);
  await page.getByLabel('New password').fill('a much better password');
  await page.getByRole('button', { name: 'Change', exact: true }).click();
  await page.getByText('The password is changed.').waitFor();
  ok('the administrator changes the password');
}

async function secondStart() {
  const code = await demo.stop();
  if (code !== 0) throw new Error(`the demo ended with ${String(code)}`);
  demo = await startDemo({ dir: demo.dir });
  if (!demo.said.some((line) => /operator +admin +\(the password was changed\)/.test(line))) throw new Error(`nothing is said of the password:\n${demo.said.join('\n')}`);
  ok('a second start finds its data again, needs no password, and says which was changed');
}
