//! CDRs for providers of OICP: pushed, and kept sealed for a window in which the provider may fetch them.
//!
//! A provider that is away does not stop an operator: what cannot be pushed is acknowledged and waits here, in the order
//! it came, until the provider takes a push or fetches it (OICP 2.3, eRoamingGetChargeDetailRecords). Invariant: a CDR
//! that its provider has taken is never pushed again, whoever sends it once more, and is in one hand at a time.

use std::collections::HashSet;
use std::sync::Arc;

use charge::Timestamp;
use charge::id::PartyId;
use charge::record::Cdr;
use charge::talk::road::{Answer, Denial, RoadFault};
use charge::talk::thrift::Measure;
use oicp::bridge::answer;
use oicp::message::{Reply, Request};
use oicp::{Doc, Operation, Record, form};

use super::broker::{Broker, version_of};
use super::entrance::Received;
use crate::road::speaker::Told;
use crate::road::vault::{Mail, Put, Slip, Vault, VaultFault, in_hand};

/// What these documents are kept under: the form of 2.3, from which 2.0 is written.
const TONGUE: &str = "oicp";
/// Records that are looked through for one answer; a longer time has to be asked for in parts.
const LOOKED_THROUGH_MAX: u32 = 10_000;
/// As many are read at once.
const READ_AT_ONCE: u32 = 500;

/// What to do with a CDR before it is pushed.
pub(super) enum Before {
    /// Push it; it is kept under this number.
    Push(Option<i64>),
    /// It was taken already.
    Taken,
}

impl Broker {
    /// Keeps a CDR for its provider, where that one has a mailbox.
    pub(super) async fn keep(&self, to: PartyId, from: PartyId, body: &Record) -> Result<Before, Denial> {
        let Some(vault) = self.mailbox(to).await else { return Ok(Before::Push(None)) };
        let session = body.text("SessionID").unwrap_or_default().to_ascii_lowercase();
        let now = self.0.setup.clock.now();
        // it is in our hand: the duty, which may look at any moment, leaves it alone
        let slip = Slip { receiver: to, sender: from, name: &session, tongue: TONGUE, due: in_hand(now) };
        match vault.put(slip, &Doc::from(body.clone()).to_string(), now).await? {
            Put::New(number) => Ok(Before::Push(Some(number))),
            Put::Same { number, taken: false } if vault.hold(number, now).await? => Ok(Before::Push(Some(number))),
            // it is being pushed, and how that ends is not known yet
            Put::Same { taken: false, .. } => Err(Denial::ReceiverSilent),
            Put::Same { taken: true, .. } => Ok(Before::Taken),
            Put::Another => Err(Denial::Malformed { path: "/SessionID".into(), why: "has another CDR already".into() }),
        }
    }

    /// After the push: what was taken is not pushed again, what could not be pushed waits, what was refused is gone.
    pub(super) async fn pushed(
        &self,
        number: Option<i64>,
        cdr: &Cdr,
        told: Result<Told, RoadFault>,
    ) -> Result<Told, RoadFault> {
        let (Some(number), Some(vault)) = (number, self.vault()) else { return told };
        let denied = |fault: VaultFault| RoadFault::Denied(fault.into());
        match told {
            Ok(told) => {
                vault.taken(number, self.0.setup.clock.now()).await.map_err(denied)?;
                Ok(told)
            }
            Err(RoadFault::Unreachable | RoadFault::TimedOut) => {
                vault.later(number, self.0.setup.clock.now()).await.map_err(denied)?;
                Ok(Told::new(Answer::Kept(cdr.id.clone())))
            }
            Err(fault) => {
                vault.undo(number).await.map_err(denied)?;
                Err(fault)
            }
        }
    }

    /// Pushes what waits, in the order it came. A provider that is still away is left alone until the next time.
    pub async fn duty(&self) -> Result<(), Denial> {
        let Some(vault) = self.vault() else { return Ok(()) };
        let now = self.0.setup.clock.now();
        let mut away = HashSet::new();
        for mail in vault.due(TONGUE, now).await? {
            if away.contains(&mail.receiver) {
                continue;
            }
            let Some(body) = record(&mail) else { continue };
            if !vault.hold(mail.number, now).await? {
                continue;
            }
            let request = Request { operation: Operation::ChargeDetailRecord, body };
            match self.push(&mail, &request).await {
                Ok(()) => vault.taken(mail.number, now).await?,
                Err(fault) => {
                    tracing::info!(to = %mail.receiver, ?fault, "a kept CDR cannot be told yet");
                    vault.later(mail.number, now).await?;
                    away.insert(mail.receiver);
                }
            }
        }
        Ok(())
    }

    async fn push(&self, mail: &Mail, request: &Request) -> Result<(), RoadFault> {
        let partner = self.0.setup.partners.find(mail.receiver).ok_or(RoadFault::NoRoad)?;
        let version = version_of(partner.protocol).ok_or(RoadFault::NoRoad)?;
        let wire = self.0.wires.to(&partner, version, &self.0.setup.tls)?;
        let answered = wire.ask(request, mail.sender, None, "").await?;
        match answered.reply.value {
            Reply::Proper(body) => answer::succeeded(&body),
            Reply::Refusal(_) => Err(RoadFault::Denied(Denial::NotYours)),
        }
    }

    /// The CDRs of a time that a provider fetches. What it fetches it has taken.
    pub(super) async fn fetched(&self, provider: PartyId, received: &Received) -> Result<Reply, Denial> {
        let Some(vault) = self.mailbox(provider).await else { return Err(Denial::NotSupported) };
        let body = &received.request.body;
        let missing = |name: &str| Denial::Incomplete(name.into());
        let from = body.time("From").ok_or_else(|| missing("From"))?;
        let to = body.time("To").ok_or_else(|| missing("To"))?;
        let sessions: HashSet<String> = body.texts("SessionID").map(str::to_ascii_lowercase).collect();
        let operator = body.text("OperatorID").and_then(form::party);
        let wanted = |mail: &Mail| {
            (sessions.is_empty() || sessions.contains(&mail.name))
                && operator.is_none_or(|operator| mail.sender == operator)
                && body.flag("CDRForwarded").is_none_or(|forwarded| forwarded == mail.taken)
        };
        let found: Vec<Mail> = all(&vault, provider, (from, to)).await?.into_iter().filter(wanted).collect();
        let part = received.part;
        let page = found.iter().skip(part.first()).take(part.most());
        let now = self.0.setup.clock.now();
        for mail in page.filter(|mail| !mail.taken) {
            vault.taken(mail.number, now).await?;
        }
        Ok(answer::kept_cdrs(found.iter().filter_map(record).collect(), part))
    }

    fn vault(&self) -> Option<Arc<Vault>> {
        self.0.setup.crossing.vault()
    }

    async fn mailbox(&self, provider: PartyId) -> Option<Arc<Vault>> {
        let vault = self.vault()?;
        let on = self.0.setup.crossing.exchange.thrift(provider).await.on(Measure::ShortMailbox);
        on.then_some(vault)
    }
}

async fn all(vault: &Vault, provider: PartyId, between: (Timestamp, Timestamp)) -> Result<Vec<Mail>, Denial> {
    let mut found = Vec::new();
    for offset in (0..LOOKED_THROUGH_MAX).step_by(READ_AT_ONCE as usize) {
        let (mail, total) = vault.kept(provider, TONGUE, between, (offset, READ_AT_ONCE)).await?;
        found.extend(mail);
        if offset + READ_AT_ONCE >= total {
            break;
        }
    }
    Ok(found)
}

fn record(mail: &Mail) -> Option<Record> {
    oicp::doc::read(mail.text.as_bytes()).ok()?.as_record().cloned()
}
