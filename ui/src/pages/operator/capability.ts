// What an EVSE can do, in the order of OCPI 2.2.1, 8.4.3, each with the words of a person.
export const CAPABILITIES: [string, string][] = [
  ['CHARGING_PROFILE_CAPABLE', 'Takes charging profiles'],
  ['CHARGING_PREFERENCES_CAPABLE', "Takes a driver's preferences"],
  ['CHIP_CARD_SUPPORT', 'Terminal for chip cards'],
  ['CONTACTLESS_CARD_SUPPORT', 'Terminal for contactless cards'],
  ['CREDIT_CARD_PAYABLE', 'Payable by credit card'],
  ['DEBIT_CARD_PAYABLE', 'Payable by debit card'],
  ['PED_TERMINAL', 'Terminal with a pin pad'],
  ['REMOTE_START_STOP_CAPABLE', 'Started and stopped from afar'],
  ['RESERVABLE', 'Reservable'],
  ['RFID_READER', 'Card reader'],
  ['START_SESSION_CONNECTOR_REQUIRED', 'A remote start names the connector'],
  ['TOKEN_GROUP_CAPABLE', 'Tokens of a group count as one'],
  ['UNLOCK_CAPABLE', 'Plug unlocked from afar'],
];

const WORDS = new Map(CAPABILITIES);
export const capability = (name: string): string => WORDS.get(name) ?? name;
