// Keeps a picture of every page of the real network, at desktop width in light and at phone width in dark, for people to
// look at. Judges nothing; `walk.mjs` does.
//   LEYDEN_BIN=../target/debug/leyden node e2e/shots.mjs DIR
import { mkdirSync } from 'node:fs';
import { knock, openBrowser, person, signIn, startDemo } from './demo.mjs';

const out = process.argv[2] ?? 'shots';
const LOOKS = {
  desktop: { viewport: { width: 1440, height: 900 }, colorScheme: 'light' },
  phone: { viewport: { width: 390, height: 844 }, colorScheme: 'dark' },
};
/** Fonts, plots and the map settle. Pictures only: no rule hangs on it. */
const SETTLE_MS = 900;
const faults = [];
mkdirSync(out, { recursive: true });
const demo = await startDemo({ stations: 10 });
/** Somebody knocks in the name of a station, so that its page has a refusal to explain. */
await knock(demo, 'LEJ001', 'no key of it');
const browser = await openBrowser(demo);
const slugs = Object.keys(demo.cars);
try {
  // each look has a car of its own to start
  await Promise.all(Object.entries(LOOKS).map(([name, look], number) => walk(name, look, slugs[number])));
} finally {
  await browser.close();
  await demo.stop();
}
demo.sweep();
if (faults.length > 0) console.log(faults.join('\n'));

async function walk(look, options, slug) {
  const page = await person(browser, demo, faults, options);
  const shot = async (name, full = false) => {
    await page.waitForTimeout(SETTLE_MS);
    await page.screenshot({ path: `${out}/${look}-${name}.png`, fullPage: full });
  };
  const show = async (path, name) => { await page.goto(demo.base + path); await shot(name); };
  await show('/', 'landing');
  await page.goto(`${demo.base}/operator`);
  await shot('login');
  await drive(page, look, slug, shot, show);
  await signIn(page, demo, '/operator', demo.login('operator'));
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  await shot('operator');
  for (const name of ['alarms', 'stations', 'locations', 'meters', 'sessions', 'cdrs', 'tariffs', 'refusals', 'parties', 'audit', 'access', 'stations/LEJ001', 'templates', 'reservations', 'events', 'firmware', 'logs', 'certificates', 'seconds', 'habits']) await show(`/operator/${name}`, `operator-${name.replace('/', '-')}`);
  for (const tab of ['settings', 'charging', 'cards', 'screen', 'model', 'events', 'files', 'certificates', 'messages', 'refused', 'expert']) await show(`/operator/stations/LEJ002?tab=${tab}`, `operator-station-${tab}`);
  await office(page, shot, show);
  await show('/operator/sessions?state=ended', 'operator-ended');
  await page.locator('tbody tr a').first().click();
  await shot('operator-session', true);
  await signIn(page, demo, '/hub', demo.login('hub'));
  await page.locator('main h1').first().waitFor();
  await shot('hub');
  for (const name of ['parties', 'partners', 'losses', 'audit']) await show(`/hub/${name}`, `hub-${name}`);
  // the driver is still signed in at the provider
  await page.goto(`${demo.base}/provider/${slug}`);
  await page.getByRole('button', { name: 'Sign in as somebody else' }).click();
  await signIn(page, demo, `/provider/${slug}`, demo.login(slug));
  await page.locator('main h1').first().waitFor();
  await shot('provider');
  for (const name of ['drivers', 'sessions', 'cdrs', 'disputes', 'invoices', 'alarms']) await show(`/provider/${slug}/${name}`, `provider-${name}`);
}

/** The dialogs of the operator's daily work, open and filled. */
async function office(page, shot, show) {
  await show('/operator/tariffs', 'operator-tariffs-again');
  await page.getByRole('button', { name: 'Change' }).first().click();
  await page.getByRole('button', { name: 'Add prices for certain times or amounts' }).click();
  await page.getByRole('heading', { name: 'What it would cost' }).scrollIntoViewIfNeeded();
  await shot('operator-tariff-preview');
  await page.locator('dialog[open]').evaluate((dialog) => { dialog.scrollTop = 0; });
  await shot('operator-tariff-form');
  await show('/operator/locations', 'operator-locations-again');
  await page.locator('details summary').first().click();
  await shot('operator-location-open');
  await page.getByRole('button', { name: 'Change the place' }).first().click();
  await page.locator('canvas.maplibregl-canvas').waitFor();
  await shot('operator-location-form');
  await show('/operator/meters', 'operator-meters-again');
  await page.getByRole('button', { name: /Look or replace|Compare|Enter/ }).first().click();
  await shot('operator-meter-form');
}

async function drive(page, look, slug, shot, show) {
  await signIn(page, demo, `/drive/${slug}`, demo.drivers[slug][0]);
  await page.locator('canvas.maplibregl-canvas').waitFor();
  await page.waitForTimeout(SETTLE_MS);
  await shot('drive-map');
  if (look === 'phone') { await page.getByRole('button', { name: 'List' }).click(); await shot('drive-list'); }
  await page.locator('button.place', { hasText: demo.cars[slug].place }).click();
  await page.locator('label.point', { hasText: demo.cars[slug].point }).click();
  if (look === 'phone') await page.locator('button.switch').click({ force: true });
  await page.waitForTimeout(SETTLE_MS);
  await shot('drive-place');
  if (look === 'phone') await page.locator('label.point', { hasText: demo.cars[slug].point }).click();
  await page.getByRole('button', { name: 'Start charging' }).click();
  await page.waitForURL('**/session/**', { timeout: 60_000 });
  await page.locator('.plot canvas').waitFor();
  await page.waitForTimeout(15_000);
  await shot('drive-running');
  await page.getByRole('button', { name: 'Stop charging' }).click();
  await shot('drive-stop');
  await page.getByRole('dialog').getByRole('button', { name: 'Stop charging' }).click();
  await page.locator('.verdict strong').waitFor({ timeout: 60_000 });
  await shot('drive-receipt');
  await page.locator('#main').evaluate((main) => { main.scrollTop = 900; });
  await shot('drive-receipt-2');
  for (const name of ['history', 'invoices', 'cards']) await show(`/drive/${slug}/${name}`, `drive-${name}`);
  await show('/verify', 'verify');
}
