//! Stations' certificates: requests judged and signed, sent as an order, and what a station holds.
//!
//! A request is signed for a station whose serial number is known and named in it (OCPP 2.x A00.FR.404, A02), with a
//! key that is strong enough. A refusal is written down with its reason; the station hears that its message was read.

use std::sync::Arc;
use std::time::Duration;

use charge::Timestamp;
use charge::id::StationId;
use charge::talk::line::certificate::{CertificateOrder, StationKey};
use charge::talk::line::{StationAnswer, ToStation};
use store::outbox::{self, Job};
use store::{StoreError, Tx};
use trust::pki::{Authority, SigningRequest};

use super::chore::CHORE;
use super::{Event, Fault, House, Operator};
use crate::admit::Proof;
use crate::desk::{Installed, Issued};
use crate::memory::certificate::{self, ToSend};
use crate::memory::station::{self, StationRow};
use crate::order::{Outcome, outcome};

impl Operator {
    /// Hangs the authority of the stations' certificates in its frame. The first one stays.
    pub fn attach_authority(&self, authority: Arc<Authority>) {
        // a second door to the same room brings the same authority
        drop(self.0.authority.set(authority));
    }

    /// What stations asked for, newest first; `within` keeps those that end so soon.
    pub async fn issued(&self, of: Option<StationId>, within: Option<Duration>) -> Result<Vec<Issued>, Fault> {
        let before = within.map(|span| self.0.now().plus(span));
        Ok(self.read("operator.issued", move |_, tx| certificate::list(tx, of.as_ref(), before)).await?)
    }

    /// What a station said it holds.
    pub async fn installed(&self, of: &StationId) -> Result<Vec<Installed>, Fault> {
        let of = of.clone();
        Ok(self.read("operator.installed", move |_, tx| certificate::installed(tx, &of)).await?)
    }

    /// Sends a certificate that was issued. Sent again after a crash: the same chain twice does no harm.
    pub(super) async fn send_certificate(&self, id: i64, job: &Job) -> Result<(), StoreError> {
        let found = self.read("operator.certificate", move |_, tx| certificate::to_send(tx, id)).await?;
        let done = job.id;
        let Some(ToSend { station, key, request, chain }) = found else {
            return self.run("operator.certificate.none", move |_, tx| outbox::done(tx, done).map(drop)).await;
        };
        let order = CertificateOrder::Signed { key, chain: chain.into(), request };
        let answer = self.tell(&station, ToStation::Certificate(order)).await;
        let came = outcome(answer);
        let (now, attempts) = (self.0.now(), job.attempts);
        self.run("operator.certificate.sent", move |_, tx| {
            let (state, again) = match came.outcome {
                Outcome::Accepted | Outcome::Scheduled => ("accepted", false),
                Outcome::Refused => ("rejected", false),
                Outcome::TimedOut | Outcome::NotConnected | Outcome::Error => ("unsent", attempts < SENDS_MAX),
            };
            certificate::sent(tx, id, state, Some(&came.message).filter(|_| state != "accepted").map(String::as_str))?;
            if again {
                outbox::retry(tx, done, now.plus(SEND_AGAIN), &came.message).map(drop)
            } else {
                outbox::done(tx, done).map(drop)
            }
        })
        .await?;
        self.0.tell_of(Event::Station(station));
        Ok(())
    }
}

/// A station asks for a certificate.
pub(super) fn asked(
    house: &House,
    tx: &mut Tx<'_>,
    name: &StationId,
    (key, request): (StationKey, Option<i32>),
    csr: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    if certificate::asked_since(tx, name, now.minus(ASKED_WITHIN))? >= ASKED_MAX {
        tracing::warn!(station = %name, "asks for one certificate after the other; this one is not looked at");
        return Ok(());
    }
    let row = station::find(tx, name)?;
    let read = SigningRequest::read(csr);
    let said = read.as_ref().ok().and_then(|read| read.common_name.clone());
    let refuse = |tx: &mut Tx<'_>, why: &str| certificate::refused(tx, name, key, said.as_deref(), why, now);
    let Some(authority) = house.authority.get() else {
        return refuse(tx, "no authority for stations' certificates is attached");
    };
    let serial = match judge(key, read.as_ref().ok(), row.as_ref()) {
        Ok(serial) => serial,
        Err(why) => return refuse(tx, &why),
    };
    let Ok(read) = read else { return Ok(()) };
    let signed = authority.certify(&read, &serial, &house.setup.name, LIFE, now, &*house.dice);
    match signed {
        Ok((chain, facts)) => {
            let to_send = ToSend { station: name.clone(), key, request, chain };
            let id = certificate::issued(tx, &to_send, &facts, now)?;
            outbox::put(tx, CHORE, &format!("certificate/{id}"), now, &[]).map(drop)
        }
        Err(fault) => refuse(tx, &fault.to_string()),
    }
}

/// The serial number to be certified, or why not.
fn judge(key: StationKey, read: Option<&SigningRequest>, row: Option<&StationRow>) -> Result<String, String> {
    let Some(read) = read else { return Err("the request cannot be read, or its signature is wrong".to_owned()) };
    if key != StationKey::Line {
        return Err("there is no authority for ISO 15118 certificates here".to_owned());
    }
    if !read.is_strong() {
        return Err(format!("the key is too weak: {}", read.key_kind));
    }
    let enrolled = row.and_then(|row| match &row.proof {
        Proof::Certificate { serial } => Some(serial.clone()),
        // a number that it says itself at a boot may be another station's, whom its certificate would then let in as
        Proof::Basic { serial, .. } => serial.clone(),
    });
    let Some(serial) = enrolled.map(|serial| serial.trim().to_owned()).filter(|serial| !serial.is_empty()) else {
        return Err("no serial number of this station is enrolled".to_owned());
    };
    match read.common_name.as_deref().map(str::trim) {
        Some(name) if name == serial => Ok(serial),
        Some(_) | None => Err(format!("the request does not name the station's serial number {serial}")),
    }
}

/// Keeps what a station answered when it was asked what it holds, and what it holds no longer (M04.FR.07: named as the
/// station has named it).
pub(super) fn inventory(
    tx: &mut Tx<'_>,
    name: &StationId,
    order: &CertificateOrder,
    answer: &StationAnswer,
    now: Timestamp,
) -> Result<(), StoreError> {
    match (order, answer) {
        (CertificateOrder::List(uses), StationAnswer::Certificates(all)) => {
            certificate::put_installed(tx, name, uses, all, now)
        }
        (CertificateOrder::Delete(hash), StationAnswer::Accepted) => certificate::gone(tx, name, hash),
        (CertificateOrder::Delete(hash), StationAnswer::Refused(word)) if &**word == "NotFound" => {
            certificate::gone(tx, name, hash)
        }
        _ => Ok(()),
    }
}

/// A station renews before its end; a year and a month leaves time for a missed visit.
const LIFE: Duration = Duration::from_secs(397 * 86_400);
const SEND_AGAIN: Duration = Duration::from_secs(300);
/// After this the station asks again by itself (A02.FR.18).
const SENDS_MAX: i64 = 5;
/// A station asks once a year, and some times more while somebody sets it up: each costs a signature and stays a row.
const ASKED_MAX: i64 = 24;
const ASKED_WITHIN: Duration = Duration::from_secs(24 * 3_600);
