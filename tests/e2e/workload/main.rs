//! A tenant's program, for the tests on a node: reads each token's file before each call, as the README tells programs to, calls
//! Agent Engine with it, and says in a line of JSON what came of a round. Shows no token.
#![expect(clippy::print_stdout, reason = "its standard output is its log")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use agent_engine_operator::clock::Clock;
use anyhow::Context;
use clap::Parser;
use jiff::Timestamp;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::{
    signal::unix::{SignalKind, signal},
    time::{MissedTickBehavior, interval},
};

const ROUND: Duration = Duration::from_secs(2);
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);

#[derive(Parser)]
#[command(name = "workload")]
struct Flags {
    /// Where Agent Engine answers
    #[arg(long)]
    endpoint: String,
    /// The folder with a folder for each token Secret
    #[arg(long)]
    tokens: PathBuf,
}

/// What came of one call.
enum Call {
    Good { life_s: i64 },
    Unauthorized,
    Failed(String),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let flags = Flags::parse();
    let (Ok(mut terminate), Ok(client)) = (signal(SignalKind::terminate()), client()) else {
        return ExitCode::FAILURE;
    };
    tokio::select! {
        _ = terminate.recv() => ExitCode::SUCCESS,
        () = work(&flags, &client) => ExitCode::FAILURE,
    }
}

fn client() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .no_proxy()
        .timeout(ANSWERED_WITHIN)
        .build()
}

async fn work(flags: &Flags, client: &reqwest::Client) {
    let clock = Clock::system();
    let mut rounds = interval(ROUND);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        println!("{}", round(flags, client, clock.now()).await);
    }
}

async fn round(flags: &Flags, client: &reqwest::Client, now: Timestamp) -> Value {
    let (mut calls, mut unauthorized, mut failures, mut least_life) = (0, Vec::new(), Vec::new(), None);
    let folders = fs::read_dir(&flags.tokens).into_iter().flatten().flatten();
    for entry in folders.filter(|entry| !entry.file_name().to_string_lossy().starts_with('.')) {
        let name = entry.file_name().to_string_lossy().into_owned();
        calls += 1;
        match call(&flags.endpoint, client, &entry.path(), now).await {
            Call::Good { life_s } => {
                least_life = Some(least_life.map_or(life_s, |least: i64| least.min(life_s)));
            }
            Call::Unauthorized => unauthorized.push(name),
            Call::Failed(why) => failures.push(format!("{name}: {why}")),
        }
    }
    json!({
        "at": now.to_string(), "calls": calls, "unauthorized": unauthorized, "failures": failures,
        "least_life_s": least_life,
    })
}

async fn call(endpoint: &str, client: &reqwest::Client, secret: &Path, now: Timestamp) -> Call {
    let asked = async {
        let read = |key: &str| fs::read_to_string(secret.join(key)).with_context(|| format!("no {key}"));
        let ends: Timestamp = read("expires_at")?.trim().parse()?;
        let answer = client
            .get(format!(
                "{endpoint}/api/v1/account/applications/scoped-token/info"
            ))
            .bearer_auth(read("token")?.trim())
            .send()
            .await?;
        let status = answer.status();
        let text = answer.text().await?;
        anyhow::Ok((status, text, read("workspace_id")?, ends))
    };
    match asked.await {
        Ok((StatusCode::OK, text, id, _)) if !text.contains(id.trim()) => {
            Call::Failed("the token opens another workspace".to_owned())
        }
        Ok((StatusCode::OK, _, _, ends)) => Call::Good {
            life_s: ends.duration_since(now).as_secs(),
        },
        Ok((StatusCode::UNAUTHORIZED, ..)) => Call::Unauthorized,
        Ok((status, ..)) => Call::Failed(status.to_string()),
        Err(error) => Call::Failed(format!("{error:#}")),
    }
}
