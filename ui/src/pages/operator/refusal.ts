// What to do about a refusal at the door, from the words that the door gave: closer than the status alone can say.
const REMEDIES: [words: RegExp, next: string][] = [
  [/not enrolled|no station is enrolled/i, 'Enrol a station with this id, or correct the id in the station’s address.'],
  [/retired/i, 'It was retired here. Enrol it again if it is to come back.'],
  [/not encrypted/i, 'Set the station’s address to wss:// instead of ws://.'],
  [/no client certificate|presented no/i, 'Put the certificate that was shown at enrolment into the station.'],
  [/serial number/i, 'The certificate belongs to another station: exchange it, or enrol this one with its own serial number.'],
  [/expired/i, 'Make a new certificate by enrolling the station anew, and check its clock.'],
  [/authorit/i, 'The certificate comes from an authority that is not trusted here: use the one from the enrolment.'],
  [/no HTTP Basic|no password/i, 'Enter the station’s key (AuthorizationKey) in the station.'],
  [/user name/i, 'The user name must be the station’s id.'],
  [/key is not|wrong password/i, 'Make a new key on the station’s page and enter it in the station.'],
  [/subprotocol|Sec-WebSocket-Protocol|offered/i, 'Set the station to OCPP 1.6 JSON or OCPP 2.0.1.'],
  [/too many|busy|overload/i, 'It tries too often: it is let in when it waits a moment.'],
];

/** Nothing where the words say no more than the status. */
export function remedy(reason: string): string | null {
  return REMEDIES.find(([words]) => words.test(reason))?.[1] ?? null;
}
