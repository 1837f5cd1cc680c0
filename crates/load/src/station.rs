//! A virtual station of the bench: connects, boots, and says one kind of message when it is told to.

use charge::{Clock, Timestamp};

use crate::Fault;
use crate::client::{Caller, Line};
use crate::frames::{Message, Prepared, REGISTER_BEGIN_WH, masked, register_milliwatt_hours};
use crate::line::{Account, Kind};

/// Connects and boots. An echo server hears the same bytes and echoes them.
pub(crate) async fn arrive(caller: &Caller, kind: Kind, account: &Account, number: usize) -> Result<Line, Fault> {
    const ID: &str = "boot";
    let mut line = caller.call(account, number).await?;
    let boot = format!(
        r#"[2,"{ID}","BootNotification",{{"chargePointVendor":"Leyden","chargePointModel":"Bench","chargePointSerialNumber":"{}","firmwareVersion":"1.0","meterType":"Bench","meterSerialNumber":"1"}}]"#,
        account.id
    );
    let answer = line.ask(ID, &masked(&boot)).await?;
    match kind {
        Kind::Operator if !answer.contains("Accepted") => Err(Fault::Answer(answer.to_owned())),
        Kind::Operator | Kind::Echo => Ok(line),
    }
}

/// A station that talks.
pub(crate) struct Station {
    line: Line,
    asked: u64,
    /// The first connector charges since then, as this transaction.
    began: Timestamp,
    transaction: i64,
    heartbeat: Prepared,
    /// Said in turn: a state that does not change would be no news.
    statuses: [Prepared; 2],
    meter: Prepared,
}

impl Station {
    /// Over a line on which it has booted.
    pub fn new(line: Line, now: Timestamp) -> Self {
        const NONE: i64 = 0;
        Self {
            line,
            asked: 0,
            began: now,
            transaction: NONE,
            heartbeat: Prepared::heartbeat(now),
            statuses: [Prepared::status("Preparing", now), Prepared::status("Available", now)],
            meter: Prepared::meter(NONE, now),
        }
    }

    /// Begins a transaction at the first connector.
    pub async fn begin(&mut self, id_tag: &str, now: Timestamp) -> Result<(), Fault> {
        const ID: &str = "begin";
        let now = now.whole_seconds();
        let start = format!(
            r#"[2,"{ID}","StartTransaction",{{"connectorId":1,"idTag":"{id_tag}","meterStart":{REGISTER_BEGIN_WH},"timestamp":"{now}"}}]"#
        );
        let answer = self.line.ask(ID, &masked(&start)).await?;
        let (number, allowed) = started(answer).ok_or_else(|| Fault::Answer(answer.to_owned()))?;
        if !allowed {
            return Err(Fault::Answer(answer.to_owned()));
        }
        (self.transaction, self.began) = (number, now);
        self.meter = Prepared::meter(number, now);
        Ok(())
    }

    /// Ends the transaction.
    pub async fn end(&mut self, now: Timestamp) -> Result<(), Fault> {
        const ID: &str = "end";
        // a whole number of Wh, not below the last reading
        let register = register_milliwatt_hours(self.began, now).div_ceil(1000) + 1;
        let stop = format!(
            r#"[2,"{ID}","StopTransaction",{{"transactionId":{},"meterStop":{register},"timestamp":"{}","reason":"Local"}}]"#,
            self.transaction,
            now.whole_millis()
        );
        self.line.ask(ID, &masked(&stop)).await.map(drop)
    }

    /// Says it and waits for the answer.
    pub async fn say(&mut self, message: Message, clock: &dyn Clock) -> Result<(), Fault> {
        self.asked += 1;
        let prepared = match (message, self.asked % 2) {
            (Message::Heartbeat, _) => &mut self.heartbeat,
            (Message::Status, 0) => &mut self.statuses[0],
            (Message::Status, _) => &mut self.statuses[1],
            (Message::Meter, _) => &mut self.meter,
        };
        let frame = prepared.at(self.asked, clock.now());
        self.line.ask(&format!("{:010}", self.asked), frame).await.map(drop)
    }

    /// How long the message is that [`Self::say`] says, in bytes of text.
    pub fn text_bytes(&self, message: Message) -> usize {
        match message {
            Message::Heartbeat => self.heartbeat.text_bytes(),
            Message::Status => self.statuses[0].text_bytes(),
            Message::Meter => self.meter.text_bytes(),
        }
    }
}

/// The transaction's number and whether its token was accepted (OCPP 1.6, 6.46 `StartTransaction.conf`).
fn started(answer: &str) -> Option<(i64, bool)> {
    let answer: serde_json::Value = serde_json::from_str(answer).ok()?;
    let payload = answer.get(2)?;
    let accepted = payload.get("idTagInfo")?.get("status")?.as_str()? == "Accepted";
    Some((payload.get("transactionId")?.as_i64()?, accepted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_is_read() {
        let answer = r#"[3,"begin",{"transactionId":7,"idTagInfo":{"status":"Accepted"}}]"#;
        assert_eq!(started(answer), Some((7, true)));
        assert_eq!(started(&answer.replace("Accepted", "Invalid")), Some((7, false)));
        assert_eq!(started(r#"[3,"begin",{}]"#), None);
    }
}
