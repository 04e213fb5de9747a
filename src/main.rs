//! Parses, sets up, runs, and tells the outcome by exit code: 0 done, 1 failed, 2 asked wrongly.
#![warn(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used
)]

use std::io::{self, Write};
use std::process::ExitCode;

use agent_engine_operator::cli::{Cli, Command};
use agent_engine_operator::{api, run, telemetry};
use clap::Parser;

fn main() -> ExitCode {
    let command = match Cli::try_parse().and_then(|cli| cli.command(std::env::var("POD_NAMESPACE").ok())) {
        Ok(command) => command,
        Err(error) => {
            // Help and version go to standard output; a failure to print leaves nothing else to be done.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match execute(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "stopped by an error");
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn execute(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Crds => Ok(io::stdout().write_all(api::crds::stream()?.as_bytes())?),
        Command::Run(settings, logs) => {
            telemetry::init(&logs)?;
            let provider = rustls::crypto::aws_lc_rs::default_provider();
            provider
                .install_default()
                .map_err(|_| anyhow::anyhow!("a TLS provider is already installed"))?;
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            Ok(runtime.block_on(run::run(settings))?)
        }
    }
}
