// German for every sentence of the pages, keyed by the English one; in three parts by who reads them.
import { driver } from './de/driver';
import { office } from './de/office';
import { shared } from './de/shared';

export const de: Record<string, string> = { ...shared, ...driver, ...office };
