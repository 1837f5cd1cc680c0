//! Paying without a contract (2.1 block C, C17 to C25), and messages between vendors (block P).
//!
//! Deliberately no payment: what a terminal or a web page did is told here. Invariant: a reference and a VAT number are
//! personal.

use charge::talk::line::document::Document;
use charge::talk::line::payment::{PaymentNews, Settlement, Vendor, VendorAnswer};
use charge::{Personal, Purpose};
use ocpp_kit::v2_1::{self as kit, CsRequest};

use super::{astray, boxed, decimal, document, evse_id, evse_no, exact, key, key_text, parsed, text};
use crate::bridge::{moment, wire};
use crate::rules::Fault;

pub(super) fn hear(said: CsRequest) -> Result<PaymentNews, Fault> {
    Ok(match said {
        CsRequest::NotifySettlement(said) => PaymentNews::Settlement(Box::new(Settlement {
            key: said.transaction_id.map(key),
            reference: Personal::new(said.psp_ref.into()),
            status: said.status.as_str().into(),
            amount: exact(said.settlement_amount, "/settlementAmount")?,
            at: moment(said.settlement_time),
            receipt: boxed(said.receipt_id),
            receipt_url: boxed(said.receipt_url),
            vat_number: said.vat_number.map(|number| Personal::new(number.into())),
            company: said.vat_company.as_ref().map(document).transpose()?.map(Personal::new),
        })),
        CsRequest::VatNumberValidation(said) => PaymentNews::VatNumber {
            number: Personal::new(said.vat_number.into()),
            evse: said.evse_id.and_then(evse_no),
        },
        _ => return Err(astray()),
    })
}

pub(super) fn say(news: &PaymentNews) -> Result<CsRequest, Fault> {
    Ok(match news {
        PaymentNews::Settlement(news) => {
            let mut out = kit::NotifySettlementRequest::new(
                news.reference.reveal(Purpose::Transmit).to_string(),
                kit::PaymentStatus::from_wire(&news.status),
                decimal(news.amount)?,
                wire(news.at),
            );
            out.transaction_id = news.key.as_ref().map(key_text).transpose()?;
            out.receipt_id = text(news.receipt.as_deref());
            out.receipt_url = text(news.receipt_url.as_deref());
            out.vat_number = news.vat_number.as_ref().map(|number| number.reveal(Purpose::Transmit).to_string());
            out.vat_company =
                news.company.as_ref().map(|company| parsed(company.reveal(Purpose::Transmit))).transpose()?;
            CsRequest::NotifySettlement(out)
        }
        PaymentNews::VatNumber { number, evse } => {
            let mut out = kit::VatNumberValidationRequest::new(number.reveal(Purpose::Transmit).to_string());
            out.evse_id = evse.map(|evse| evse_id(Some(evse)));
            CsRequest::VatNumberValidation(out)
        }
    })
}

pub(super) fn vendor(said: kit::DataTransferRequest) -> Result<Vendor, Fault> {
    Ok(Vendor {
        vendor: said.vendor_id.into(),
        message: boxed(said.message_id),
        data: said.data.as_ref().map(document).transpose()?,
    })
}

pub(super) fn say_vendor(vendor: &Vendor) -> Result<kit::DataTransferRequest, Fault> {
    let mut out = kit::DataTransferRequest::new(&*vendor.vendor);
    out.message_id = text(vendor.message.as_deref());
    out.data = vendor.data.as_ref().map(parsed).transpose()?;
    Ok(out)
}

pub(super) fn vendor_answer(said: &kit::DataTransferResponse) -> Result<VendorAnswer, Fault> {
    let data: Option<Document> = said.data.as_ref().map(document).transpose()?;
    Ok(VendorAnswer { status: said.status.as_str().into(), data })
}

/// A word out of the list becomes the refusal.
pub(super) fn say_vendor_answer(answer: &VendorAnswer) -> Result<kit::DataTransferResponse, Fault> {
    let status = kit::DataTransferStatus::from_wire(&answer.status);
    let status = if status.is_known() { status } else { kit::DataTransferStatus::Rejected };
    let mut out = kit::DataTransferResponse::new(status);
    out.data = answer.data.as_ref().map(parsed).transpose()?;
    Ok(out)
}
