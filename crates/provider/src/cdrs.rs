//! A received CDR: billed, or disputed with the paths of what does not fit. Never silently dropped.
//!
//! The signed records are verified again and the price is worked out again by `billing::cdr::audit`; this file adds
//! what only the provider knows: whether the session was permitted, within its cap, and not billed before.

use billing::cdr::{Audit, Difference};
use billing::record::Verdict;
use charge::Timestamp;
use charge::id::{CdrId, PartyId};
use charge::money::{Currency, Money, Price};
use charge::record::Cdr;
use charge::units::Energy;

use crate::{CdrNo, DisputeNo, DriverId, SessionNo};

/// A CDR in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CdrRow {
    pub no: CdrNo,
    pub operator: PartyId,
    pub id: CdrId,
    pub session: SessionNo,
    pub driver: DriverId,
    pub start: Timestamp,
    pub end: Timestamp,
    pub energy: Energy,
    pub currency: Currency,
    pub total: Price,
    pub credit: bool,
    /// One of the four words of verification.
    pub verdict: String,
    pub received: Timestamp,
    /// The operator's, in plain words.
    pub remark: Option<String>,
    /// Nothing: it is on an invoice.
    pub dispute: Option<(DisputeNo, DisputeState)>,
}

/// Where a dispute stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisputeState {
    Open,
    /// The clerk took the operator's figures: the CDR is on an invoice.
    Accepted,
    /// The clerk wants a credit CDR from the operator: nothing is on an invoice.
    CreditAsked,
}

impl DisputeState {
    pub const ALL: [Self; 3] = [Self::Open, Self::Accepted, Self::CreditAsked];

    /// For rows and pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Accepted => "accepted",
            Self::CreditAsked => "credit asked",
        }
    }

    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// How a clerk settles a dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    Accept,
    AskCredit,
}

/// A dispute with its differences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispute {
    pub no: DisputeNo,
    pub cdr: CdrNo,
    pub operator: PartyId,
    pub cdr_id: CdrId,
    pub state: DisputeState,
    pub opened: Timestamp,
    pub settled: Option<Timestamp>,
    /// Who settled it, as the login calls them.
    pub settled_by: Option<String>,
    pub differences: Vec<Difference>,
}

/// What the provider knows about the session of a CDR.
#[derive(Clone, Debug, Default)]
pub(crate) struct Case {
    /// The permission serves another session, another operator or another time.
    pub(crate) misused: bool,
    /// The CDR that this session has already.
    pub(crate) billed_by: Option<CdrId>,
    pub(crate) money_cap: Option<Money>,
    /// What the CDR takes back, if it is a credit and the original is known and without an open dispute.
    pub(crate) credited: Option<Price>,
}

/// Everything that does not fit. Empty: the CDR goes on the invoice.
pub(crate) fn judge(cdr: &Cdr, audit: &Audit, case: &Case, currency: Currency) -> Vec<Difference> {
    if cdr.credit {
        return judge_credit(cdr, case);
    }
    let mut all = audit.differences.clone();
    if let Verdict::NotValid(fault) = &audit.evidence {
        let told = all.iter().any(|difference| difference.path.starts_with("/signed_data"));
        all.extend((!told).then(|| difference("/signed_data", "signed", fault)));
    }
    if case.misused {
        all.push(difference("/cdr_token/contract_id", "this session", "permitted for another session or time"));
    }
    if let Some(first) = &case.billed_by {
        all.push(difference("/session_id", &cdr.id, format!("already billed by {first}")));
    }
    if cdr.currency != currency && all.iter().all(|difference| difference.path != "/currency") {
        all.push(difference("/currency", cdr.currency, currency));
    }
    if let Some(cap) = case.money_cap.filter(|cap| gross(&cdr.total_cost) > cap.decimal()) {
        all.push(difference("/total_cost/incl_vat", gross(&cdr.total_cost), format!("at most {}", cap.decimal())));
    }
    all
}

fn judge_credit(cdr: &Cdr, case: &Case) -> Vec<Difference> {
    let Some(original) = case.credited else {
        return vec![difference("/credit_reference_id", "a credit", "no billed CDR that it could take back")];
    };
    let expected = -original.before_vat;
    if cdr.total_cost.before_vat == expected {
        return Vec::new();
    }
    vec![difference("/total_cost/excl_vat", cdr.total_cost.before_vat.normalize(), expected.normalize())]
}

fn gross(price: &Price) -> charge::Decimal {
    price.with_vat.unwrap_or(price.before_vat)
}

fn difference(path: &str, theirs: impl ToString, ours: impl ToString) -> Difference {
    Difference { path: path.to_owned(), theirs: theirs.to_string(), ours: ours.to_string() }
}
