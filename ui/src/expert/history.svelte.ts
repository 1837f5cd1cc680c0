// What was sent from the expert consoles and what came back, for as long as this page is open. It is kept nowhere else:
// payloads may name people, and the audit of the server keeps their form only.
import type { ExpertOutcome } from '../api.daily';

const KEPT = 30;
export interface Sent { id: number; at: string; station: string; action: string; payload: string; outcome: ExpertOutcome }

let next = 1;
const sent = $state<{ all: Sent[] }>({ all: [] });

export function remember(one: Omit<Sent, 'id'>): void { sent.all = [{ id: next++, ...one }, ...sent.all].slice(0, KEPT); }
export function sentTo(station: string): Sent[] { return sent.all.filter((one) => one.station === station); }
