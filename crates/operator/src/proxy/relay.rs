//! What a second CSMS may order: judged by the policy, and turned into our own names before the station hears it.
//!
//! Whatever the policy does not name is refused with the standards' word for it. Some settings are nobody's but the
//! operator's, whatever the policy says: those that would take a station to somebody else, and those that say who may
//! charge. Deliberately no queue: the second hears of a station that is away.

use charge::id::TransactionKey;
use charge::talk::line::charging::ChargingOrder;
use charge::talk::line::{StationAnswer, ToStation, Version, is_confidential};
use charge::token::PresentedToken;

use super::{Second, action};

/// Names of the second's in an order, which have to be turned into ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Named {
    pub token: Option<PresentedToken>,
    pub key: Option<TransactionKey>,
}

/// What an order names.
pub(crate) fn names(order: &ToStation) -> Named {
    match order {
        ToStation::Start { token, .. } => Named { token: Some(token.clone()), key: None },
        ToStation::Stop { key } => Named { token: None, key: Some(key.clone()) },
        ToStation::Charging(ChargingOrder::Set { profile, .. }) => Named { token: None, key: profile.key.clone() },
        _ => Named::default(),
    }
}

/// The order as the station hears it, or why it does not. `ours` are the names that were found for the second's.
pub(crate) fn judge(
    second: &Second,
    station_speaks: Option<Version>,
    order: ToStation,
    ours: Named,
    remote_id: i32,
) -> Result<ToStation, &'static str> {
    let action = action::ordered(&order);
    if action.is_empty() || !second.obeys(action) {
        return Err("the policy does not let this back-end order that");
    }
    let wanted = names(&order);
    if wanted.token.is_some() && ours.token.is_none() {
        return Err("a token that this back-end was never told");
    }
    if wanted.key.is_some() && ours.key.is_none() {
        return Err("a transaction that this back-end was never told");
    }
    match order {
        ToStation::Start { evse, token, profile, .. } => {
            let token = ours.token.unwrap_or(token);
            Ok(ToStation::Start { evse, token, remote_id, profile })
        }
        ToStation::Stop { key } => Ok(ToStation::Stop { key: ours.key.unwrap_or(key) }),
        ToStation::Charging(ChargingOrder::Set { evse, mut profile }) => {
            profile.key = ours.key;
            Ok(ToStation::Charging(ChargingOrder::Set { evse, profile }))
        }
        ToStation::WriteSettings { values } if values.iter().any(|(key, _)| is_ours(key)) => {
            Err("a setting that only the operator changes")
        }
        ToStation::ReadSettings { keys } if keys.is_empty() && station_speaks.is_none_or(Version::is_2) => {
            Err("all settings of a station that answers with a report")
        }
        other => Ok(other),
    }
}

/// Would take the station to another operator, or say who may charge there.
fn is_ours(key: &str) -> bool {
    let lower = key.to_ascii_lowercase();
    is_confidential(key) || OURS.iter().any(|word| lower.contains(word))
}

const OURS: &[&str] = &[
    "securityprofile",
    "securityctrlr",
    "networkprofile",
    "networkconfiguration",
    "ocppcommctrlr",
    "url",
    "endpoint",
    "csms",
    "centralsystem",
    "certificate",
    "cpoidentity",
    "authctrlr",
    "authcachectrlr",
    "localauth",
    "authorizationcache",
    "allowoffline",
    "authorizeremote",
    "stoptransactiononinvalid",
    "maxenergyoninvalid",
    "iso15118",
    "reservationctrlr",
];

/// A station's answer in the form that the second's version has for it, without secrets.
pub(crate) fn answer(second: &Second, answer: StationAnswer) -> StationAnswer {
    match answer {
        StationAnswer::Started(_) if !second.version.is_2() => StationAnswer::Accepted,
        StationAnswer::Settings { mut known, unknown } => {
            for setting in &mut known {
                if is_confidential(&setting.key) {
                    setting.value = None;
                }
            }
            StationAnswer::Settings { known, unknown }
        }
        other => other,
    }
}

/// The word of the standards for an order that is refused for whom it comes from.
pub(crate) const REFUSED: &str = "SecurityError";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use charge::Secret;
    use charge::talk::line::{ResetKind, Setting};
    use charge::token::{TokenKind, TokenUid};

    use super::*;
    use crate::proxy::Mode;
    use crate::proxy::tests::second;

    fn relay(obey: &[&str]) -> Second {
        Second { mode: Mode::Relay, obey: obey.iter().map(|one| (*one).to_owned()).collect(), ..second() }
    }

    fn token(uid: &str) -> PresentedToken {
        PresentedToken::new(TokenUid::new(uid).unwrap(), TokenKind::Rfid)
    }

    fn judged(second: &Second, order: ToStation, ours: Named) -> Result<ToStation, &'static str> {
        judge(second, Some(Version::V16), order, ours, 7)
    }

    #[test]
    fn what_is_not_listed_is_refused() {
        let second = relay(&["Reset"]);
        assert!(judged(&second, ToStation::Reset(ResetKind::Soft), Named::default()).is_ok());
        judged(&second, ToStation::ClearCache, Named::default()).unwrap_err();
        let mirror = Second { mode: Mode::Mirror, ..second };
        judged(&mirror, ToStation::Reset(ResetKind::Soft), Named::default()).unwrap_err();
    }

    #[test]
    fn a_start_goes_on_with_our_token_and_our_number() {
        let second = relay(&["RequestStartTransaction"]);
        let order = ToStation::Start { evse: None, token: token("THEIRS"), remote_id: 1, profile: None };
        judged(&second, order.clone(), Named::default()).unwrap_err();
        let ours = Named { token: Some(token("OURS")), key: None };
        match judged(&second, order, ours).unwrap() {
            ToStation::Start { token: told, remote_id: 7, .. } => assert_eq!(told, token("OURS")),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_transaction_is_found_or_not_touched() {
        let second = relay(&["RemoteStopTransaction"]);
        let order = ToStation::Stop { key: TransactionKey::Number(3) };
        judged(&second, order.clone(), Named::default()).unwrap_err();
        let ours = Named { token: None, key: Some(TransactionKey::Number(9)) };
        let told = judged(&second, order, ours).unwrap();
        assert!(matches!(told, ToStation::Stop { key: TransactionKey::Number(9) }));
    }

    #[test]
    fn the_keys_of_the_house_are_never_written_and_never_read() {
        let second = relay(&["ChangeConfiguration", "GetConfiguration"]);
        let write = |key: &str| {
            let values = vec![(key.into(), Secret::new("1".into()))];
            judged(&second, ToStation::WriteSettings { values }, Named::default()).is_ok()
        };
        assert!(write("MeterValueSampleInterval"));
        for key in ["AuthorizationKey", "SecurityProfile", "LocalAuthListEnabled", "OCPPCommCtrlr.ActiveNetworkProfile"]
        {
            assert!(!write(key), "{key}");
        }
        let setting = |key: &str| Setting { key: key.into(), value: Some("x".into()), read_only: false };
        let known = vec![setting("AuthorizationKey"), setting("HeartbeatInterval")];
        match answer(&second, StationAnswer::Settings { known, unknown: Vec::new() }) {
            StationAnswer::Settings { known, .. } => {
                assert_eq!(known[0].value, None);
                assert_eq!(known[1].value.as_deref(), Some("x"));
            }
            other => panic!("{other:?}"),
        }
    }
}
