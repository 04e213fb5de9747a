//! The command line and the environment, translated into [`Settings`]. Decides nothing else.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use clap::builder::{RangedU64ValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};

use crate::settings::{Settings, Watch};
use crate::telemetry::{LogFormat, Telemetry};

/// Kubernetes operator for Airbyte Agent Engine workspaces and their scoped tokens.
#[derive(Debug, Parser)]
#[command(
    name = "agent-engine-operator",
    version,
    max_term_width = 100,
    args_conflicts_with_subcommands = true
)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Subcommands>,
    #[command(flatten)]
    run: RunArgs,
}

/// What was asked for.
#[derive(Debug)]
pub enum Command {
    /// Look after Workspaces and Organizations until told to stop.
    Run(Settings, Telemetry),
    /// Print the CustomResourceDefinitions.
    Crds,
}

#[derive(Debug, Subcommand)]
enum Subcommands {
    /// Look after Workspaces and Organizations until told to stop (the default).
    Run(RunArgs),
    /// Print the CustomResourceDefinitions as YAML, for `kubectl apply --server-side -f -`.
    Crds,
}

#[derive(Args, Debug)]
struct RunArgs {
    /// Namespace of Organizations and of the Secrets with their credentials; Organizations elsewhere are never read.
    /// In a Pod, POD_NAMESPACE serves as well.
    #[arg(long, value_name = "NAME", env = "AGENT_ENGINE_OPERATOR_OPERATOR_NAMESPACE", value_parser = namespace)]
    operator_namespace: Option<String>,

    /// Namespaces whose Workspaces are looked after, separated by commas. Empty: all.
    #[arg(
        long,
        value_name = "NAMES",
        env = "AGENT_ENGINE_OPERATOR_WATCH_NAMESPACES",
        default_value = "",
        hide_default_value = true,
        value_parser = watch
    )]
    watch_namespaces: Watch,

    /// Address of probes (/livez, /readyz) and metrics (/metrics). Port 0 takes a free one; the log names it.
    #[arg(
        long,
        value_name = "ADDRESS:PORT",
        env = "AGENT_ENGINE_OPERATOR_LISTEN",
        default_value = "0.0.0.0:8080",
        value_parser = listen
    )]
    listen: SocketAddr,

    /// Form of the log, which goes to standard error.
    #[arg(long, env = "AGENT_ENGINE_OPERATOR_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,

    /// What is logged: error, warn, info, debug or trace, or a filter such as
    /// info,agent_engine_operator::engine=debug.
    #[arg(long, value_name = "FILTER", env = "AGENT_ENGINE_OPERATOR_LOG_LEVEL", default_value = "info", value_parser = log_level)]
    log_level: String,

    /// Objects that are worked on at once, 1 to 1024.
    #[arg(
        long,
        value_name = "COUNT",
        env = "AGENT_ENGINE_OPERATOR_CONCURRENCY",
        default_value = "64",
        value_parser = concurrency()
    )]
    concurrency: NonZeroUsize,

    /// How long running work may take to finish after SIGTERM, such as 25s; from 0s to 10m. Keep it below the Pod's
    /// grace period.
    #[arg(
        long,
        value_name = "DURATION",
        env = "AGENT_ENGINE_OPERATOR_DRAIN_TIMEOUT",
        default_value = "25s",
        value_parser = |text: &str| duration(text, Duration::ZERO, Duration::from_secs(600))
    )]
    drain_timeout: Duration,

    /// How long the work on one object may take before it is given up and begun anew, such as 2m; from 10s to 30m.
    #[arg(
        long,
        value_name = "DURATION",
        env = "AGENT_ENGINE_OPERATOR_PASS_DEADLINE",
        default_value = "2m",
        value_parser = |text: &str| duration(text, Duration::from_secs(10), Duration::from_secs(1800))
    )]
    pass_deadline: Duration,
}

impl Cli {
    /// Checks what no single flag can know, and says what was asked for.
    ///
    /// # Errors
    /// When the operator's namespace is known from nowhere. `pod_namespace` is the value of `POD_NAMESPACE`.
    pub fn command(self, pod_namespace: Option<String>) -> Result<Command, clap::Error> {
        let args = match self.command {
            Some(Subcommands::Crds) => return Ok(Command::Crds),
            Some(Subcommands::Run(args)) => args,
            None => self.run,
        };
        let operator_namespace = match (args.operator_namespace, pod_namespace) {
            (Some(name), _) => name,
            (None, Some(name)) => namespace(&name).map_err(|why| usage(format!("POD_NAMESPACE: {why}")))?,
            (None, None) => {
                return Err(usage(
                    "the operator's namespace is unknown: pass --operator-namespace or set \
                     AGENT_ENGINE_OPERATOR_OPERATOR_NAMESPACE or POD_NAMESPACE"
                        .to_owned(),
                ));
            }
        };
        let settings = Settings {
            operator_namespace,
            watch: args.watch_namespaces,
            listen: args.listen,
            concurrency: args.concurrency,
            drain_timeout: args.drain_timeout,
            pass_deadline: args.pass_deadline,
        };
        Ok(Command::Run(
            settings,
            Telemetry {
                format: args.log_format,
                filter: args.log_level,
            },
        ))
    }
}

fn usage(message: String) -> clap::Error {
    clap::Error::raw(clap::error::ErrorKind::ValueValidation, message)
}

fn namespace(text: &str) -> Result<String, String> {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let inside = text
        .chars()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if text.len() <= 63 && inside && edge(text.chars().next()) && edge(text.chars().last()) {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "{text:?} is no name of a namespace (lower-case letters, digits and '-', at most 63)"
        ))
    }
}

fn watch(text: &str) -> Result<Watch, String> {
    if text.trim().is_empty() {
        return Ok(Watch::All);
    }
    let names = text
        .split(',')
        .map(|name| namespace(name.trim()))
        .collect::<Result<BTreeSet<_>, _>>()?;
    Ok(Watch::Only(names))
}

fn listen(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| "must be an IP address and a port, such as 0.0.0.0:8080 or [::]:8080".to_owned())
}

fn concurrency() -> impl TypedValueParser<Value = NonZeroUsize> {
    RangedU64ValueParser::<usize>::new()
        .range(1..=1024)
        .try_map(NonZeroUsize::try_from)
}

fn duration(text: &str, least: Duration, most: Duration) -> Result<Duration, String> {
    let parsed = text
        .parse::<kube::core::Duration>()
        .ok()
        .filter(|duration| !duration.is_negative());
    parsed
        .map(Duration::from)
        .filter(|duration| (least..=most).contains(duration))
        .ok_or_else(|| {
            format!(
                "must be a duration from {least:?} to {most:?}, written with h, m or s, such as 90s or 2m"
            )
        })
}

fn log_level(text: &str) -> Result<String, String> {
    crate::telemetry::check_filter(text).map(|()| text.to_owned())
}
