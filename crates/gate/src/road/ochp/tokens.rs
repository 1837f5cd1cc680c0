//! Lists of tokens, and the word on one.
//!
//! A provider's list is taken and kept as tags; each entry also goes to the exchange, so that taps of other protocols
//! find its provider. Lists are not given out: every operator would hold every provider's customers. An operator asks
//! about the card that is held to a reader, and hears of that one alone.

use charge::Personal;
use charge::id::PartyId;
use charge::talk::partner::{Form, HashInput, Seen};
use charge::talk::road::{Answer, Denial, Envelope, Errand, Question};
use charge::token::{Allowed, ContractId, PresentedToken, TokenKind, TokenUid, Verdict};
use futures_util::{StreamExt, stream};
use ochp::bridge::token::{given, hashes, issued, presented, uid, written_contract};
use ochp::message::{TokenGiven, Tokens, TokensTaken};
use ochp::types::result::{ResultCode, ResultInfo};
use ochp::types::token::{EmtId, Representation, RoamingAuthorisation};

use super::house::{House, PERMIT, kept};
use super::kept::Listed;

/// Entries of a list on their way to the exchange at one time: they share its commits.
const INDEXED_AT_ONCE: usize = 64;

impl House {
    /// Takes a list. What is not the sender's, or what the exchange does not take, is refused by itself.
    pub(super) async fn take_tokens(
        &self,
        provider: PartyId,
        tokens: Tokens,
        unreadable: usize,
        whole: bool,
    ) -> Result<TokensTaken, Denial> {
        let (mut good, mut refused) = (Vec::new(), Vec::new());
        let indexed = stream::iter(tokens.tokens).map(|entry| async {
            let indexed = self.index(provider, &entry).await;
            (entry, indexed)
        });
        let mut indexed = std::pin::pin!(indexed.buffer_unordered(INDEXED_AT_ONCE));
        while let Some((entry, indexed)) = indexed.next().await {
            match indexed {
                Ok(()) => good.push(entry),
                Err(denial @ (Denial::Internal | Denial::Overloaded)) => return Err(denial),
                Err(_) => refused.push(entry),
            }
        }
        self.kept.list(provider, &good, whole).await.map_err(kept)?;
        let result = match (refused.len() + unreadable, good.len()) {
            (0, _) => ResultInfo::ok(),
            (_, 0) => ResultInfo::new(ResultCode::InvalidId, "no entry was taken"),
            (_, _) => ResultInfo::new(ResultCode::Partly, "some entries were not taken"),
        };
        Ok(TokensTaken { result, refused })
    }

    /// Tells the exchange whose token this is. A hash is known under its own text.
    async fn index(&self, provider: PartyId, entry: &RoamingAuthorisation) -> Result<(), Denial> {
        let mut plain = entry.clone();
        plain.token.representation = None;
        let token = issued(&plain, provider, self.now())?;
        if token.value.contract.reveal(charge::Purpose::Route).party() != Some(provider) {
            return Err(Denial::NotYours);
        }
        let lost: Vec<Box<str>> = token.lost.iter().map(|lost| lost.to_string().into()).collect();
        let presented = PresentedToken { uid: token.value.uid.clone(), kind: token.value.kind };
        let errand = Errand::Token { owner: provider, token: presented, valid: token.value.valid };
        self.crossing.lost(provider, self.crossing.party(), &errand, &lost);
        let correlation = self.letter(provider, None, Question::PutToken(Box::new(token.value)))?.correlation;
        let envelope = Envelope { from: provider, to: None, correlation, errand, bytes: 0 };
        self.crossing.exchange.route(envelope, None, None).await.map(drop)
    }

    /// The word on one token, from whoever owns it in whatever protocol.
    pub(super) async fn give_token(&self, operator: PartyId, token: EmtId) -> Result<TokenGiven, Denial> {
        let verdict = match token.representation() {
            Representation::Plain => {
                let asked = presented(&token)?.value;
                match self.carry(operator, None, Question::MayCharge { token: asked.clone() }).await?.answer {
                    Answer::May(verdict) if verdict.allowed == Allowed::Unknown => {
                        self.word(self.hashed(&asked.uid, None).await?)
                    }
                    Answer::May(verdict) => verdict,
                    _other => return Err(Denial::Internal),
                }
            }
            Representation::Sha160 | Representation::Sha256 => {
                self.crossing.threshold.fair.may_ask(operator, self.now())?;
                let found = self.kept.listed(&uid(&token)?, None).await.map_err(kept)?;
                if found.is_none() {
                    self.crossing.threshold.unknown_token(operator);
                }
                self.word(found)
            }
        };
        let verdict = self.crossing.named_for(operator, verdict).await?;
        let verdict = self.with_pseudonym(verdict, &token)?;
        self.grants.note(&verdict, self.now());
        let said = given(&token, &verdict, self.now().plus(PERMIT));
        let lost: Vec<Box<str>> = said.lost.iter().map(|lost| lost.to_string().into()).collect();
        let asked = PresentedToken { uid: uid(&token)?, kind: TokenKind::Rfid };
        let from = verdict.party.unwrap_or(self.crossing.party());
        self.crossing.lost(from, operator, &Errand::MayCharge { token: asked }, &lost);
        Ok(said.value)
    }

    /// OCHP cannot say yes without a contract id of its form: a provider whose protocol tells none, or another one, gets
    /// one made. It is taken off the record again.
    fn with_pseudonym(&self, verdict: Verdict, token: &EmtId) -> Result<Verdict, Denial> {
        let (Allowed::Yes, Some(provider)) = (verdict.allowed, verdict.party) else { return Ok(verdict) };
        let fits = |id: &Personal<ContractId>| written_contract(id.reveal(charge::Purpose::Transmit)).is_ok();
        if verdict.contract.as_ref().is_some_and(fits) {
            return Ok(verdict);
        }
        let contract = self.kept.pseudonym(provider, &uid(token)?);
        Ok(Verdict { contract: contract.map(Personal::new), ..verdict })
    }

    /// A token that a provider listed as a hash.
    pub(super) async fn hashed(
        &self,
        uid: &Personal<TokenUid>,
        provider: Option<PartyId>,
    ) -> Result<Option<Listed>, Denial> {
        let plain = uid.reveal(charge::Purpose::Route).normal();
        let book = &self.crossing.threshold.peers;
        // digits are the same in both, and show nothing
        let telling = plain.chars().any(char::is_alphabetic);
        for (spelling, hash) in hashes(&plain) {
            let hash = TokenUid::new(hash).map(Personal::new).map_err(|_| Denial::Internal)?;
            let Some(found) = self.kept.listed(&hash, provider).await.map_err(kept)? else { continue };
            if telling {
                book.noticed(found.provider, Seen::Hash(spelling));
            }
            let wanted = match book.hash_input(found.provider) {
                HashInput::Either => true,
                HashInput::Upper => !telling || spelling == Form::Upper,
                HashInput::Lower => !telling || spelling == Form::Lower,
            };
            if wanted {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// What a list says of a token.
    pub(super) fn word(&self, found: Option<Listed>) -> Verdict {
        let Some(Listed { provider, contract, expires }) = found else { return Verdict::bare(Allowed::Unknown) };
        let allowed = if expires > self.now() { Allowed::Yes } else { Allowed::Expired };
        let contract = ochp::bridge::contract_id(contract.reveal(charge::Purpose::Transmit)).map(Personal::new);
        Verdict { contract, party: Some(provider), ..Verdict::bare(allowed) }
    }
}
