//! The runs of one version, each over a connection of its own: what stations say, what operators order, every order
//! again as an expert's raw call, and what is no message at all.

use charge::talk::line::quirk::Quirks;
use charge::talk::line::{Foreign, StationAnswer, ToStation, Version};
use serde_json::Value;

use super::ends::Ends;
use super::frames::{Kind, Record, Sender, records};
use super::words;

/// What one named test stands on.
pub(super) struct Run {
    pub test: &'static str,
    pub records: Vec<Record>,
    pub faults: Vec<String>,
}

pub(super) async fn all(version: Version) -> [Run; 4] {
    let names = match version {
        Version::S15 | Version::S16 | Version::V16 => [
            "every_message_of_1_6_crosses",
            "every_order_of_1_6_crosses",
            "every_expert_call_of_1_6_crosses",
            "nonsense_of_1_6_is_refused",
        ],
        Version::V201 => [
            "every_message_of_2_0_1_crosses",
            "every_order_of_2_0_1_crosses",
            "every_expert_call_of_2_0_1_crosses",
            "nonsense_of_2_0_1_is_refused",
        ],
        Version::V21 => [
            "every_message_of_2_1_crosses",
            "every_order_of_2_1_crosses",
            "every_expert_call_of_2_1_crosses",
            "nonsense_of_2_1_is_refused",
        ],
    };
    let messages = messages(version, names[0]).await;
    let (orders, samples) = orders(version, names[1]).await;
    let experts = experts(version, names[2], &samples).await;
    let nonsense = nonsense(version, names[3]).await;
    [messages, orders, experts, nonsense]
}

async fn end(ends: Ends, version: Version, test: &'static str, mut faults: Vec<String>) -> Run {
    faults.extend(ends.desk.remarks().into_iter().map(|remark| format!("the operator's end remarked {remark}")));
    finish(ends, version, test, faults).await
}

async fn finish(ends: Ends, version: Version, test: &'static str, mut faults: Vec<String>) -> Run {
    let frames = ends.relay.frames();
    ends.part().await;
    let records = records(version, test, &frames).unwrap_or_else(|fault| {
        faults.push(fault);
        Vec::new()
    });
    Run { test, records, faults }
}

async fn messages(version: Version, test: &'static str) -> Run {
    let ends = Ends::meet(version, Quirks::NONE).await;
    let mut faults = Vec::new();
    for (what, answer) in words::messages(version) {
        faults.extend(ends.say(what, answer).await.err());
    }
    end(ends, version, test, faults).await
}

/// An order as it crossed, and the answer that the station gave.
struct Sample {
    call: Foreign,
    answer: StationAnswer,
    result: Value,
}

async fn orders(version: Version, test: &'static str) -> (Run, Vec<Sample>) {
    let ends = Ends::meet(version, Quirks::NONE).await;
    let (mut faults, mut samples) = (Vec::new(), Vec::<Sample>::new());
    for (what, answer) in words::orders(version) {
        let before = ends.relay.frames().len();
        faults.extend(ends.tell(what, answer.clone()).await.err());
        let crossed = records(version, test, &ends.relay.frames()[before..]).unwrap_or_default();
        if let [call, result] = &crossed[..]
            && (call.kind, result.kind) == (Kind::Call, Kind::Result)
            && !samples.iter().any(|sample| *sample.call.action == *call.action)
        {
            let call = Foreign { action: call.action.as_str().into(), body: call.payload.to_string().into() };
            samples.push(Sample { call, answer, result: result.payload.clone() });
        }
    }
    (end(ends, version, test, faults).await, samples)
}

/// The expert's call carries the same payload, reaches the station as the same order, and brings its answer back raw.
async fn experts(version: Version, test: &'static str, samples: &[Sample]) -> Run {
    let ends = Ends::meet(version, Quirks::NONE).await;
    let mut faults = Vec::new();
    for Sample { call, answer, result } in samples {
        let (told, answered) = ends.order(ToStation::Foreign(call.clone()), answer.clone()).await;
        if !matches!(&told[..], [order] if !matches!(order, ToStation::Foreign(_))) {
            faults.push(format!("the expert's {} arrived as {told:?}", call.action));
        }
        let raw = match &answered {
            StationAnswer::Foreign(raw) => serde_json::from_str::<Value>(&raw.body).ok(),
            _ => None,
        };
        if raw.as_ref() != Some(result) {
            faults.push(format!("the expert's {} was answered {answered:?} in the place of {result}", call.action));
        }
    }
    end(ends, version, test, faults).await
}

/// What is no message, with the code that it is refused with; `None` where nobody may answer (5.3 of the handbook's
/// reading: OCPP-J 1.6, 4.2.3; 2.0.1 and 2.1 part 4, 4.3).
fn nonsensical(version: Version) -> Vec<(Sender, &'static str, Option<&'static str>)> {
    let (broken, missing) = match version {
        Version::S15 | Version::S16 | Version::V16 => ("FormationViolation", "OccurenceConstraintViolation"),
        Version::V201 | Version::V21 => ("FormatViolation", "OccurrenceConstraintViolation"),
    };
    let mut list = vec![
        (Sender::Station, r#"[2,"n1","Teleport",{}]"#, Some("NotImplemented")),
        (Sender::Operator, r#"[2,"n2","Teleport",{}]"#, Some("NotImplemented")),
        (Sender::Station, r#"[2,"n3","Authorize",{}]"#, Some(missing)),
        (Sender::Operator, r#"[2,"n4","Reset",{}]"#, Some(missing)),
        (Sender::Operator, r#"[2,"n5","Reset",{"type":5}]"#, Some("TypeConstraintViolation")),
        (Sender::Operator, r#"[2,"n6","Reset",{"type":"Gentle"}]"#, Some("PropertyConstraintViolation")),
        (Sender::Station, r#"[2,"n7","Authorize",{"idTag":,}]"#, Some(broken)),
        (Sender::Operator, r#"[2,"n8","Heartbeat",{}]"#, Some("NotSupported")),
        (Sender::Station, r#"[2,"n9","ClearCache",{}]"#, Some("NotSupported")),
        (Sender::Station, r#"[3,"n10",{}]"#, None),
        (Sender::Operator, r#"[4,"n11","GenericError","",{}]"#, None),
    ];
    if version == Version::V21 {
        list.push((Sender::Station, r#"[6,"n12","NotifyPeriodicEventStream",{}]"#, None));
    }
    list
}

async fn nonsense(version: Version, test: &'static str) -> Run {
    let ends = Ends::meet(version, Quirks::NONE).await;
    let mut faults = Vec::new();
    for (number, (sender, text, code)) in nonsensical(version).into_iter().enumerate() {
        let before = ends.relay.frames().len();
        ends.put(sender, text, &format!("f{number}")).await;
        let frames = ends.relay.frames();
        let errors: Vec<_> = frames[before..].iter().filter(|(_, text)| text.starts_with("[4,")).collect();
        let as_expected = match (code, &errors[..]) {
            (None, []) => true,
            (Some(code), [(_, error)]) => error.contains(&format!(r#","{code}","#)),
            _ => false,
        };
        if !as_expected {
            faults.push(format!("{text} should be refused with {code:?}, not {errors:?}"));
        }
    }
    // the fences were put in by us, their answers need no judge
    let mut run = finish(ends, version, test, faults).await;
    run.records.retain(|record| record.kind == Kind::Error);
    run
}
