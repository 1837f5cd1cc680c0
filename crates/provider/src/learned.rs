//! Who learned what: for each session, which party was told which kind of thing, on which leg.
//!
//! It is worked out from the very letters that were sent and received: each is taken apart field by field, so a new
//! field of a letter does not compile before somebody has said what it tells. What a hub passes on it could read; that
//! it keeps nothing is its own promise, so it is listed as "passes on".

use charge::id::PartyId;
use charge::record::{Cdr, RecordToken, Session};
use charge::talk::road::{Question, StartOrder};
use charge::token::{ContractId, IssuedToken, PresentedToken, TokenKind, TokenUid, Verdict};
use charge::{Personal, Purpose};

/// A kind of knowledge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    CardUid,
    OneTimeId,
    /// A contract or account that stays the same over many sessions.
    StaticId,
    Reference,
    Permission,
    Place,
    Time,
    Energy,
    Course,
    Amount,
    MeterRecord,
    /// Towards the station an operator uses an alias of its own; a careless one may show the one-time id.
    Alias,
    Name,
}

/// In which role a party learned something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LearnedAs {
    Station,
    Operator,
    Hub,
    Provider,
}

/// A party and what it was told about one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Learned {
    pub party: PartyId,
    pub role: LearnedAs,
    /// In the order of [`Field`].
    pub fields: Vec<Field>,
}

/// One thing that one party learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lesson {
    pub(crate) party: PartyId,
    pub(crate) role: LearnedAs,
    pub(crate) field: Field,
}

impl Field {
    pub const ALL: [Self; 13] = [
        Self::CardUid,
        Self::OneTimeId,
        Self::StaticId,
        Self::Reference,
        Self::Permission,
        Self::Place,
        Self::Time,
        Self::Energy,
        Self::Course,
        Self::Amount,
        Self::MeterRecord,
        Self::Alias,
        Self::Name,
    ];

    /// In plain words, for the driver.
    pub const fn words(self) -> &'static str {
        match self {
            Self::CardUid => "card number",
            Self::OneTimeId => "contract id (one-time)",
            Self::StaticId => "contract id (always the same)",
            Self::Reference => "reference of the permission",
            Self::Permission => "that charging is allowed",
            Self::Place => "place",
            Self::Time => "time",
            Self::Energy => "energy",
            Self::Course => "course of charging",
            Self::Amount => "amount",
            Self::MeterRecord => "signed meter record",
            Self::Alias => "one-time alias",
            Self::Name => "who you are",
        }
    }

    pub fn named(words: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.words() == words)
    }
}

impl LearnedAs {
    pub const ALL: [Self; 4] = [Self::Station, Self::Operator, Self::Hub, Self::Provider];

    pub const fn words(self) -> &'static str {
        match self {
            Self::Station => "station",
            Self::Operator => "operator",
            Self::Hub => "hub (passes on, keeps nothing)",
            Self::Provider => "provider",
        }
    }

    pub fn named(words: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.words() == words)
    }
}

/// What a letter about a session tells. Empty for letters that are about no session. `code` is the one-time id that
/// the session runs on: whatever kind a letter calls it, it tells no more than that.
pub(crate) fn told(question: &Question, code: Option<&str>) -> Vec<Field> {
    match question {
        Question::MayCharge { token } => {
            let PresentedToken { uid, kind } = token;
            vec![uid_field(uid, *kind, code)]
        }
        Question::Start(StartOrder {
            order: _,
            return_to: _,
            token,
            location: _,
            evse: _,
            connector: _,
            reference,
        }) => {
            let IssuedToken { party: _, uid, kind, contract, valid: _, last_updated: _ } = token;
            let mut fields = token_fields(uid, *kind, contract, code);
            fields.extend([Field::Place, Field::Time]);
            fields.extend(reference.is_some().then_some(Field::Reference));
            fields
        }
        Question::Stop { order: _, return_to: _, session: _ } => vec![Field::Time],
        Question::PutSession(session) => told_by_session(session, code),
        Question::PostCdr(cdr) => told_by_cdr(cdr, code),
        Question::Unlock { .. }
        | Question::Outcome { .. }
        | Question::PutLocation(_)
        | Question::PatchEvse { .. }
        | Question::PutTariff(_)
        | Question::DropTariff(_)
        | Question::PutToken(_)
        | Question::Locations(_)
        | Question::Tariffs(_)
        | Question::Fetch(_)
        | Question::Reservation(_)
        | Question::Profile(_)
        | Question::ProfileOutcome { .. }
        | Question::Plan { .. }
        | Question::Booking(_) => Vec::new(),
    }
}

/// What our answer to a tap tells.
pub(crate) fn answered(verdict: &Verdict) -> Vec<Field> {
    // no provider of ours has groups, or words for whoever taps
    let Verdict { allowed: _, contract, party: _, reference, energy_cap: _, money_cap: _, group: _, words: _ } =
        verdict;
    let mut fields = vec![Field::Permission];
    fields.extend(contract.is_some().then_some(Field::OneTimeId));
    fields.extend(reference.is_some().then_some(Field::Reference));
    fields
}

/// A letter from the operator through the hub to us.
pub(crate) fn came_in(operator: PartyId, hub: PartyId, us: PartyId, fields: &[Field]) -> Vec<Lesson> {
    let parties = [(operator, LearnedAs::Operator), (hub, LearnedAs::Hub), (us, LearnedAs::Provider)];
    lessons(&parties, fields)
}

/// A letter or answer from us through the hub to the operator.
pub(crate) fn went_out(operator: PartyId, hub: PartyId, fields: &[Field]) -> Vec<Lesson> {
    lessons(&[(operator, LearnedAs::Operator), (hub, LearnedAs::Hub)], fields)
}

/// What the station itself learned at the beginning.
pub(crate) const fn at_station(operator: PartyId, field: Field) -> Lesson {
    Lesson { party: operator, role: LearnedAs::Station, field }
}

/// Where a driver starts from our page we have to address the place.
pub(crate) const fn chosen_here(us: PartyId) -> Lesson {
    Lesson { party: us, role: LearnedAs::Provider, field: Field::Place }
}

/// The one thing that we know without being told.
pub(crate) const fn known_here(us: PartyId) -> Lesson {
    Lesson { party: us, role: LearnedAs::Provider, field: Field::Name }
}

/// Lessons of one subject, put together per party for a page.
pub(crate) fn by_party(mut lessons: Vec<Lesson>) -> Vec<Learned> {
    lessons.sort_by_key(|lesson| (lesson.role, lesson.party, lesson.field));
    let mut all: Vec<Learned> = Vec::new();
    for Lesson { party, role, field } in lessons {
        match all.last_mut() {
            Some(last) if last.party == party && last.role == role => last.fields.push(field),
            Some(_) | None => all.push(Learned { party, role, fields: vec![field] }),
        }
    }
    all
}

fn lessons(parties: &[(PartyId, LearnedAs)], fields: &[Field]) -> Vec<Lesson> {
    let each = |(party, role): &(PartyId, LearnedAs)| {
        let (party, role) = (*party, *role);
        fields.iter().map(move |field| Lesson { party, role, field: *field })
    };
    parties.iter().flat_map(each).collect()
}

fn told_by_session(session: &Session, code: Option<&str>) -> Vec<Field> {
    let Session {
        party: _,
        id: _,
        start: _,
        end: _,
        energy: _,
        token: RecordToken { party: _, uid, kind, contract },
        auth_method: _,
        reference,
        location: _,
        evse: _,
        connector: _,
        currency: _,
        periods,
        total_cost,
        status: _,
        last_updated: _,
    } = session;
    let mut fields = token_fields(uid, *kind, contract, code);
    fields.extend([Field::Place, Field::Time, Field::Energy]);
    fields.extend((!periods.is_empty()).then_some(Field::Course));
    fields.extend(reference.is_some().then_some(Field::Reference));
    fields.extend(total_cost.is_some().then_some(Field::Amount));
    fields
}

fn told_by_cdr(cdr: &Cdr, code: Option<&str>) -> Vec<Field> {
    let Cdr {
        party: _,
        id: _,
        start: _,
        end: _,
        session: _,
        booking: _,
        token: RecordToken { party: _, uid, kind, contract },
        auth_method: _,
        reference,
        place: _,
        meter: _,
        currency: _,
        tariff: _,
        periods,
        signed,
        energy: _,
        total_time_h: _,
        parking_time_h: _,
        total_cost: _,
        energy_cost: _,
        time_cost: _,
        parking_cost: _,
        fixed_cost: _,
        remark: _,
        credit: _,
        credit_reference: _,
        last_updated: _,
    } = cdr;
    let mut fields = token_fields(uid, *kind, contract, code);
    fields.extend([Field::Place, Field::Time, Field::Energy, Field::Amount]);
    fields.extend((!periods.is_empty()).then_some(Field::Course));
    fields.extend((!signed.is_empty()).then_some(Field::MeterRecord));
    fields.extend(reference.is_some().then_some(Field::Reference));
    fields
}

fn token_fields(
    uid: &Personal<TokenUid>,
    kind: TokenKind,
    contract: &Personal<ContractId>,
    code: Option<&str>,
) -> Vec<Field> {
    let one_time = code.is_some_and(|code| contract.reveal(Purpose::ShowOwner).compact() == code);
    let mut fields = vec![uid_field(uid, kind, code)];
    fields.push(if one_time { Field::OneTimeId } else { Field::StaticId });
    fields.sort_unstable();
    fields.dedup();
    fields
}

fn uid_field(uid: &Personal<TokenUid>, kind: TokenKind, code: Option<&str>) -> Field {
    if code.is_some_and(|code| uid.reveal(Purpose::ShowOwner).normal() == code) {
        return Field::OneTimeId;
    }
    match kind {
        TokenKind::Rfid => Field::CardUid,
        TokenKind::AdHocUser => Field::OneTimeId,
        TokenKind::Emaid | TokenKind::AppUser => Field::StaticId,
        TokenKind::DirectPayment | TokenKind::Other => Field::Alias,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn a_tap_tells_the_card_and_no_place() {
        let token = PresentedToken::new(TokenUid::new("04A2B3C4D5E680").unwrap(), TokenKind::Rfid);
        assert_eq!(told(&Question::MayCharge { token }, None), [Field::CardUid]);
    }

    #[test]
    fn a_one_time_id_is_told_as_one_whatever_kind_the_letter_calls_it() {
        let uid = |text| Personal::new(TokenUid::new(text).unwrap());
        let contract = |text| Personal::new(ContractId::new(text).unwrap());
        let code = Some("DE8AACK3F9Q2ZX");
        let fields = |u, c| token_fields(&uid(u), TokenKind::Rfid, &contract(c), code);
        assert_eq!(fields("DE8AACK3F9Q2ZX", "DE-8AA-CK3F9Q2ZX-1"), [Field::OneTimeId]);
        assert_eq!(fields("04A2B3C4D5E680", "DE-8AA-CK3F9Q2ZX-1"), [Field::CardUid, Field::OneTimeId]);
        assert_eq!(fields("04A2B3C4D5E680", "DE-8AA-C00000001-1"), [Field::CardUid, Field::StaticId]);
    }

    #[test]
    fn lessons_are_put_together_by_party() {
        let (operator, hub, us) = ("DE-OPA".parse().unwrap(), "DE-HUB".parse().unwrap(), "DE-8AA".parse().unwrap());
        let mut lessons = came_in(operator, hub, us, &[Field::CardUid]);
        lessons.push(known_here(us));
        let learned = by_party(lessons);
        let shape: Vec<_> = learned.iter().map(|row| (row.role, row.fields.as_slice())).collect();
        let card: &[Field] = &[Field::CardUid];
        assert_eq!(
            shape,
            [
                (LearnedAs::Operator, card),
                (LearnedAs::Hub, card),
                (LearnedAs::Provider, &[Field::CardUid, Field::Name][..])
            ]
        );
    }
}
