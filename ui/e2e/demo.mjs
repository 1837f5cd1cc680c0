// Starts the real binary as `leyden demo` does for a person, and opens a real Chromium before it that trusts this one
// server and nobody else. Knows no page; keeps what every page did wrong in `faults`.
import { spawn } from 'node:child_process';
import { createHash, randomBytes, X509Certificate } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { connect } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

export const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
/** A folder with freshly built pages, to be shown instead of those that the binary was built with. */
const PAGES = process.env.LEYDEN_PAGES;
const TYPES = { html: 'text/html; charset=utf-8', js: 'text/javascript', mjs: 'text/javascript', css: 'text/css', json: 'application/json', svg: 'image/svg+xml', webmanifest: 'application/manifest+json' };
const POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'";
const LEYDEN = process.env.LEYDEN_BIN ?? fileURLToPath(new URL('../../target/debug/leyden', import.meta.url));
/** A debug build on a busy machine settles its world in some seconds. */
const UP_WITHIN_MS = 120_000;
/** Drivers leave, databases close. */
const DOWN_WITHIN_MS = 60_000;
const WORDS_KEPT = 200;

export function chromiumMissing() { return !existsSync(CHROMIUM); }

/** Resolves once the demo has printed its address and where the cars wait. */
export async function startDemo({ stations = 6, speed = 30, dir = mkdtempSync(join(tmpdir(), 'leyden-e2e-')) } = {}) {
  const child = spawn(LEYDEN, ['demo', '--dir', join(dir, 'demo'), '--listen', '127.0.0.1:0', '--stations', String(stations), '--speed', String(speed)], { stdio: ['ignore', 'pipe', 'pipe'] });
  const said = [];
  const cars = {};
  let base = '';
  const gone = new Promise((resolve) => { child.on('exit', (code, signal) => resolve(code ?? signal)); child.on('error', resolve); });
  const keep = (line) => { said.push(line); if (said.length > WORDS_KEPT) said.shift(); };
  createInterface({ input: child.stderr }).on('line', keep);
  const up = new Promise((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      keep(line);
      base ||= /^\s*(https:\/\/localhost:\d+)\s*$/.exec(line)?.[1] ?? '';
      const car = /A car of (\S+)'s driver is plugged in at (.+), (\S+): start/.exec(line);
      if (car) cars[car[1]] = { place: car[2], point: car[3] };
      if (base && Object.keys(cars).length === 2) resolve(true);
    });
  });
  const began = await within(UP_WITHIN_MS, Promise.race([up, gone]));
  if (began !== true) {
    child.kill('SIGKILL');
    throw new Error(`the demo did not start (${String(began)}):\n${said.join('\n')}`);
  }
  const logins = JSON.parse(readFileSync(join(dir, 'demo/logins.json'), 'utf8'));
  const { drivers } = JSON.parse(readFileSync(join(dir, 'demo/demo.json'), 'utf8'));
  return {
    dir, base, cars, drivers, said,
    login: (slug) => logins.find((login) => login.slug === slug),
    root: join(dir, 'demo/pki/root.pem'),
    /** Where stations knock. */
    line: /line = \{ listen = "([^"]+)"/.exec(readFileSync(join(dir, 'demo/leyden.toml'), 'utf8'))?.[1] ?? '',
    /** Ctrl-C; gives the exit code. */
    stop: async () => {
      child.kill('SIGINT');
      const code = await within(DOWN_WITHIN_MS, gone);
      if (code === undefined) child.kill('SIGKILL');
      return code;
    },
    sweep: () => rmSync(dir, { recursive: true, force: true }),
  };
}

/** Knocks at the line as a station with a password does, and hangs up; the status that was answered. Without a
 *  protocol it offers none. */
export function knock(demo, id, key, { protocol = 'ocpp1.6' } = {}) {
  const [host, port] = demo.line.split(':');
  const headers = {
    Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
    ...(protocol ? { 'Sec-WebSocket-Protocol': protocol } : {}), Authorization: `Basic ${Buffer.from(`${id}:${key}`).toString('base64')}`,
  };
  return new Promise((resolve, reject) => {
    const asked = request({ host, port, path: `/ocpp/${id}`, headers, ca: readFileSync(demo.root), servername: 'localhost' });
    asked.on('upgrade', (answer, socket) => { socket.destroy(); resolve(answer.statusCode); });
    asked.on('response', (answer) => { answer.resume(); resolve(answer.statusCode); });
    asked.on('error', reject);
    asked.end();
  });
}

/** What a promise gives, or nothing when the time is over. */
export async function within(ms, promise) {
  let timer;
  const late = new Promise((resolve) => { timer = setTimeout(resolve, ms); });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** The pin of the server's certificate, taken only after its chain was checked against the demo's root alone. */
function pin(demo) {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', servername: 'localhost', port: Number(new URL(demo.base).port), ca: readFileSync(demo.root) }, () => {
      const leaf = new X509Certificate(socket.getPeerCertificate().raw);
      socket.end();
      resolve(createHash('sha256').update(leaf.publicKey.export({ type: 'spki', format: 'der' })).digest('base64'));
    });
    socket.on('error', reject);
  });
}

export async function openBrowser(demo) {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--no-sandbox', '--disable-gpu', '--enable-unsafe-swiftshader', '--use-gl=angle', '--use-angle=swiftshader',
      `--ignore-certificate-errors-spki-list=${await pin(demo)}`,
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost',
    ],
  });
}

/** A fresh person at a fresh browser. What a page does wrong ends up in `faults`. */
export async function person(browser, demo, faults, { viewport = { width: 1280, height: 800 }, colorScheme = 'light' } = {}) {
  const context = await browser.newContext({ viewport, colorScheme, locale: 'en-GB', timezoneId: 'Europe/Berlin', acceptDownloads: true });
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => console.error(`policy violated: ${event.violatedDirective} by ${event.blockedURI}`));
  });
  if (PAGES) await context.route((url) => url.href.startsWith(`${demo.base}/`) && !url.pathname.startsWith('/api'), fresh);
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  const fault = (words) => faults.push(`${page.url()}: ${words}`);
  // who is not signed in yet is told so with 401: that is how the page finds out
  page.on('console', (message) => { if (message.type() === 'error' && !/status of 401/.test(message.text())) fault(message.text()); });
  page.on('pageerror', (error) => fault(String(error)));
  page.on('request', (request) => { if (!request.url().startsWith(`${demo.base}/`) && !/^(blob|data):/.test(request.url())) fault(`foreign request to ${request.url()}`); });
  return page;
}

function fresh(route) {
  const { pathname } = new URL(route.request().url());
  const file = join(PAGES, pathname);
  const found = /\.\w+$/.test(pathname) && existsSync(file) ? file : join(PAGES, 'index.html');
  return route.fulfill({ body: readFileSync(found), contentType: TYPES[found.split('.').at(-1)] ?? 'application/octet-stream', headers: { 'content-security-policy': POLICY } });
}

export async function signIn(page, demo, path, { user, password }) {
  await page.goto(demo.base + path);
  await page.getByLabel('User name').fill(user);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}
