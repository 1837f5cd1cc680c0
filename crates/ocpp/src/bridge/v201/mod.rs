//! OCPP 2.0.1: provisioning, authorisation, transactions, remote control, metering and the device model.
//!
//! `hear` and `tell` are the operator's end, `say` and `obey` the station's. Deliberately foreign: everything else of
//! the 64 actions. Invariant: an EVSE has one connector, number 1; EVSE 0 is the station.

pub(super) mod hear;
mod meter;
pub(super) mod obey;
pub(super) mod say;
mod setting;
pub(super) mod tell;

use charge::Purpose;
use charge::id::EvseNo;
use charge::token::{PresentedToken, TokenKind};
use ocpp_kit::v2_0_1::{EVSE, IdToken, IdTokenEnum};

use crate::bridge::token;
use crate::payload::Notes;

/// The connector that an order means when its EVSE is named: our stations and most others have one.
const CONNECTOR: i32 = 1;

/// `evseId`; 0 and nonsense are the whole station (quirk 24).
fn evse_no(id: i32) -> Option<EvseNo> {
    u16::try_from(id).ok().and_then(EvseNo::new)
}

fn evse(evse: EvseNo) -> EVSE {
    EVSE::new(i32::from(evse.get()))
}

fn id_token(token: &PresentedToken) -> IdToken {
    let kind = match token.kind {
        TokenKind::Rfid => IdTokenEnum::ISO14443,
        TokenKind::Emaid => IdTokenEnum::EMAID,
        TokenKind::AppUser | TokenKind::AdHocUser | TokenKind::Other => IdTokenEnum::Central,
    };
    IdToken::new(token.uid.reveal(Purpose::Transmit).as_delivered(), kind)
}

/// `None` where nothing was presented (`NoAuthorization`), and with a remark where it is no token.
fn presented(id: &IdToken, path: &str, notes: &mut Notes) -> Option<PresentedToken> {
    let kind = match id.r#type {
        IdTokenEnum::NoAuthorization => return None,
        IdTokenEnum::ISO14443 | IdTokenEnum::ISO15693 => TokenKind::Rfid,
        IdTokenEnum::EMAID => TokenKind::Emaid,
        _ => TokenKind::Other,
    };
    token(&id.id_token, kind, path, notes)
}
