// Walks through the pages in a real browser against the mock server and keeps a picture of each, at desktop and phone
// width, light and dark. Fails on a policy violation, a script error, or a request to another host.
//   npm run build && (npm run mock &) && npm run shots -- DIR [phone-light ...]
import { mkdirSync } from 'node:fs';
import { chromium } from 'playwright-core';

const BASE = process.env.BASE ?? 'http://127.0.0.1:8799';
const out = process.argv[2] ?? 'shots';
const SIZES = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };
const faults = [];
mkdirSync(out, { recursive: true });

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--enable-unsafe-swiftshader', '--use-gl=angle', '--use-angle=swiftshader'] });
const wanted = process.argv.slice(3);
for (const [size, viewport] of Object.entries(SIZES)) {
  for (const scheme of ['light', 'dark']) {
    if (wanted.length === 0 || wanted.includes(`${size}-${scheme}`)) await walk(size, viewport, scheme);
  }
}
await browser.close();
if (faults.length > 0) { console.error(faults.join('\n')); process.exit(1); }

async function walk(size, viewport, colorScheme) {
  const context = await browser.newContext({ viewport, colorScheme, locale: 'en-GB', timezoneId: 'Europe/Berlin' });
  const page = await context.newPage();
  page.on('console', (message) => { if (message.type() === 'error' && !/status of 40[14]/.test(message.text())) faults.push(`${size} ${colorScheme} ${page.url()}: ${message.text()}`); });
  page.on('pageerror', (error) => faults.push(`${size} ${colorScheme} ${page.url()}: ${error}`));
  page.on('request', (request) => { if (!request.url().startsWith(BASE) && !request.url().startsWith('blob:')) faults.push(`foreign request ${request.url()}`); });
  const shot = async (name, wait = 500) => { await page.waitForTimeout(wait); await page.screenshot({ path: `${out}/${size}-${colorScheme}-${name}.png` }); };
  const show = async (path, name, wait) => { await page.goto(BASE + path); await shot(name, wait); };
  const signIn = async (path) => {
    await page.goto(BASE + path);
    const user = page.getByLabel('User name');
    if (await user.isVisible({ timeout: 1500 }).catch(() => false) || await user.waitFor({ timeout: 1500 }).then(() => true, () => false)) {
      await user.fill('mira'); await page.getByLabel('Password').fill('anything'); await page.getByRole('button', { name: 'Sign in' }).click();
    }
    await page.waitForTimeout(300);
  };

  await show('/', 'landing');
  for (const slug of ['operator', 'hub', 'morgen']) await page.request.post(`${BASE}/api/p/${slug}/logout`);
  await show('/operator', 'login');
  await signIn('/operator');
  await show('/operator', 'operator', 900);
  await show('/operator/stations', 'stations');
  await show('/operator/stations/VLT-0001', 'station', 800);
  await page.getByRole('button', { name: 'Unlock cable' }).click(); await shot('station-confirm', 300);
  await page.getByRole('dialog').getByRole('button', { name: 'Unlock cable' }).click(); await shot('station-order', 600);
  await show('/operator/sessions', 'sessions');
  await page.locator('tbody tr:nth-child(2) td:first-child a').click(); await shot('session', 900);
  for (const name of ['cdrs', 'tariffs', 'refusals', 'registration', 'access']) await show(`/operator/${name}`, name);
  await show('/operator/tariffs', 'tariffs'); await page.getByRole('button', { name: 'Change' }).first().click(); await shot('tariff-form', 300);
  await signIn('/hub'); await show('/hub', 'hub', 900);
  await signIn('/provider/morgen');
  for (const name of ['', 'drivers', 'sessions', 'cdrs', 'disputes', 'invoices', 'registration']) await show(`/provider/morgen/${name}`.replace(/\/$/, ''), `provider-${name || 'overview'}`);
  await show('/drive/morgen', 'drive-map', 3500);
  if (size === 'phone') { await page.getByRole('button', { name: 'List' }).click(); await shot('drive-list', 400); }
  await page.getByRole('searchbox').fill('Freiburg im Breisgau'); await page.waitForTimeout(400);
  await page.locator('button.place').first().click();
  if (size === 'phone') { const list = page.getByRole('button', { name: 'Map', exact: true }); if (await list.isVisible()) await list.click({ force: true }).catch(() => {}); }
  await shot('drive-place', 1800);
  await page.getByRole('button', { name: 'Start charging' }).click(); await shot('drive-order', 1200);
  await page.waitForURL('**/session/**'); await shot('drive-running', 6000);
  await page.getByRole('button', { name: 'Stop charging' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Stop charging' }).click(); await page.waitForTimeout(2800);
  await page.getByRole('button', { name: 'Check it in my browser' }).click(); await shot('drive-receipt', 600);
  await page.screenshot({ path: `${out}/${size}-${colorScheme}-drive-receipt-full.png`, fullPage: true });
  await page.evaluate(() => document.querySelector('main')?.scrollTo(0, 700)); await shot('drive-receipt-2', 300);
  for (const name of ['history', 'invoices', 'invoices/i2', 'cards']) await show(`/drive/morgen/${name}`, `drive-${name.replace('/', '-')}`);
  await page.goto(`${BASE}/verify`);
  const id = (await (await page.request.get(`${BASE}/api/p/morgen/driver/sessions`)).json()).items[3].id;
  const xml = await (await page.request.get(`${BASE}/api/p/morgen/driver/sessions/${id}/record`)).body();
  await page.setInputFiles('input[type=file]', { name: 'receipt.xml', mimeType: 'application/xml', buffer: xml }); await shot('verify', 600);
  await context.close();
}
