//! The parties of a network in processes of their own, with wires between them that can be cut.
//!
//! Each party's road door is known to the others under the port of a [`Wire`], which carries bytes to the door and back.
//! Stations dial the operator's line directly: they cut theirs themselves ([`super::pole::Pole::cut`]).

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::house::{HUB, House, OPERATOR, PROVIDERS, Start, Unit, free_port};

/// The parts of a house in the order of their start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Hub,
    Operator,
    Providers,
}

impl Part {
    pub(super) const ALL: [Self; 3] = [Self::Hub, Self::Operator, Self::Providers];

    pub(super) const fn unit(self) -> usize {
        self as usize
    }

    const fn dir(self) -> &'static str {
        match self {
            Self::Hub => "hub",
            Self::Operator => "operator",
            Self::Providers => "providers",
        }
    }

    const fn parties(self) -> &'static [&'static str] {
        match self {
            Self::Hub => &[HUB],
            Self::Operator => &[OPERATOR],
            Self::Providers => &[PROVIDERS[0].1, PROVIDERS[1].1],
        }
    }

    /// Whether a section of the whole configuration is this part's.
    fn owns(self, section: &str) -> bool {
        let heading = section.split_once(']').map_or("", |(heading, _)| heading.trim_start_matches('['));
        match (heading, self) {
            ("web", _) => true,
            ("road", _) => self.parties().iter().any(|party| section.contains(&format!("from = \"{party}\""))),
            ("operator", Self::Operator) | ("hub", Self::Hub) | ("provider", Self::Providers) => true,
            (_, Self::Operator | Self::Hub | Self::Providers) => false,
        }
    }
}

/// Bytes to a door and back, until it is cut.
pub(super) struct Wire {
    whole: watch::Sender<bool>,
}

impl Wire {
    /// Between a port that others know and a door.
    async fn lay(known: u16, door: u16) -> Self {
        let ear = TcpListener::bind(("127.0.0.1", known)).await.unwrap();
        let whole = watch::Sender::new(true);
        tokio::spawn(carry(ear, SocketAddr::from(([127, 0, 0, 1], door)), whole.subscribe()));
        Self { whole }
    }

    /// Every connection breaks, and none comes about.
    pub(super) fn cut(&self) {
        self.whole.send_replace(false);
    }

    pub(super) fn mend(&self) {
        self.whole.send_replace(true);
    }
}

async fn carry(ear: TcpListener, door: SocketAddr, mut whole: watch::Receiver<bool>) {
    let mut calls = JoinSet::new();
    loop {
        tokio::select! {
            changed = whole.changed() => {
                if changed.is_err() {
                    return;
                }
                if !*whole.borrow_and_update() {
                    calls.shutdown().await;
                }
            }
            came = ear.accept() => {
                let Ok((mut near, _)) = came else { continue };
                if *whole.borrow() {
                    calls.spawn(async move {
                        let Ok(mut far) = TcpStream::connect(door).await else { return };
                        // it ends when either side does
                        let _ended = copy_bidirectional(&mut near, &mut far).await;
                    });
                }
            }
            Some(_ended) = calls.join_next() => {}
        }
    }
}

/// A house in three processes.
pub(super) struct Apart {
    pub house: House,
    /// To the road doors of each part.
    wires: [Vec<Arc<Wire>>; 3],
}

impl Apart {
    /// Lays a network out, divides it and starts it.
    pub(super) async fn start() -> Self {
        let mut house = House::lay_out();
        let whole = fs::read_to_string(house.path("leyden.toml")).unwrap();
        let (top, sections) = whole.split_once("\n[").unwrap();
        let sections: Vec<String> = sections.split("\n[").map(|section| format!("[{section}")).collect();
        let mut wires: [Vec<Arc<Wire>>; 3] = Default::default();
        let mut units = Vec::new();
        for part in Part::ALL {
            let web = if part == Part::Operator { house.web_port() } else { free_port() };
            let mut text = top.to_owned();
            for section in sections.iter().filter(|section| part.owns(section)) {
                text = format!("{text}\n{section}");
            }
            text = text.replace(&format!(":{}", house.web_port()), &format!(":{web}"));
            for party in part.parties() {
                let (known, door) = (house.road_port(party), free_port());
                text =
                    text.replace(&format!("listen = \"127.0.0.1:{known}\""), &format!("listen = \"127.0.0.1:{door}\""));
                wires[part.unit()].push(Arc::new(Wire::lay(known, door).await));
            }
            // keys and certificates are still in one place
            let text = text.replace("\"pki/", "\"../pki/").replace("\"secrets/", "\"../secrets/");
            fs::create_dir(house.path(part.dir())).unwrap();
            fs::write(house.path(part.dir()).join("leyden.toml"), text).unwrap();
            units.push(Unit::new(part.dir(), part.parties(), web));
        }
        house.divide(units);
        house.start_as(&Start::default()).await;
        Self { house, wires }
    }

    /// The house, and the wires to the doors of each part by [`Part::unit`].
    pub(super) fn into_parts(self) -> (House, [Vec<Arc<Wire>>; 3]) {
        (self.house, self.wires)
    }
}
