//! The driver's monthly invoice: lines from audited CDRs, VAT of the provider's own sale, one gapless row of numbers.
//!
//! The provider buys from the operator and sells to the driver, so the VAT of the invoice is the provider's and not
//! the one in the operator's tariff. Lines name day and amounts, never a place. The invariant: an issued invoice does
//! not change, and one CDR stands on one invoice once.

use billing::invoice::{InvoiceLine, Totals};
use billing::price::Priced;
use charge::money::Currency;
use charge::record::Cdr;
use charge::{Decimal, Timestamp};

use crate::cdrs::CdrRow;
use crate::{DriverId, InvoiceNo, SessionNo};

/// An invoice in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvoiceRow {
    pub no: InvoiceNo,
    pub driver: DriverId,
    /// `2026-11`, in UTC.
    pub month: String,
    /// Once issued: `8AA-000042`.
    pub number: Option<String>,
    pub issued: Option<Timestamp>,
    pub currency: Currency,
    pub totals: Totals,
}

/// An invoice with its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvoiceDetail {
    pub row: InvoiceRow,
    /// Name, country and VAT id of the seller: as frozen when the invoice was issued, or as they would be.
    pub seller: String,
    pub lines: Vec<(SessionNo, InvoiceLine)>,
}

/// What a CDR that agrees with our own price puts on the invoice.
pub(crate) fn lines(cdr: &Cdr, priced: &Priced, vat_percent: Decimal) -> Vec<InvoiceLine> {
    let day = day(cdr.end);
    let unused = cdr.session.is_none() && cdr.booking.is_some();
    let text = |of: &InvoiceLine| if unused { "booking that was not used".to_owned() } else { of.text.clone() };
    let own = |line: InvoiceLine| InvoiceLine { text: format!("{day}: {}", text(&line)), ..line };
    billing::invoice::lines(&cdr.id, priced, vat_percent).into_iter().map(own).collect()
}

/// The operator's total in one line: what a clerk accepted in a dispute, or what a credit takes back.
pub(crate) fn total_line(cdr: &CdrRow, vat_percent: Decimal) -> InvoiceLine {
    let what = if cdr.credit { "credit for charging" } else { "charging, as settled" };
    InvoiceLine {
        text: format!("{}: {what}", day(cdr.end)),
        quantity: cdr.energy.kwh(),
        unit: "kWh".to_owned(),
        net: cdr.total.before_vat,
        vat_percent,
        cdr: cdr.id.clone(),
    }
}

/// `2026-11` of a moment.
pub(crate) fn month(at: Timestamp) -> String {
    at.to_string().chars().take(7).collect()
}

/// `2026-11-22` of a moment.
pub(crate) fn day(at: Timestamp) -> String {
    at.to_string().chars().take(10).collect()
}

/// As printed. `code` is the three characters of the provider.
pub(crate) fn number(code: &str, nth: i64) -> String {
    format!("{code}-{nth:06}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_days_and_numbers() {
        let at = Timestamp::from_secs(1_795_359_845);
        assert_eq!((month(at).as_str(), day(at).as_str()), ("2026-11", "2026-11-22"));
        assert_eq!(number("8AA", 42), "8AA-000042");
    }
}
