//! Invoices and their lines. Numbers are given inside the transaction that issues, so the row has no gap; nothing
//! here writes to an issued invoice.

use billing::invoice::InvoiceLine;
use charge::Timestamp;
use store::{Row, StoreError, Tx, values};

use super::{corrupt, count, parsed};
use crate::{CdrNo, DriverId, InvoiceNo, SessionNo};

/// The head of an invoice.
pub(crate) struct Head {
    pub(crate) no: InvoiceNo,
    pub(crate) driver: DriverId,
    pub(crate) month: String,
    pub(crate) number: Option<i64>,
    pub(crate) seller: Option<String>,
    pub(crate) issued: Option<Timestamp>,
}

/// The driver's invoice of a month that is not issued yet; a new one where there is none.
pub(crate) fn open_for(tx: &mut Tx<'_>, driver: &DriverId, month: &str) -> Result<InvoiceNo, StoreError> {
    let key = values![driver.as_str(), month];
    if let Some(no) = tx.one(OPEN, &key, |row| row.int(0))? {
        return Ok(InvoiceNo(no));
    }
    let no = tx.one(INSERT, &key, |row| row.int(0))?;
    no.map(InvoiceNo).ok_or_else(|| corrupt("provider_invoice.no"))
}

/// Puts the lines of a CDR on an open invoice. A CDR that has lines already is refused by the table.
pub(crate) fn put_lines(
    tx: &mut Tx<'_>,
    invoice: InvoiceNo,
    cdr: CdrNo,
    lines: &[InvoiceLine],
) -> Result<(), StoreError> {
    for (part, line) in lines.iter().enumerate() {
        let (quantity, net, vat) = (line.quantity.to_string(), line.net.to_string(), line.vat_percent.to_string());
        let (text, unit) = (line.text.as_str(), line.unit.as_str());
        let put = tx.execute(PUT_LINE, &values![cdr.0, count(part), invoice.0, text, quantity, unit, net, vat])?;
        if put == 0 {
            return Err(StoreError::Misuse("a line for an invoice that is issued".to_owned()));
        }
    }
    Ok(())
}

/// Gives the next number. `None`: it is issued already.
pub(crate) fn issue(tx: &mut Tx<'_>, no: InvoiceNo, seller: &str, now: Timestamp) -> Result<Option<i64>, StoreError> {
    tx.one(ISSUE, &values![no.0, seller, now], |row| row.int(0))
}

pub(crate) fn find(tx: &Tx<'_>, no: InvoiceNo) -> Result<Option<Head>, StoreError> {
    tx.one(FIND, &values![no.0], read)
}

pub(crate) fn list(tx: &Tx<'_>, driver: Option<&DriverId>) -> Result<Vec<Head>, StoreError> {
    tx.query(LIST, &values![driver.map(DriverId::as_str)], read)
}

/// Open and issued ones.
pub(crate) fn figures(tx: &Tx<'_>) -> Result<(i64, i64), StoreError> {
    Ok(tx.one(FIGURES, &[], |row| Ok((row.int(0)?, row.int(1)?)))?.unwrap_or_default())
}

pub(crate) fn lines(tx: &Tx<'_>, no: InvoiceNo) -> Result<Vec<(SessionNo, InvoiceLine)>, StoreError> {
    tx.query(LINES, &values![no.0], |row| {
        let line = InvoiceLine {
            text: row.text(1)?,
            quantity: parsed(&row.text(2)?, "provider_invoice_line.quantity")?,
            unit: row.text(3)?,
            net: parsed(&row.text(4)?, "provider_invoice_line.net")?,
            vat_percent: parsed(&row.text(5)?, "provider_invoice_line.vat")?,
            cdr: parsed(&row.text(6)?, "provider_cdr.id")?,
        };
        Ok((SessionNo(row.int(0)?), line))
    })
}

/// The lines of a driver that are on no issued invoice.
pub(crate) fn open_lines(tx: &Tx<'_>, driver: &DriverId) -> Result<Vec<InvoiceLine>, StoreError> {
    let open = tx.query(OPEN_OF, &values![driver.as_str()], |row| row.int(0).map(InvoiceNo))?;
    let mut all = Vec::new();
    for no in open {
        all.extend(lines(tx, no)?.into_iter().map(|(_, line)| line));
    }
    Ok(all)
}

fn read(row: &Row<'_>) -> Result<Head, StoreError> {
    Ok(Head {
        no: InvoiceNo(row.int(0)?),
        driver: parsed(&row.text(1)?, "provider_invoice.driver")?,
        month: row.text(2)?,
        number: row.int_opt(3)?,
        seller: row.text_opt(4)?,
        issued: row.time_opt(5)?,
    })
}

const OPEN: &str = "SELECT no FROM provider_invoice WHERE driver = ?1 AND month = ?2 AND number IS NULL";
const INSERT: &str = "INSERT INTO provider_invoice (driver, month) VALUES (?1, ?2) RETURNING no";
const PUT_LINE: &str = "INSERT INTO provider_invoice_line (cdr, part, invoice, text, quantity, unit, net, vat)
    SELECT ?1, ?2, no, ?4, ?5, ?6, ?7, ?8 FROM provider_invoice WHERE no = ?3 AND number IS NULL";
const ISSUE: &str = "UPDATE provider_invoice SET number = 1 + (SELECT COALESCE(MAX(number), 0) FROM provider_invoice),
    seller = ?2, issued = ?3 WHERE no = ?1 AND number IS NULL RETURNING number";
const FIND: &str = "SELECT no, driver, month, number, seller, issued FROM provider_invoice WHERE no = ?1";
const LIST: &str = "SELECT no, driver, month, number, seller, issued FROM provider_invoice
    WHERE ?1 IS NULL OR driver = ?1 ORDER BY month DESC, no DESC LIMIT 5000";
const FIGURES: &str = "SELECT COUNT(*) - COUNT(number), COUNT(number) FROM provider_invoice";
const LINES: &str = "SELECT c.session, l.text, l.quantity, l.unit, l.net, l.vat, c.id
    FROM provider_invoice_line l JOIN provider_cdr c ON c.no = l.cdr WHERE l.invoice = ?1 ORDER BY l.cdr, l.part";
const OPEN_OF: &str = "SELECT no FROM provider_invoice WHERE driver = ?1 AND number IS NULL";
