//! The command line: words, flags and their help. What a command does stands in the module of its name.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// An open e-mobility charging network that keeps people's secrets.
#[derive(Debug, Parser)]
#[command(name = "leyden", version, about, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a whole network on this machine: operator, hub, two providers, virtual stations and drivers.
    ///
    /// Prints one address and random logins. Stops cleanly at Ctrl-C and finds its data again at the next start.
    Demo(Demo),
    /// Make a folder for a network of your own: keys, random secrets, a commented configuration, first logins.
    Init(Init),
    /// Run the parties that a configuration names.
    Serve(Serve),
    /// Stand between the stations of a site and their CSMS, and answer them while that is away.
    Controller(Serve),
    /// Connect virtual charging stations to any operator (CSMS) that speaks OCPP 1.6J, 2.0.1 or 2.1.
    ///
    /// One station with a car, or, with --scenario, as many as a file names and what happens to them. Exits with 0 only
    /// if every step of every station held.
    Station(Station),
    /// Check signed meter records: valid, valid with remarks, not valid, or cannot be checked.
    ///
    /// Exits with 0 if every record is valid (remarks included), 1 if one is not, 2 if one cannot be checked.
    Verify(Verify),
    /// Bring partners to a running hub: invite, enter, list, test, suspend, resume and remove them.
    ///
    /// Asks the API of the house that the hub lives in, with a key of the hub that has the scopes routes:read and
    /// partners:write (page "Users and keys"), because a running hub knows its partners by heart.
    Partner(Partner),
    /// Register an operator or a provider at its hub, renew its credentials, and end the registration.
    ///
    /// Asks the API of the house that the party lives in, with a key of the party that has the scopes routes:read and
    /// partners:write (page "Users and keys"). Exits with 0 only if every step held.
    Road(Road),
    /// Measure.
    #[command(subcommand)]
    Bench(Bench),
    /// Look at configurations.
    #[command(subcommand)]
    Config(ConfigCommand),
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Where the demo keeps its data, keys and logins.
    #[arg(long, default_value = "var/demo")]
    pub(crate) dir: PathBuf,
    /// Address of the pages and the API. Port 0 takes any free one.
    #[arg(long, default_value = "127.0.0.1:8443")]
    pub(crate) listen: SocketAddr,
    /// How many virtual stations, each with two EVSEs.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(0..=2000))]
    pub(crate) stations: u16,
    /// How many times faster than real the cars and drivers of the demo live.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub(crate) speed: u32,
    /// The same seed makes the same world.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Import a charging register (CSV of the Bundesnetzagentur) and show it on the map.
    #[arg(long, value_name = "FILE")]
    pub(crate) locations: Option<PathBuf>,
    /// Replay real charging sessions (CSV of ACN-Data) instead of drivers from the seed.
    #[arg(long, value_name = "FILE")]
    pub(crate) sessions: Option<PathBuf>,
    /// Run the three flows and a crash-restart once, without a browser, and stop. Exits with 0 only if all held.
    #[arg(long)]
    pub(crate) tour: bool,
    /// Write one JSON document about the tour or the import.
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The folder to make. Must not exist, or be empty.
    pub(crate) dir: PathBuf,
    /// The name under which stations, partners and people reach this machine.
    #[arg(long, default_value = "localhost")]
    pub(crate) host: String,
    /// Party id of the operator, for example DE-VLT.
    #[arg(long, default_value = "DE-VLT")]
    pub(crate) operator: String,
    /// Party id of the hub.
    #[arg(long, default_value = "DE-HUB")]
    pub(crate) hub: String,
    /// Party ids of the providers; may be given several times.
    #[arg(long = "provider", default_value = "DE-8AA")]
    pub(crate) providers: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Station {
    /// Where the operator listens, without the identity: wss://host:port/ocpp
    pub(crate) url: String,
    /// The station's identity.
    #[arg(long, default_value = "LEYDEN-1")]
    pub(crate) id: String,
    /// OCPP version to offer.
    #[arg(long, default_value = "2.0.1", value_parser = ["1.6", "2.0.1", "2.1"])]
    pub(crate) version: String,
    /// Authorities to trust, in PEM. Needed for wss://.
    #[arg(long, value_name = "FILE")]
    pub(crate) roots: Option<PathBuf>,
    /// Play this scenario (TOML) instead of one station's sessions.
    #[arg(long, value_name = "FILE")]
    pub(crate) scenario: Option<PathBuf>,
    /// Take orders while the stations run, one line each: - is standard input, anything else a Unix socket to make.
    /// `help` lists them. The stations stay until `quit`, or the end of standard input.
    #[arg(long, value_name = "-|SOCKET")]
    pub(crate) control: Option<String>,
    /// Write one JSON document about the scenario: steps, messages, failures, times to an answer.
    #[arg(long, value_name = "FILE", requires = "scenario")]
    pub(crate) report: Option<PathBuf>,
    /// File with the Basic password (security profile 2).
    #[arg(long, value_name = "FILE", conflicts_with = "identity")]
    pub(crate) password_file: Option<PathBuf>,
    /// File with key and certificate in PEM (security profile 3).
    #[arg(long, value_name = "FILE")]
    pub(crate) identity: Option<PathBuf>,
    /// Uid of the card that its drivers tap.
    #[arg(long, default_value = "04A2B3C4D5E6F7", env = "LEYDEN_STATION_TOKEN")]
    pub(crate) token: String,
    /// How many sessions to run before it leaves; 0 stays until Ctrl-C.
    #[arg(long, default_value_t = 1)]
    pub(crate) sessions: u32,
    /// How many times faster than real its cars charge.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub(crate) speed: u32,
    /// The same seed plays a scenario the same way; instead of the seed in its file.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Keep the unsent messages here, so that a restart loses nothing.
    #[arg(long, value_name = "FILE")]
    pub(crate) journal: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// Files with signed records: OCMF text, the XML of the transparency software, or what a Leyden page offers.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// The meter's public key, from its display or a register. A key from the file itself proves nothing.
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Option<String>,
    /// Write one JSON document about all files.
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Partner {
    #[command(subcommand)]
    pub(crate) what: PartnerCommand,
    /// Where the house's API is.
    #[arg(long, global = true, default_value = "https://localhost:8443")]
    pub(crate) api: String,
    /// Authorities that the house's certificate may come from, in PEM.
    #[arg(long, global = true, value_name = "FILE", default_value = "pki/root.pem")]
    pub(crate) roots: PathBuf,
    /// File with the API key.
    #[arg(long, global = true, value_name = "FILE", default_value = "partner.key")]
    pub(crate) key_file: PathBuf,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PartnerCommand {
    /// Invite a party to introduce itself over OCPI; prints what to hand to it.
    Invite {
        /// Such as DE-ABC.
        party: String,
        /// As people know it.
        #[arg(long)]
        name: String,
        /// What it does; may be given twice.
        #[arg(long = "role", required = true, value_parser = ["operator", "provider"])]
        roles: Vec<String>,
        /// It may have addresses that are not public.
        #[arg(long)]
        local: bool,
    },
    /// Register at a party that wants us to begin, over OCPI. Exits with 0 only if every step held.
    Register {
        /// Such as DE-ABC.
        party: String,
        /// As people know it.
        #[arg(long)]
        name: String,
        /// What it does; may be given twice.
        #[arg(long = "role", required = true, value_parser = ["operator", "provider"])]
        roles: Vec<String>,
        #[command(flatten)]
        platform: Platform,
    },
    /// Exchange the tokens with a party for new ones. Exits with 0 only if every step held.
    Renew { party: String },
    /// End the registration at both sides. Exits with 0 only if the other side agreed, or did not know us any more.
    Leave { party: String },
    /// Enter a partner that speaks OICP or OCHP; prints the password that it comes with, where it comes with one.
    Add(NewPartner),
    /// Every partner with its protocol, roles and standing.
    List,
    /// Try a partner's connection step by step. Exits with 0 only if every step held.
    Test { party: String },
    /// What the hub keeps back from this partner, measure by measure.
    Measures { party: String },
    /// Turn one measure on or off for this partner, such as: leyden partner turn DE-ABC M7 off
    Turn {
        party: String,
        /// Such as M7.
        measure: String,
        #[arg(value_parser = ["on", "off"])]
        to: String,
    },
    /// Letters from and to this partner pass no more.
    Suspend { party: String },
    /// They pass again.
    Resume { party: String },
    /// Forget a partner with its credentials.
    Remove { party: String },
}

/// A platform that wants us to begin.
#[derive(Debug, Args)]
pub(crate) struct Platform {
    /// Its list of versions.
    #[arg(long, value_name = "URL")]
    pub(crate) versions: String,
    /// File with the token A that its people gave to ours.
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: PathBuf,
    /// Authorities that its certificate may come from, in PEM.
    #[arg(long, value_name = "FILE")]
    pub(crate) partner_roots: Option<PathBuf>,
    /// It may have addresses that are not public.
    #[arg(long)]
    pub(crate) local: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Road {
    #[command(subcommand)]
    pub(crate) what: RoadCommand,
    /// Whose registration: operator, or the provider's part of its pages' address.
    #[arg(long = "as", global = true, value_name = "SLUG", default_value = "operator")]
    pub(crate) slug: String,
    /// Where the house's API is.
    #[arg(long, global = true, default_value = "https://localhost:8443")]
    pub(crate) api: String,
    /// Authorities that the house's certificate may come from, in PEM.
    #[arg(long, global = true, value_name = "FILE", default_value = "pki/root.pem")]
    pub(crate) roots: PathBuf,
    /// File with the API key.
    #[arg(long, global = true, value_name = "FILE", default_value = "road.key")]
    pub(crate) key_file: PathBuf,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RoadCommand {
    /// Where the party is registered.
    Show,
    /// Register at the neighbour that the configuration names.
    Register(Platform),
    /// Exchange both tokens for new ones.
    Renew,
    /// End the registration at both sides.
    Leave,
}

#[derive(Debug, Args)]
pub(crate) struct NewPartner {
    /// Such as DE-ABC.
    pub(crate) party: String,
    #[arg(long)]
    pub(crate) name: String,
    #[arg(long = "role", required = true, value_parser = ["operator", "provider"])]
    pub(crate) roles: Vec<String>,
    #[arg(long, value_parser = ["oicp/2.3", "oicp/2.0", "ochp/1.4", "ochp/direct"])]
    pub(crate) protocol: String,
    /// Where it is: an https URL for all its services, or service=URL; may be given several times.
    #[arg(long = "address", required = true, value_name = "URL")]
    pub(crate) addresses: Vec<String>,
    /// The name with which the hub comes to it.
    #[arg(long, requires = "password_file")]
    pub(crate) login: Option<String>,
    /// File with the password with which the hub comes to it.
    #[arg(long, value_name = "FILE", requires = "login")]
    pub(crate) password_file: Option<PathBuf>,
    /// The name with which it comes to the hub; a password is made for it.
    #[arg(long)]
    pub(crate) entry: Option<String>,
    /// SHA-256 of the client certificate that it comes with, in hex.
    #[arg(long, value_name = "HEX")]
    pub(crate) certificate: Option<String>,
    /// Authorities that its own certificate may come from, in PEM.
    #[arg(long, value_name = "FILE")]
    pub(crate) partner_roots: Option<PathBuf>,
    /// It may have addresses that are not public.
    #[arg(long)]
    pub(crate) local: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// The station line: CPU per message, round trips, memory per connection, beside their floors in the same run.
    Line(BenchLine),
    /// How many connected stations one operator process holds, and how many several do.
    Crowd(BenchCrowd),
    /// All stations lose their connection and come back: CPU of a reconnect beside the bare TLS handshake.
    Storm(BenchStorm),
    /// What stations that behave feel while bad peers hammer at the door.
    Hammer(BenchHammer),
    /// An authorisation through the hub: CPU beside a bare proxy, from few providers to many, and a full index.
    Road(BenchRoad),
    /// Other central systems under the same loader, beside ours and the bare echo.
    Rivals(BenchRivals),
    /// (internal) the process that is measured.
    #[command(hide = true)]
    Server(BenchServer),
    /// (internal) the process that holds many stations.
    #[command(hide = true)]
    Loader(BenchLoader),
}

#[derive(Debug, Args)]
pub(crate) struct BenchLine {
    /// Stations that send.
    #[arg(long, default_value_t = 200)]
    pub(crate) stations: u32,
    /// Connections that only stay.
    #[arg(long, default_value_t = 2000)]
    pub(crate) idle: u32,
    /// Messages of each kind.
    #[arg(long, default_value_t = 20_000)]
    pub(crate) messages: u32,
    /// How often everything is measured; a figure is the median.
    #[arg(long, default_value_t = 3)]
    pub(crate) rounds: u32,
    /// What the stations speak.
    #[arg(long, value_delimiter = ',', default_value = "1.6,2.0.1,2.1,1.6-soap")]
    pub(crate) versions: Vec<load::Dialect>,
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct BenchCrowd {
    /// Stations of each operator process. A process may have only so many descriptors; the report names the cap.
    #[arg(long, default_value_t = 15_000)]
    pub(crate) stations: u32,
    /// The first is measured alone, then all together.
    #[arg(long, default_value_t = 3)]
    pub(crate) processes: u32,
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct BenchStorm {
    #[arg(long, default_value_t = 10_000)]
    pub(crate) stations: u32,
    /// Each station comes back at a random time of its own below this.
    #[arg(long, default_value_t = 3_000)]
    pub(crate) within_ms: u32,
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct BenchHammer {
    /// Stations that behave.
    #[arg(long, default_value_t = 100)]
    pub(crate) stations: u32,
    /// Peers that do not.
    #[arg(long, default_value_t = 1000)]
    pub(crate) bad: u32,
    /// How long they hammer.
    #[arg(long, default_value_t = 15)]
    pub(crate) seconds: u32,
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct BenchRoad {
    /// Authorisations of each kind in each round.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(64..))]
    pub(crate) taps: u32,
    /// How often everything is measured; a figure is the median.
    #[arg(long, default_value_t = 3)]
    pub(crate) rounds: u32,
    /// How many providers each hub has in turn, to see what size costs.
    #[arg(long, value_delimiter = ',', default_value = "2,10,100,500", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) providers: Vec<u32>,
    /// Tokens of a full index; filling it takes minutes. 0 leaves it out.
    #[arg(long, default_value_t = 5_000_000)]
    pub(crate) tokens: u32,
    /// Locations beside them.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(0..=1_500_000))]
    pub(crate) locations: u32,
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct BenchRivals {
    /// A name and the command that starts it, with the file of its key and certificate behind it. It says "listening on
    /// 127.0.0.1:PORT" in one line and ends with its standard input.
    #[arg(long = "rival", value_name = "NAME=COMMAND")]
    pub(crate) rivals: Vec<String>,
    /// Stations that send.
    #[arg(long, default_value_t = 200)]
    pub(crate) stations: u32,
    /// Connections that only stay.
    #[arg(long, default_value_t = 500)]
    pub(crate) idle: u32,
    /// Messages of each kind.
    #[arg(long, default_value_t = 4_000)]
    pub(crate) messages: u32,
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct BenchServer {
    #[arg(long)]
    pub(crate) dir: PathBuf,
    /// Measure the floor instead: a bare echo over the same TLS.
    #[arg(long)]
    pub(crate) echo: bool,
    /// Measure the floor of that: nothing after the handshake.
    #[arg(long)]
    pub(crate) handshake: bool,
    /// Measure the hub of this configuration instead.
    #[arg(long, value_name = "FILE")]
    pub(crate) hub: Option<PathBuf>,
    /// Measure the floor of a hub instead: a bare proxy before this address.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) proxy: Option<SocketAddr>,
}

#[derive(Debug, Args)]
pub(crate) struct BenchLoader {
    #[arg(long)]
    pub(crate) dir: PathBuf,
    #[arg(long)]
    pub(crate) addr: std::net::SocketAddr,
    #[arg(long)]
    pub(crate) echo: bool,
    #[arg(long)]
    pub(crate) handshake: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Read a configuration as `serve` would, name every fault with its line, and start nothing.
    Check {
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

#[cfg(test)]
mod tests {
    use super::Cli;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
