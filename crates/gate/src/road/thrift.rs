//! What is left out of a letter or an answer on its way through a hub, as the exchange says for each partner.
//!
//! Letters between peers of OCPI are changed as the documents they are, letters of other protocols in the vocabulary;
//! a document that was changed there is not handed on as it came. What nothing is left out of stays byte for byte as
//! it was. Deliberately no switch here ([`Measure`]). Invariant: what comes back under a name that was made here goes
//! on under the real one, also when the switch was turned meanwhile.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use charge::id::PartyId;
use charge::talk::road::{Answer, Denial, Found, Letter, Question, ReservationWish};
use charge::talk::thrift::Measure;
use charge::token::{ContractId, IssuedToken, TokenUid, Verdict};
use charge::{Personal, Purpose, Timestamp};
use ocpi::spare::{Sheet, has_entries};
use ocpi::wire::{Kind, Reply};

use super::partners::Protocol;
use super::relay::{Origin, Parcel, WayOut};
use super::speaker::{Native, Told};
use super::vault::Vault;

/// What the way out needs to leave things out.
#[derive(Default)]
pub(crate) struct Spare {
    vault: OnceLock<Arc<Vault>>,
    reserved: Mutex<HashMap<Shown, (TokenUid, Timestamp)>>,
}

/// An operator, and what its giver shows in a reservation.
type Shown = (PartyId, String);

/// Reservations whose uid is remembered for their start; more start under a uid of their own.
const RESERVED_MAX: usize = 20_000;

impl Spare {
    pub(crate) fn attach(&self, vault: Arc<Vault>) {
        // a second one would be a fault of the wiring, and changes nothing
        drop(self.vault.set(vault));
    }

    pub(crate) fn vault(&self) -> Option<&Arc<Vault>> {
        self.vault.get()
    }

    fn reserve(&self, shown: Shown, uid: TokenUid, until: Timestamp, now: Timestamp) {
        let mut reserved = self.reserved.lock().unwrap_or_else(PoisonError::into_inner);
        if reserved.len() >= RESERVED_MAX {
            reserved.retain(|_, (_, until)| *until > now);
        }
        if reserved.len() < RESERVED_MAX {
            reserved.insert(shown, (uid, until));
        }
    }

    fn reserved(&self, shown: &Shown, now: Timestamp) -> Option<TokenUid> {
        let mut reserved = self.reserved.lock().unwrap_or_else(PoisonError::into_inner);
        reserved.remove(shown).filter(|(_, until)| *until > now).map(|(uid, _)| uid)
    }
}

impl WayOut {
    /// A letter to a peer of OCPI as that peer is to have it, in the version of its sender.
    pub(crate) async fn spared(&self, to: PartyId, mut parcel: Parcel) -> Result<Parcel, Denial> {
        let Some(body) = parcel.body.clone() else { return Ok(parcel) };
        let changed = match parcel.kind {
            Kind::Start | Kind::Reserve => self.bare_order(to, parcel.envelope.from, &body).await?,
            Kind::PutSession | Kind::PatchSession | Kind::PostCdr => self.real(parcel.envelope.from, &body).await?,
            Kind::PutLocation => self.own_entries(to, &body).await?,
            _nothing_to_spare => None,
        };
        if let Some(text) = changed {
            parcel.body = Some(text.into());
        }
        Ok(parcel)
    }

    /// What a peer of OCPI answered, as its asker is to have it. Where that fails nothing is told.
    pub(crate) async fn spared_reply(
        &self,
        asker: PartyId,
        by: PartyId,
        kind: Kind,
        reply: Reply,
    ) -> Result<Reply, Denial> {
        let changed = match kind {
            Kind::MayCharge => self.bare_order(asker, by, reply.body.as_bytes()).await?,
            Kind::Sessions | Kind::Cdrs | Kind::KeptSession | Kind::KeptCdr => {
                self.real(by, reply.body.as_bytes()).await?
            }
            _nothing_to_spare => None,
        };
        Ok(match changed {
            Some(body) => Reply { body, ..reply },
            None => reply,
        })
    }

    /// The token in a document to an operator: bare, its contract under the operator's name for it.
    async fn bare_order(&self, operator: PartyId, provider: PartyId, body: &[u8]) -> Result<Option<String>, Denial> {
        let thrift = self.exchange.thrift(operator).await;
        let (bare, names) = (thrift.on(Measure::BareTokens), thrift.on(Measure::PairContracts));
        if !bare && !names {
            return Ok(None);
        }
        let Ok(mut sheet) = Sheet::read(body) else { return Ok(None) };
        let mut changed = false;
        if bare {
            let vault = self.spare.vault();
            changed |= sheet.bare_token(|group| vault?.group(operator, provider, group));
        }
        if let (true, Some(vault)) = (names, self.spare.vault()) {
            let mut renamed = Vec::new();
            for text in sheet.contracts() {
                let Ok(contract) = ContractId::new(&text) else { continue };
                if let Some(name) = vault.name(operator, &contract, self.clock.now()).await? {
                    renamed.push((text, name.as_str().to_owned()));
                }
            }
            changed |= !renamed.is_empty();
            sheet.rename_contracts(&renamed);
        }
        Ok(changed.then(|| sheet.text()))
    }

    /// A document of an operator with the real names of contracts.
    async fn real(&self, operator: PartyId, body: &[u8]) -> Result<Option<String>, Denial> {
        let Some(vault) = self.spare.vault().filter(|vault| vault.knows_names(operator)) else { return Ok(None) };
        let Ok(mut sheet) = Sheet::read(body) else { return Ok(None) };
        let mut renamed = Vec::new();
        for text in sheet.contracts() {
            let Ok(name) = ContractId::new(&text) else { continue };
            if let Some(contract) = vault.contract(operator, &name).await? {
                renamed.push((text, contract.as_str().to_owned()));
            }
        }
        sheet.rename_contracts(&renamed);
        Ok((!renamed.is_empty()).then(|| sheet.text()))
    }

    /// A location with those entries of who may see it that are cards of this provider.
    pub(crate) async fn own_entries(&self, provider: PartyId, body: &[u8]) -> Result<Option<String>, Denial> {
        if !has_entries(body) || !self.exchange.thrift(provider).await.on(Measure::OwnEntries) {
            return Ok(None);
        }
        let Ok(mut sheet) = Sheet::read(body) else { return Ok(None) };
        let mut keep = Vec::new();
        for entry in sheet.entries() {
            keep.push(match entry {
                Some(token) => self.exchange.owner(token).await == Some(provider),
                // an entry without a card says nothing about whose it is
                None => false,
            });
        }
        sheet.keep_entries(&keep);
        Ok(keep.contains(&false).then(|| sheet.text()))
    }

    /// A letter to a partner of another protocol.
    pub(crate) async fn spared_letter(&self, to: PartyId, origin: Origin) -> Result<Origin, Denial> {
        let Origin { mut letter, native } = origin;
        let from = letter.from;
        let changed = match &mut letter.question {
            Question::Start(start) => self.renamed_token(to, &mut start.token).await?,
            Question::Reservation(order) => match &mut order.wish {
                ReservationWish::Make { token, .. } => self.renamed_token(to, token).await?,
                ReservationWish::Cancel => false,
            },
            Question::PutSession(session) => {
                self.real_token(from, &mut session.token.contract, &mut session.token.uid).await?
            }
            Question::PostCdr(cdr) => self.real_token(from, &mut cdr.token.contract, &mut cdr.token.uid).await?,
            _nothing_to_spare => false,
        };
        Ok(Origin { letter, native: native.filter(|_| !changed) })
    }

    /// What was told to a partner's question, as the partner is to have it.
    pub(crate) async fn spared_told(&self, asker: PartyId, letter: &Question, told: Told) -> Result<Told, Denial> {
        let Told { by, mut answer, outcome, mut native, lost, mut session } = told;
        if let (Question::MayCharge { .. }, Answer::May(verdict)) = (letter, &mut answer) {
            let thrift = self.exchange.thrift(asker).await;
            let oicp = matches!(self.speakers.protocol(asker), Some(Protocol::Oicp23 | Protocol::Oicp20));
            if thrift.on(Measure::BareTokens) && oicp {
                // the list of what may stop a session names the contract, and whatever stands beside it in a group
                verdict.contract = None;
                native = native.and_then(without_stops);
            }
            if let (true, Some(contract)) = (thrift.on(Measure::PairContracts), &verdict.contract)
                && let Some(name) = self.named(asker, contract).await?
            {
                (verdict.contract, native) = (Some(Personal::new(name)), None);
            }
        }
        if let (Answer::Found(found), Some(operator)) = (&mut answer, by) {
            self.real_found(operator, found).await?;
        }
        if let (Some(session), Some(operator)) = (&mut session, by) {
            self.real_token(operator, &mut session.token.contract, &mut session.token.uid).await?;
        }
        Ok(Told { by, answer, outcome, native, lost, session })
    }

    async fn real_found(&self, operator: PartyId, found: &mut Found) -> Result<(), Denial> {
        match found {
            Found::Sessions(page) => {
                for session in &mut page.items {
                    self.real_token(operator, &mut session.token.contract, &mut session.token.uid).await?;
                }
            }
            Found::Cdrs(page) => {
                for cdr in &mut page.items {
                    self.real_token(operator, &mut cdr.token.contract, &mut cdr.token.uid).await?;
                }
            }
            Found::Session(session) => {
                self.real_token(operator, &mut session.token.contract, &mut session.token.uid).await?;
            }
            Found::Cdr(cdr) => {
                self.real_token(operator, &mut cdr.token.contract, &mut cdr.token.uid).await?;
            }
            Found::Tokens(_) | Found::Location(_) | Found::Tariff(_) | Found::Token(_) => {}
        }
        Ok(())
    }

    pub(crate) async fn named_for(&self, operator: PartyId, mut verdict: Verdict) -> Result<Verdict, Denial> {
        if let Some(contract) = &verdict.contract
            && self.exchange.thrift(operator).await.on(Measure::PairContracts)
            && let Some(name) = self.named(operator, contract).await?
        {
            verdict.contract = Some(Personal::new(name));
        }
        Ok(verdict)
    }

    pub(crate) async fn real_contract(
        &self,
        operator: PartyId,
        contract: &ContractId,
    ) -> Result<Option<ContractId>, Denial> {
        match self.spare.vault() {
            Some(vault) => Ok(vault.contract(operator, contract).await?),
            None => Ok(None),
        }
    }

    async fn named(&self, operator: PartyId, contract: &Personal<ContractId>) -> Result<Option<ContractId>, Denial> {
        let Some(vault) = self.spare.vault() else { return Ok(None) };
        Ok(vault.name(operator, contract.reveal(Purpose::Transmit), self.clock.now()).await?)
    }

    /// Where a contract is its own uid, as in OICP, both get the operator's name.
    async fn renamed_token(&self, operator: PartyId, token: &mut IssuedToken) -> Result<bool, Denial> {
        if !self.exchange.thrift(operator).await.on(Measure::PairContracts) {
            return Ok(false);
        }
        let Some(name) = self.named(operator, &token.contract).await? else { return Ok(false) };
        if is_contract(&token.uid, &token.contract) {
            token.uid = uid_of(&name)?;
        }
        token.contract = Personal::new(name);
        Ok(true)
    }

    /// The real contract, and the real uid where the name stood in its place.
    pub(crate) async fn real_token(
        &self,
        operator: PartyId,
        contract: &mut Personal<ContractId>,
        uid: &mut Personal<TokenUid>,
    ) -> Result<bool, Denial> {
        let Some(vault) = self.spare.vault() else { return Ok(false) };
        let Some(real) = vault.contract(operator, contract.reveal(Purpose::Route)).await? else { return Ok(false) };
        if is_contract(uid, contract) {
            *uid = uid_of(&real)?;
        }
        *contract = Personal::new(real);
        Ok(true)
    }

    /// A start of a partner whose protocol knows contracts alone, for an operator of OCPI: under a uid that was made
    /// for the session, and under the same one where it was reserved.
    pub(crate) async fn one_time(&self, to: PartyId, mut letter: Letter) -> Result<Letter, Denial> {
        let now = self.clock.now();
        let (session, until, token) = match &mut letter.question {
            Question::Start(start) => (start.order.as_str().to_owned(), None, &mut start.token),
            Question::Reservation(order) => match &mut order.wish {
                ReservationWish::Make { token, until, .. } => {
                    (order.reservation.to_string(), Some(*until), &mut **token)
                }
                ReservationWish::Cancel => return Ok(letter),
            },
            _no_token => return Ok(letter),
        };
        let Some(vault) = self.spare.vault().filter(|_| is_contract(&token.uid, &token.contract)) else {
            return Ok(letter);
        };
        if !self.exchange.thrift(to).await.on(Measure::OneTimeUids) {
            return Ok(letter);
        }
        let shown: Shown = (to, token.uid.reveal(Purpose::Transmit).normal());
        let made = || vault.uid(to, &session, &token.uid).ok_or(Denial::Internal);
        let uid = match until {
            Some(until) => {
                let uid = made()?;
                self.spare.reserve(shown, uid.clone(), until, now);
                uid
            }
            None => self.spare.reserved(&shown, now).map_or_else(made, Ok)?,
        };
        token.uid = Personal::new(uid);
        Ok(letter)
    }
}

/// Whether a uid is nothing but the contract, with or without separators and check character.
fn is_contract(uid: &Personal<TokenUid>, contract: &Personal<ContractId>) -> bool {
    let same = |id: ContractId| id == *contract.reveal(Purpose::Route);
    ContractId::new(uid.reveal(Purpose::Route).normal()).is_ok_and(same)
}

fn uid_of(contract: &ContractId) -> Result<Personal<TokenUid>, Denial> {
    TokenUid::new(contract.as_str()).map(Personal::new).map_err(|_| Denial::Internal)
}

/// OICP's answer to a tap without the list of what else may stop the session; one of SOAP is written anew.
fn without_stops(native: Native) -> Option<Native> {
    if native.tongue != "oicp/2.3" {
        return None;
    }
    let bytes = oicp::message::without_member(&native.bytes, "AuthorizationStopIdentifications").ok()?.into();
    Some(Native { bytes, ..native })
}
