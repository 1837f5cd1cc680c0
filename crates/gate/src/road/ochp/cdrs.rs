//! Records: handed in by operators, kept until their provider judged them, or carried on at once to one that speaks
//! another protocol.
//!
//! A record whose money would change on the way is implausible, as OCHP calls it: the operator hears so and keeps it. One
//! whose provider cannot be reached is not taken, so that its operator hands it in again.

use charge::id::PartyId;
use charge::talk::road::{Answer, Denial, Envelope, Errand, Fate, Question, Way};
use charge::token::ContractId;
use charge::{Personal, Purpose, Timestamp};
use ochp::Fault;
use ochp::bridge::record::{Beside, cdr};
use ochp::bridge::token::presented;
use ochp::message::{Cdrs, CdrsTaken, Done, Judged};
use ochp::scalar::Text;
use ochp::types::record::CdrInfo;
use ochp::types::result::{ResultCode, ResultInfo};
use ochp::types::token::TokenType;

use super::house::{House, kept, speaks_ochp};
use super::kept::NotKept;

impl House {
    pub(super) async fn take_cdrs(
        &self,
        operator: PartyId,
        cdrs: Cdrs,
        unreadable: usize,
    ) -> Result<CdrsTaken, Denial> {
        let (mut implausible, mut later, mut taken) = (Vec::new(), 0usize, 0usize);
        for info in cdrs.cdrs {
            let id = info.id.clone();
            match self.take_cdr(operator, info).await {
                Ok(()) => taken += 1,
                Err(Denial::Internal | Denial::Overloaded | Denial::ReceiverSilent | Denial::ReceiverUnreachable) => {
                    later += 1;
                    implausible.push(id);
                }
                Err(denial) => {
                    tracing::info!(%operator, ?denial, "a record is not plausible");
                    implausible.push(id);
                }
            }
        }
        let result = match (implausible.len() + unreadable, later, taken) {
            (0, ..) => ResultInfo::ok(),
            (_, 1.., _) => ResultInfo::new(ResultCode::Server, "some records were not taken: hand them in again later"),
            (_, _, 0) => ResultInfo::new(ResultCode::Format, "no record was plausible"),
            (..) => ResultInfo::new(ResultCode::Partly, "some records were not plausible"),
        };
        Ok(CdrsTaken { result, implausible })
    }

    async fn take_cdr(&self, operator: PartyId, mut info: CdrInfo) -> Result<(), Denial> {
        if let Some(named) = ochp::bridge::contract_id(info.contract.reveal(Purpose::Route))
            && let Some(real) = self.crossing.real_contract(operator, &named).await?
        {
            info.contract = ochp::bridge::token::written_contract(&real)?;
        }
        let names = |id: &str| id.chars().filter(char::is_ascii_alphanumeric).take(5).collect::<String>().parse().ok();
        if names(info.id.as_str()) != Some(operator) || names(info.evse.as_str()) != Some(operator) {
            return Err(Denial::NotYours);
        }
        let payer = self.payer(operator, &info)?;
        if self.partners.find(payer).is_some_and(|partner| speaks_ochp(partner.protocol)) {
            if let Some(taken) = self.sittings.taken(operator, &info.token) {
                // under the name that the provider started it by, which is not the operator's
                let own = taken.known.token.uid.reveal(Purpose::Transmit).normal();
                info.token.instance = Text::new(&own).map(Personal::new).unwrap_or(info.token.instance);
            }
            return self.keep_cdr(operator, payer, &info).await;
        }
        let spot = self.spot(operator, info.evse.as_str()).await?;
        let beside = Beside { operator, payer, location: &spot.location, now: self.now() };
        let crossed = cdr(&info, beside).map_err(Denial::from);
        let crossed = self.crossing.relay.way().told_if_refused(operator, payer, &Errand::Cdr, crossed)?;
        let mut record = crossed.value;
        let contract = record.token.contract.reveal(Purpose::Route).compact();
        record.reference = self.grants.find(&contract).and_then(|grant| grant.reference);
        if let Some(taken) = self.sittings.taken(operator, &info.token) {
            record.token = taken.known.token;
            record.reference = taken.known.reference;
        }
        let mut left = crossed.lost;
        if self.kept.pseudonym(payer, &record.token.uid).is_some_and(|id| id.compact() == contract) {
            let uid = ContractId::new(record.token.uid.reveal(Purpose::Route).normal());
            record.token.contract = uid.map(Personal::new).map_err(|_| Denial::UnknownToken)?;
            left.push(Fault::new("/contractId", "was made for the card, whose uid stands for it"));
        }
        let lost: Vec<Box<str>> = left.iter().map(|lost| lost.to_string().into()).collect();
        self.crossing.lost(operator, payer, &Errand::Cdr, &lost);
        match self.carry(operator, Some(payer), Question::PostCdr(Box::new(record))).await?.answer {
            Answer::Kept(_) => Ok(()),
            _other => Err(Denial::Internal),
        }
    }

    /// Who owes: whoever gave the order, whoever said yes, or whom the contract names.
    fn payer(&self, operator: PartyId, info: &CdrInfo) -> Result<PartyId, Denial> {
        if info.token.kind == TokenType::Remote
            && let Some(taken) = self.sittings.taken(operator, &info.token)
        {
            return Ok(taken.provider);
        }
        let contract = ochp::bridge::contract_id(info.contract.reveal(Purpose::Route)).ok_or(Denial::UnknownToken)?;
        let granted = self.grants.find(&contract.compact()).map(|grant| grant.provider);
        granted.or_else(|| contract.party()).ok_or(Denial::UnknownReceiver)
    }

    /// Of the same tongue: as it is, for the provider to fetch.
    async fn keep_cdr(&self, operator: PartyId, provider: PartyId, info: &CdrInfo) -> Result<(), Denial> {
        presented(&info.token)?;
        let letter = self.letter(
            operator,
            Some(provider),
            Question::Fetch(charge::talk::road::Wanted::Cdrs(Default::default())),
        );
        let letter = letter?;
        let envelope = Envelope {
            from: operator,
            to: Some(provider),
            correlation: letter.correlation,
            errand: Errand::Cdr,
            bytes: 0,
        };
        match self.crossing.exchange.route(envelope.clone(), None, None).await? {
            Way::To { party, .. } if party == provider => {}
            _elsewhere => return Err(Denial::UnknownReceiver),
        }
        let status = self.kept.hand_in(operator, provider, info, self.now()).await.map_err(not_kept)?;
        self.crossing.exchange.fared(&envelope, provider, Fate::Delivered);
        tracing::debug!(%operator, %provider, status = status.as_str(), "a record is kept");
        Ok(())
    }

    pub(super) async fn judge_cdrs(
        &self,
        provider: PartyId,
        judged: Judged,
        unreadable: usize,
        now: Timestamp,
    ) -> Result<Done, Denial> {
        let mut wrong = unreadable;
        let all =
            judged.approved.iter().map(|name| (name, true)).chain(judged.declined.iter().map(|name| (name, false)));
        for (name, approved) in all {
            match self.kept.judge(provider, name, approved, now).await {
                Ok(()) => {}
                Err(NotKept::Misstep(_)) => wrong += 1,
                Err(NotKept::Kept(fault)) => return Err(kept(fault)),
            }
        }
        let partly = || ResultInfo::new(ResultCode::Partly, "some records are not the sender's, or were judged before");
        Ok(Done { result: if wrong == 0 { ResultInfo::ok() } else { partly() } })
    }
}

pub(super) fn not_kept(fault: NotKept) -> Denial {
    match fault {
        NotKept::Misstep(misstep) => Denial::Malformed { path: "/status".into(), why: misstep.to_string().into() },
        NotKept::Kept(fault) => kept(fault),
    }
}
