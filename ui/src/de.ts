// German for every sentence of the pages, keyed by the English one; in parts by who reads them.
import { bookings } from './de/bookings';
import { daily } from './de/daily';
import { driver } from './de/driver';
import { office } from './de/office';
import { partners } from './de/partners';
import { pay } from './de/pay';
import { quirks } from './de/quirks';
import { registration } from './de/registration';
import { seconds } from './de/seconds';
import { shared } from './de/shared';
import { upkeep } from './de/upkeep';

export const parts: Record<string, string>[] = [shared, driver, office, partners, daily, upkeep, quirks, seconds, pay, bookings, registration];
export const de: Record<string, string> = Object.assign({}, ...parts);
