// The operator's daily work on stations of the demo, one rule per page: templates, power, reservations, models,
// certificates, firmware, the expert's console, profiles of makes, second back-ends, what may be booked, and the
// registration at the hub. Expects an operator who is signed in.
import { readFileSync } from 'node:fs';

const OLD = 'LEJ001';
const NEW = 'LEJ002';
/** Chosen so that it is no setting of any station already. */
const WANTED = '77';
const TEMPLATE = 'walk';
const CARD = '04D1CE0BADC0DE';

export async function dailyWork(page, demo, ok) {
  const at = { page, open: (path) => page.goto(`${demo.base}/operator/${path}`) };
  await template(at, ok);
  await limits(at, ok);
  await reservation(at, ok);
  await model(at, ok);
  await certificates(at, ok);
  await expert(at, ok);
  await refusals(at, ok);
  await campaign(at, ok);
  await habit(at, ok);
  await second(at, demo, ok);
  await bookable(at, ok);
  await registration(at, ok);
}

/** Opens a tab of a station by its link, as people do. */
async function tab({ page, open }, station, name) {
  await open(`stations/${station}`);
  await page.getByRole('navigation', { name: 'Of this station' }).getByRole('link', { name }).click();
}

async function yes(page, name) { await page.getByRole('dialog').getByRole('button', { name, exact: true }).click(); }

async function template(at, ok) {
  const { page, open } = at;
  await open('templates');
  await page.getByRole('button', { name: 'New template' }).click();
  const form = page.getByRole('dialog');
  await form.getByLabel('Name').fill(TEMPLATE);
  await form.getByLabel('Version').selectOption('1.6');
  await form.getByLabel('Key 1').fill('HeartbeatInterval');
  await form.getByLabel('Value 1').fill(WANTED);
  await form.getByRole('button', { name: 'Save' }).click();
  await page.locator('tbody tr', { hasText: OLD }).getByText('HeartbeatInterval').waitFor();
  ok('a template is made, and the page says which stations differ from it');
  await tab(at, OLD, 'Settings');
  const drift = page.locator('section[aria-labelledby=drift]');
  await drift.locator('tr', { hasText: 'HeartbeatInterval' }).locator('ins', { hasText: WANTED }).waitFor();
  await drift.getByRole('button', { name: 'Write what is wanted' }).click();
  await yes(page, 'Write');
  await drift.getByText('As wanted').or(drift.getByText('It is as its templates want it.')).first().waitFor();
  ok('the difference is shown beside what is wanted, and written after a question');
  await open('templates');
  await page.locator(`section[aria-label=${TEMPLATE}]`).getByRole('button', { name: 'Delete' }).click();
  await yes(page, 'Delete');
  await page.locator(`section[aria-label=${TEMPLATE}]`).waitFor({ state: 'detached' });
}

async function limits(at, ok) {
  const { page } = at;
  await tab(at, NEW, 'Power');
  await page.getByLabel('At most').fill('eleven');
  await page.getByRole('button', { name: 'Set', exact: true }).click();
  await page.getByText('How much? A number such as 16 or 7.4.').waitFor();
  await page.getByLabel('At most').fill('11');
  await page.getByLabel('Unit').selectOption('W');
  await page.getByRole('button', { name: 'Set', exact: true }).click();
  await yes(page, 'Set');
  await page.locator('section[aria-labelledby=composite] .plot canvas').waitFor();
  const plot = page.locator('section[aria-labelledby=composite] .plot');
  await page.waitForFunction(() => /peak 11\.0\skW/.test(document.querySelector('section[aria-labelledby=composite] .plot')?.getAttribute('aria-label') ?? ''));
  await plot.waitFor();
  ok('a limit is set, and the composite schedule of the station is drawn with it');
  const profiles = page.locator('section[aria-labelledby=profiles]');
  await profiles.getByText('11').first().waitFor();
  await profiles.getByLabel('What to clear').selectOption('station_max');
  await profiles.locator('.clear').getByRole('button', { name: 'Clear' }).click();
  await yes(page, 'Clear');
  await page.waitForFunction(() => !/peak 11\.0\skW/.test(document.querySelector('section[aria-labelledby=composite] .plot')?.getAttribute('aria-label') ?? 'peak 11.0 kW'));
  ok('the limit is cleared after a question, and the plot follows');
}

async function reservation(at, ok) {
  const { page, open } = at;
  await open('reservations');
  await page.locator('section[aria-labelledby=reservations]').getByLabel('Station').selectOption(NEW);
  await page.getByLabel('For the card').fill(CARD);
  await page.getByRole('button', { name: 'Reserve', exact: true }).click();
  const row = page.locator('section[aria-labelledby=reservations] tbody tr', { hasText: NEW }).first();
  await row.getByText(/Held|Refused/).first().waitFor();
  const state = await row.locator('.badge').innerText();
  if (state === 'Held') {
    await row.getByRole('button', { name: 'Cancel it' }).click();
    await yes(page, 'Cancel it');
    await row.getByText('Cancelled').waitFor();
  }
  if ((await page.getByText(CARD).count()) > 0) throw new Error('the card is shown');
  ok(`a reservation is made for a card that is not shown again (${state}${state === 'Held' ? `, then ${(await row.locator('.badge').innerText()).toLowerCase()}` : ''})`);
}

async function model(at, ok) {
  const { page } = at;
  await tab(at, NEW, 'Model');
  const variables = page.locator('section[aria-labelledby=variables]');
  await variables.getByRole('button', { name: 'Read from the station' }).click();
  await variables.locator('summary', { hasText: 'OCPPCommCtrlr' }).waitFor();
  await variables.getByRole('searchbox').fill('HeartbeatInterval');
  await variables.locator('td', { hasText: 'HeartbeatInterval' }).waitFor();
  await page.waitForFunction(() => document.querySelectorAll('section[aria-labelledby=variables] details').length === 1);
  ok("a station's model is read, shown as a tree, and searched");
}

async function certificates(at, ok) {
  const { page } = at;
  await tab(at, NEW, 'Certificates');
  const held = page.locator('section[aria-labelledby=held]');
  await held.getByText('Install a certificate').click();
  await held.getByLabel('Certificate (PEM)').fill('no certificate');
  await held.getByRole('button', { name: 'Install' }).click();
  await held.getByRole('alert').getByText('A certificate in PEM').waitFor();
  await held.getByRole('button', { name: 'Renew its own' }).click();
  await yes(page, 'Renew');
  await page.locator('section[aria-labelledby=issued] tbody tr').getByText('In use').first().waitFor();
  ok('what is no certificate is not installed; a station renews its own, which is then in use');
}

async function expert(at, ok) {
  const { page } = at;
  await tab(at, OLD, 'Expert');
  await page.getByLabel('Action').fill('GetConfiguration');
  await page.getByText('The schema of GetConfiguration allows it.').waitFor();
  await page.getByLabel('Payload').fill('{"keys": []}');
  await page.getByText('is not a field of this message').waitFor();
  await page.getByLabel('Payload').fill('{"key": ["HeartbeatInterval"]}');
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  await yes(page, 'Send');
  const answers = page.locator('section[aria-labelledby=answers]');
  await answers.getByText('Answered').waitFor();
  await answers.getByText('configurationKey').waitFor();
  await page.getByLabel('Action').fill('NoSuchAction');
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  await yes(page, 'Send');
  await answers.locator('details', { hasText: 'NoSuchAction' }).getByText('Error').first().waitFor();
  ok("the expert's console tells what a schema does not allow, and gives answers and errors as they came");
}

async function refusals(at, ok) {
  const { page, open } = at;
  await open('refusals');
  await page.getByLabel('Kind').selectOption('order');
  await page.locator('section[aria-labelledby=refused] li', { hasText: 'What to do:' }).first().waitFor();
  ok('an order that was not carried out is explained, with what to do next');
}

async function campaign(at, ok) {
  const { page, open } = at;
  await open('firmware');
  await page.getByRole('button', { name: 'Add an image' }).click();
  const form = page.getByRole('dialog');
  await form.getByLabel('Maker').fill('Leyden');
  await form.getByLabel('Version').fill('9.9.9');
  await form.getByRole('button', { name: 'Add', exact: true }).click();
  await form.getByText('Choose a file, or say where it lies.').waitFor();
  await form.getByLabel('or its address').fill('https://firmware.example.org/9.9.9.bin');
  await form.getByRole('button', { name: 'Add', exact: true }).click();
  await page.locator('tbody tr', { hasText: '9.9.9' }).getByRole('button', { name: 'Begin a campaign' }).click();
  await form.getByLabel('Only some stations').check();
  await form.getByLabel(/LEJ003/).check();
  await form.getByRole('button', { name: 'Begin the campaign' }).click();
  const card = page.locator('section.card', { hasText: 'Leyden 9.9.9' }).first();
  await card.locator('svg.bar').first().waitFor();
  const stop = card.getByRole('button', { name: 'Stop' });
  if (await stop.isVisible()) { await stop.click(); await yes(page, 'Stop'); }
  await card.getByText(/Stopped|Done/).first().waitFor();
  ok('an image is added, a campaign is begun with one station, and stopped after a question');
}

async function habit(at, ok) {
  const { page, open } = at;
  await open('habits');
  await page.getByText('FoxESS A series').waitFor();
  await page.getByRole('button', { name: 'New profile' }).click();
  const form = page.getByRole('dialog');
  await form.getByLabel('Name').first().fill('walk');
  await form.getByLabel('Maker').first().fill('*');
  await form.locator('label', { hasText: 'answer-pause' }).getByRole('combobox').selectOption('on');
  await form.getByRole('button', { name: 'Save' }).click();
  await form.getByRole('alert').getByText('this would fit every station').waitFor();
  await form.getByLabel('Maker').first().fill('Walk*');
  await form.getByRole('button', { name: 'Save' }).click();
  const row = page.locator('section[aria-labelledby=profiles] tbody tr', { hasText: 'Walk*' });
  await row.getByText('answer-pause').waitFor();
  await row.getByRole('button', { name: 'Delete' }).click();
  await yes(page, 'Delete');
  await row.waitFor({ state: 'detached' });
  ok('a profile that would fit every station is refused; one of a make stands beside those that are shipped, and goes');
}

async function second(at, demo, ok) {
  const { page, open } = at;
  await open('seconds');
  await page.getByRole('button', { name: 'New second back-end' }).first().click();
  const form = page.getByRole('dialog');
  await form.getByLabel('Name').first().fill('walk');
  await form.getByLabel('Address').first().fill('wss://localhost:1/ocpp');
  await form.getByLabel('Certificates of the authorities that vouch for it (PEM)').fill(readFileSync(demo.root, 'utf8'));
  await form.getByLabel('Only these stations').fill(OLD);
  await form.getByLabel('It is in our own network: its address need not be public').check();
  await form.getByText('What proves the stations there').click();
  await form.getByLabel('Password').first().fill('a password of twenty');
  await form.getByRole('button', { name: 'Save' }).click();
  const card = page.locator('section[aria-label=walk]');
  await card.getByText('Copies only').waitFor();
  await card.getByText('with a password').waitFor();
  await card.getByRole('button', { name: 'Pause' }).click();
  await card.locator('.badge').getByText('Paused').waitFor();
  await card.getByRole('button', { name: 'Delete' }).click();
  await yes(page, 'Delete');
  await card.waitFor({ state: 'detached' });
  ok('a second back-end is put, paused and deleted; its password is not shown');
}

/** Nobody has booked anything at a station before somebody lets its first point be booked, on terms that are kept. */
async function bookable(at, ok) {
  await tab(at, NEW, 'Bookings');
  const { page } = at;
  await page.getByText('Nothing is booked.').waitFor();
  await page.getByRole('button', { name: 'Let it be booked' }).first().click();
  const form = page.getByRole('dialog');
  await form.getByLabel('Kept after its beginning').fill('20');
  await form.getByRole('button', { name: 'Save' }).click();
  await page.getByText('15 to 240 min, kept for 20 min').waitFor();
  await page.getByRole('button', { name: 'Terms', exact: true }).first().click();
  if ((await page.getByRole('dialog').getByLabel('Kept after its beginning').inputValue()) !== '20') throw new Error('the terms are not those that were saved');
  await page.keyboard.press('Escape');
  ok('a charging point can be booked on terms that a person gives');
  await page.getByRole('button', { name: 'No longer' }).first().click();
  await page.getByText('not bookable').first().waitFor();
  ok('and no longer, as soon as the person says so');
}

/** The demo's hub and operator share tokens from the configuration; a renewal exchanges them, step by step. */
async function registration({ page, open }, ok) {
  await open('registration');
  await page.getByText('from the configuration; a renewal exchanges them').waitFor();
  await page.getByRole('button', { name: 'Renew now' }).click();
  const steps = page.getByRole('dialog');
  await steps.getByText('Everything holds.').waitFor();
  await page.keyboard.press('Escape');
  await page.getByText(/renewed by themselves on/).waitFor();
  await page.getByRole('row').filter({ hasText: 'Renewal' }).filter({ hasText: 'Holds' }).waitFor();
  ok('the operator renews its registration step by step, and sees who did it');
  await open('audit');
  await page.getByRole('row').filter({ hasText: 'renew credentials' }).filter({ hasText: 'done' }).waitFor();
  ok('the renewal stands among what people did');
}
