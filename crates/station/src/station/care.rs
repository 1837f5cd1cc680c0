//! Care of the station: firmware, logs, certificates, the device model and its monitors.

use std::time::Duration;

use charge::id::TransactionKey;
use charge::talk::line::certificate::{CertificateNews, CertificateOrder, CertificateUse, StationKey};
use charge::talk::line::document::ItemOutcome;
use charge::talk::line::model::{ModelNews, ModelOrder, Monitor, MonitorKind, ReportKind, ReportRow};
use charge::talk::line::upkeep::{FirmwareSignature, LogKind, Progress, Retries, UpkeepOrder, Work};
use charge::talk::line::{FromStation, StationAnswer};
use charge::{Secret, Timestamp};

use super::blocks::Signing;
use super::inventory::wanted;
use super::orders::refused;
use super::{Output, Station};
use crate::journal::Note;
use crate::network::Equipment;
use crate::settings::Key;
use crate::upkeep::{LogJob, Update, vouched};

/// Rows in one report: well below the 2 kB that the field's stations hold in one buffer.
const ROWS_PER_REPORT: usize = 10;

impl Station {
    pub(super) fn upkeep(&mut self, order: UpkeepOrder) -> StationAnswer {
        match order {
            UpkeepOrder::FetchLog { request, kind, to, from, until, retries, legacy } => {
                let of = if legacy { Work::Diagnostics } else { Work::Log };
                self.fetch_log((of, request), kind, to, (from, until), retries)
            }
            UpkeepOrder::Firmware { request, from, retrieve_at, install_at, signed, retries } => {
                self.firmware(request, from, retrieve_at, (install_at, retries), signed)
            }
            // a station is no local controller: it publishes for nobody (L03, L04)
            UpkeepOrder::Publish { .. } => refused("Rejected"),
            UpkeepOrder::Unpublish { .. } => refused("NoFirmware"),
        }
    }

    fn fetch_log(
        &mut self,
        (of, request): (Work, i32),
        kind: LogKind,
        to: Secret<Box<str>>,
        (from, until): (Option<Timestamp>, Option<Timestamp>),
        retries: Retries,
    ) -> StationAnswer {
        let text = self.blocks.logbook.text(kind, from, until);
        // N01.FR.21, 1.6 5.1: nothing to send, no name; else N01.FR.01, N01.FR.02
        if text.is_empty() {
            return StationAnswer::File(None);
        }
        let name = format!("{}-{}.log", self.plan.id, self.now.secs());
        if let Some(old) = self.blocks.log.take() {
            // N01.FR.12: a new request ends the one under way
            let canceled = if of == Work::Diagnostics { old.failed() } else { "AcceptedCanceled" };
            let words = FromStation::Progress(old.progress(canceled));
            self.news(words);
        }
        self.blocks.errands += 1;
        let number = self.blocks.errands;
        self.blocks.log = Some(LogJob::new(of, request, number, to, (name.clone(), text), self.now, retries));
        StationAnswer::File(Some(name.into()))
    }

    fn firmware(
        &mut self,
        request: i32,
        from: Secret<Box<str>>,
        at: Timestamp,
        wish: (Option<Timestamp>, Retries),
        signed: Option<FirmwareSignature>,
    ) -> StationAnswer {
        // L01.FR.21, L01.FR.22
        if signed.as_ref().is_some_and(|signature| !vouched(self.now, signature)) {
            self.alarm("InvalidFirmwareSigningCertificate");
            return refused("InvalidCertificate");
        }
        let of = if signed.is_some() && !self.version.is_2() { Work::SignedFirmware } else { Work::Firmware };
        let mut update = Update::new((of, request, 0), from, at, wish, signed);
        if let Some(status) = update.scheduled(self.now).filter(|_| self.version.is_2() || of == Work::SignedFirmware) {
            let status = status.into();
            self.news(FromStation::Progress(Progress { of, request: Some(request), status, places: Vec::new() }));
        }
        let canceled = self.blocks.update.replace(update).is_some();
        // L01.FR.24: a new one takes the place of the one under way
        if canceled && (self.version.is_2() || of == Work::SignedFirmware) {
            return refused("AcceptedCanceled");
        }
        StationAnswer::Accepted
    }

    /// For whoever asks how a work is going (F06.FR.14, F06.FR.15, F06.FR.16; 1.6, 5.17).
    pub(super) fn work_status(&mut self, of: Work) {
        let update = self.blocks.update.as_ref();
        let (status, request) = match of {
            Work::Firmware | Work::SignedFirmware => {
                (update.map_or("Idle", Update::status), update.map(|update| update.request))
            }
            Work::Log | Work::Diagnostics => {
                let job = self.blocks.log.as_ref();
                (if job.is_some() { "Uploading" } else { "Idle" }, job.map(|job| job.request))
            }
            Work::Publishing => ("Idle", None),
        };
        // 1.6 signed updates have a message of their own
        let of = update.map_or(of, |update| if of == Work::Firmware { update.of } else { of });
        self.news(FromStation::Progress(Progress { of, request, status: status.into(), places: Vec::new() }));
    }

    pub(super) fn certificate(&mut self, order: CertificateOrder, out: &mut Vec<Output>) -> StationAnswer {
        match order {
            CertificateOrder::Signed { key, chain, request: _ } => {
                // whatever it is worth, it is the answer (A02.FR.20)
                self.blocks.signing = self.blocks.signing.filter(|signing| signing.key != key);
                match self.blocks.chest.signed(self.now, key, &chain) {
                    Some(identity) => {
                        if key == StationKey::Line {
                            self.blocks.certified = true;
                            out.push(Output::Identity(Box::new(identity)));
                        }
                        StationAnswer::Accepted
                    }
                    None => {
                        // A02.FR.07; the 1.6 whitepaper, 8, has the older name
                        self.alarm(if self.version.is_2() {
                            "InvalidChargingStationCertificate"
                        } else {
                            "InvalidChargePointCertificate"
                        });
                        refused("Rejected")
                    }
                }
            }
            // M05.FR.01, M05.FR.02, M05.FR.07
            CertificateOrder::Install { used_for, certificate } => {
                done(self.blocks.chest.install(used_for, &certificate))
            }
            // M04.FR.01, M04.FR.02, M04.FR.04
            CertificateOrder::Delete(hash) => done(self.blocks.chest.delete(&hash)),
            // M03.FR.01, M03.FR.02, M03.FR.03, M03.FR.04
            CertificateOrder::List(uses) => {
                let found = self.blocks.chest.list(&uses);
                if found.is_empty() { refused("NotFound") } else { StationAnswer::Certificates(found) }
            }
        }
    }

    /// Asks for a new certificate (A02; 1.6 whitepaper 4.1.1).
    pub(super) fn sign(&mut self, key: StationKey) -> bool {
        let organisation = self.settings.text(Key::OrganisationName).to_owned();
        let csr = self.blocks.chest.ask(key, &self.plan.serial, &organisation);
        let Some(csr) = csr else { return false };
        self.news(FromStation::Certificate(CertificateNews::Sign { key, request: None, csr }));
        let before = self.blocks.signing.filter(|signing| signing.key == key && signing.again_at.is_some());
        let doubled = before.map_or(0, |signing| signing.doubled);
        self.blocks.signing = self.version.is_2().then_some(Signing { key, doubled, again_at: None });
        true
    }

    /// The operator took a request, or did not (A02.FR.17).
    pub(super) fn sign_taken(&mut self, taken: bool) {
        let least = self.settings.seconds(Key::SignWait);
        let Some(signing) = self.blocks.signing.as_mut().filter(|signing| signing.again_at.is_none()) else { return };
        let wait = least.saturating_mul(2_u32.saturating_pow(signing.doubled));
        signing.again_at = Some(self.now.plus(wait.max(Duration::from_secs(1))));
        if !taken {
            self.blocks.signing = None;
        }
    }

    /// No certificate has come in time: the request is said again, each time after twice as long (A02.FR.18), and not for
    /// ever (A02.FR.19).
    pub(super) fn sign_again(&mut self, signing: Signing) {
        if signing.doubled >= self.settings.number(Key::SignRepeats) {
            self.blocks.signing = None;
            return;
        }
        self.blocks.signing = Some(Signing { doubled: signing.doubled + 1, ..signing });
        if !self.sign(signing.key) {
            self.blocks.signing = None;
        }
    }

    /// 1.6: a higher security profile, if everything is in place for it; the line is then dialled anew.
    ///
    /// cites: ocpp-1.6-security A05.FR.05, A05.FR.06, A05.FR.07
    pub(super) fn rise(&mut self, value: &str, out: &mut Vec<Output>) -> bool {
        let current = self.security_profile();
        let has = self.equipment(current);
        let wanted = value.trim().parse::<u8>().ok();
        let order = wanted.and_then(|wanted| self.blocks.networks.rise(wanted, current, has));
        let Some(order) = order else { return false };
        self.blocks.rising = wanted;
        let (key, value) = self.settings.note(Key::NetworkPriority, &order);
        out.push(Output::Keep(Note::Setting(key, value)));
        self.alarm("ReconfigurationOfSecurityParameters");
        out.push(Output::Redial);
        true
    }

    /// Who is at home in a profile has what it needs.
    fn equipment(&self, current: u8) -> Equipment {
        let root = !self.blocks.chest.list(&[CertificateUse::OperatorRoot]).is_empty();
        Equipment {
            password: self.settings.password().is_some() || matches!(current, 1 | 2),
            root: root || current >= 2,
            certificate: self.blocks.certified || current >= 3,
        }
    }

    pub(super) fn model(&mut self, order: ModelOrder) -> StationAnswer {
        match order {
            // B07.FR.01, B07.FR.12
            ModelOrder::Base { request, kind } => {
                let rows = self.rows();
                let meant = |row: &ReportRow| match kind {
                    ReportKind::Full => true,                    // B07.FR.08
                    ReportKind::Configuration => !row.read_only, // B07.FR.07
                    // B07.FR.09
                    ReportKind::Summary => {
                        ["AvailabilityState", "Problem"].iter().any(|name| row.variable.ends_with(name))
                    }
                };
                self.report_rows(request, rows.into_iter().filter(meant).collect())
            }
            // B08.FR.01, B08.FR.05, B08.FR.11
            ModelOrder::Report { request, variables, criteria } => {
                let rows = self.rows();
                let meant = |row: &ReportRow| wanted(&row.variable, &variables) && self.meets(&row.variable, &criteria);
                let rows = rows.iter().filter(|row| meant(row)).cloned().collect();
                self.report_rows(request, rows)
            }
            // N03.FR.01
            ModelOrder::MonitoringBase(base) => {
                self.blocks.watch.base(base);
                StationAnswer::Accepted
            }
            // N05.FR.01, N05.FR.02
            ModelOrder::MonitoringLevel(level) => {
                if self.blocks.watch.level(level) {
                    StationAnswer::Accepted
                } else {
                    refused("Rejected")
                }
            }
            ModelOrder::Watch(monitors) => self.monitor(monitors),
            ModelOrder::Unwatch(ids) => self.unwatch(&ids),
            ModelOrder::Monitors { request, variables, criteria } => {
                self.report_monitors(request, &variables, &criteria)
            }
            ModelOrder::Network { slot, to } => {
                let current = self.security_profile();
                done(self.blocks.networks.set(slot, to, current))
            }
            ModelOrder::TransactionStatus(key) => self.transaction_status(key.as_ref()),
            ModelOrder::AdjustStream { id, pace } => {
                if self.blocks.watch.adjust(id, pace) {
                    StationAnswer::Accepted
                } else {
                    refused("Rejected")
                }
            }
            ModelOrder::Streams => StationAnswer::Streams(self.blocks.watch.streams()),
        }
    }

    fn security_profile(&self) -> u8 {
        u8::try_from(self.settings.number(Key::SecurityProfile)).unwrap_or(u8::MAX)
    }

    /// Whether the networks may be tried in this order (B10.FR.01, B10.FR.02).
    pub(super) fn may_prefer(&self, order: &str) -> bool {
        let current = self.security_profile();
        self.blocks.networks.may_prefer(order, current, self.equipment(current))
    }

    fn report_rows(&mut self, request: i32, rows: Vec<ReportRow>) -> StationAnswer {
        if rows.is_empty() {
            return refused("EmptyResultSet"); // B08.FR.15
        }
        let at = self.now.whole_millis();
        // B07.FR.03, B08.FR.03
        self.in_parts(request, &rows, ROWS_PER_REPORT, |part, rows| {
            FromStation::Model(ModelNews::Report { part, at, rows })
        });
        StationAnswer::Accepted
    }

    /// An outcome for each, in order (N04.FR.01, N04.FR.02).
    fn monitor(&mut self, monitors: Vec<Monitor>) -> StationAnswer {
        let mut rows = Vec::with_capacity(monitors.len());
        for monitor in monitors {
            let value = self.value_of(&monitor.variable);
            let wants_stream = monitor.stream.is_some();
            let set = self.blocks.watch.set(self.now, monitor, value);
            if wants_stream && &*set.word == "Accepted" {
                let stream = self.blocks.watch.streams().into_iter().find(|stream| Some(stream.id) == set.id);
                if let Some(stream) = stream {
                    self.news(FromStation::Model(ModelNews::StreamOpened(stream)));
                }
            }
            rows.push(set);
        }
        StationAnswer::Monitors(rows)
    }

    /// N06.FR.01, N06.FR.02, N06.FR.05.
    fn unwatch(&mut self, ids: &[i32]) -> StationAnswer {
        let mut rows = Vec::with_capacity(ids.len());
        for id in ids {
            let gone = self.blocks.watch.clear(*id);
            if gone == Some(true) {
                self.news(FromStation::Model(ModelNews::StreamClosed(*id)));
            }
            let word = if gone.is_some() { "Accepted" } else { "NotFound" };
            rows.push(ItemOutcome { of: id.to_string().into(), word: word.into() });
        }
        StationAnswer::Items(rows)
    }

    fn report_monitors(&mut self, request: i32, variables: &[Box<str>], criteria: &[Box<str>]) -> StationAnswer {
        // N02.FR.12, N02.FR.13, N02.FR.14
        let kind = |kind: MonitorKind| match kind {
            MonitorKind::UpperThreshold | MonitorKind::LowerThreshold => "ThresholdMonitoring",
            MonitorKind::Delta | MonitorKind::TargetDelta | MonitorKind::TargetDeltaRelative => "DeltaMonitoring",
            MonitorKind::Periodic | MonitorKind::PeriodicClockAligned => "PeriodicMonitoring",
        };
        // N02.FR.05, N02.FR.06, N02.FR.08, N02.FR.11
        let meant = |of: &&Monitor| {
            wanted(&of.variable, variables)
                && (criteria.is_empty() || criteria.iter().any(|word| **word == *kind(of.kind)))
        };
        let rows: Vec<Monitor> = self.blocks.watch.all().filter(meant).cloned().collect();
        if rows.is_empty() {
            return refused("EmptyResultSet"); // N02.FR.10
        }
        let at = self.now.whole_millis();
        // N02.FR.01, N02.FR.03
        self.in_parts(request, &rows, ROWS_PER_REPORT, |part, monitors| {
            FromStation::Model(ModelNews::Monitors { part, at, monitors })
        });
        StationAnswer::Accepted
    }

    /// Whether it runs (E14.FR.01, E14.FR.02, E14.FR.03), where one is named (E14.FR.06); whether something about it, or
    /// anything, waits to be told (E14.FR.04, E14.FR.05, E14.FR.07, E14.FR.08).
    fn transaction_status(&self, key: Option<&TransactionKey>) -> StationAnswer {
        let Some(key) = key else { return StationAnswer::Pending { ongoing: None, queued: !self.queue.is_empty() } };
        StationAnswer::Pending { ongoing: Some(self.queue.named(key).is_some()), queued: self.queue.owes(key) }
    }
}

fn done(result: Result<(), &'static str>) -> StationAnswer {
    result.map_or_else(refused, |()| StationAnswer::Accepted)
}
