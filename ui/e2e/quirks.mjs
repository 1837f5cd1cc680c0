// A station that offers no subprotocol, knocked for by hand: refused and counted, suggested, permitted after a question,
// let in, and refused again when the permission is taken back. Expects an operator on the page of that station.
import { knock } from './demo.mjs';

/** So often a deviation is a habit. */
const HABIT = 3;

export async function tolerances(page, demo, { id, key }, ok) {
  const silent = () => knock(demo, id, key, { protocol: null });
  const panel = page.locator('section[aria-labelledby=quirks]');
  await panel.getByText('It never booted here, so its make is unknown').waitFor();
  for (let time = 0; time < HABIT; time += 1) if ((await silent()) !== 400) throw new Error('a station without a subprotocol is not refused');
  await panel.getByText(`It deviated ${HABIT} times, and that is not tolerated of it.`).waitFor();
  await panel.getByText('It weakens security.').waitFor();
  ok('a station that deviates again and again is suggested to be served, with what it costs');
  await panel.getByRole('button', { name: 'Tolerate it', exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Permit it' }).click();
  await panel.getByText('switched by a person').waitFor();
  if ((await silent()) !== 101) throw new Error('what is permitted is refused');
  ok('once permitted it is let in');
  await panel.getByRole('checkbox', { name: 'Strict mode' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Judge it strictly' }).click();
  await panel.getByText('Strict mode: nothing is tolerated').waitFor();
  if ((await silent()) !== 400) throw new Error('strict mode tolerates');
  await page.getByRole('button', { name: 'Undo' }).last().click();
  await panel.getByText('Strict mode: nothing is tolerated').waitFor({ state: 'detached' });
  if ((await silent()) !== 101) throw new Error('strict mode was not taken back');
  await panel.getByRole('button', { name: 'As usual: no-subprotocol' }).click();
  await panel.getByText('switched by a person').waitFor({ state: 'detached' });
  if ((await silent()) !== 400) throw new Error('the permission was not taken back');
  ok('strict mode judges by the letter until Undo, and a permission is taken back');
}
