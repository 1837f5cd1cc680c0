//! 1.6 `MeterValue` and our readings.
//!
//! Deliberately tolerant on the way in: a sample that is no number is dropped with a remark and the message lives.
//! Invariant: a signed record's text leaves as it came.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use charge::Timestamp;
use charge::meter::{Context, Measured, Reading, SignedRecord};
use charge::talk::line::quirk::Quirk;
use ocpp_kit::v1_6::{Measurand, MeterValue, Phase, ReadingContext, SampledValue, UnitOfMeasure, ValueFormat};
use serde::{Deserialize, Serialize};

use crate::bridge::{measure, plausible, wire};
use crate::payload::Notes;
use crate::repair::decimal;

/// OCA's application note on signed meter values: what 2.0.1 has as members travels in 1.6 as text in `value`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SignedText {
    signed_meter_data: String,
    #[serde(default)]
    signing_method: String,
    #[serde(default)]
    encoding_method: String,
    #[serde(default)]
    public_key: String,
}

pub(super) fn readings(values: Vec<MeterValue>, path: &str, notes: &mut Notes) -> Vec<Reading> {
    let mut readings = Vec::with_capacity(values.len());
    for (place, value) in values.into_iter().enumerate() {
        let path = format!("{path}/{place}");
        let at = plausible(value.timestamp, &format!("{path}/timestamp"), notes);
        for (place, sample) in value.sampled_value.iter().enumerate() {
            match measured(sample) {
                Some(measured) => readings.push(Reading {
                    at,
                    context: measure::context(sample.context.as_ref().map(ReadingContext::as_str)),
                    phase: sample.phase.as_ref().map(|phase| phase.as_str().into()),
                    measured,
                }),
                None => {
                    let path = format!("{path}/sampledValue/{place}/value");
                    // the schema knows texts only, so there is nothing to refuse
                    notes.deviations = notes.deviations.with(Quirk::NoValue);
                    notes.remark(&path, "not a number, sample dropped");
                }
            }
        }
    }
    readings
}

fn measured(sample: &SampledValue) -> Option<Measured> {
    let value = sample.value.as_str();
    if sample.format == Some(ValueFormat::SignedData) || value.starts_with("OCMF|") {
        return Some(Measured::Signed(record(value)));
    }
    let measurand = sample.measurand.as_ref().map_or("", Measurand::as_str);
    let unit = sample.unit.as_ref().map_or("", UnitOfMeasure::as_str);
    Some(measure::measured(measurand, decimal(value)?, unit))
}

/// The signed text itself, or the forms in which stations wrap it: OCA's JSON, and its bytes in hexadecimal or base64.
fn record(value: &str) -> SignedRecord {
    if value.trim_start().starts_with('{')
        && let Ok(text) = serde_json::from_str::<SignedText>(value)
    {
        let data = &text.signed_meter_data;
        let bytes = hexadecimal(data).or_else(|| STANDARD.decode(data.trim()).ok());
        return measure::signed(
            &text.encoding_method,
            bytes.unwrap_or_else(|| data.as_bytes().to_vec()),
            &text.public_key,
        );
    }
    let wrapped = hexadecimal(value).or_else(|| STANDARD.decode(value.trim()).ok());
    match wrapped {
        Some(bytes) if bytes.starts_with(b"OCMF|") => measure::signed("", bytes, ""),
        Some(_) | None => measure::signed("", value.as_bytes().to_vec(), ""),
    }
}

/// Base64 that is all hexadecimal digits by chance would have to be very short.
fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.trim().chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

/// Readings as meter values, those of one moment together.
pub(super) fn values<'r>(readings: impl IntoIterator<Item = &'r Reading>, notes: &mut Notes) -> Vec<MeterValue> {
    let mut values: Vec<(Timestamp, MeterValue)> = Vec::new();
    for reading in readings {
        let Some(sample) = sample(reading, notes) else { continue };
        match values.last_mut() {
            Some((at, value)) if *at == reading.at => value.sampled_value.push(sample),
            Some(_) | None => values.push((reading.at, MeterValue::new(wire(reading.at), vec![sample]))),
        }
    }
    values.into_iter().map(|(_, value)| value).collect()
}

fn sample(reading: &Reading, notes: &mut Notes) -> Option<SampledValue> {
    let mut sample = match &reading.measured {
        Measured::Signed(record) => SampledValue::new(signed_text(record)).with_format(ValueFormat::SignedData),
        unsigned => {
            let (measurand, value, unit) = measure::spelled(unsigned)?;
            let measurand = Measurand::from_wire(measurand);
            if !measurand.is_known() {
                notes.remark("", "a measurand that 1.6 does not have, reading left out");
                return None;
            }
            let mut sample = SampledValue::new(value.to_string()).with_measurand(measurand);
            sample.unit = Some(UnitOfMeasure::from_wire(unit)).filter(UnitOfMeasure::is_known);
            sample
        }
    };
    // a periodic sample is what a missing context means
    if reading.context != Context::SamplePeriodic {
        sample.context = Some(ReadingContext::from_wire(measure::context_word(reading.context)));
    }
    sample.phase = reading.phase.as_deref().map(Phase::from_wire).filter(Phase::is_known);
    Some(sample)
}

/// OCMF goes as it is; other encodings need their name beside them, and may not be text at all.
fn signed_text(record: &SignedRecord) -> String {
    if &*record.format == "OCMF"
        && let Ok(text) = std::str::from_utf8(&record.bytes)
    {
        return text.to_owned();
    }
    let text = SignedText {
        signed_meter_data: STANDARD.encode(&record.bytes),
        signing_method: String::new(),
        encoding_method: record.format.to_string(),
        public_key: record.public_key.as_deref().unwrap_or_default().to_owned(),
    };
    serde_json::to_string(&text).unwrap_or_default()
}
