//! Imports a charging register: the CSV that the Bundesnetzagentur publishes, with all the faults of the field.
//!
//! Every row is read as far as it can be, every fault is told with its row, its column and what to do. What the map
//! can show becomes a location; what it cannot (no position in the country) is left out and counted. Nothing is
//! corrected silently: a swapped position is put right only with a line in the report that says so.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use billing::record::PublicKey;
use charge::id::{ConnectorId, EvseId, EvseUid, LocationId, PartyId, TariffId};
use charge::place::{Connector, Current, Evse, EvseStatus, Location, Plug, Position};
use charge::units::Power;
use charge::{Decimal, Timestamp};
use country_boundaries::{BOUNDARIES_ODBL_360X180, CountryBoundaries, LatLon};
use serde::Serialize;

use crate::Failure;

/// The country of the register.
const COUNTRY: &str = "DE";
/// A row names at most four charging points with plugs, power and key.
const POINTS_MAX: usize = 4;
/// Closer than this to 0°N 0°E there is only sea, and positions that somebody forgot to fill in (1/100 degree).
const NULL_ISLAND_E7: i64 = 100_000;
/// More than this is not a charging point but a typing error: watts for kilowatts.
const POWER_KW_MAX: i64 = 1_500;

/// What an import brought.
pub(crate) struct Imported {
    pub(crate) locations: Vec<Location>,
    pub(crate) report: Report,
}

/// The report of an import, one JSON document.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    pub(crate) rows: usize,
    pub(crate) imported: usize,
    pub(crate) left_out: usize,
    /// Usable meter keys by curve, and those that are none.
    pub(crate) meter_keys: HashMap<String, usize>,
    pub(crate) faults_by_rule: HashMap<&'static str, usize>,
    pub(crate) faults: Vec<Fault>,
}

impl Report {
    /// What came in and what was wrong, for a terminal: the rules with their counts and the first rows of each.
    pub(crate) fn show(&self, file: &Path) {
        const EXAMPLES: usize = 3;
        println!("{}: {} rows, {} on the map, {} left out", file.display(), self.rows, self.imported, self.left_out);
        let mut rules: Vec<(&str, usize)> = self.faults_by_rule.iter().map(|(rule, count)| (*rule, *count)).collect();
        rules.sort_by_key(|(rule, count)| (std::cmp::Reverse(*count), *rule));
        for (rule, count) in rules {
            println!("  {count:6}  {rule}");
            for fault in self.faults.iter().filter(|fault| fault.rule == rule).take(EXAMPLES) {
                let then = fault.suggestion.as_ref().map(|then| format!("; {then}")).unwrap_or_default();
                println!("          row {}, {}: {}{then}", fault.row, fault.column, fault.message);
            }
        }
        let mut keys: Vec<_> = self.meter_keys.iter().collect();
        keys.sort();
        let keys: Vec<String> = keys.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        println!("  meter keys: {}", if keys.is_empty() { "none".to_owned() } else { keys.join(", ") });
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct Fault {
    /// As a spreadsheet counts: the header is row 1.
    pub(crate) row: usize,
    pub(crate) column: &'static str,
    pub(crate) rule: &'static str,
    pub(crate) severity: Severity,
    pub(crate) message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) suggestion: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    /// The row cannot be shown.
    Error,
    /// The row is shown; somebody should look.
    Warning,
}

/// Reads a register from a file.
pub(crate) fn read(file: &Path, party: PartyId, tariff: &TariffId, now: Timestamp) -> Result<Imported, Failure> {
    let source = std::fs::File::open(file).map_err(|fault| Failure::io(file, &fault))?;
    read_from(source, party, tariff, now).map_err(|fault| Failure::plain(format!("{}: {fault}", file.display())))
}

fn read_from(source: impl Read, party: PartyId, tariff: &TariffId, now: Timestamp) -> Result<Imported, String> {
    let borders = CountryBoundaries::from_reader(BOUNDARIES_ODBL_360X180).map_err(|fault| fault.to_string())?;
    let mut rows = csv::ReaderBuilder::new().delimiter(b';').flexible(true).from_reader(source);
    let columns = rows.headers().map_err(|fault| fault.to_string())?.len();
    if columns < 10 {
        return Err(format!("the header has {columns} columns separated by semicolons; a charging register has 22"));
    }
    let mut import =
        Import { party, tariff, now, borders, seen: HashMap::new(), locations: Vec::new(), report: Report::default() };
    let mut record = csv::ByteRecord::new();
    loop {
        let number = import.report.rows + 2;
        match rows.read_byte_record(&mut record) {
            Ok(false) => break,
            Ok(true) => {
                import.report.rows += 1;
                import.row(number, &record);
            }
            Err(fault) => {
                import.report.rows += 1;
                import.complain(number, "row", "unreadable-row", Severity::Error, fault.to_string(), None);
            }
        }
    }
    let Import { locations, mut report, .. } = import;
    report.imported = locations.len();
    report.left_out = report.rows - report.imported;
    Ok(Imported { locations, report })
}

struct Import<'t> {
    party: PartyId,
    tariff: &'t TariffId,
    now: Timestamp,
    borders: CountryBoundaries,
    /// Operator, address and position to the first row that had them.
    seen: HashMap<(String, String, Position), usize>,
    locations: Vec<Location>,
    report: Report,
}

impl Import<'_> {
    fn complain(
        &mut self,
        row: usize,
        column: &'static str,
        rule: &'static str,
        severity: Severity,
        message: String,
        suggestion: Option<String>,
    ) {
        *self.report.faults_by_rule.entry(rule).or_default() += 1;
        self.report.faults.push(Fault { row, column, rule, severity, message, suggestion });
    }

    fn row(&mut self, row: usize, record: &csv::ByteRecord) {
        let field = |index: usize| -> String {
            record.get(index).map(|b| String::from_utf8_lossy(b).into_owned()).unwrap_or_default()
        };
        if record.iter().any(|bytes| std::str::from_utf8(bytes).is_err()) {
            self.complain(row, "row", "not-utf8", Severity::Warning, "has bytes that are not UTF-8".to_owned(), None);
        }
        let operator = self.operator(row, &field(0));
        let address = field(1).trim().to_owned();
        let (postal_code, city) = self.town(row, &field(2));
        let Some(position) = self.position(row, &field(4), &field(5)) else { return };
        self.repeats(row, &operator, &address, position);
        let evses: Vec<Evse> = (0..POINTS_MAX)
            .filter_map(|point| {
                let at = 10 + point * 3;
                self.evse(row, point, &field(at), &field(at + 1), &field(at + 2))
            })
            .collect();
        if evses.is_empty() {
            let message = "names no charging point with a plug".to_owned();
            self.complain(row, "Steckertypen1", "no-charging-point", Severity::Error, message, None);
            return;
        }
        let Ok(id) = LocationId::new(format!("BNA-{row:05}")) else { return };
        self.locations.push(Location {
            party: self.party,
            id,
            name: Some(operator.clone()),
            address,
            city,
            postal_code,
            country: "DEU".to_owned(),
            position,
            time_zone: "Europe/Berlin".to_owned(),
            operator_name: Some(operator),
            evses,
            last_updated: self.now,
        });
    }

    fn operator(&mut self, row: usize, text: &str) -> String {
        let tidy = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if tidy != text {
            let message = "the operator's name has stray blanks".to_owned();
            self.complain(
                row,
                "Betreiber",
                "stray-blanks",
                Severity::Warning,
                message,
                Some(format!("write «{tidy}»")),
            );
        }
        tidy
    }

    /// `68159 Mannheim` into its two parts.
    fn town(&mut self, row: usize, text: &str) -> (Option<String>, String) {
        let (code, rest) = text.trim().split_once(char::is_whitespace).unwrap_or((text.trim(), ""));
        let city = rest.trim();
        let five = code.len() == 5 && code.bytes().all(|c| c.is_ascii_digit()) && !city.is_empty();
        if five && rest == city {
            return (Some(code.to_owned()), city.to_owned());
        }
        let message = format!("«{text}» is not a post code of five digits, one blank and a place");
        let lost_zero = code.len() == 4 && code.bytes().all(|c| c.is_ascii_digit());
        let suggestion = if five {
            Some(format!("write «{code} {city}»"))
        } else {
            lost_zero.then(|| format!("perhaps 0{code}: spreadsheets drop the leading zero"))
        };
        self.complain(row, "Postleitzahl Ort", "malformed-post-code", Severity::Warning, message, suggestion);
        (five.then(|| code.to_owned()), if city.is_empty() { text.trim().to_owned() } else { city.to_owned() })
    }

    fn position(&mut self, row: usize, longitude: &str, latitude: &str) -> Option<Position> {
        let (Some(lon), Some(lat)) = (degrees_e7(longitude), degrees_e7(latitude)) else {
            let message = format!("«{longitude}» and «{latitude}» are not degrees");
            self.complain(row, "Längengrad", "no-position", Severity::Error, message, None);
            return None;
        };
        if lat.abs() < NULL_ISLAND_E7 && lon.abs() < NULL_ISLAND_E7 {
            let message = "lies at 0°N 0°E, in the Gulf of Guinea".to_owned();
            self.complain(row, "Längengrad", "null-island", Severity::Error, message, None);
            return None;
        }
        if self.in_country(lat, lon) {
            return Position::new(lat, lon);
        }
        if self.in_country(lon, lat) {
            let message = "longitude and latitude are swapped; shown the other way round".to_owned();
            let suggestion = Some(format!("write {latitude} as longitude and {longitude} as latitude"));
            self.complain(row, "Längengrad", "swapped-position", Severity::Warning, message, suggestion);
            return Position::new(lon, lat);
        }
        let message = format!("{latitude}°N {longitude}°E is not in {COUNTRY}, where the register says it is");
        let flipped = [(-lat, lon), (lat, -lon)].into_iter().any(|(lat, lon)| self.in_country(lat, lon));
        let suggestion = flipped.then(|| "a sign is wrong".to_owned());
        self.complain(row, "Längengrad", "outside-country", Severity::Error, message, suggestion);
        None
    }

    fn in_country(&self, lat_e7: i64, lon_e7: i64) -> bool {
        let Some(position) = Position::new(lat_e7, lon_e7) else { return false };
        let degrees = |e7: i32| f64::from(e7) / 1e7;
        LatLon::new(degrees(position.latitude_e7), degrees(position.longitude_e7))
            .is_ok_and(|at| self.borders.is_in(at, COUNTRY))
    }

    fn repeats(&mut self, row: usize, operator: &str, address: &str, position: Position) {
        let key = (operator.to_owned(), address.to_owned(), position);
        if let Some(first) = self.seen.get(&key).copied() {
            let message =
                format!("repeats operator, address and position of row {first}: a neighbour or the same twice");
            self.complain(row, "row", "repeated-row", Severity::Warning, message, None);
        } else {
            self.seen.insert(key, row);
        }
    }

    fn evse(&mut self, row: usize, point: usize, plugs: &str, kw: &str, key: &str) -> Option<Evse> {
        const PLUG_COLUMNS: [&str; POINTS_MAX] = ["Steckertypen1", "Steckertypen2", "Steckertypen3", "Steckertypen4"];
        const POWER_COLUMNS: [&str; POINTS_MAX] = ["P1 [kW]", "P2 [kW]", "P3 [kW]", "P4 [kW]"];
        const KEY_COLUMNS: [&str; POINTS_MAX] = ["Public Key1", "Public Key2", "Public Key3", "Public Key4"];
        self.meter_key(row, KEY_COLUMNS[point], key);
        let plugs: Vec<&str> = plugs.split(',').map(str::trim).filter(|plug| !plug.is_empty()).collect();
        if plugs.is_empty() {
            return None;
        }
        let power = self.power(row, POWER_COLUMNS[point], kw);
        let mut connectors = Vec::new();
        for (number, name) in (1..).zip(&plugs) {
            let Some((plug, attached_cable, current)) = plug(name) else {
                let message = format!("«{name}» is not a plug that we know");
                self.complain(row, PLUG_COLUMNS[point], "unknown-plug", Severity::Warning, message, None);
                continue;
            };
            let (max_voltage_v, max_amperage_a) = ratings(current, power);
            connectors.push(Connector {
                id: ConnectorId::new(format!("{number}")).ok()?,
                plug,
                attached_cable,
                current,
                max_voltage_v,
                max_amperage_a,
                max_power: power,
                tariffs: vec![self.tariff.clone()],
            });
        }
        let no = point + 1;
        (!connectors.is_empty()).then_some(())?;
        Some(Evse {
            uid: EvseUid::new(format!("BNA-{row:05}-{no}")).ok()?,
            id: EvseId::new(format!("{}*{}*E{row:05}*{no}", self.party.country(), self.party.code())).ok(),
            status: EvseStatus::Unknown,
            connectors,
            capabilities: charge::place::Capabilities::NONE,
            physical_reference: None,
            last_updated: self.now,
        })
    }

    fn power(&mut self, row: usize, column: &'static str, text: &str) -> Power {
        let kw: Option<Decimal> = text.trim().replace(',', ".").parse().ok();
        match kw.filter(|kw| *kw > Decimal::ZERO && *kw <= Decimal::from(POWER_KW_MAX)) {
            Some(kw) => Power::from_watts(i64::try_from((kw * Decimal::from(1_000)).trunc()).unwrap_or_default()),
            None => {
                let message = format!("«{}» is not a power between 0 and {POWER_KW_MAX} kW", text.trim());
                self.complain(row, column, "impossible-power", Severity::Warning, message, None);
                Power::ZERO
            }
        }
    }

    fn meter_key(&mut self, row: usize, column: &'static str, text: &str) {
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        let kind = match PublicKey::read(text) {
            Ok(key) => key.curve().to_string(),
            Err(fault) => {
                let message =
                    format!("the meter's public key cannot be used: {fault}; honest sessions would look forged");
                self.complain(row, column, "unusable-meter-key", Severity::Warning, message, None);
                "unusable".to_owned()
            }
        };
        *self.report.meter_keys.entry(kind).or_default() += 1;
    }
}

/// Decimal degrees, with a point or a comma, in ten-millionths.
fn degrees_e7(text: &str) -> Option<i64> {
    let degrees: Decimal = text.trim().replace(',', ".").parse().ok()?;
    i64::try_from((degrees.checked_mul(Decimal::from(10_000_000))?).round()).ok()
}

/// The register's words for plugs: what it is, whether a cable hangs on it, and the current.
fn plug(name: &str) -> Option<(Plug, bool, Current)> {
    Some(match name {
        "AC Steckdose Typ 2" => (Plug::Type2, false, Current::Ac3Phase),
        "AC Kupplung Typ 2" => (Plug::Type2, true, Current::Ac3Phase),
        "AC Schuko" => (Plug::Schuko, false, Current::Ac1Phase),
        "AC CEE 5 polig" => (Plug::Other("IEC_60309_2_three_32".into()), false, Current::Ac3Phase),
        "AC CEE 3 polig" => (Plug::Other("IEC_60309_2_single_16".into()), false, Current::Ac1Phase),
        "DC Kupplung Combo" => (Plug::CcsType2, true, Current::Dc),
        "DC CHAdeMO" => (Plug::Chademo, true, Current::Dc),
        "DC Tesla" => (Plug::Other("TESLA_S".into()), true, Current::Dc),
        _ => return None,
    })
}

/// Rated voltage and current that go with a power: the register does not name them and OCPI wants them.
fn ratings(current: Current, power: Power) -> (u32, u32) {
    let volts = match current {
        Current::Ac1Phase => 230,
        Current::Ac3Phase => 400,
        Current::Dc => 500,
    };
    // 400 V between phases: the current of each is P / (3 * 230 V)
    let per_amp = if matches!(current, Current::Ac3Phase) { 690 } else { i64::from(volts) };
    (volts, u32::try_from((power.watts() + per_amp / 2) / per_amp).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    const HEADER: &str = "Betreiber;Adresse;Postleitzahl Ort;Bundesland;Längengrad [DG];Breitengrad [DG];Datum;kW;Art;Anzahl;\
                          Steckertypen1;P1 [kW];Public Key1;Steckertypen2;P2 [kW];Public Key2;Steckertypen3;P3 [kW];Public Key3;\
                          Steckertypen4;P4 [kW];Public Key4\n";

    fn import(rows: &str) -> Imported {
        let text = format!("{HEADER}{rows}");
        let tariff = TariffId::new("T1").unwrap();
        read_from(text.as_bytes(), PartyId::new("DE", "VLT").unwrap(), &tariff, Timestamp::from_secs(0)).unwrap()
    }

    fn row(operator: &str, town: &str, lon: &str, lat: &str, plug: &str, kw: &str, key: &str) -> String {
        format!("{operator};Luisenring 49;{town};BW;{lon};{lat};2010-04-14;22;Normal;1;{plug};{kw};{key};;;;;;;;;\n")
    }

    #[test]
    fn a_good_row_becomes_a_location() {
        let imported =
            import(&row("MVV", "68159 Mannheim", "8.468098", "49.494409", "AC Steckdose Typ 2, AC Schuko", "22", ""));
        assert!(imported.report.faults.is_empty(), "{:?}", imported.report.faults);
        let location = &imported.locations[0];
        assert_eq!(location.position, Position::new(494_944_090, 84_680_980).unwrap());
        assert_eq!(location.evses[0].connectors.len(), 2);
        assert_eq!(location.evses[0].connectors[0].max_amperage_a, 32);
        assert_eq!(location.evses[0].id.as_ref().unwrap().as_str(), "DE*VLT*E00002*1");
    }

    #[test]
    fn each_fault_is_told_with_its_row_and_rule() {
        let good = ("8.468098", "49.494409");
        let rows = [
            row("A  B", "68159 Mannheim", good.0, good.1, "AC Steckdose Typ 2", "22", ""),
            row("A", "8159 Mannheim", good.0, good.1, "AC Steckdose Typ 2", "22", ""),
            row("A", "68159 Mannheim", good.1, good.0, "AC Steckdose Typ 2", "22", ""),
            row("A", "68159 Mannheim", "0.0004", "0", "AC Steckdose Typ 2", "22", ""),
            row("A", "08134 Zwickau", "15.59", "50.68", "AC Steckdose Typ 2", "22", ""),
            row("A", "68159 Mannheim", "east", good.1, "AC Steckdose Typ 2", "22", ""),
            row("A", "68159 Mannheim", good.0, good.1, "Edison", "22", ""),
            row("C", "68159 Mannheim", good.0, good.1, "AC Steckdose Typ 2", "22000", "no key"),
        ];
        let report = import(&rows.concat()).report;
        let rules: Vec<(usize, &str)> = report.faults.iter().map(|fault| (fault.row, fault.rule)).collect();
        let expected = [
            (2, "stray-blanks"),
            (3, "malformed-post-code"),
            (4, "swapped-position"),
            (4, "repeated-row"),
            (5, "null-island"),
            (6, "outside-country"),
            (7, "no-position"),
            (8, "repeated-row"),
            (8, "unknown-plug"),
            (8, "no-charging-point"),
            (9, "unusable-meter-key"),
            (9, "impossible-power"),
        ];
        assert_eq!(rules, expected);
        assert_eq!((report.rows, report.imported, report.left_out), (8, 4, 4));
    }

    #[test]
    fn a_file_that_is_no_register_is_refused_with_the_reason() {
        let tariff = TariffId::new("T1").unwrap();
        let party = PartyId::new("DE", "VLT").unwrap();
        let fault = read_from("a;b\n1;2\n".as_bytes(), party, &tariff, Timestamp::from_secs(0)).err().unwrap();
        assert!(fault.contains("2 columns"), "{fault}");
    }
}
