//! The emulator as a process: flags in, one line with the URL out, ended by a signal. See `docs/emulator.md`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use agent_engine_operator::cli;
use agent_engine_operator::emulator::knobs::{Knobs, markdown};
use agent_engine_operator::emulator::{DEFAULT_ORGANIZATION, Emulator, Settings, serve};
use clap::error::ErrorKind;
use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

/// The workspace and token calls of Airbyte Agent Engine on your own machine, for tests.
///
/// Keeps its state in memory, speaks plain HTTP, calls no other host. Prints one line, `agent-engine-emulator listening on URL`, and serves
/// until SIGTERM or Ctrl-C. Control calls are under URL/_emulator/.
#[derive(Parser)]
#[command(
    name = "agent-engine-emulator",
    version,
    after_help = "All control calls, knobs and faults: docs/emulator.md"
)]
struct Flags {
    #[command(subcommand)]
    command: Option<Command>,

    /// Address to listen on; port 0 selects a free port
    #[arg(long, default_value = "127.0.0.1:8000", value_name = "ADDRESS:PORT", value_parser = cli::listen)]
    listen: SocketAddr,

    /// Client id of the first pair of credentials
    #[arg(long, default_value = "emulated-client", value_name = "ID")]
    client_id: String,

    /// Client secret of the first pair of credentials
    #[arg(
        long,
        env = "AGENT_ENGINE_EMULATOR_CLIENT_SECRET",
        hide_env_values = true,
        default_value = "emulated-secret",
        value_name = "SECRET"
    )]
    client_secret: String,

    /// Id of the first organization
    #[arg(long, default_value = DEFAULT_ORGANIZATION, value_name = "UUID")]
    organization_id: String,

    /// Name of a workspace to start with, beside `default`; may be repeated
    #[arg(long = "workspace", value_name = "NAME")]
    workspaces: Vec<String>,

    /// Lifetime of application tokens, from 1 second to a year; sets the knob expires_in
    #[arg(long, value_name = "SECONDS", value_parser = life)]
    app_token_ttl: Option<u64>,

    /// Lifetime of scoped tokens, from 1 second to a year; sets the knob scoped_ttl
    #[arg(long, value_name = "SECONDS", value_parser = life)]
    scoped_token_ttl: Option<u64>,

    /// Behaviour where the API's documentation is silent; may be repeated. `agent-engine-emulator knobs` lists all
    #[arg(long = "knob", value_name = "NAME=VALUE")]
    knobs: Vec<String>,

    /// Append every finished request to this file, as lines of JSON without secrets
    #[arg(long, value_name = "FILE")]
    journal_file: Option<PathBuf>,

    /// Text of letters, digits, - and _ to put into every token, for a search for leaks
    #[arg(long, value_name = "TEXT")]
    canary: Option<String>,

    /// UUID that determines all ids, so that runs repeat; random when absent
    #[arg(long, value_name = "UUID")]
    seed: Option<uuid::Uuid>,
}

#[derive(Subcommand)]
enum Command {
    /// Print the table of knobs and exit
    Knobs,
}

fn main() -> ExitCode {
    let flags = match Flags::try_parse() {
        Ok(flags) => flags,
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            // A closed pipe is no failure of ours.
            let _ = error.print();
            return ExitCode::SUCCESS;
        }
        Err(error) => return refuse(&cli::one_line(&error)),
    };
    if let Some(Command::Knobs) = flags.command {
        print!("{}", markdown());
        return ExitCode::SUCCESS;
    }
    let listen = flags.listen;
    let emulator =
        match settings(flags).and_then(|settings| Emulator::new(settings).map_err(|e| e.to_string())) {
            Ok(emulator) => emulator,
            Err(message) => return refuse(&message),
        };
    match run(listen, &emulator) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("agent-engine-emulator: cannot serve on {listen}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn settings(flags: Flags) -> Result<Settings, String> {
    let mut knobs = Knobs::default();
    let lives = [
        ("expires_in", flags.app_token_ttl),
        ("scoped_ttl", flags.scoped_token_ttl),
    ];
    for (name, seconds) in lives
        .into_iter()
        .filter_map(|(name, seconds)| seconds.map(|s| (name, s)))
    {
        knobs
            .set(name, &seconds.to_string())
            .map_err(|error| error.to_string())?;
    }
    for pair in &flags.knobs {
        knobs.set_pair(pair).map_err(|error| error.to_string())?;
    }
    Ok(Settings {
        organization_id: flags.organization_id,
        client_id: flags.client_id,
        client_secret: flags.client_secret,
        workspaces: flags.workspaces,
        knobs,
        canary: flags.canary,
        seed: flags.seed,
        journal_file: flags.journal_file,
        ..Settings::default()
    })
}

#[tokio::main]
async fn run(listen: SocketAddr, emulator: &Emulator) -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let running = serve(listen, emulator).await?;
    println!("agent-engine-emulator listening on {}", running.url());
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        pressed = tokio::signal::ctrl_c() => pressed,
    }
}

/// A year: anything longer is a typing error.
const LONGEST_LIFE: u64 = 365 * 24 * 60 * 60;

fn life(text: &str) -> Result<u64, String> {
    let within = |seconds: &u64| (1..=LONGEST_LIFE).contains(seconds);
    text.parse().ok().filter(within).ok_or_else(|| {
        format!("must be seconds from 1 to {LONGEST_LIFE}; only as a knob can a life be absurd, such as --knob scoped_ttl=0")
    })
}

fn refuse(message: &str) -> ExitCode {
    eprintln!("agent-engine-emulator: {message} (see --help)");
    ExitCode::from(2)
}
