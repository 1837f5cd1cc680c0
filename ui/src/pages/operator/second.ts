// What is written of a second back-end: what was shown of it without how it does, and without what proves the stations.
import type { SecondBackEnd } from '../../api.daily';

export type SecondPolicy = Pick<SecondBackEnd,
  'address' | 'version' | 'mode' | 'allow' | 'obey' | 'tokens' | 'stations' | 'location' | 'buffer_max' | 'local' | 'roots' | 'paused'>;

export function policy({ address, version, mode, allow, obey, tokens, stations, location, buffer_max, local, roots, paused }: SecondPolicy): SecondPolicy {
  return { address, version, mode, allow, obey, tokens, stations, location, buffer_max, local, roots, paused };
}

/** What a platform that shows stations and settles sessions needs, and nothing of people. */
export const USUALLY_SEEN = ['StatusNotification', 'StartTransaction', 'StopTransaction', 'TransactionEvent', 'MeterValues'];
