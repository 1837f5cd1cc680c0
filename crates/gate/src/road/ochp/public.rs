//! Charge points, tariffs and live status: taken from operators for everybody, given to whoever asks.

use charge::Timestamp;
use charge::id::PartyId;
use charge::place::{Evse, EvseStatus, Location};
use charge::talk::road::{Answer, Denial, Errand, PageWish, Passing, Question};
use ochp::bridge::status::{evse_status, live};
use ochp::bridge::{evse_id, place, tariff};
use ochp::message::{
    ChargePoints, ChargePointsGiven, ChargePointsTaken, Done, Statuses, StatusesGiven, StatusesWanted, Tariffs,
    TariffsGiven, TariffsTaken,
};
use ochp::scalar::EvseId;
use ochp::types::place::ChargePoint;
use ochp::types::result::{ResultCode, ResultInfo};
use ochp::types::status::StatusKind;

use super::house::{House, speaks_ochp};

/// Whether a public id is one of the operator's.
fn owns(operator: PartyId, id: &str) -> bool {
    let code: String = id.chars().filter(char::is_ascii_alphanumeric).take(5).collect();
    code.parse() == Ok(operator)
}

fn taken(refused: usize, all: usize) -> ResultInfo {
    match (refused, all) {
        (0, _) => ResultInfo::ok(),
        (refused, all) if refused >= all => ResultInfo::new(ResultCode::InvalidId, "nothing was taken"),
        (_, _) => ResultInfo::new(ResultCode::Partly, "a part was not taken"),
    }
}

impl House {
    /// `whole`: what is not in the list is gone.
    pub(super) async fn take_points(
        &self,
        operator: PartyId,
        points: ChargePoints,
        unreadable: usize,
        whole: bool,
    ) -> Result<ChargePointsTaken, Denial> {
        let all = points.points.len() + unreadable;
        let (own, mut refused): (Vec<ChargePoint>, Vec<ChargePoint>) =
            points.points.into_iter().partition(|point| owns(operator, point.evse.as_str()));
        let named: Vec<String> =
            own.iter().map(|point| point.evse.as_str().replace('*', "").to_ascii_uppercase()).collect();
        for group in place::by_location(own) {
            match self.take_location(operator, &group, whole).await {
                Ok(()) => {}
                Err(Denial::Internal) => return Err(Denial::Internal),
                Err(denial) => {
                    tracing::info!(%operator, ?denial, "charge points are not taken");
                    refused.extend(group);
                }
            }
        }
        if whole && refused.is_empty() && unreadable == 0 {
            self.remove(operator, &named).await?;
        }
        Ok(ChargePointsTaken { result: taken(refused.len() + unreadable, all), refused })
    }

    /// An EVSE is never deleted: it is told to be gone.
    async fn remove(&self, operator: PartyId, named: &[String]) -> Result<(), Denial> {
        for gone in self.places.of(operator).iter().filter(|id| !named.contains(id)) {
            let known = match self.spot(operator, gone).await {
                Ok(spot) => spot.evse().map(|evse| evse.status),
                Err(Denial::UnknownLocation | Denial::UnknownObject) => None,
                Err(denial) => return Err(denial),
            };
            if known.is_some_and(|status| status != EvseStatus::Removed) {
                self.take_status(operator, gone, EvseStatus::Removed).await?;
            }
        }
        Ok(())
    }

    async fn take_location(&self, operator: PartyId, points: &[ChargePoint], whole: bool) -> Result<(), Denial> {
        let crossed = place::location(points, operator, self.now())?;
        let mut location = crossed.value;
        let before = self.location(operator, operator, location.id.clone()).await.ok();
        if let Some(before) = before.filter(|before| before.party == operator && before.id == location.id) {
            merge(&mut location, before, whole);
        }
        let lost: Vec<Box<str>> = crossed.lost.iter().map(|lost| lost.to_string().into()).collect();
        let errand = Errand::Location { owner: operator, id: location.id.clone(), evse: None };
        self.crossing.lost(operator, self.crossing.party(), &errand, &lost);
        self.carry(operator, None, Question::PutLocation(Box::new(location.clone()))).await?;
        self.places.note(&location);
        Ok(())
    }

    pub(super) async fn give_points(
        &self,
        asker: PartyId,
        since: Option<Timestamp>,
    ) -> Result<ChargePointsGiven, Denial> {
        let mut points = Vec::new();
        for location in self.locations(asker, since).await? {
            let direct = self.partners.find(location.party).is_some_and(|partner| speaks_ochp(partner.protocol));
            let errand = Errand::Location { owner: location.party, id: location.id.clone(), evse: None };
            let lost = match place::charge_points(&location, direct) {
                Ok(crossed) => {
                    points.extend(crossed.value);
                    crossed.lost
                }
                Err(fault) => vec![fault],
            };
            let lost: Vec<Box<str>> = lost.iter().map(|lost| lost.to_string().into()).collect();
            self.crossing.lost(location.party, asker, &errand, &lost);
        }
        Ok(ChargePointsGiven { result: ResultInfo::ok(), points })
    }

    pub(super) async fn take_tariffs(
        &self,
        operator: PartyId,
        tariffs: Tariffs,
        unreadable: usize,
    ) -> Result<TariffsTaken, Denial> {
        let all = tariffs.tariffs.len() + unreadable;
        let mut refused = Vec::new();
        for info in tariffs.tariffs {
            let crossed = tariff::tariff(&info, None, self.now());
            let Ok(crossed) = crossed.map_err(|fault| tracing::info!(%operator, %fault, "a tariff is not taken"))
            else {
                refused.push(info);
                continue;
            };
            let errand = Errand::Tariff { owner: operator, id: crossed.value.id.clone(), dropped: false };
            let lost: Vec<Box<str>> = crossed.lost.iter().map(|lost| lost.to_string().into()).collect();
            self.crossing.lost(operator, self.crossing.party(), &errand, &lost);
            match self.carry(operator, None, Question::PutTariff(Box::new(crossed.value))).await {
                Ok(_) => {}
                Err(Denial::Internal) => return Err(Denial::Internal),
                Err(_) => refused.push(info),
            }
        }
        Ok(TariffsTaken { result: taken(refused.len() + unreadable, all), refused })
    }

    pub(super) async fn give_tariffs(&self, asker: PartyId, since: Option<Timestamp>) -> Result<TariffsGiven, Denial> {
        let (mut tariffs, mut offset) = (Vec::new(), Some(0));
        while let Some(from) = offset {
            let wish = PageWish { changed_since: since, offset: from, ..PageWish::default() };
            let Answer::Tariffs(page) = self.carry(asker, None, Question::Tariffs(wish)).await?.answer else {
                return Err(Denial::Internal);
            };
            for item in page.items {
                let errand = Errand::Tariff { owner: item.party, id: item.id.clone(), dropped: false };
                let lost = match tariff::tariff_info(&item) {
                    Ok(crossed) => {
                        tariffs.push(crossed.value);
                        crossed.lost
                    }
                    Err(fault) => vec![fault],
                };
                let lost: Vec<Box<str>> = lost.iter().map(|lost| lost.to_string().into()).collect();
                self.crossing.lost(item.party, asker, &errand, &lost);
            }
            offset = page.next.filter(|next| *next > from);
        }
        Ok(TariffsGiven { result: ResultInfo::ok(), tariffs })
    }

    /// Parking spots alone have no place on the road: their status is not kept.
    pub(super) async fn take_statuses(
        &self,
        operator: PartyId,
        said: Statuses,
        unreadable: usize,
    ) -> Result<Done, Denial> {
        let mut wrong = unreadable + said.parkings.len();
        let all = said.evses.len() + wrong;
        for evse in &said.evses {
            let crossed = evse_status(evse, said.ttl, self.now());
            let told = match owns(operator, evse.evse.as_str()) {
                true => {
                    self.lost_in_status(operator, self.crossing.party(), &crossed.lost);
                    self.take_status(operator, evse.evse.as_str(), crossed.value).await
                }
                false => Err(Denial::NotYours),
            };
            match told {
                Ok(()) => {}
                Err(Denial::Internal) => return Err(Denial::Internal),
                Err(_) => wrong += 1,
            }
        }
        Ok(Done { result: taken(wrong, all) })
    }

    async fn take_status(&self, operator: PartyId, evse: &str, status: EvseStatus) -> Result<(), Denial> {
        let spot = self.spot(operator, evse).await?;
        if spot.location.party != operator {
            return Err(Denial::NotYours);
        }
        let (location, evse, at) = (spot.location.id, spot.uid, self.now());
        self.carry(operator, None, Question::PatchEvse { location, evse, status, at }).await.map(drop)
    }

    pub(super) async fn give_statuses(&self, asker: PartyId, wanted: StatusesWanted) -> Result<StatusesGiven, Denial> {
        let mut given = StatusesGiven { combined: Vec::new(), evses: Vec::new(), parkings: Vec::new() };
        let since = wanted.since.map(|since| since.at());
        let list = match wanted.kind {
            None | Some(StatusKind::Evse) => &mut given.evses,
            Some(StatusKind::Combined) => &mut given.combined,
            // nobody tells us of spots without an EVSE
            Some(StatusKind::Parking) => return Ok(given),
        };
        for location in self.locations(asker, since).await? {
            let young = |changed: Timestamp| since.is_none_or(|since| changed >= since);
            for evse in location.evses.iter().filter(|evse| young(evse.last_updated)) {
                if let Some(id) = evse.id.as_ref().and_then(evse_id) {
                    let crossed = live(id, evse.status, None);
                    self.lost_in_status(location.party, asker, &crossed.lost);
                    list.push(crossed.value);
                }
            }
        }
        Ok(given)
    }

    fn lost_in_status(&self, operator: PartyId, to: PartyId, lost: &[ochp::Fault]) {
        if !lost.is_empty() {
            let lost: Vec<Box<str>> = lost.iter().map(|lost| lost.to_string().into()).collect();
            self.crossing.lost(operator, to, &Errand::Passing(Passing::Fetch), &lost);
        }
    }

    pub(super) async fn give_some(&self, asker: PartyId, wanted: &[EvseId]) -> Result<StatusesGiven, Denial> {
        let mut given = StatusesGiven { combined: Vec::new(), evses: Vec::new(), parkings: Vec::new() };
        for id in wanted {
            let status = match self.spot(asker, id.as_str()).await {
                Ok(spot) => spot.evse().map_or(EvseStatus::Unknown, |evse| evse.status),
                Err(Denial::UnknownLocation) => EvseStatus::Unknown,
                Err(denial) => return Err(denial),
            };
            given.evses.push(live(id.clone(), status, None).value);
        }
        Ok(given)
    }
}

/// What an operator says of some EVSEs of a location leaves the others as they are, and each its live status.
fn merge(location: &mut Location, before: Location, whole: bool) {
    for known in before.evses {
        match location.evses.iter_mut().find(|evse| evse.uid == known.uid) {
            Some(evse) if evse.status == EvseStatus::Unknown => evse.status = known.status,
            Some(_) => {}
            None if whole => location.evses.push(Evse { status: EvseStatus::Removed, ..known }),
            None => location.evses.push(known),
        }
    }
}
