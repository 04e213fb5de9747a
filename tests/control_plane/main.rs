//! `cluster`: real Kubernetes control planes for tests, for the demo and for developers.
//! Starts an isolated cluster on loopback, or with a node of its own, and holds processes so that
//! nothing outlives whoever asked for them. Holds no test and knows nothing of the operator.
#![expect(clippy::print_stderr, reason = "a command-line program speaks through it")]

mod bound;
mod control_plane;
mod credentials;
mod end;
mod node;
mod part;
mod ports;
mod ready;
mod supervise;
mod tools;
mod up;

use std::process::ExitCode;

use clap::Parser;

#[derive(Parser)]
#[command(
    name = "cluster",
    about = "Real Kubernetes control planes for tests and developers"
)]
enum Command {
    /// Start a cluster, print how to reach it, and run until standard input closes or a signal comes.
    Up(up::Options),
    /// Run a command that must not outlive the caller.
    ///
    /// Prints its process id as the first line. Standard input takes the lines TERM and KILL, each sent
    /// to the command as that signal; when it closes, the command is killed. Ends with the command's exit code.
    Supervise(supervise::Options),
    /// Say what this machine lacks for `up --node`, and fail if it lacks anything.
    Machine,
    /// Wait for a signal, as the first process of a Pod does.
    #[command(hide = true)]
    Pause,
    /// Become a command that the kernel ends with its parent.
    #[command(hide = true)]
    Bound(bound::Options),
}

// One thread: the kernel ends bound children with the *thread* that started them.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let outcome = match Command::parse() {
        Command::Up(options) => up::up(options).await,
        Command::Supervise(options) => supervise::supervise(options).await,
        Command::Machine => Ok(machine()),
        Command::Pause => node::pause().await,
        Command::Bound(options) => bound::become_command(&options),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("cluster: {error:#}");
        ExitCode::FAILURE
    })
}

fn machine() -> ExitCode {
    let lacking = node::lacking();
    for what in &lacking {
        eprintln!("cluster: no node can run on this machine: {what}");
    }
    if lacking.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
