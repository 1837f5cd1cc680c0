//! From records with good signatures to one session: the rules between them, and what they say together.
//!
//! A perfect signature is not a valid session. This module knows which register is billed (loss-compensated before
//! mains before the classic import register), which readings are begin and end, and what must be equal, continuous
//! and in order. It does not check signatures: `verify` has done that before.

use charge::units::Energy;
use charge::{Decimal, Personal, Timestamp};
use ocmf::{DeviationKind, Payload, Reading, Record, Register, TimeStatus, TransactionMarker};
use sha2::{Digest, Sha256};

use super::verified::Content;
use super::verify::{Refusal, page};
use super::{ClockQuality, Fault, Gateway, Identification, KeySource, Meter, Point, PublicKey, Remark, Side, Verified};

/// With what the signatures were checked.
pub(super) struct Proof {
    pub(super) key: PublicKey,
    pub(super) source: KeySource,
    pub(super) algorithm: &'static str,
}

/// Applies the session rules to records whose signatures hold.
pub(super) fn judge(records: &[Record<'_>], proof: Proof, remarks: &mut Vec<Remark>) -> Result<Verified, Refusal> {
    let first = records.first().ok_or(super::Obstacle::NoRecord)?.payload();
    one_source_and_session(records)?;
    continuous_pages(records)?;
    for record in records {
        sound(record)?;
    }
    let register = billed_register(records)?;
    let (begin, end) = ends(&register.readings)?;
    let begin_point = point(begin)?;
    let end_point = point(end)?;
    if end_point.at < begin_point.at {
        return Err(Fault::TimeFalls.into());
    }
    let energy = difference(begin, end)?;
    remark(records, &register, (&begin_point, &end_point), end, remarks);
    let loss = first.loss_compensation().and_then(|loss| {
        Some(format!("{} {}", loss.resistance.as_ref()?.as_str(), loss.unit.map_or("", |unit| unit.as_str())))
    });
    let content = Content {
        begin: begin_point,
        end: end_point,
        energy,
        side: if loss.is_some() { Side::Device } else { register.side },
        meter: meter(first),
        gateway: gateway(first),
        charge_point: first.charge_point_id().map(str::to_owned),
        identification: identification(first),
        pagination: records.iter().filter_map(page).collect(),
        digest: digest(records),
        algorithm: proof.algorithm,
        tariff_text: first.tariff_text().map(str::to_owned),
        loss_compensation: loss,
        departures: departures(records),
        key: proof.key,
        key_source: proof.source,
    };
    Ok(Verified { inner: Box::new(content) })
}

fn one_source_and_session(records: &[Record<'_>]) -> Result<(), Fault> {
    let differ = |field: fn(&Payload<'_>) -> Option<String>| {
        let mut said = records.iter().filter_map(|record| field(record.payload()));
        said.next().is_some_and(|first| said.any(|other| other != first))
    };
    if differ(|p| p.meter_serial().map(str::to_owned)) || differ(|p| p.gateway_serial().map(str::to_owned)) {
        return Err(Fault::DifferentMeters);
    }
    let session: [fn(&Payload<'_>) -> Option<String>; 4] = [
        |p| p.identification_type().map(|kind| kind.as_str().to_owned()),
        |p| p.identification_data().map(str::to_owned),
        |p| p.charge_point_id().map(str::to_owned),
        |p| p.tariff_text().map(str::to_owned),
    ];
    if session.into_iter().any(differ) { Err(Fault::DifferentSessions) } else { Ok(()) }
}

/// Each page follows the one before it (OCMF 1.4.1, table 2 `PG`).
fn continuous_pages(records: &[Record<'_>]) -> Result<(), Fault> {
    for pair in records.windows(2) {
        let [before, after] = pair else { continue };
        let (Some(a), Some(b)) = (before.payload().pagination(), after.payload().pagination()) else {
            return Err(Fault::NoPagination);
        };
        if !a.is_followed_by(&b) {
            let name = |record| page(record).unwrap_or_default();
            return Err(Fault::PaginationGap { from: name(before), to: name(after) });
        }
    }
    Ok(())
}

/// Nothing in the record says that meter, values or identification failed.
fn sound(record: &Record<'_>) -> Result<(), Fault> {
    if let Some(level) = record.payload().identification_level().filter(|level| level.is_error()) {
        return Err(Fault::IdentificationFailed { level: level.as_str().to_owned() });
    }
    for reading in record.payload().readings() {
        if let Some(state) = reading.state().filter(|state| !state.is_ok()) {
            return Err(Fault::MeterState { state: state.identifier().to_owned() });
        }
        if reading.error_flags().any() || reading.transaction() == Some(TransactionMarker::Exception) {
            return Err(Fault::ErrorFlag);
        }
    }
    Ok(())
}

/// The readings of the register that is billed, in the order of the records.
struct Billed<'r, 'a> {
    readings: Vec<&'r Reading<'a>>,
    side: Side,
    named: bool,
}

fn billed_register<'r, 'a>(records: &'r [Record<'a>]) -> Result<Billed<'r, 'a>, Fault> {
    let mut registers: Vec<(String, u8, Vec<&'r Reading<'a>>)> = Vec::new();
    for reading in records.iter().flat_map(|record| record.payload().readings()) {
        let Some(rank) = rank(reading) else { continue };
        let name = reading.obis().map(ocmf::ObisCode::canonical).unwrap_or_default();
        match registers.iter_mut().find(|(known, ..)| *known == name) {
            Some((_, _, readings)) => readings.push(reading),
            None => registers.push((name, rank, vec![reading])),
        }
    }
    // a register that was read at both ends wins over a better one that was not
    let complete = |readings: &[&Reading<'_>]| ends(readings).is_ok();
    let best = registers.into_iter().min_by_key(|(_, rank, readings)| (!complete(readings), *rank));
    let (name, _, readings) = best.ok_or(Fault::NoImportRegister)?;
    let side =
        match readings.first().and_then(|reading| reading.obis()).and_then(|obis| obis.register().is_device_side()) {
            Some(true) => Side::Device,
            Some(false) => Side::Mains,
            None => Side::Unsaid,
        };
    Ok(Billed { readings, side, named: !name.is_empty() })
}

/// How much a reading's register is preferred, lowest first; `None` for what is no delivered energy.
fn rank(reading: &Reading<'_>) -> Option<u8> {
    reading.value()?;
    reading.unit().filter(ocmf::Unit::is_energy)?;
    let Some(obis) = reading.obis() else { return Some(3) };
    match obis.register() {
        Register::TotalImportDevice | Register::TransactionImportDevice => Some(0),
        Register::TotalImportMains | Register::TransactionImportMains => Some(1),
        Register::ActiveEnergyImport => obis.is_register().then_some(2),
        Register::ActiveEnergyExport
        | Register::TotalExportMains
        | Register::TotalExportDevice
        | Register::TransactionExportMains
        | Register::TransactionExportDevice => None,
        // a maker's own code: taken where nothing better is read
        _ => Some(4),
    }
}

/// The one reading that marks the begin and the one that marks the end.
fn ends<'r, 'a>(readings: &[&'r Reading<'a>]) -> Result<(&'r Reading<'a>, &'r Reading<'a>), Fault> {
    let marked = |is: fn(TransactionMarker) -> bool| {
        readings.iter().enumerate().filter(move |(_, reading)| reading.transaction().is_some_and(is))
    };
    let (mut begins, mut stops) = (marked(TransactionMarker::is_begin), marked(TransactionMarker::is_end));
    let (begin_at, begin) = begins.next().ok_or(Fault::NoBegin)?;
    let (end_at, end) = stops.next().ok_or(Fault::NoEnd)?;
    if begins.next().is_some() {
        return Err(Fault::SeveralBegins);
    }
    if stops.next().is_some() {
        return Err(Fault::SeveralEnds);
    }
    if end_at < begin_at { Err(Fault::EndBeforeBegin) } else { Ok((begin, end)) }
}

fn point(reading: &Reading<'_>) -> Result<Point, Fault> {
    let time = reading.time().ok_or(Fault::ClockUnknown)?;
    let clock = match time.status {
        Some(TimeStatus::Synchronized) => ClockQuality::Synchronised,
        Some(TimeStatus::Relative) => ClockQuality::Relative,
        Some(TimeStatus::Informative) => ClockQuality::Informative,
        _ => return Err(Fault::ClockUnknown),
    };
    let value = reading.value().ok_or(Fault::NoImportRegister)?;
    let unit = reading.unit().map_or("", |unit| unit.as_str());
    Ok(Point {
        at: Timestamp::from_micros(time.unix_millis().saturating_mul(1_000)),
        at_written: time.to_string(),
        clock,
        register: kwh(reading).and_then(Energy::from_kwh).ok_or(Fault::NoImportRegister)?,
        register_written: format!("{} {unit}", value.as_str()),
        obis: reading.obis().map(|obis| obis.as_str().to_owned()).unwrap_or_default(),
    })
}

/// End minus begin, exact; only the difference is cut to milliwatt-hours.
fn difference(begin: &Reading<'_>, end: &Reading<'_>) -> Result<Energy, Fault> {
    let difference = kwh(end).zip(kwh(begin)).and_then(|(end, begin)| end.checked_sub(begin));
    let energy = difference.and_then(Energy::from_kwh).ok_or(Fault::NoImportRegister)?;
    if difference.is_some_and(|kwh| kwh.is_sign_negative() && !kwh.is_zero()) {
        let by = Energy::ZERO.checked_sub(energy).unwrap_or(Energy::ZERO);
        return Err(Fault::EnergyFalls { by });
    }
    Ok(energy)
}

fn kwh(reading: &Reading<'_>) -> Option<Decimal> {
    let wh_per_unit = reading.unit()?.watt_hours_scale()?;
    reading.value()?.value().checked_mul(Decimal::from(wh_per_unit))?.checked_div(Decimal::from(1_000))
}

fn remark(
    records: &[Record<'_>],
    register: &Billed<'_, '_>,
    (begin, end): (&Point, &Point),
    last: &Reading<'_>,
    remarks: &mut Vec<Remark>,
) {
    match (begin.clock, end.clock) {
        (ClockQuality::Synchronised, ClockQuality::Synchronised) => {}
        (_, ClockQuality::Relative) => remarks.push(Remark::ClockRelative),
        _ => remarks.push(Remark::ClockInformative),
    }
    if records.iter().all(|record| record.payload().meter_serial().is_none()) {
        remarks.push(Remark::MeterUnnamed);
    }
    if !register.named {
        remarks.push(Remark::RegisterUnnamed);
    }
    if last.transaction().is_some_and(TransactionMarker::is_fault) {
        remarks.push(Remark::EndedAbnormally);
    }
    // two readers may read such a record differently: the one departure that touches its meaning
    let ambiguous = [DeviationKind::DuplicateKey, DeviationKind::InvalidStringEscape, DeviationKind::ReadingsTruncated];
    for kind in ambiguous {
        if records.iter().any(|record| record.deviations().iter().any(|found| found.kind == kind)) {
            remarks.push(Remark::Ambiguous(kind.to_string()));
        }
    }
}

/// Everything in which the records depart from the standard, each kind once, for the report.
fn departures(records: &[Record<'_>]) -> Vec<String> {
    let mut kinds: Vec<DeviationKind> = Vec::new();
    for deviation in records.iter().flat_map(|record| record.deviations()).filter(|found| found.is_breach()) {
        if !kinds.contains(&deviation.kind) {
            kinds.push(deviation.kind);
        }
    }
    kinds.into_iter().map(|kind| format!("{kind} [{}]", kind.spec())).collect()
}

fn meter(payload: &Payload<'_>) -> Meter {
    Meter {
        vendor: payload.meter_vendor().map(str::to_owned),
        model: payload.meter_model().map(str::to_owned),
        serial: payload.meter_serial().map(str::to_owned),
        firmware: payload.meter_firmware().map(str::to_owned),
    }
}

fn gateway(payload: &Payload<'_>) -> Gateway {
    Gateway {
        id: payload.gateway_id().map(str::to_owned),
        serial: payload.gateway_serial().map(str::to_owned),
        version: payload.gateway_version().map(str::to_owned),
        controller_firmware: payload.charge_controller_firmware().map(str::to_owned),
    }
}

fn identification(payload: &Payload<'_>) -> Identification {
    Identification {
        assigned: payload.identification_status(),
        level: payload.identification_level().map(|level| level.as_str().to_owned()),
        kind: payload.identification_type().map(|kind| kind.as_str().to_owned()),
        flags: payload.identification_flags().unwrap_or_default().iter().map(|flag| flag.as_str().to_owned()).collect(),
        data: payload.identification_data().filter(|data| !data.is_empty()).map(|data| Personal::new(data.to_owned())),
    }
}

fn digest(records: &[Record<'_>]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for record in records {
        hash.update(record.signed_bytes());
    }
    hash.finalize().into()
}
