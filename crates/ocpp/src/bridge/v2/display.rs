//! What a station shows (block O), and what it knows of a customer (N09, N10).
//!
//! Deliberately no rendering of texts. Invariant: a customer is named in exactly one way.

use charge::talk::line::display::{Customer, CustomerNews, CustomerOrder, DisplayMessage, DisplayNews, DisplayOrder};
use charge::{Personal, Purpose};
use ocpp_kit::v2_1::{self as kit, CsRequest, CsmsRequest, MessagePriority, MessageState};

use super::certificate::{hash, say_hash};
use super::period::{joined, rest};
use super::{astray, boxed, id_token, key, key_text, more, needed, part, some, text, when};
use crate::bridge::{plausible, wire};
use crate::payload::Notes;
use crate::rules::{Code, Fault};

fn message(said: kit::MessageInfo) -> Result<DisplayMessage, Fault> {
    let known = ["id", "priority", "message", "state", "startDateTime", "endDateTime", "transactionId"];
    let more = rest(&said, &known)?;
    Ok(DisplayMessage {
        id: said.id,
        priority: said.priority.as_str().into(),
        state: said.state.map(|state| state.as_str().into()),
        from: when(said.start_date_time),
        until: when(said.end_date_time),
        key: said.transaction_id.map(key),
        format: said.message.format.as_str().into(),
        language: boxed(said.message.language),
        text: said.message.content.into(),
        more,
    })
}

fn say_message(message: &DisplayMessage) -> Result<kit::MessageInfo, Fault> {
    let mut content = kit::MessageContent::new(kit::MessageFormat::from_wire(&message.format), &*message.text);
    content.language = text(message.language.as_deref());
    let mut out = kit::MessageInfo::new(message.id, MessagePriority::from_wire(&message.priority), content);
    out.state = message.state.as_deref().map(MessageState::from_wire);
    out.start_date_time = message.from.map(wire);
    out.end_date_time = message.until.map(wire);
    out.transaction_id = message.key.as_ref().map(key_text).transpose()?;
    joined(out, message.more.as_ref())
}

pub(super) fn told(order: CsmsRequest) -> Result<DisplayOrder, Fault> {
    Ok(match order {
        CsmsRequest::SetDisplayMessage(order) => DisplayOrder::Set(Box::new(message(order.message)?)),
        CsmsRequest::GetDisplayMessages(order) => DisplayOrder::Read {
            request: order.request_id,
            ids: order.id.unwrap_or_default(),
            priority: order.priority.map(|word| word.as_str().into()),
            state: order.state.map(|word| word.as_str().into()),
        },
        CsmsRequest::ClearDisplayMessage(order) => DisplayOrder::Clear { id: order.id },
        _ => return Err(astray()),
    })
}

pub(super) fn order(order: &DisplayOrder) -> Result<CsmsRequest, Fault> {
    Ok(match order {
        DisplayOrder::Set(message) => {
            CsmsRequest::SetDisplayMessage(kit::SetDisplayMessageRequest::new(say_message(message)?))
        }
        DisplayOrder::Read { request, ids, priority, state } => {
            let mut out = kit::GetDisplayMessagesRequest::new(*request);
            out.id = some(ids.clone());
            out.priority = priority.as_deref().map(MessagePriority::from_wire);
            out.state = state.as_deref().map(MessageState::from_wire);
            CsmsRequest::GetDisplayMessages(out)
        }
        DisplayOrder::Clear { id } => CsmsRequest::ClearDisplayMessage(kit::ClearDisplayMessageRequest::new(*id)),
    })
}

pub(super) fn hear(said: kit::NotifyDisplayMessagesRequest) -> Result<DisplayNews, Fault> {
    let messages = said.message_info.unwrap_or_default().into_iter().map(message).collect::<Result<_, _>>()?;
    Ok(DisplayNews { part: part(said.request_id, 0, said.tbc), messages })
}

pub(super) fn say(news: &DisplayNews) -> Result<CsRequest, Fault> {
    let mut out = kit::NotifyDisplayMessagesRequest::new(news.part.request);
    out.message_info = some(news.messages.iter().map(say_message).collect::<Result<_, _>>()?);
    out.tbc = more(news.part.more);
    Ok(CsRequest::NotifyDisplayMessages(out))
}

/// N09.FR.09: of the three ways to name a customer exactly one.
pub(super) fn customer_told(order: kit::CustomerInformationRequest) -> Result<CustomerOrder, Fault> {
    let customer = match (order.id_token, order.customer_certificate, order.customer_identifier) {
        (Some(token), None, None) => Customer::Token(needed(&token, "/idToken/idToken")?),
        (None, Some(certificate), None) => Customer::Certificate(hash(certificate)),
        (None, None, Some(identifier)) => Customer::Identifier(Personal::new(identifier.into())),
        (_, _, _) => return Err(Fault::new(Code::Occurrence, "a customer is named in exactly one way")),
    };
    Ok(CustomerOrder { request: order.request_id, report: order.report, clear: order.clear, customer })
}

pub(super) fn customer_order(order: &CustomerOrder) -> CsmsRequest {
    let mut out = kit::CustomerInformationRequest::new(order.request, order.report, order.clear);
    match &order.customer {
        Customer::Token(token) => out.id_token = Some(id_token(token)),
        Customer::Certificate(certificate) => out.customer_certificate = Some(say_hash(certificate)),
        Customer::Identifier(identifier) => {
            out.customer_identifier = text(Some(identifier.reveal(Purpose::Transmit)));
        }
    }
    CsmsRequest::CustomerInformation(out)
}

pub(super) fn customer(said: kit::NotifyCustomerInformationRequest, notes: &mut Notes) -> CustomerNews {
    CustomerNews {
        part: part(said.request_id, said.seq_no, said.tbc),
        at: plausible(said.generated_at, "/generatedAt", notes),
        data: Personal::new(said.data.into()),
    }
}

pub(super) fn say_customer(news: &CustomerNews) -> CsRequest {
    let data = news.data.reveal(Purpose::Transmit).to_string();
    let mut out = kit::NotifyCustomerInformationRequest::new(data, news.part.seq, wire(news.at), news.part.request);
    out.tbc = more(news.part.more);
    CsRequest::NotifyCustomerInformation(out)
}
