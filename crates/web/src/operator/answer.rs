//! What a station answered beyond yes and no, as JSON: one field, named after what it is.

use charge::talk::line::StationAnswer;
use charge::talk::line::charging::{Composite, RateUnit};
use charge::talk::line::payment::VendorAnswer;
use serde_json::{Value, json};

use crate::shape::time;

/// `None` where the outcome says all.
pub(crate) fn shown(answer: StationAnswer) -> Option<Value> {
    Some(match answer {
        StationAnswer::Accepted
        | StationAnswer::Scheduled
        | StationAnswer::Refused(_)
        | StationAnswer::Settings { .. }
        | StationAnswer::Written(_)
        | StationAnswer::Foreign(_) => return None,
        StationAnswer::Started(key) => json!({ "transaction": key.map(|key| key.to_string()) }),
        StationAnswer::Number(version) => json!({ "version": version }),
        StationAnswer::File(name) => json!({ "file": name }),
        StationAnswer::Composite(one) => json!({ "composite": composite(&one) }),
        StationAnswer::Certificates(all) => json!({ "certificates": all.len() }),
        StationAnswer::Monitors(all) => {
            let one = |one: &charge::talk::line::model::MonitorSet| json!({ "id": one.id, "variable": one.variable, "result": one.word });
            json!({ "monitors": all.iter().map(one).collect::<Vec<_>>() })
        }
        StationAnswer::Items(all) => {
            let one = |one: &charge::talk::line::document::ItemOutcome| json!({ "of": one.of, "result": one.word });
            json!({ "items": all.iter().map(one).collect::<Vec<_>>() })
        }
        StationAnswer::Streams(all) => {
            let one = |one: &charge::talk::line::model::Stream| {
                let every_s = one.pace.every.map(|every| every.as_secs());
                json!({ "id": one.id, "monitor": one.monitor, "every_s": every_s, "values": one.pace.values })
            };
            json!({ "streams": all.iter().map(one).collect::<Vec<_>>() })
        }
        StationAnswer::Tariffs(all) => {
            let one = |one: &charge::talk::line::display::KeptTariff| {
                let evses: Vec<u16> = one.evses.iter().map(|no| no.get()).collect();
                json!({ "id": one.id, "of_driver": one.of_driver, "from": one.from.map(time), "evses": evses })
            };
            json!({ "tariffs": all.iter().map(one).collect::<Vec<_>>() })
        }
        StationAnswer::Pending { ongoing, queued } => json!({ "ongoing": ongoing, "queued": queued }),
        StationAnswer::Vendor(VendorAnswer { status, data }) => {
            let data = data.and_then(|data| serde_json::from_str::<Value>(data.as_str()).ok());
            json!({ "vendor": { "status": status, "data": data } })
        }
    })
}

fn composite(one: &Composite) -> Value {
    let period = |period: &charge::talk::line::charging::Period| {
        let text = |number: Option<charge::Decimal>| number.map(|number| number.to_string());
        json!({ "start": period.start, "limit": text(period.limit), "phases": period.phases,
            "discharge_limit": text(period.discharge_limit), "setpoint": text(period.setpoint) })
    };
    let unit = match one.unit {
        RateUnit::Watts => "W",
        RateUnit::Amperes => "A",
    };
    json!({ "evse": one.evse.map(charge::id::EvseNo::get), "start": time(one.start),
        "duration_s": one.lasts.as_secs(), "unit": unit,
        "periods": one.periods.iter().map(period).collect::<Vec<_>>() })
}
