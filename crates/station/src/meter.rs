//! The meter of one EVSE: counts exactly, never backwards, and signs what it read.
//!
//! It deliberately knows no transaction: the caller says which moment a reading marks and whom it names. The pages of
//! its records are its own memory and survive a loss of power through [`MeterMemory`].
//!
//! Invariant: the register is the integral of the power to the last nanojoule, in whole milliwatt-hours when read.

use billing::record::ocmf::{Ident, Moment, SignFault, SignedReading, Signer};
use billing::record::{ClockQuality, PublicKey};
use charge::Timestamp;
use charge::id::EvseId;
use charge::meter::SignedRecord;
use charge::units::{Energy, Power};

use crate::car::NANOJOULE_PER_MWH;

/// What a meter keeps without power.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MeterMemory {
    pub register: Energy,
    /// Below a milliwatt-hour.
    pub rest_nj: u64,
    /// The page of the last record; 0 before the first.
    pub page: u64,
    /// When the register was last kept.
    pub at: Option<Timestamp>,
}

/// A meter with its signing hand.
pub struct Meter {
    signer: Signer,
    evse_id: EvseId,
    memory: MeterMemory,
}

impl Meter {
    pub const fn new(signer: Signer, evse_id: EvseId, memory: MeterMemory) -> Self {
        Self { signer, evse_id, memory }
    }

    /// Back from a loss of power with what was kept.
    pub const fn restore(&mut self, memory: MeterMemory) {
        self.memory = memory;
    }

    /// The total import register.
    pub const fn register(&self) -> Energy {
        self.memory.register
    }

    /// What has to be kept so that nothing said is ever unsaid.
    pub fn memory(&self, at: Timestamp) -> MeterMemory {
        MeterMemory { at: Some(at), ..self.memory }
    }

    pub fn public_key(&self) -> PublicKey {
        self.signer.public_key()
    }

    pub fn serial(&self) -> &str {
        &self.signer.plate().serial
    }

    /// Counts `power` over `micros`. What flows back does not count here.
    pub fn count(&mut self, power: Power, micros: u64) {
        let Ok(rate) = u64::try_from(power.milliwatts()) else { return };
        let total = u128::from(self.memory.rest_nj) + u128::from(rate) * u128::from(micros);
        let per = u128::from(NANOJOULE_PER_MWH);
        let whole = Energy::from_mwh(i64::try_from(total / per).unwrap_or(i64::MAX));
        // a full register stands still instead of starting over: nobody lives that long
        self.memory.register = self.memory.register.checked_add(whole).unwrap_or(self.memory.register);
        self.memory.rest_nj = u64::try_from(total % per).unwrap_or(0);
    }

    /// Signs the register as it stands, on the next page.
    pub fn sign(
        &mut self,
        at: Timestamp,
        moment: Moment,
        ident: &Ident,
        clock: ClockQuality,
    ) -> Result<SignedRecord, SignFault> {
        let page = self.memory.page + 1;
        let reading = SignedReading { at, tx: moment, energy: self.memory.register, clock };
        let record = self.signer.sign(page, &[reading], ident, &self.evse_id, None)?;
        self.memory.page = page;
        Ok(record)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use billing::record::ocmf::{GatewayPlate, IdentKind, IdentLevel, MeterPlate};
    use billing::record::{KeySource, Verdict, verify};
    use proptest::prelude::*;
    use trust::sign::SigningKey;

    use super::*;

    fn meter() -> Meter {
        let key = SigningKey::generate().unwrap().to_pkcs8_der().unwrap();
        let plate = MeterPlate {
            vendor: "Leyden".to_owned(),
            model: "Virtual".to_owned(),
            serial: "M-1".to_owned(),
            firmware: "1".to_owned(),
        };
        let gateway = GatewayPlate { id: "VS".to_owned(), serial: "S-1".to_owned(), version: "1".to_owned() };
        let signer = Signer::new(key.expose(), plate, gateway).unwrap();
        Meter::new(signer, EvseId::new("DE*LEY*E1").unwrap(), MeterMemory::default())
    }

    #[test]
    fn begin_and_end_verify_as_one_session() {
        let mut meter = meter();
        let start = Timestamp::from_secs(1_800_000_000);
        let ident = Ident { kind: IdentKind::Local, level: IdentLevel::Hearsay, data: "2f6c1c2e-session".to_owned() };
        let sign = |meter: &mut Meter, secs, moment| {
            meter.sign(Timestamp::from_secs(start.secs() + secs), moment, &ident, ClockQuality::Synchronised).unwrap()
        };
        let begin = sign(&mut meter, 0, Moment::Begin);
        meter.count(Power::from_watts(11_000), 1_800_000_000);
        let middle = sign(&mut meter, 1_800, Moment::Charging);
        meter.count(Power::from_watts(11_000), 1_800_000_000);
        let end = sign(&mut meter, 3_600, Moment::EndedLocally);
        let key = meter.public_key();
        let verdict = verify(&[begin, middle, end], Some((&key, KeySource::Register)));
        let Verdict::Valid(verified) = verdict else { panic!("{verdict}") };
        assert_eq!(verified.energy(), Energy::from_wh(11_000));
        assert_eq!(verified.pagination(), ["T1", "T2", "T3"]);
        assert_eq!(verified.meter_serial(), Some("M-1"));
    }

    #[test]
    fn what_flows_back_does_not_count() {
        let mut meter = meter();
        meter.count(Power::from_watts(-5_000), 3_600_000_000);
        assert_eq!(meter.register(), Energy::ZERO);
    }

    proptest! {
        #[test]
        fn the_sum_of_the_parts_is_the_whole(
            parts in prop::collection::vec((0i64..400_000_000, 0u64..600_000_000), 1..80),
        ) {
            let mut meter = meter();
            let mut last = Energy::ZERO;
            for (mw, micros) in &parts {
                meter.count(Power::from_milliwatts(*mw), *micros);
                prop_assert!(meter.register() >= last, "the register fell");
                last = meter.register();
            }
            let nj: u128 = parts.iter().map(|(mw, us)| u128::try_from(*mw).unwrap() * u128::from(*us)).sum();
            prop_assert_eq!(u128::try_from(meter.register().mwh()).unwrap(), nj / 3_600_000_000);
            prop_assert_eq!(u128::from(meter.memory.rest_nj), nj % 3_600_000_000);
        }

        #[test]
        fn cutting_a_stretch_anywhere_counts_the_same(mw in 0i64..400_000_000, a in 0u64..1u64 << 40, b in 0u64..1u64 << 40) {
            let (mut cut, mut whole) = (meter(), meter());
            cut.count(Power::from_milliwatts(mw), a);
            cut.count(Power::from_milliwatts(mw), b);
            whole.count(Power::from_milliwatts(mw), a + b);
            prop_assert_eq!(cut.memory, whole.memory);
        }
    }
}
