//! The way to the stations: orders to those that speak SOAP, and the one line over all doors.
//!
//! An order is a request of its own to the station's address. Deliberately no retry: the room knows what may be said
//! twice. Invariant: one order is under way at a time to each station.

use std::sync::Arc;

use charge::Soon;
use charge::id::StationId;
use charge::talk::line::{Line, LineFault, StationAnswer, ToStation};
use ocpp::soap::Trip;
use ocpp::soap::central::{Answered, Order};
use tokio::time::timeout;

use super::client::{NoResponse, Target};
use super::listen::House;
use super::seats::Seat;

/// [`Line`] over the seats.
pub(super) struct Stations(pub Arc<House>);

impl Line for Stations {
    fn tell(&self, station: &StationId, order: ToStation) -> Soon<'_, Result<StationAnswer, LineFault>> {
        let (seat, station) = (self.0.seats.of(station), station.clone());
        Box::pin(async move {
            let seat = seat.ok_or(LineFault::NotConnected)?;
            let _place = seat.waiting.try_acquire().map_err(|_| LineFault::Overloaded)?;
            let told = timeout(self.0.options.talk.order_time_max, tell(&self.0, &seat, &station, &order)).await;
            told.unwrap_or(Err(LineFault::TimedOut))
        })
    }

    fn connected(&self, station: &StationId) -> bool {
        self.0.seats.of(station).is_some()
    }

    /// Forgets the station: its next message is a new arrival.
    fn hang_up(&self, station: &StationId, why: &str) {
        if let Some(seat) = self.0.seats.leave(station) {
            let (house, station, why) = (Arc::clone(&self.0), station.clone(), format!("hung up: {why}"));
            tokio::spawn(async move { house.desk.left(&station, seat.connection, &why).await });
        }
    }
}

async fn tell(house: &House, seat: &Seat, station: &StationId, what: &ToStation) -> Result<StationAnswer, LineFault> {
    let _turn = seat.turn.lock().await;
    let (address, common_name) = seat.callback().ok_or(LineFault::NotConnected)?;
    let scheme = if address.encrypted { "https" } else { "http" };
    let host = if address.host.contains(':') { format!("[{}]", address.host) } else { address.host.clone() };
    let to = format!("{scheme}://{host}:{}{}", address.port, address.path);
    let trip = Trip { message_id: house.dice.uuid(), to, from: house.address.clone() };
    let target = Target {
        address: &address,
        tls: Some(&house.options.client),
        expects: common_name.as_deref(),
        authorization: None,
    };
    let (order, log) = Order::write(seat.version, &seat.identity, what, trip, house.clock.now());
    house.desk.note(station, log);
    let mut order = order?;
    loop {
        let posted = target.post(order.action(), order.body(), house.options.limits.bytes_max).await;
        let response = posted.map_err(|why| fault(station, &why))?;
        // SOAP faults come with 400 or 500, all other statuses are of something between us
        if response.status.is_redirection() || (!response.status.is_success() && response.body.is_empty()) {
            return Err(LineFault::Unreadable(format!("HTTP status {}", response.status.as_u16()).into()));
        }
        let uuid = house.dice.uuid();
        let (answered, lines) = order.answered(&response.body, &house.options.limits, uuid, house.clock.now());
        for line in lines {
            house.desk.note(station, line);
        }
        match answered {
            Answered::Done(outcome) => return outcome,
            Answered::More(next) => order = *next,
        }
    }
}

fn fault(station: &StationId, why: &NoResponse) -> LineFault {
    tracing::info!(%station, %why, "an order did not arrive");
    match why {
        NoResponse::Unreached(_) => LineFault::NotConnected,
        NoResponse::Lost => LineFault::Lost,
        NoResponse::TooLong => LineFault::Unreadable(why.to_string().into()),
    }
}

/// One line over several doors: a station is told through the door at which it stands.
pub struct Lines(Vec<Arc<dyn Line>>);

impl Lines {
    /// In the order in which they are asked.
    pub fn new(lines: Vec<Arc<dyn Line>>) -> Self {
        Self(lines)
    }

    fn of(&self, station: &StationId) -> Option<&Arc<dyn Line>> {
        self.0.iter().find(|line| line.connected(station))
    }
}

impl Line for Lines {
    fn tell(&self, station: &StationId, order: ToStation) -> Soon<'_, Result<StationAnswer, LineFault>> {
        match self.of(station) {
            Some(line) => line.tell(station, order),
            None => Box::pin(async { Err(LineFault::NotConnected) }),
        }
    }

    fn connected(&self, station: &StationId) -> bool {
        self.of(station).is_some()
    }

    fn hang_up(&self, station: &StationId, why: &str) {
        for line in &self.0 {
            line.hang_up(station, why);
        }
    }
}
