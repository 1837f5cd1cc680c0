//! On what terms a station charges, as far as the operator has a say: what a session costs so far (OCPP 2.x I02, I03), the
//! tariff and words for whoever tapped (I01, 2.1 I08), and the limits of the provider's yes (2.1 E16).
//!
//! Only stations that say they can show or keep something are told it: a price is computed for them at each event of
//! their transactions, and for nobody else. What a station worked out by itself is compared with our own price.

use charge::Decimal;
use charge::Timestamp;
use charge::id::{SessionId, StationId};
use charge::talk::line::Version;
use charge::talk::line::terms::{Advice, CostDetails, Limits, Offer, Words};
use charge::tariff::Tariff;
use charge::token::{Allowed, Verdict};
use store::{StoreError, Tx};

use super::deliver::so_far;
use super::{House, Operator};
use crate::memory::session::SessionRow;
use crate::memory::{place, session, station, tariff};

/// What a station says that it can do with prices and limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shows {
    cost: bool,
    /// Words for the driver.
    words: bool,
    /// A tariff that it prices by itself (2.1).
    tariff: bool,
    limits_cost: bool,
    limits_energy: bool,
}

impl Shows {
    fn of(version: Version, known: &[(String, Option<String>)]) -> Self {
        let value = |names: &[&str]| {
            let found = known.iter().find(|(key, _)| names.iter().any(|name| key.eq_ignore_ascii_case(name)));
            found.and_then(|(_, value)| value.as_deref()).unwrap_or_default()
        };
        let on = |names: &[&str]| value(names).eq_ignore_ascii_case("true");
        let new = version == Version::V21;
        let limits = value(&[LIMITS]);
        let limit = |name: &str| new && limits.split(',').any(|one| one.trim().eq_ignore_ascii_case(name));
        Self {
            cost: on(&COST),
            words: on(&TARIFF) || on(&DISPLAY),
            tariff: new && on(&TARIFF),
            limits_cost: limit("maxCost"),
            limits_energy: limit("maxEnergy"),
        }
    }
}

impl Operator {
    /// What a station hears about a session's terms beyond the verdict: the cost so far, with VAT where the tariff names
    /// it, the limits of whoever pays, and words for them.
    ///
    /// cites: ocpp-2.0.1 I06.FR.01, I06.FR.02
    pub(super) async fn terms_for(
        &self,
        of: &StationId,
        id: Option<&SessionId>,
        at: Occasion,
    ) -> Result<(Option<Decimal>, Option<Box<Advice>>), StoreError> {
        let Some(id) = id else { return Ok((None, None)) };
        let shows = self.shows(of).await?;
        let turns = at.claimed || at.ended || at.words.is_some();
        let wanted = (shows.words && turns) || (shows.limits_energy && at.claimed);
        if !shows.cost && !shows.limits_cost && !wanted {
            return Ok((None, None));
        }
        let (id, of) = (id.clone(), of.clone());
        self.read("operator.cost", move |house, tx| {
            let Some(row) = session::find(tx, id.as_str())? else { return Ok((None, None)) };
            let limits = limits_of(&row, shows).filter(|_| at.claimed && row.state.is_open());
            let words = at.words.as_deref().filter(|_| shows.words).map(cut);
            let mut advice = Advice { limits, words, updated: Vec::new() };
            // E16.FR.11: who keeps to a limit of cost is told the cost
            let told = shows.cost || limits_of(&row, shows).is_some_and(|of| of.cost.is_some());
            let mut cost = None;
            if row.tariff.is_some() && (told || (at.ended && shows.words)) {
                let ours = so_far(house, tx, &row, house.now())?;
                let total = ours.priced.map(|priced| priced.total.with_vat.unwrap_or(priced.total.before_vat));
                if let Some(total) = total.filter(|_| at.ended && shows.words) {
                    let digits = ours.currency.minor_digits();
                    let energy = row.meter.delivered().kwh().round_dp(3).normalize();
                    let text = format!("{energy} kWh, {} {}", total.round_dp(digits), ours.currency);
                    advice.updated.push(Words::plain(text));
                }
                cost = total.filter(|_| told);
            }
            if at.claimed && shows.words && the_tariff(house, tx, &of)?.is_none() {
                advice.updated.extend(price_here(house, tx, &row)?);
            }
            Ok((cost, (advice != Advice::default()).then(|| Box::new(advice))))
        })
        .await
    }

    /// What whoever tapped is told. A tap names no EVSE, so there is a price to tell only where all EVSEs of the station
    /// have the same; what the provider has to say comes behind it, and alone where the token was refused.
    ///
    /// cites: ocpp-2.0.1 I01.FR.01, I01.FR.02
    /// cites: ocpp-2.1 I08.FR.01
    pub(super) async fn offer_for(&self, of: &StationId, verdict: &Verdict) -> Result<Option<Box<Offer>>, StoreError> {
        let shows = self.shows(of).await?;
        let said = verdict.words.as_deref().filter(|_| shows.words);
        let (of, yes) = (of.clone(), verdict.allowed == Allowed::Yes && (shows.words || shows.tariff));
        let mut offer = Offer { words: said.map(cut), ..Offer::default() };
        if yes
            && let Some((tariff, same)) =
                self.read("operator.offer", move |house, tx| the_tariff(house, tx, &of)).await?
        {
            if let Some(text) = tariff.text.as_deref().filter(|_| shows.words) {
                let text = said.map_or_else(|| text.to_owned(), |said| format!("{text}\n{}", said.text));
                offer.words = Some(cut(&Words::plain(text)));
            }
            offer.tariff = (shows.tariff && same).then(|| Box::new(tariff));
        }
        Ok((offer != Offer::default()).then(|| Box::new(offer)))
    }

    /// What a station can do is looked up anew: it has said something about it.
    pub(super) fn look_again(&self, of: &StationId) {
        if let Some(presence) = self.0.presences().live.get_mut(of) {
            presence.shows = None;
        }
    }

    /// Looked up once for a connection, and again after the station answered what its settings are.
    async fn shows(&self, of: &StationId) -> Result<Shows, StoreError> {
        let known = match self.0.presences().live.get(of) {
            Some(presence) if presence.version.is_2() => presence.shows.ok_or(presence.version),
            Some(_) | None => Ok(Shows::default()),
        };
        let version = match known {
            Ok(shows) => return Ok(shows),
            Err(version) => version,
        };
        let name = of.clone();
        let shows = self
            .read("operator.cost.shown", move |_, tx| {
                let settings = station::settings(tx, &name)?;
                let known: Vec<_> = settings.into_iter().map(|of| (of.key.into(), of.value.map(Into::into))).collect();
                Ok::<_, StoreError>(Shows::of(version, &known))
            })
            .await?;
        if let Some(presence) = self.0.presences().live.get_mut(of) {
            presence.shows = Some(shows);
        }
        Ok(shows)
    }
}

/// When a station is told of the terms.
pub(super) struct Occasion {
    /// The message named the token that pays: its answer is the first one that can carry the limits (E16.FR.02), and the
    /// one to carry them again where the station repeats it.
    pub claimed: bool,
    pub ended: bool,
    /// What the provider has to say to whoever presented the token.
    pub words: Option<Box<Words>>,
}

/// Words that every version has room for.
fn cut(words: &Words) -> Words {
    let text: String = words.text.chars().take(WORDS_MAX).collect();
    Words { text: text.into(), ..words.clone() }
}

/// The price where the session is, in words: its EVSE was not known when somebody tapped.
fn price_here(house: &House, tx: &Tx<'_>, row: &SessionRow) -> Result<Option<Words>, StoreError> {
    let pinned = row.tariff.map(|version| tariff::version(tx, house.setup.party, version)).transpose()?.flatten();
    Ok(pinned.and_then(|tariff| tariff.text).map(|text| cut(&Words::plain(text))))
}

/// What the provider's yes allows, as far as the station keeps to it (E16.FR.12).
fn limits_of(row: &SessionRow, shows: Shows) -> Option<Limits> {
    let limits = Limits {
        cost: row.money_cap.map(charge::money::Money::decimal).filter(|_| shows.limits_cost),
        energy: row.energy_cap.filter(|_| shows.limits_energy),
        ..Limits::default()
    };
    (!limits.is_empty()).then_some(limits)
}

/// The one tariff of all EVSEs of a station, and whether the station would come to the same price by itself.
fn the_tariff(house: &House, tx: &Tx<'_>, of: &StationId) -> Result<Option<(Tariff, bool)>, StoreError> {
    let (mut the_one, mut zone) = (None, None);
    for bay in place::of_station(tx, of)? {
        zone = place::time_zone(tx, &bay.location)?;
        for connector in place::connectors(tx, &bay.evse)? {
            let first = connector.tariffs.into_iter().next();
            if first.is_none() || the_one.as_ref().is_some_and(|known| Some(known) != first.as_ref()) {
                return Ok(None);
            }
            the_one = first;
        }
    }
    let version = the_one.map(|id| tariff::current_version(tx, &id)).transpose()?.flatten();
    let found = version.map(|version| tariff::version(tx, house.setup.party, version)).transpose()?.flatten();
    // what goes by the clock means something only where both look at the same one (I12.FR.37)
    let by_clock = found.as_ref().is_some_and(goes_by_clock);
    let theirs = station::settings(tx, of)?.into_iter().find(|setting| setting.key.eq_ignore_ascii_case(ZONE));
    let same = theirs.and_then(|setting| setting.value).as_deref() == zone.as_deref();
    Ok(found.map(|tariff| (tariff, same || !by_clock)))
}

fn goes_by_clock(tariff: &Tariff) -> bool {
    tariff.elements.iter().map(|element| &element.restrictions).any(|when| {
        when.start_minute.or(when.end_minute).is_some()
            || when.start_date.as_ref().or(when.end_date.as_ref()).is_some()
            || !when.days.is_empty()
    })
}

/// Compares what a station worked out with our own price; a difference is for a person to look at. Ours is billed.
///
/// cites: ocpp-2.1 I12.FR.14
pub(super) fn compare(
    house: &House,
    tx: &Tx<'_>,
    row: &mut SessionRow,
    theirs: &CostDetails,
    now: Timestamp,
) -> Result<(), StoreError> {
    if let Some(why) = &theirs.failure {
        row.flag(&format!("the station could not work out the cost: {why}"));
        return Ok(());
    }
    let ours = so_far(house, tx, row, now)?;
    let Some(priced) = ours.priced else { return Ok(()) };
    let gross = |price: charge::money::Price| price.with_vat.unwrap_or(price.before_vat);
    let (mine, told) = (gross(priced.total), gross(theirs.total));
    if theirs.currency != ours.currency {
        row.flag(&format!("the station priced in {}, the tariff is in {}", theirs.currency, ours.currency));
    } else if (mine - told).abs() > Decimal::new(1, theirs.currency.minor_digits()) {
        row.flag(&format!("the station came to {} and the tariff to {}", told.round_dp(4), mine.round_dp(4)));
    }
    Ok(())
}

/// OCPP 2.0.1 part 2, appendix 3: `TariffCostCtrlr.Enabled` with the instances `Cost` and `Tariff`.
const COST: [&str; 2] = ["TariffCostCtrlr.Enabled[Cost]", "TariffCostCtrlr[Cost].Enabled"];
const TARIFF: [&str; 2] = ["TariffCostCtrlr.Enabled[Tariff]", "TariffCostCtrlr[Tariff].Enabled"];
const DISPLAY: [&str; 1] = ["DisplayMessageCtrlr.Enabled"];
/// OCPP 2.1 part 2, 2.9: the limits that a station keeps to.
pub(super) const LIMITS: &str = "TxCtrlr.SupportedLimits";
const ZONE: &str = "ClockCtrlr.TimeZone";
/// `MessageContentType.content` of 2.0.1; 2.1 has twice as much.
const WORDS_MAX: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_station_is_told_what_it_says_that_it_can_do() {
        let known = |rows: &[(&str, &str)]| -> Vec<(String, Option<String>)> {
            rows.iter().map(|(key, value)| ((*key).to_owned(), Some((*value).to_owned()))).collect()
        };
        let all = known(&[
            ("TariffCostCtrlr.Enabled[Cost]", "true"),
            ("tariffcostctrlr[tariff].enabled", "TRUE"),
            ("TxCtrlr.SupportedLimits", "maxEnergy, maxTime"),
        ]);
        let new = Shows { cost: true, words: true, tariff: true, limits_cost: false, limits_energy: true };
        assert_eq!(Shows::of(Version::V21, &all), new);
        assert_eq!(Shows::of(Version::V201, &all), Shows { tariff: false, limits_energy: false, ..new });
        assert_eq!(Shows::of(Version::V21, &known(&[("TariffCostCtrlr.Enabled[Cost]", "false")])), Shows::default());
    }
}
