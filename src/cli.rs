//! The command line and the environment, translated into [`Settings`]. Decides nothing else.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use clap::builder::UnknownArgumentValueParser;
use clap::error::{ContextKind, ContextValue};
use clap::{Args, Parser, Subcommand};

use crate::clock::Clock;
use crate::engine::ATTEMPT_TIMEOUT;
use crate::leadership::Terms;
use crate::logging::{LogFormat, LogSettings};
use crate::settings::{LeaseSettings, Settings, Watch};

/// Kubernetes operator for Airbyte Agent Engine workspaces and their scoped tokens.
#[derive(Debug, Parser)]
#[command(
    name = "agent-engine-operator",
    version,
    args_conflicts_with_subcommands = true
)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Subcommands>,
    #[command(flatten)]
    run: RunArgs,
}

/// What to do.
#[derive(Debug)]
pub enum Command {
    /// Reconcile Workspaces and Organizations until a signal ends it.
    Run(Box<Settings>, LogSettings),
    /// Print the CustomResourceDefinitions.
    Crds,
}

/// What a Pod is told of itself.
#[derive(Clone, Debug, Default)]
pub struct Pod {
    /// The value of `POD_NAMESPACE`.
    pub namespace: Option<String>,
    /// The value of `POD_NAME`.
    pub name: Option<String>,
}

/// Why no command runs.
#[derive(Debug)]
pub enum CliExit {
    /// Help or version, for standard output.
    Help(clap::Error),
    /// One line that says what is wrong and what to do.
    Usage(String),
}

#[derive(Debug, Subcommand)]
enum Subcommands {
    /// Reconcile Workspaces and Organizations until SIGTERM or SIGINT (the default).
    Run(Box<RunArgs>),
    /// Print the CustomResourceDefinitions as YAML, for `kubectl apply --server-side -f -`.
    Crds,
}

#[derive(Args, Debug)]
struct RunArgs {
    /// Namespace of Organizations and of the Secrets with their credentials; Organizations elsewhere are never read.
    /// Unset: the value of POD_NAMESPACE.
    #[arg(long, value_name = "NAME", env = "AGENT_ENGINE_OPERATOR_NAMESPACE", value_parser = namespace)]
    operator_namespace: Option<String>,

    /// Users try this first, and clap would suggest --watch-namespaces for it.
    #[arg(
        long,
        short,
        hide = true,
        value_parser = UnknownArgumentValueParser::suggest_arg("--operator-namespace")
    )]
    namespace: Option<String>,

    /// Namespaces to reconcile Workspaces in, separated by commas. Empty: all.
    #[arg(
        long,
        value_name = "NAMES",
        env = "AGENT_ENGINE_WATCH_NAMESPACES",
        default_value = "",
        hide_default_value = true,
        value_parser = watch
    )]
    watch_namespaces: Watch,

    /// Address of probes (/livez, /readyz) and metrics (/metrics). The address :: stands for all, IPv4 too. Port 0 takes a free port;
    /// the log names it.
    #[arg(
        long,
        value_name = "ADDRESS:PORT",
        env = "AGENT_ENGINE_LISTEN",
        default_value = "[::]:8080",
        value_parser = listen
    )]
    listen: SocketAddr,

    /// Log format. The log goes to standard error.
    #[arg(long, env = "AGENT_ENGINE_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,

    /// Log level or filter: error, warn, info, debug or trace, or a filter such as
    /// info,agent_engine_operator::engine=debug.
    #[arg(long, value_name = "FILTER", env = "AGENT_ENGINE_LOG_LEVEL", default_value = "info", value_parser = log_level)]
    log_level: String,

    /// Workspace reconciles that may run at once, 1 to 1024. One organization uses half of them at most.
    #[arg(
        long,
        value_name = "COUNT",
        env = "AGENT_ENGINE_CONCURRENCY",
        default_value = "64",
        value_parser = concurrency
    )]
    concurrency: NonZeroUsize,

    /// How long to wait for running reconciles after SIGTERM, such as 25s; from 0s to 10m. Keep it below the Pod's grace
    /// period.
    #[arg(
        long,
        value_name = "DURATION",
        env = "AGENT_ENGINE_DRAIN_TIMEOUT",
        default_value = "25s",
        value_parser = |text: &str| duration(text, "0s", "10m")
    )]
    drain_timeout: Duration,

    /// How long one reconcile may take before it is cancelled and retried, such as 2m; from 10s to 30m.
    #[arg(
        long,
        value_name = "DURATION",
        env = "AGENT_ENGINE_RECONCILE_TIMEOUT",
        default_value = "2m",
        value_parser = |text: &str| duration(text, "10s", "30m")
    )]
    reconcile_timeout: Duration,

    /// Name of the Lease in the operator's namespace. Of the processes that share it, one leads and the others stand by.
    #[arg(
        long,
        value_name = "NAME",
        env = "AGENT_ENGINE_LEASE_NAME",
        default_value = "agent-engine-operator",
        value_parser = lease_name
    )]
    lease_name: String,

    /// Identity of this process in the Lease. A process of the same identity is taken for dead. Unset: the value of POD_NAME,
    /// else one that no other process has.
    #[arg(long, value_name = "NAME", env = "AGENT_ENGINE_LEASE_IDENTITY", value_parser = identity)]
    lease_identity: Option<String>,

    /// How long a leader that was lost holds up the next one, such as 30s; from 10s to 10m.
    #[arg(
        long,
        value_name = "DURATION",
        env = "AGENT_ENGINE_LEASE_DURATION",
        default_value = "30s",
        value_parser = |text: &str| duration(text, "10s", "10m")
    )]
    lease_duration: Duration,

    /// How often the leader renews the Lease, such as 5s; from 1s to 2m.
    #[arg(
        long,
        value_name = "DURATION",
        env = "AGENT_ENGINE_LEASE_RENEWAL",
        default_value = "5s",
        value_parser = |text: &str| duration(text, "1s", "2m")
    )]
    lease_renewal: Duration,

    /// For how long after its last renewal a leader begins new work, such as 20s; shorter than --lease-duration.
    #[arg(
        long,
        value_name = "DURATION",
        env = "AGENT_ENGINE_LEASE_GIVE_UP",
        default_value = "20s",
        value_parser = |text: &str| duration(text, "2s", "10m")
    )]
    lease_give_up: Duration,
}

impl Cli {
    /// Reads the arguments (the program's name first) and the environment.
    ///
    /// # Errors
    /// When the arguments ask for help or the version, and when they are wrong.
    pub fn read(arguments: &[OsString], pod: Pod) -> Result<Command, CliExit> {
        let cli = Self::try_parse_from(arguments).map_err(|error| match error.use_stderr() {
            false => CliExit::Help(error),
            true => CliExit::Usage(with_variable(one_line(&error), &error, arguments)),
        })?;
        let args = match cli.command {
            Some(Subcommands::Crds) => return Ok(Command::Crds),
            Some(Subcommands::Run(args)) => *args,
            None => cli.run,
        };
        args.settings(pod).map_err(CliExit::Usage)
    }
}

impl RunArgs {
    fn settings(self, pod: Pod) -> Result<Command, String> {
        let operator_namespace = match (self.operator_namespace, pod.namespace) {
            (Some(name), _) => name,
            (None, Some(name)) => {
                namespace(&name).map_err(|why| format!("invalid value of POD_NAMESPACE: {why}"))?
            }
            (None, None) => {
                return Err(
                    "the operator's namespace is unknown: pass --operator-namespace or set \
                            AGENT_ENGINE_OPERATOR_NAMESPACE or POD_NAMESPACE"
                        .to_owned(),
                );
            }
        };
        let named = pod.name.filter(|name| !name.trim().is_empty());
        let terms = Terms::new(
            self.lease_duration,
            self.lease_renewal,
            self.lease_give_up,
            ATTEMPT_TIMEOUT,
        )
        .map_err(|why| format!("--lease-duration, --lease-renewal and --lease-give-up do not fit: {why}"))?;
        let settings = Settings {
            operator_namespace,
            watch: self.watch_namespaces,
            listen: self.listen,
            concurrency: self.concurrency,
            drain_timeout: self.drain_timeout,
            reconcile_timeout: self.reconcile_timeout,
            lease: LeaseSettings {
                name: self.lease_name,
                identity: self.lease_identity.or(named).unwrap_or_else(an_identity),
                terms,
            },
        };
        Ok(Command::Run(
            Box::new(settings),
            LogSettings {
                format: self.log_format,
                filter: self.log_level,
            },
        ))
    }
}

/// Clap's error as one line, for logs and terminals.
pub fn one_line(error: &clap::Error) -> String {
    let text = error.render().to_string();
    // After a blank line clap prints the usage and a pointer to help, which are dropped, and tips, which are kept.
    let mut lines = text
        .split("\n\n")
        .filter(|part| part.starts_with("error: ") || part.trim_start().starts_with("tip: "));
    let first = lines.next().unwrap_or(&text).trim_start_matches("error: ");
    let mut line = first.split_whitespace().collect::<Vec<_>>().join(" ");
    for tip in lines {
        line.push_str("; ");
        line.push_str(tip.trim());
    }
    line
}

/// Names the environment variable if the value came from it.
fn with_variable(mut line: String, error: &clap::Error, arguments: &[OsString]) -> String {
    if let Some(ContextValue::String(argument)) = error.get(ContextKind::InvalidArg) {
        let flag = argument.split_whitespace().next().unwrap_or_default();
        let given = arguments
            .iter()
            .any(|given| given.to_str().is_some_and(|given| given.starts_with(flag)));
        if let (false, Some(name)) = (given, flag.strip_prefix("--")) {
            let variable = name.to_uppercase().replace('-', "_");
            line.push_str(&format!(" (set by AGENT_ENGINE_{variable})"));
        }
    }
    line
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

fn lease_name(text: &str) -> Result<String, String> {
    let parts = text.split('.').all(|part| namespace(part).is_ok());
    if parts && text.len() <= 253 {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "{text:?} is no name of a Lease (lower-case letters, digits, '-' and '.', at most 253)"
        ))
    }
}

/// A blank holder would read as none.
fn identity(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        Err("must not be blank".to_owned())
    } else {
        Ok(text.to_owned())
    }
}

/// Of the next start, too, it is another one.
fn an_identity() -> String {
    let host = std::env::var("HOSTNAME").unwrap_or_else(|_| "process".to_owned());
    let began = Clock::system().now().as_nanosecond();
    format!("{host}_{}_{began}", std::process::id())
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

/// An address to listen on.
///
/// # Errors
/// A sentence for people, if the text is no such address.
pub fn listen(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| "must be an IP address and a port, such as [::]:8080 or 127.0.0.1:8080".to_owned())
}

fn concurrency(text: &str) -> Result<NonZeroUsize, String> {
    let within = |count: &NonZeroUsize| count.get() <= 1024;
    text.parse()
        .ok()
        .filter(within)
        .ok_or_else(|| "must be a whole number from 1 to 1024".to_owned())
}

fn duration(text: &str, least: &str, most: &str) -> Result<Duration, String> {
    let parse = |text: &str| {
        text.parse::<kube::core::Duration>()
            .ok()
            .filter(|parsed| !parsed.is_negative())
    };
    let within =
        |parsed: &kube::core::Duration| parse(least) <= Some(*parsed) && Some(*parsed) <= parse(most);
    parse(text).filter(within).map(Duration::from).ok_or_else(|| {
        format!("must be a duration from {least} to {most}, written with h, m or s, such as 90s or 2m")
    })
}

fn log_level(text: &str) -> Result<String, String> {
    crate::logging::check_filter(text).map(|()| text.to_owned())
}
