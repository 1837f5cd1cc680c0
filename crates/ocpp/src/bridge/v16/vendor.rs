//! `DataTransfer` in 1.6 (4.3 and 5.6): messages between vendors, and the two notes of OCA that use it.
//!
//! Plug & Charge goes to [`super::pnc`]; prices (OCA, "OCPP & California Pricing Requirements", section 3.1) are orders
//! about tariffs. The rest is handed on as it is. Deliberately no vendor's meaning. Invariant: `data` is a text in 1.6;
//! what is no text is refused.

use charge::talk::line::display::TariffOrder;
use charge::talk::line::document::Document;
use charge::talk::line::payment::{Vendor, VendorAnswer};
use charge::talk::line::{FromStation, Heard, LineFault, StationAnswer, ToStation};
use ocpp_kit::v1_6::{self as kit, DataTransferStatus};
use serde::Deserialize;
use serde_json::{Number, Value};

use super::{RULES, answered, pnc};
use crate::bridge::{Call, Said, Told, misfit, unfit, unplaced};
use crate::payload::{Notes, generous, strict, write};
use crate::rules::{Code, Fault};

pub(super) const ACTION: &str = "DataTransfer";

/// The price of the station for everybody is a setting, and so is its text in each language.
const DEFAULT_PRICE: &str = "DefaultPrice";
const DEFAULT_PRICE_TEXT: &str = "DefaultPriceText,";

/// The vendor of the pricing note.
const PRICES: &str = "org.openchargealliance.costmsg";

/// An order about a price that is a message of its own: how its answer is known.
const PRICE: &str = "DataTransfer of a price";

/// The members that the note demands of `SetUserPrice` (table 2).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "their presence and type are what is read")]
struct UserPrice {
    id_token: String,
    price_text: String,
}

/// Of `FinalCost` (table 3).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "their presence and type are what is read")]
struct FinalCost {
    transaction_id: i32,
    cost: Number,
    price_text: String,
}

/// Of `RunningCost` (table 4).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "their presence and type are what is read")]
struct RunningCost {
    transaction_id: i32,
    timestamp: String,
    meter_value: Number,
    cost: Number,
    state: Activity,
    charging_price: Value,
}

#[derive(Deserialize)]
enum Activity {
    Charging,
    Idle,
}

/// Is this a message of the pricing note for stations, with what the note demands of it? `None`: not one of its names.
fn sound_price(message: &str, data: &str) -> Option<bool> {
    match message {
        "SetUserPrice" => Some(serde_json::from_str::<UserPrice>(data).is_ok()),
        "FinalCost" => Some(serde_json::from_str::<FinalCost>(data).is_ok()),
        "RunningCost" => Some(serde_json::from_str::<RunningCost>(data).is_ok()),
        _ => None,
    }
}

pub(super) fn order(order: &Vendor, notes: &mut Notes) -> Result<Call<Told>, LineFault> {
    Ok(Call::new(ACTION, request(order, notes)?, Told::Action(ACTION)))
}

fn request(message: &Vendor, notes: &mut Notes) -> Result<String, LineFault> {
    let mut out = kit::DataTransferRequest::new(&*message.vendor);
    out.message_id = message.message.as_deref().map(Into::into);
    out.data = message.data.as_ref().map(text).transpose().map_err(|fault| unfit(notes, &fault))?;
    write(&out).map_err(|fault| unfit(notes, &fault))
}

fn text(data: &Document) -> Result<String, Fault> {
    serde_json::from_str(data.as_str()).map_err(|_| Fault::at(Code::Internal, "/data", "1.6 transfers text only"))
}

fn document(text: Option<String>) -> Option<Document> {
    text.map(|text| Document::new(Value::String(text).to_string()))
}

/// An order about prices, for a station that follows the pricing note.
pub(super) fn price(order: &TariffOrder, notes: &mut Notes) -> Result<Call<Told>, LineFault> {
    let (message, data) = match order {
        TariffOrder::Californian { message, data } => (&**message, data.as_str()),
        TariffOrder::Cost { .. } => {
            return Err(unplaced(notes, "a running cost of 1.6 has register, state and prices: give its own form"));
        }
        TariffOrder::SetDefault { .. }
        | TariffOrder::Read { .. }
        | TariffOrder::Clear { .. }
        | TariffOrder::Change { .. } => return Err(unplaced(notes, "1.6 keeps no tariffs at the station")),
    };
    if message == DEFAULT_PRICE || message.starts_with(DEFAULT_PRICE_TEXT) {
        let setting = kit::ChangeConfigurationRequest::new(message, data);
        let payload = write(&setting).map_err(|fault| unfit(notes, &fault))?;
        return Ok(Call::new("ChangeConfiguration", payload, Told::Action(DEFAULT_PRICE)));
    }
    if sound_price(message, data) != Some(true) {
        return Err(unplaced(notes, "not a message of the pricing note, or without what the note demands"));
    }
    let mut out = kit::DataTransferRequest::new(PRICES);
    out.message_id = Some(message.to_owned());
    out.data = Some(data.to_owned());
    let payload = write(&out).map_err(|fault| unfit(notes, &fault))?;
    Ok(Call::new(ACTION, payload, Told::Action(PRICE)))
}

pub(super) fn outcome(name: &str, payload: &str, notes: &mut Notes) -> Result<StationAnswer, Fault> {
    match name {
        ACTION => {
            let answer: kit::DataTransferResponse = generous(RULES, ACTION, payload, notes)?;
            Ok(StationAnswer::Vendor(word(answer)))
        }
        PRICE => {
            let answer: kit::DataTransferResponse = generous(RULES, ACTION, payload, notes)?;
            Ok(answered(answer.status.as_str()))
        }
        DEFAULT_PRICE => {
            let answer: kit::ChangeConfigurationResponse = generous(RULES, "ChangeConfiguration", payload, notes)?;
            Ok(match answer.status {
                kit::ConfigurationStatus::RebootRequired => StationAnswer::Scheduled,
                other => answered(other.as_str()),
            })
        }
        carried => pnc::outcome(carried, payload, notes),
    }
}

fn word(answer: kit::DataTransferResponse) -> VendorAnswer {
    VendorAnswer { status: answer.status.as_str().into(), data: document(answer.data) }
}

pub(super) fn told(payload: &str) -> Result<(ToStation, Told), Fault> {
    let order: kit::DataTransferRequest = strict(payload)?;
    let message = order.message_id.as_deref().unwrap_or_default();
    let data = order.data.as_deref().unwrap_or_default();
    if order.vendor_id == pnc::VENDOR
        && let Some(carried) = pnc::told(message, data)
    {
        return carried;
    }
    if order.vendor_id == PRICES
        && let Some(sound) = sound_price(message, data)
    {
        let price = TariffOrder::Californian { message: message.into(), data: Document::new(data) };
        let order = sound.then_some((ToStation::Tariff(price), Told::Action(PRICE)));
        return order.ok_or_else(|| Fault::at(Code::Property, "/data", "not what the pricing note demands"));
    }
    Ok((ToStation::Vendor(vendor(order)), Told::Action(ACTION)))
}

fn vendor(message: kit::DataTransferRequest) -> Vendor {
    Vendor {
        vendor: message.vendor_id.into(),
        message: message.message_id.map(Into::into),
        data: document(message.data),
    }
}

pub(super) fn reply(name: &str, answer: &StationAnswer) -> Result<String, Fault> {
    match (name, answer) {
        (ACTION, StationAnswer::Vendor(answer)) => response(answer),
        (ACTION | PRICE, StationAnswer::Accepted) => {
            write(&kit::DataTransferResponse::new(DataTransferStatus::Accepted))
        }
        (ACTION | PRICE, StationAnswer::Refused(word)) => {
            let refusals = &DataTransferStatus::VARIANTS[1..];
            let refusal = match &**word {
                // the vendor of these is known
                "NotSupported" | "NotImplemented" if name == PRICE => "UnknownMessageId",
                "NotSupported" | "NotImplemented" => "UnknownVendorId",
                other => crate::bridge::word(other, refusals, "Rejected"),
            };
            write(&kit::DataTransferResponse::new(DataTransferStatus::from_wire(refusal)))
        }
        (carried, answer) if pnc::carries(carried) => pnc::reply(carried, answer),
        (_, _) => Err(misfit()),
    }
}

fn response(answer: &VendorAnswer) -> Result<String, Fault> {
    let mut out = kit::DataTransferResponse::new(DataTransferStatus::from_wire(&answer.status));
    out.data = answer.data.as_ref().map(text).transpose()?;
    write(&out)
}

pub(super) fn hear(payload: &str, notes: &mut Notes) -> Result<(FromStation, Said), Fault> {
    let said: kit::DataTransferRequest = generous(RULES, ACTION, payload, notes)?;
    if said.vendor_id == pnc::VENDOR {
        let message = said.message_id.as_deref().unwrap_or_default();
        if let Some(carried) = pnc::hear(message, said.data.as_deref().unwrap_or_default(), notes) {
            return carried;
        }
    }
    Ok((FromStation::Vendor(vendor(said)), Said::Action(ACTION)))
}

pub(super) fn answer(answer: &VendorAnswer) -> Result<String, Fault> {
    response(answer)
}

pub(super) fn say(message: &Vendor, notes: &mut Notes) -> Result<Call<Said>, LineFault> {
    Ok(Call::new(ACTION, request(message, notes)?, Said::Action(ACTION)))
}

pub(super) fn heard(payload: &str, notes: &mut Notes) -> Result<Heard, Fault> {
    let answer: kit::DataTransferResponse = generous(RULES, ACTION, payload, notes)?;
    Ok(Heard::Vendor(word(answer)))
}
