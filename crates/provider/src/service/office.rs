//! The clerk's commands: settle a dispute, issue an invoice, import a meter key.

use charge::id::{EvseUid, PartyId};

use super::{Event, Provider};
use crate::cdrs::{DisputeState, Settlement};
use crate::fault::{ProviderFault, Refusal};
use crate::memory::{cdrs, disputes, invoices as rows, places};
use crate::{DisputeNo, InvoiceNo, invoices};

impl Provider {
    /// Takes the operator's figures, which puts them on the driver's invoice, or asks for a credit CDR, which leaves
    /// the CDR off. `clerk` is kept with the dispute.
    pub async fn settle_dispute(&self, no: DisputeNo, how: Settlement, clerk: &str) -> Result<(), ProviderFault> {
        let (now, clerk) = (self.now(), clerk.to_owned());
        let events = self.run("provider.settle", move |desk, tx| {
            let dispute = disputes::find(tx, no)?.ok_or(Refusal::NoSuchDispute)?;
            let state = match how {
                Settlement::Accept => DisputeState::Accepted,
                Settlement::AskCredit => DisputeState::CreditAsked,
            };
            if !disputes::settle(tx, no, state, &clerk, now)? {
                return Err(Refusal::DisputeSettled.into());
            }
            let mut events = vec![Event::Dispute(no), Event::Cdr(dispute.cdr)];
            if state == DisputeState::Accepted {
                let row = cdrs::find(tx, dispute.cdr)?.ok_or(Refusal::NoSuchDispute)?;
                let invoice = rows::open_for(tx, &row.driver, &invoices::month(row.end))?;
                rows::put_lines(tx, invoice, row.no, &[invoices::total_line(&row, desk.setup.vat_percent)])?;
                events.push(Event::Invoice { driver: row.driver, no: invoice });
            }
            Ok(events)
        });
        self.tell(events.await?);
        Ok(())
    }

    /// Gives the invoice its number. From then on it does not change; what comes later goes on another one.
    pub async fn issue_invoice(&self, no: InvoiceNo) -> Result<String, ProviderFault> {
        let now = self.now();
        let (number, event) = self
            .run("provider.issue", move |desk, tx| {
                let head = rows::find(tx, no)?.ok_or(Refusal::NoSuchInvoice)?;
                if rows::lines(tx, no)?.is_empty() {
                    return Err(Refusal::InvoiceEmpty.into());
                }
                let nth = rows::issue(tx, no, &desk.seller(), now)?.ok_or(Refusal::InvoiceIssued)?;
                let number = invoices::number(desk.setup.party.code(), nth);
                Ok((number, Event::Invoice { driver: head.driver, no }))
            })
            .await?;
        self.tell([event]);
        Ok(number)
    }

    /// Keeps the meter key of an EVSE from the operator's signed register: records are then checked against it and not
    /// against the key that comes with them.
    pub async fn import_meter_key(&self, operator: PartyId, evse: EvseUid, key: &str) -> Result<(), ProviderFault> {
        let key = billing::record::PublicKey::read(key).map_err(|_| Refusal::KeyUnreadable)?.spki_hex();
        self.run("provider.meter_key", move |_, tx| Ok(places::put_meter_key(tx, operator, &evse, &key)?)).await
    }
}

impl super::Desk {
    pub(super) fn seller(&self) -> String {
        format!("{}, {}, VAT id {}", self.setup.name, self.setup.country, self.setup.vat_id)
    }
}
