//! `MeterValue` of 2.x and our readings (block J).
//!
//! A sampled value with a signature becomes two readings, the number and the signed record, and two such neighbours
//! become one again. Deliberately without judgement on the signature. Invariant: the signed bytes stay as they came.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use charge::meter::{Context, Measured, Reading, SignedRecord};
use charge::talk::line::Version;
use charge::{Decimal, Timestamp};
use ocpp_kit::types::Decimal as Number;
use ocpp_kit::v2_0_1::Measurand as OldMeasurand;
use ocpp_kit::v2_1::{Measurand, MeterValue, Phase, ReadingContext, SampledValue, SignedMeterValue, UnitOfMeasure};

use crate::bridge::{measure, plausible, wire};
use crate::payload::Notes;

/// Larger powers of ten than this are a mistake.
const MULTIPLIER_MAX: u32 = 12;

pub(super) fn readings(values: Vec<MeterValue>, path: &str, notes: &mut Notes) -> Vec<Reading> {
    let mut readings = Vec::with_capacity(values.len());
    for (place, value) in values.into_iter().enumerate() {
        let path = format!("{path}/{place}");
        let at = plausible(value.timestamp, &format!("{path}/timestamp"), notes);
        for (place, sample) in value.sampled_value.iter().enumerate() {
            let path = format!("{path}/sampledValue/{place}");
            let reading = |measured| Reading {
                at,
                context: measure::context(sample.context.as_ref().map(ReadingContext::as_str)),
                phase: sample.phase.as_ref().map(|phase| phase.as_str().into()),
                measured,
            };
            match measured(sample) {
                Some(measured) => readings.push(reading(measured)),
                None => notes.remark(&path, "out of range, value dropped"),
            }
            match sample.signed_meter_value.as_ref().map(record) {
                Some(Some(record)) => readings.push(reading(Measured::Signed(record))),
                Some(None) => notes.remark(&path, "signedMeterData is not base64, signature dropped"),
                None => {}
            }
        }
    }
    readings
}

fn measured(sample: &SampledValue) -> Option<Measured> {
    let unit = sample.unit_of_measure.as_ref();
    let plain = Decimal::try_from_i128_with_scale(i128::from(sample.value.mantissa()), u32::from(sample.value.scale()));
    let value = scaled(plain.ok()?, unit.and_then(|unit| unit.multiplier).unwrap_or(0))?;
    let measurand = sample.measurand.as_ref().map_or("", Measurand::as_str);
    Some(measure::measured(measurand, value, unit.and_then(|unit| unit.unit.as_deref()).unwrap_or_default()))
}

fn scaled(value: Decimal, multiplier: i32) -> Option<Decimal> {
    let power = multiplier.unsigned_abs();
    if power > MULTIPLIER_MAX {
        return None;
    }
    if multiplier < 0 {
        return value.checked_mul(Decimal::new(1, power));
    }
    value.checked_mul(Decimal::from(10_i64.checked_pow(power)?))
}

fn record(signed: &SignedMeterValue) -> Option<SignedRecord> {
    let bytes = STANDARD.decode(signed.signed_meter_data.trim()).ok()?;
    Some(measure::signed(&signed.encoding_method, bytes, signed.public_key.as_deref().unwrap_or_default()))
}

/// Readings as meter values, those of one moment together. `None` where a signed record has no number to go with.
pub(super) fn values(version: Version, readings: &[Reading], notes: &mut Notes) -> Option<Vec<MeterValue>> {
    let mut values: Vec<(Timestamp, MeterValue)> = Vec::new();
    for reading in readings {
        if let Measured::Signed(record) = &reading.measured {
            sign(values.last_mut(), reading.at, record)?;
            continue;
        }
        let Some(sample) = sample(version, reading, notes) else { continue };
        match values.last_mut() {
            Some((at, value)) if *at == reading.at => value.sampled_value.push(sample),
            Some(_) | None => values.push((reading.at, MeterValue::new(vec![sample], wire(reading.at)))),
        }
    }
    Some(values.into_iter().map(|(_, value)| value).collect())
}

/// Puts a signature on the number before it, which must be of the same moment.
fn sign(last: Option<&mut (Timestamp, MeterValue)>, at: Timestamp, record: &SignedRecord) -> Option<()> {
    let (_, value) = last.filter(|(moment, _)| *moment == at)?;
    let sample = value.sampled_value.iter_mut().rev().find(|sample| sample.signed_meter_value.is_none())?;
    let mut signed = SignedMeterValue::new(STANDARD.encode(&record.bytes), &*record.format);
    // 2.0.1 wants both; the method stands inside the record
    signed.signing_method = Some(String::new());
    signed.public_key = Some(record.public_key.as_deref().unwrap_or_default().into());
    sample.signed_meter_value = Some(signed);
    Some(())
}

fn sample(version: Version, reading: &Reading, notes: &mut Notes) -> Option<SampledValue> {
    let (measurand, value, unit) = measure::spelled(&reading.measured)?;
    let spoken = version != Version::V201 || OldMeasurand::from_wire(measurand).is_known();
    let measurand = Measurand::from_wire(measurand);
    let number = i64::try_from(value.mantissa())
        .ok()
        .and_then(|mantissa| Number::try_new(mantissa, u8::try_from(value.scale()).ok()?));
    let Some(number) = number.filter(|_| spoken && measurand.is_known()) else {
        notes.remark("", "a measurand or number that the version does not have, reading left out");
        return None;
    };
    let mut sample = SampledValue::new(number);
    sample.measurand = Some(measurand);
    // watt-hours are what a missing unit means
    sample.unit_of_measure = (!unit.is_empty() && unit != "Wh").then(|| UnitOfMeasure::new().with_unit(unit));
    sample.phase = reading.phase.as_deref().map(Phase::from_wire).filter(Phase::is_known);
    // a periodic sample is what a missing context means
    if reading.context != Context::SamplePeriodic {
        sample.context = Some(ReadingContext::from_wire(measure::context_word(reading.context)));
    }
    Some(sample)
}
