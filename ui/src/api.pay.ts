// What paying at a station without a contract sends and gets.
import type { CostLine, Evidence, Money, Time } from './api';

export interface PayOffer { label: string; gross: string; currency: string; now: boolean }
export interface PaidSession {
  id: string; start: Time; end: Time | null;
  energy_wh: number; power_w: number | null;
  cost: Money | null; net: Money | null; lines: CostLine[];
  evidence: Evidence;
  records: number;
}
export interface Payment {
  stage: 'opened' | 'declined' | 'starting' | 'plug' | 'charging' | 'closing' | 'settled' | 'released' | 'lapsed';
  operator: string; station: string; evse: number; evse_id: string | null;
  place: string; city: string;
  offers: PayOffer[]; tariff_text: string | null; currency: string;
  /** What the driver chose at the station to spend. */
  wish: string | null;
  means: { id: string; name: string }[];
  held: Money | null; taken: Money | null; why: string | null;
  until: Time;
  session: PaidSession | null;
}
export interface CodesOffered { /** Null where no payment provider is connected. */ offered: boolean | null }
