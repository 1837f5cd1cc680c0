// The shapes of booking, for drivers and for the operator's people. Times are RFC 3339 in UTC, spans are whole minutes.
import type { Money, Time } from './api';

/** As OCPI writes it (2.3.0, Bookings 1.1). */
export type BookingStatus = 'PENDING' | 'RESERVED' | 'REJECTED' | 'FAILED' | 'FULFILLED' | 'CANCELED' | 'NO_SHOW' | 'UNKNOWN';

/** What can be booked at one charging point; `id` is named when booking. */
export interface Bookable {
  id: string;
  evse: string | null;
  free: { from: Time; to: Time }[];
  shortest: number | null;
  longest: number | null;
  early: number;
  noshow: number | null;
  change_until: number;
  cancel_until: number;
  noshow_fee: Money | null;
  cancel_fee: Money | null;
  terms_url: string | null;
}
export interface BookWish { operator: string; location: string; bookable: string; card: string; from: Time; to: Time }
export interface DriverBooking {
  id: string;
  operator: string;
  location: string;
  evse: string | null;
  card: string;
  from: Time;
  to: Time;
  status: BookingStatus;
  cancel_reason: string | null;
  canceled_by: 'CPO' | 'EMSP' | 'OTHER' | null;
  message: string;
  early: number;
  noshow: number | null;
  change_until: number;
  cancel_until: number;
  given: Time;
}

export interface BookingTerms {
  early: number; noshow: number; late: number; shortest: number; longest: number; change_until: number; cancel_until: number;
}
/** A booking, without the card that it is for. */
export interface OperatorBooking {
  id: string;
  giver: string;
  station: string;
  evse_no: number;
  evse: string;
  from: Time;
  to: Time;
  status: BookingStatus;
  cancel_reason: string | null;
  canceled_by: 'CPO' | 'EMSP' | 'OTHER' | null;
  /** The station keeps the point for it now. */
  held: boolean;
  why: string | null;
  made: Time;
}
export interface StationBookings { evses: { no: number; evse: string; terms: BookingTerms | null }[]; bookings: OperatorBooking[] }
