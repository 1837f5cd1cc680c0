//! The world that the demo lives in, from a seed: places in one city, stations of two generations, drivers.
//!
//! The same seed makes the same world, names and ids included; only secrets are drawn from the machine.

use charge::clock::SeededDice;
use charge::id::{ConnectorId, EvseId, EvseUid, LocationId, PartyId, StationId, TariffId};
use charge::money::Currency;
use charge::place::{Connector, Current, Evse, EvseStatus, Location, Plug, Position};
use charge::talk::line::Version;
use charge::tariff::{BookingFees, Component, Dimension, Element, Restrictions, Tariff};
use charge::units::Power;
use charge::{Decimal, Dice, Timestamp};

/// EVSEs of every station of the demo.
pub(crate) const EVSES: u16 = 2;
/// Every fifth station is a fast one.
const FAST_EVERY: usize = 5;
/// Of so many stations one speaks OCPP 1.6 over SOAP and one OCPP 1.5.
const SOAP_EVERY: usize = 20;
/// And one of so many the newest version.
const NEWEST_EVERY: usize = 8;
const AC_POWER: Power = Power::from_watts(22_000);
const DC_POWER: Power = Power::from_watts(150_000);
/// Drivers per provider for every ten stations: enough that most EVSEs see one.
const DRIVERS_PER_TEN: usize = 6;

/// Name, address, post code, latitude and longitude in ten-millionths of a degree.
const PLACES: [(&str, &str, &str, i64, i64); 10] = [
    ("Hauptbahnhof Ostseite", "Brandenburger Straße 2", "04103", 513_459_000, 123_866_000),
    ("Augustusplatz", "Augustusplatz 9", "04109", 513_387_000, 123_810_000),
    ("Clara-Zetkin-Park", "Karl-Tauchnitz-Straße 30", "04107", 513_312_000, 123_598_000),
    ("Neue Messe Nord", "Messe-Allee 1", "04356", 513_962_000, 124_038_000),
    ("Südplatz", "Karl-Liebknecht-Straße 62", "04275", 513_218_000, 123_733_000),
    ("Plagwitzer Höfe", "Weißenfelser Straße 65", "04229", 513_243_000, 123_325_000),
    ("Lindenauer Markt", "Lindenauer Markt 13", "04177", 513_357_000, 123_331_000),
    ("Cospudener See", "Hafenstraße 23", "04416", 512_743_000, 123_512_000),
    ("Waldplatz", "Jahnallee 52", "04109", 513_424_000, 123_585_000),
    ("Völkerschlachtdenkmal", "Straße des 18. Oktober 100", "04299", 513_124_000, 124_132_000),
];

const FIRST_NAMES: [&str; 20] = [
    "Ada", "Ben", "Carla", "David", "Elif", "Finn", "Greta", "Hannes", "Ida", "Jonas", "Klara", "Levin", "Mila",
    "Noah", "Olga", "Paul", "Rosa", "Samir", "Tilda", "Yara",
];
const LAST_NAMES: [&str; 12] = [
    "Albrecht", "Brandt", "Demir", "Engel", "Franke", "Hartung", "Jansen", "Keller", "Lorenz", "Nowak", "Richter",
    "Seidel",
];

/// Everything of the demo but its secrets.
pub(crate) struct World {
    pub(crate) tariffs: Vec<Tariff>,
    pub(crate) locations: Vec<Location>,
    pub(crate) stations: Vec<Station>,
    /// Drivers of each provider, in the order of the providers.
    pub(crate) drivers: Vec<Vec<Person>>,
}

pub(crate) struct Station {
    pub(crate) id: StationId,
    pub(crate) serial: String,
    pub(crate) version: Version,
    pub(crate) fast: bool,
    pub(crate) location: LocationId,
    pub(crate) evses: Vec<Evse>,
}

pub(crate) struct Person {
    pub(crate) name: String,
    /// Seven bytes in hex: four-byte uids are guessable at any reader of any system.
    pub(crate) card: String,
}

impl World {
    pub(crate) fn from_seed(seed: u64, operator: PartyId, providers: usize, stations: u16, now: Timestamp) -> Self {
        let dice = SeededDice::new(seed);
        let tariffs = tariffs(operator, now);
        let count = usize::from(stations);
        let mut locations: Vec<Location> = Vec::new();
        let mut made = Vec::new();
        for number in 0..count {
            let place = number % PLACES.len();
            if locations.len() <= place {
                locations.extend(location(operator, place, now));
            }
            let Some(location) = locations.get_mut(place) else { continue };
            if let Some(station) = station(&dice, operator, number, &location.id, now) {
                location.evses.extend(station.evses.iter().cloned());
                made.push(station);
            }
        }
        let crowd = (count * DRIVERS_PER_TEN / 10).max(4);
        let drivers = (0..providers).map(|_| (0..crowd).map(|_| person(&dice)).collect()).collect();
        Self { tariffs, locations, stations: made, drivers }
    }
}

/// The tariff ids of the demo's slow and fast EVSEs.
pub(crate) fn tariff_ids() -> [Option<TariffId>; 2] {
    [TariffId::new("AC-2026").ok(), TariffId::new("DC-2026").ok()]
}

/// Per kilowatt-hour, and for a car that stays on a slow point after charging, per hour: the form that the law wants
/// (AFIR, article 5(4)).
fn tariffs(party: PartyId, now: Timestamp) -> Vec<Tariff> {
    let vat = Some(Decimal::from(19));
    let component = |dimension, cents: i64, step_size| Component {
        dimension,
        price: Decimal::new(cents, 2),
        vat_percent: vat,
        step_size,
    };
    let element = |components| Element { components, restrictions: Restrictions::default() };
    let [ac, dc] = tariff_ids();
    let wishes = [
        (ac, "0.595 EUR per kWh; 0.0595 EUR per minute after charging; with VAT", 50, 300),
        (dc, "0.714 EUR per kWh; 0.119 EUR per minute after charging; with VAT", 60, 600),
    ];
    let tariff = |(id, text, energy, parking): (Option<TariffId>, &str, i64, i64)| {
        Some(Tariff {
            party,
            id: id?,
            currency: Currency::EUR,
            text: Some(text.to_owned()),
            elements: vec![element(vec![
                component(Dimension::Energy, energy, 1),
                component(Dimension::ParkingTime, parking, 60),
            ])],
            min_price: None,
            max_price: None,
            valid_from: None,
            valid_until: None,
            booking: BookingFees::default(),
            last_updated: now,
        })
    };
    wishes.into_iter().filter_map(tariff).collect()
}

fn location(party: PartyId, place: usize, now: Timestamp) -> Option<Location> {
    let (name, address, postal_code, lat, lon) = PLACES[place];
    Some(Location {
        party,
        id: LocationId::new(format!("LEJ-{:02}", place + 1)).ok()?,
        name: Some(name.to_owned()),
        address: address.to_owned(),
        city: "Leipzig".to_owned(),
        postal_code: Some(postal_code.to_owned()),
        country: "DEU".to_owned(),
        position: Position::new(lat, lon)?,
        time_zone: "Europe/Berlin".to_owned(),
        operator_name: None,
        evses: Vec::new(),
        last_updated: now,
    })
}

fn station(dice: &dyn Dice, party: PartyId, number: usize, location: &LocationId, now: Timestamp) -> Option<Station> {
    let fast = number % FAST_EVERY == FAST_EVERY - 1;
    let version = match number {
        _ if number % SOAP_EVERY == SOAP_EVERY - 4 => Version::S16,
        _ if number % SOAP_EVERY == SOAP_EVERY - 2 => Version::S15,
        _ if number.is_multiple_of(2) => Version::V16,
        _ if number % NEWEST_EVERY == NEWEST_EVERY - 3 => Version::V21,
        _ => Version::V201,
    };
    let id = StationId::new(format!("LEJ{:03}", number + 1)).ok()?;
    let evses = (1..=EVSES).map(|no| evse(party, number, no, fast, now)).collect::<Option<Vec<_>>>()?;
    let serial = format!("LY-{}", dice.letters(8));
    Some(Station { id, serial, version, fast, location: location.clone(), evses })
}

fn evse(party: PartyId, number: usize, no: u16, fast: bool, now: Timestamp) -> Option<Evse> {
    let [ac, dc] = tariff_ids();
    let connector = Connector {
        id: ConnectorId::new("1").ok()?,
        plug: if fast { Plug::CcsType2 } else { Plug::Type2 },
        attached_cable: fast,
        current: if fast { Current::Dc } else { Current::Ac3Phase },
        max_voltage_v: if fast { 920 } else { 400 },
        max_amperage_a: if fast { 200 } else { 32 },
        max_power: if fast { DC_POWER } else { AC_POWER },
        tariffs: vec![(if fast { dc } else { ac })?],
    };
    Some(Evse {
        uid: EvseUid::new(format!("LEJ{:03}-{no}", number + 1)).ok()?,
        id: EvseId::new(format!("{}*{}*E{:04}*{no}", party.country(), party.code(), number + 1)).ok(),
        status: EvseStatus::Unknown,
        connectors: vec![connector],
        capabilities: charge::place::Capabilities::NONE,
        physical_reference: Some(format!("{}{no}", number + 1)),
        last_updated: now,
    })
}

fn person(dice: &dyn Dice) -> Person {
    let mut uid = [0u8; 7];
    dice.fill(&mut uid);
    uid[0] = 0x04;
    let pick = |names: &'static [&'static str]| {
        let at = dice.below(names.len() as u64);
        usize::try_from(at).ok().and_then(|at| names.get(at)).copied().unwrap_or_default()
    };
    let name = format!("{} {}", pick(&FIRST_NAMES), pick(&LAST_NAMES));
    Person { name, card: trust::hex::encode(&uid).to_uppercase() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    fn world(seed: u64) -> World {
        World::from_seed(seed, PartyId::new("DE", "VLT").unwrap(), 2, 20, Timestamp::from_secs(0))
    }

    #[test]
    fn twenty_stations_have_forty_evses_of_two_generations() {
        let world = world(1);
        assert_eq!(world.stations.len(), 20);
        assert_eq!(world.locations.iter().map(|place| place.evses.len()).sum::<usize>(), 40);
        let speak = |version| world.stations.iter().filter(|station| station.version == version).count();
        let counts = [Version::S15, Version::S16, Version::V16, Version::V201, Version::V21].map(speak);
        assert_eq!(counts, [1, 1, 8, 8, 2]);
        assert_eq!(world.tariffs.len(), 2);
    }

    #[test]
    fn the_same_seed_makes_the_same_world() {
        let cards = |seed| world(seed).drivers.concat_cards();
        assert_eq!(cards(7), cards(7));
        assert_ne!(cards(7), cards(8));
    }

    trait Cards {
        fn concat_cards(&self) -> String;
    }

    impl Cards for Vec<Vec<Person>> {
        fn concat_cards(&self) -> String {
            self.iter().flatten().map(|person| person.card.as_str()).collect()
        }
    }
}
