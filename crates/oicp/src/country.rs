//! Countries and clocks: alpha-2 to alpha-3, and OICP's fixed offsets to and from the zones of the time-zone database.
//!
//! OICP says `UTC+01:00` where the words say `Europe/Berlin`: an offset at one moment against a rule. The country's own
//! zone is taken where it has one; deliberately no guess from coordinates.

use charge::Timestamp;
use jiff::tz::TimeZone;

use crate::doc::{Fault, Lost};

/// Alpha-2, alpha-3 and the zone of the countries of the European charging networks that have one zone.
const COUNTRIES: [(&str, &str, &str); 37] = [
    ("AL", "ALB", "Europe/Tirane"),
    ("AT", "AUT", "Europe/Vienna"),
    ("BA", "BIH", "Europe/Sarajevo"),
    ("BE", "BEL", "Europe/Brussels"),
    ("BG", "BGR", "Europe/Sofia"),
    ("CH", "CHE", "Europe/Zurich"),
    ("CY", "CYP", "Asia/Nicosia"),
    ("CZ", "CZE", "Europe/Prague"),
    ("DE", "DEU", "Europe/Berlin"),
    ("DK", "DNK", "Europe/Copenhagen"),
    ("EE", "EST", "Europe/Tallinn"),
    ("FI", "FIN", "Europe/Helsinki"),
    ("FR", "FRA", "Europe/Paris"),
    ("GB", "GBR", "Europe/London"),
    ("GR", "GRC", "Europe/Athens"),
    ("HR", "HRV", "Europe/Zagreb"),
    ("HU", "HUN", "Europe/Budapest"),
    ("IE", "IRL", "Europe/Dublin"),
    ("IS", "ISL", "Atlantic/Reykjavik"),
    ("IT", "ITA", "Europe/Rome"),
    ("LI", "LIE", "Europe/Vaduz"),
    ("LT", "LTU", "Europe/Vilnius"),
    ("LU", "LUX", "Europe/Luxembourg"),
    ("LV", "LVA", "Europe/Riga"),
    ("MC", "MCO", "Europe/Monaco"),
    ("ME", "MNE", "Europe/Podgorica"),
    ("MK", "MKD", "Europe/Skopje"),
    ("MT", "MLT", "Europe/Malta"),
    ("NL", "NLD", "Europe/Amsterdam"),
    ("NO", "NOR", "Europe/Oslo"),
    ("PL", "POL", "Europe/Warsaw"),
    ("RO", "ROU", "Europe/Bucharest"),
    ("RS", "SRB", "Europe/Belgrade"),
    ("SE", "SWE", "Europe/Stockholm"),
    ("SI", "SVN", "Europe/Ljubljana"),
    ("SK", "SVK", "Europe/Bratislava"),
    ("UA", "UKR", "Europe/Kyiv"),
];

/// The alpha-3 code of a country that OICP 2.0 names with two letters.
pub(crate) fn alpha3(country: &str) -> Option<&'static str> {
    COUNTRIES.iter().find(|(two, three, _)| *two == country || *three == country).map(|(_, three, _)| *three)
}

/// The zone of a place.
pub(crate) fn zone(country: &str, offset: Option<&str>, lost: &mut Lost) -> String {
    if let Some((.., zone)) = COUNTRIES.iter().find(|(two, three, _)| *two == country || *three == country) {
        return (*zone).to_owned();
    }
    lost.push(Fault::new("/Address/TimeZone", "is an offset; the rules of its zone are not known"));
    let hours = offset.and_then(|offset| offset.strip_prefix("UTC")?.strip_suffix(":00")?.parse::<i8>().ok());
    // the signs of these names are the other way round
    match hours {
        Some(0) | None => "Etc/UTC".to_owned(),
        Some(hours) => format!("Etc/GMT{:+}", -hours),
    }
}

/// The offset of a zone at a moment, as OICP writes it.
pub(crate) fn offset(zone: &str, now: Timestamp) -> Option<String> {
    let zone = TimeZone::get(zone).ok()?;
    let seconds = zone.to_offset(jiff::Timestamp::from_microsecond(now.micros()).ok()?).seconds();
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.unsigned_abs() / 60;
    Some(format!("UTC{sign}{:02}:{:02}", minutes / 60, minutes % 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_of_a_moment_and_a_zone_is_of_a_country() {
        let winter = Timestamp::from_secs(1_800_000_000);
        let summer = Timestamp::from_secs(1_783_000_000);
        assert_eq!(offset("Europe/Berlin", winter).as_deref(), Some("UTC+01:00"));
        assert_eq!(offset("Europe/Berlin", summer).as_deref(), Some("UTC+02:00"));
        assert_eq!(offset("America/St_Johns", winter).as_deref(), Some("UTC-03:30"));
        assert_eq!(offset("nowhere", winter), None);
        let mut lost = Lost::new();
        assert_eq!(zone("DEU", Some("UTC+01:00"), &mut lost), "Europe/Berlin");
        assert!(lost.is_empty());
        assert_eq!(zone("JPN", Some("UTC+09:00"), &mut lost), "Etc/GMT-9");
        assert_eq!(lost.len(), 1);
        assert_eq!(alpha3("DE"), Some("DEU"));
    }
}
