// The shapes of the operator's daily work on stations: what `/api/p/operator` answers about settings, cards,
// reservations, charging profiles, models, files, firmware, certificates, and refusals. This file only describes.
import type { OrderOutcome, Time } from './api';

export interface Composite {
  evse: number | null; start: Time; duration_s: number; unit: 'W' | 'A';
  periods: { start: number; limit: string | null; phases: number | null; discharge_limit: string | null; setpoint: string | null }[];
}
/** What a station said to a word; where the rest comes later, `request` is its number. */
export interface Told extends OrderOutcome { request?: number | null; answer?: Record<string, unknown> | null }

export interface KeyValue { key: string; value: string }
export interface Template {
  name: string; version: string | null; vendor: string | null; model: string | null; location: string | null;
  after_boot: boolean; values: KeyValue[];
}
export interface Difference { key: string; wanted: string; found: string | null; fixed: boolean; accepted: boolean }
export interface Drift { station: string; template: string; after_boot: boolean; differences: Difference[] }

export interface TokenList {
  version: number; told: number | null; uncertain: boolean; sent: Time | null; outcome: string | null;
  entries: { id: string; place: 'new' | 'there' | 'leaving'; until: Time; added: Time; by: string }[];
}

export interface Reservation {
  id: number; station: string; evse: number | null; until: Time;
  state: 'asked' | 'held' | 'refused' | 'used' | 'cancelled' | 'expired' | 'removed';
  why: string | null; giver: string | null; session: string | null; asked: Time; changed: Time;
}

export type RequestState = 'asked' | 'going' | 'done' | 'failed' | 'refused';
export interface StationRequest {
  number: number; station: string; kind: string; by: string; asked: Time; state: RequestState; status: string | null; changed: Time;
}
export interface Upload extends StationRequest { name: string | null; bytes: number | null; received: Time | null; there: boolean; open_until: Time }

export interface News { cursor: number; station: string; at: Time; kind: string; evse: number | null; severity: number | null; text: string; document: unknown }

export type DenialKind = 'connection' | 'tap' | 'order';
export interface Denial {
  at: Time; station: string; evse: number | null; kind: DenialKind; order: string | null; by: string | null; what: string; next: string;
}

export interface Tolerance {
  quirk: string; told: string; on: boolean; because: 'usual' | 'profile' | 'operator' | 'strict'; profile: string | null;
  weakens_security: boolean; met: number; last: Time | null; example: string | null;
}
export interface QuirkSuggestion { station: string; quirk: string; text: string; weakens_security: boolean; met: number; last: Time }
export interface StationQuirks {
  make: { vendor: string; model: string; firmware: string }; strict: boolean; profiles: string[];
  tolerances: Tolerance[]; suggestions: QuirkSuggestion[]; refused_keys: string[];
}

export interface QuirkWord { quirk: string; told: string; usual: boolean; weakens_security: boolean }
export interface QuirkProfile { name: string; vendor: string; model: string; firmware: string; on: string[]; off: string[]; shipped?: boolean }

export interface SecondStanding {
  station: string; connected: boolean; buffered: number; sent: number; dropped: number; refused: number; lost: number;
  obeyed: number; denied: number; last_error: string | null;
}
export interface SecondBackEnd {
  name: string; address: string; version: string; mode: 'mirror' | 'relay'; allow: string[]; obey: string[];
  tokens: 'pseudonym' | 'drop' | 'danger_pass'; stations: string[]; location: string | null; buffer_max: number;
  local: boolean; roots: string; paused: boolean; has_password: boolean; has_certificate: boolean; changed: Time;
  standings: SecondStanding[];
}
export interface SecondWords { allow: string[]; obey: string[] }

export interface ExpertOutcome { answer: unknown; code: string | null; error: string | null; took_ms: number }

export interface Variable {
  name: string; attribute: string; value: string | null; read_only: boolean; write_only: boolean; persistent: boolean;
  characteristics: Record<string, unknown> | null; told: Time;
}
export interface Monitor { id: number; variable: string; monitor: string; value: string; severity: number; in_transaction: boolean }
export interface InstalledProfile {
  evse: number | null; id: number; purpose: string; kind: string; stack_level: number; source: string;
  valid_from: Time | null; valid_until: Time | null; limits: string; told: Time;
}
export interface ShownMessage {
  id: number; priority: string; state: string | null; from: Time | null; until: Time | null; language: string | null; text: string;
}
export interface StationModel {
  variables: Variable[]; monitors: Monitor[]; streams: { id: number; monitor: number; latest: string | null; at: Time | null }[];
  profiles: InstalledProfile[]; displays: ShownMessage[];
}

export type Purpose = 'station_max' | 'default' | 'transaction' | 'priority' | 'local_generation';
export interface ProfileBody {
  id: number; stack_level: number; purpose: Purpose; kind: 'absolute' | 'daily' | 'weekly' | 'relative' | 'dynamic';
  valid_from?: Time; valid_until?: Time; transaction?: string;
  schedules: { id?: number; start?: Time; duration_s?: number; unit: 'W' | 'A'; periods: { start: number; limit: string }[] }[];
}

export interface Firmware {
  id: string; vendor: string; model: string | null; version: string; signed: boolean; elsewhere: boolean; there: boolean;
  bytes: number | null; sha256: string | null; added: Time;
}
export type CampaignState = 'running' | 'paused' | 'stopped' | 'done';
export interface CampaignStation { station: string; wave: number; state: 'waiting' | RequestState; status: string | null; changed: Time }
export interface Campaign {
  id: string; firmware: string; wave_percent: number; pause_s: number; failures_max: number; state: CampaignState;
  why: string | null; begun: Time; stations: CampaignStation[];
}

export interface IssuedCertificate {
  id: number; station: string; state: 'issued' | 'accepted' | 'rejected' | 'unsent' | 'refused'; why: string | null;
  common_name: string | null; serial: string | null; fingerprint: string | null; not_after: Time | null; asked: Time;
}
export type TrustedFor = 'v2g_root' | 'mo_root' | 'operator_root' | 'manufacturer_root' | 'oem_root' | 'v2g_chain';
export interface CertificateHash { algorithm: string; issuer_name: string; issuer_key: string; serial: string }
export interface HeldCertificate { trusted_for: TrustedFor; hash: CertificateHash; child: boolean; told: Time }
