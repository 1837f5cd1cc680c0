// The shapes of the people's API, in one place: what the pages expect of `/api`. Times are RFC 3339 in UTC, energy is
// whole watt-hours, power whole watts, money is decimal text (never a float). This file only describes; `client.ts` asks.

export type Time = string;
export interface Money { amount: string; currency: string }
export interface List<T> { items: T[]; total?: number; next?: string | null }
export interface ApiFault { error: { code: string; message: string; path?: string } }

export type PartyRole = 'operator' | 'hub' | 'provider';
export interface Party { slug: string; role: PartyRole; name: string; party: string }
/** `now` and `clock_factor` are the rooms' clock: a demo's may run faster than the wall's. */
export interface Parties { items: Party[]; demo: boolean; now?: Time; clock_factor?: number }

export type UserRole = 'admin' | 'viewer' | 'driver';
export interface Me { user: string; name: string; roles: UserRole[]; scopes?: string[] }

export interface ApiKey { id: number; name: string; scopes: string[]; created: Time; last_used: Time | null }
export interface User { id: number; user: string; name: string; role: UserRole; created: Time }
/** A secret that the server made; shown once and kept by nobody. */
export interface Once { id?: number; password?: string; key?: string }

/** What an event stream tells: ids only. The page refetches what it shows. */
export type EventKind =
  | 'station' | 'evse' | 'session' | 'cdr' | 'dispute' | 'order' | 'refusal' | 'route' | 'party' | 'invoice' | 'place' | 'booking';
/** `evse` carries its station's id, `refusal` none. */
export interface Event { kind: EventKind; id: string }

/** `flaw` says why a reading does not count. */
export interface Sample { at: Time; power_w: number | null; energy_wh?: number | null; flaw?: string }

// ---- operator ------------------------------------------------------------------------------------------------------

export interface OperatorOverview {
  stations: { total: number; connected: number; faulted: number };
  evses: { available: number; charging: number; faulted: number; other: number };
  sessions: { active: number; today: number; energy_today_wh: number };
  cdrs: { waiting: number; refused?: number; delivered_today: number };
  power_now_w: number;
  refusals_today: number;
  /** That stand and that nobody has seen. */
  alarms: number;
  power_history: Sample[];
}

export interface Evse {
  no: number;
  uid: string;
  evse_id: string | null;
  /** The station's own word (OCPP), e.g. `Preparing`. */
  state: string | null;
  fault: string | null;
  /** The word told to partners (OCPI 2.2.1, 8.4.5), e.g. `AVAILABLE`. */
  status: string;
  session: string | null;
  power_w: number | null;
}

export interface Station {
  id: string;
  vendor: string;
  model: string;
  firmware: string | null;
  serial: string | null;
  ocpp: string | null;
  connected: boolean;
  since: Time | null;
  last_seen: Time | null;
  profile: number;
  danger_plain_ws?: boolean;
  location: { id: string; name: string | null; city: string };
  evses: Evse[];
  warnings: string[];
}

export interface Setting { key: string; value: string | null; read_only: boolean }
export interface Boot { at: Time; admitted: string; reason: string | null; firmware: string | null }
export interface StationDetail extends Station {
  address: string;
  settings: Setting[];
  boots: Boot[];
  connection: { peer: string | null; certificate: { common_name: string; not_after: Time } | null };
}

export interface NewStation {
  id: string;
  profile: 2 | 3;
  location: string;
  serial?: string;
  evses: { no: number; evse_id?: string; plug: string; attached_cable: boolean; current: string; max_power_w: number; tariff?: string }[];
}
/** What the station needs to connect: a key (profile 2) or a certificate with its key (profile 3). */
export interface Credentials { id: string; key?: string; certificate_pem?: string; key_pem?: string }

export type OrderKind =
  | 'start' | 'stop' | 'reset' | 'unlock' | 'availability' | 'trigger' | 'read_settings' | 'write_settings' | 'clear_cache';
export interface StationOrder {
  kind: OrderKind;
  evse?: number;
  session?: string;
  reset?: 'soft' | 'hard';
  operative?: boolean;
  trigger?: 'boot' | 'status' | 'heartbeat' | 'meter';
  keys?: string[];
  values?: { key: string; value: string }[];
}
export type Outcome = 'accepted' | 'scheduled' | 'refused' | 'timed_out' | 'not_connected' | 'error';
export interface OrderOutcome {
  outcome: Outcome;
  message: string;
  settings?: Setting[];
  unknown?: string[];
  written?: { key: string; result: string }[];
}

/** Messages; with `searched_until` the log goes on, though it may have given fewer than were wanted. */
export interface LogPage { items: LogLine[]; next?: string; searched_until?: Time }
export interface LogLine { at: Time; direction: 'from' | 'to'; action: string; text: string; remarks: string[] }
export interface Refusal { at: Time; identity: string; peer: string; reason: string; status: number | string }

export interface OperatorSession {
  id: string;
  station: string;
  evse: string | null;
  location: string | null;
  location_name: string | null;
  start: Time;
  end: Time | null;
  end_reason?: string | null;
  state: string;
  energy_wh: number | null;
  power_w: number | null;
  cost: Money | null;
  provider: string | null;
  token: string | null;
  flags: string[];
}
/** `dimension` is null for VAT and for a minimum or maximum of the tariff. */
export interface CostLine { dimension?: Dimension | null; text: string; quantity: string; unit: string; amount: Money | string }
export type VerdictWord = 'valid' | 'valid with remarks' | 'not valid' | 'cannot be checked';
export interface Evidence { verdict: VerdictWord; detail: [string, string][]; remarks: string[] }
export interface OperatorSessionDetail extends OperatorSession {
  curve: Sample[];
  tariff: { id: string; text: string } | null;
  lines: CostLine[];
  evidence: Evidence | null;
  /** How many signed records there are to download. */
  records: number;
  cdr: string | null;
}

export type CdrState = 'waiting' | 'delivered' | 'refused';
export interface Cdr {
  id: string;
  session: string | null;
  start: Time;
  end: Time;
  energy_wh: number;
  total: Money;
  net?: Money | null;
  provider: string | null;
  state: CdrState;
  attempts: number;
  why?: string | null;
  delivered_at: Time | null;
  verdict?: VerdictWord;
  remark?: string | null;
}

export interface PartyVolume { party: string; sessions: number; cdrs: number; cdrs_waiting: number; last_session: Time | null }
export interface AuditLine { at: Time; actor: string; action: string; subject: string; outcome: string }

export type Dimension = 'ENERGY' | 'FLAT' | 'TIME' | 'PARKING_TIME';
/** The price is net; `vat` is percent; `step` is in the unit of OCPI 2.2.1, 11.4.2 (Wh or seconds). */
export interface PriceComponent { kind: Dimension; price: string; vat: string | null; step: number }
/** Times and dates are the location's wall clock; nothing given means always. */
export interface Restrictions {
  start_time?: string; end_time?: string; start_date?: string; end_date?: string; days?: string[];
  min_wh?: number; max_wh?: number; min_w?: number; max_w?: number; min_duration_s?: number; max_duration_s?: number;
}
export interface TariffElement { components: PriceComponent[]; restrictions?: Restrictions }
/** Before VAT; `vat` is percent. */
export interface TariffFee { price: string; vat: string | null }
export interface Tariff {
  id: string;
  currency: string;
  text: string | null;
  elements: TariffElement[];
  /** Asked once for a booking that no session comes of. */
  booking?: { expires: TariffFee | null; cancellation: TariffFee | null };
  last_updated?: Time;
  used_by?: number;
}
export interface PreviewWish {
  tariff: Pick<Tariff, 'currency' | 'text' | 'elements'>;
  start?: Time; time_zone: string; energy_wh: number; charging_min: number; parking_min: number;
}
export interface Preview {
  offers: { dimension: Dimension; gross: string; unit: string; condition: string | null; now: boolean }[];
  lines: CostLine[];
  net: Money;
  gross: Money;
  notes: string[];
  findings: { error: boolean; path: string; text: string }[];
}
export interface LocationEvse {
  uid: string; evse_id: string | null; status: string; physical_reference: string | null; plugs: string[]; max_power_w: number;
  /** In the words of OCPI 2.2.1, 8.4.3. */
  capabilities: string[];
}
export type AlarmKind =
  | 'evse_fault' | 'station_fault' | 'station_away' | 'certificate_ends' | 'session_unclaimed' | 'session_flagged'
  | 'record_refused' | 'reading_unplaced';
/** Stands while its reason stands; `id` is of this one occurrence. */
export interface OperatorAlarm {
  id: string; kind: AlarmKind; subject: string; station: string | null; session: string | null; since: Time; detail: string;
  seen: { at: Time; by: string } | null;
}
export interface Meter {
  evse: string; evse_id: string | null; station: string; no: number | null; location: string; location_name: string | null;
  key: { spki_hex: string; fingerprint: string | null; confirmed: boolean } | null;
}
export interface Location {
  id: string;
  name: string | null;
  address: string;
  city: string;
  postal_code: string | null;
  country: string;
  lat: string;
  lon: string;
  evses: LocationEvse[];
  time_zone: string;
}

// ---- hub -----------------------------------------------------------------------------------------------------------

export interface HubOverview {
  parties: number;
  operators: number;
  providers: number;
  tokens_indexed: number;
  letters_today: number;
  bytes_today: number;
  failures_today: number;
  history: { at: Time; count: number }[];
}
/** How often a provider offered cards that belong to another one. */
export interface HubConflict { writer: string; day: Time; count: number }
/** How a partner differs from its standard, as far as the hub does as it wants. */
export interface HubHabits { raw_token: boolean; version: string | null; unknown_is_ok: boolean; times: string; ids: string; hashes: string }
/** A measure of thrift as it stands for a partner. */
export interface HubMeasure { measure: string; says: string; standing: 'always' | 'switch' | 'nothing'; why: string | null; on: boolean; by_default: boolean | null }
export interface HubPartner {
  party: string; name: string; protocol: string; invited: boolean; roles: { role: string; status: string }[];
  addresses: { service: string; url: string }[]; certificate: string | null; entry: string | null; local: boolean;
  habits: HubHabits | null; seen: { what: string; count: number }[]; suggested: HubHabits | null; last_seen: Time | null;
}
export interface TrialStep { what: string; held: boolean; found: string; advice: string | null }
export interface HubTrial { held: boolean; steps: TrialStep[]; suggested: HubHabits | null }
/** Where an operator or a provider is registered. A step that did not hold says what was found and what to ask. */
export interface Registration {
  party: string; registered: boolean; name: string | null; versions_url: string | null; version: string | null; configured: boolean;
  renews: Time | null; failed_renewal: RegistrationDeed | null; deeds: RegistrationDeed[];
}
export interface RegistrationDeed { at: Time; by: string | null; what: 'register' | 'renew' | 'leave'; held: boolean; found: string | null; advice: string | null }
/** What the receiver has no word for: a place and why, never a value. */
export interface HubLoss { from: string; to: string; errand: string; what: string; count: number; last: Time }
export interface HubAuditLine { at: Time; actor: string; action: string; subject: string }
export interface HubParty { party: string; name: string; role: string; status: string; last_seen: Time | null }
export interface Route {
  from: string; to: string; errand: string; count: number; bytes: number; failures: number; last: Time | null;
}

// ---- provider: the clerk's pages -----------------------------------------------------------------------------------

export interface ProviderOverview {
  drivers: number;
  cards: number;
  sessions: { active: number; today: number; energy_today_wh: number };
  cdrs: { today: number; valid: number; not_valid: number };
  disputes_open: number;
  alarms?: number;
  invoices: { open: number; issued: number };
}
export interface Driver {
  id: string; name: string; contract: string; state: 'good' | 'suspended' | 'ended'; blocked: boolean; cards: number; joined: Time;
  credit_cap: Money | null;
}
export interface SignedUp { id: string; user: string; password: string }
export interface Alarm { at: Time; party: string; kind: string }
export interface Card { id: string; label: string; masked: string; blocked: boolean; driver?: string }
export interface ProviderSession {
  id: string;
  driver: string;
  operator: string;
  /** Forgotten once the time for disputes is over. */
  place: Place | null;
  evse_id: string | null;
  start: Time;
  end: Time | null;
  state: string;
  energy_wh: number | null;
  cost: Money | null;
}
export interface ProviderCdr extends Omit<Cdr, 'state' | 'attempts' | 'delivered_at' | 'provider'> {
  no: string;
  operator: string;
  driver: string;
  credit: boolean;
  verdict: VerdictWord;
  dispute: string | null;
  dispute_state: 'open' | 'accepted' | 'rejected' | null;
}
export interface Difference { path: string; theirs: string; ours: string }
export interface Dispute {
  id: string;
  cdr: string;
  operator: string;
  raised: Time;
  state: 'open' | 'accepted' | 'rejected';
  settled: Time | null;
  settled_by: string | null;
  differences: Difference[];
}

// ---- driver --------------------------------------------------------------------------------------------------------

export interface Place { name: string | null; address: string; city: string }
export interface PlaceSummary extends Place {
  location: string;
  operator: string;
  operator_name?: string | null;
  lat: string | number;
  lon: string | number;
  available: number;
  total: number;
  max_power_w: number | null;
}
/** `label` says the unit in plain words ("per kWh"); `gross` includes VAT. */
export interface Offer { label: string; gross: string; currency: string }
export interface PlaceEvse {
  uid: string;
  evse_id: string | null;
  status: string;
  /** Painted on the pole. */
  reference?: string | null;
  connectors: { plug: string; power_w: number | null; current: string }[];
  tariff: { id: string; stamp: string; text: string | null; offers: Offer[] } | null;
}
export interface PlaceDetail extends PlaceSummary { evses: PlaceEvse[] }

export type DriverOrderState = 'sent' | 'acknowledged' | 'started' | 'stopped' | 'refused' | 'timed_out';
export interface StartWish { operator: string; location: string; evse: string; tariff_stamp: string }
/** POST answers with the order's id as `order`; GET answers with it as `id`. */
export interface DriverOrder {
  id?: string; order?: string; state: DriverOrderState; message?: string; session?: string | null;
}

/** A wish about the power of a session; `happened` where the station said yes. */
export interface SessionLimitWish {
  id: string; most_w: number | null; state: 'sent' | 'acknowledged' | 'happened' | 'refused' | 'timed_out'; message: string; given: Time; deadline: Time;
}
export interface SessionPlan { calculated: Time; unit: 'W' | 'A'; periods: { from: Time; limit: string }[] }
export interface SessionLimit { limit: SessionLimitWish | null; look: SessionLimitWish | null; plan: SessionPlan | null }

export interface DriverSession {
  id: string;
  /** Forgotten once the time for disputes is over. */
  place: Place | null;
  evse_id: string | null;
  start: Time;
  end: Time | null;
  state: string;
  energy_wh: number | null;
  power_w: number | null;
  cost: Money | null;
  verdict: VerdictWord | null;
}
export interface Contract { name: string; email: string; contract: string; state: string; valid_until: Time | null; credit_cap: Money | null }
export interface Learned { party: string; role: string; fields: string[] }
export interface DriverSessionDetail extends DriverSession {
  curve: Sample[];
  tariff?: string | null;
  lines: CostLine[];
  evidence: Evidence | null;
  learned: Learned[];
}

export interface InvoiceLine {
  text: string; quantity: string; unit: string; net: Money | string; vat_percent: string; session: string | null;
}
export interface Invoice {
  id: string;
  number: string | null;
  month: string;
  state: 'open' | 'issued';
  driver?: string;
  seller?: string;
  total: Money;
  lines?: InvoiceLine[];
  vat?: { percent: string; net: Money | string; vat: Money | string; gross: Money | string }[];
}
