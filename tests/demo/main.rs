//! `make demo`: the operator's main job, shown step by step on a real control plane and an emulated Agent Engine.
//! Every step is checked against the API server or the emulator, never against what the operator says of itself.
#![expect(clippy::print_stdout, reason = "it is made to be watched")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a step fails as a test does, by panicking"
)]

mod kubectl;
mod screen;
mod stage;
mod steps;
#[allow(
    dead_code,
    unused_imports,
    reason = "the demo shows a part of what stories use"
)]
#[path = "../support/mod.rs"]
mod support;

use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};

use screen::{Failed, Screen};
use stage::Stage;

#[tokio::main]
async fn main() -> ExitCode {
    let mut interrupt = signal(SignalKind::interrupt()).expect("signals can be listened to");
    let mut terminate = signal(SignalKind::terminate()).expect("signals can be listened to");
    let mut told_to_end = async move || {
        tokio::select! { _ = interrupt.recv() => (), _ = terminate.recv() => () }
    };

    println!("Starting a Kubernetes control plane, an emulated Agent Engine and the operator …\n");
    let mut stage = Stage::set().await;
    println!("{}\n", stage.introduction().await);
    let mut screen = Screen::new();
    let outcome = tokio::select! {
        outcome = steps::all(&mut stage, &mut screen) => outcome,
        () = told_to_end() => Err(Failed::Interrupted),
    };
    match &outcome {
        Ok(()) => println!("{}", screen.summary()),
        Err(Failed::Interrupted) => println!("\nInterrupted; what comes after this was not shown."),
        Err(Failed::Step(why)) => println!("  This did not come true: {why}\n\n{}", stage.last_words()),
    }
    let keep = std::env::var_os("KEEP").is_some_and(|keep| !keep.is_empty());
    if keep && !matches!(outcome, Err(Failed::Interrupted)) {
        println!("\n{}", stage.how_to_reach());
        told_to_end().await;
        println!();
    }
    stage.end().await;
    println!("Nothing is left running.");
    if outcome.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
