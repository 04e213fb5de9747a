//! Structured logs to standard error, as text or JSON.
//!
//! Whatever the filter says, libraries that see requests and answers log at `info` at most: at `debug` and `trace` hyper, h2
//! and rustls print header blocks and frames, and kube and reqwest print URLs and bodies. A token in a log is a token lost,
//! and no filter that a person types in a hurry may cause it. A target that prints bodies at a higher level is capped
//! higher.

use tracing::Subscriber;
use tracing_subscriber::filter::{EnvFilter, LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

/// How to log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LogSettings {
    pub format: LogFormat,
    /// A filter that [`check_filter`] accepts.
    pub filter: String,
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub enum LogFormat {
    /// One line for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LoggingError {
    #[error("the log filter cannot be read")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    #[error("logging is already set up")]
    Twice(#[from] TryInitError),
}

/// Checks a filter. A lone word must be a level: taken for the name of a module, a misspelt level would silence the log.
///
/// # Errors
/// What to write instead.
pub fn check_filter(text: &str) -> Result<(), String> {
    let lone_words_are_levels = text
        .split(',')
        .filter(|part| !part.contains(['=', '[']))
        .all(|word| !word.is_empty() && word.trim().parse::<LevelFilter>().is_ok());
    if lone_words_are_levels && EnvFilter::builder().parse(text).is_ok() {
        return Ok(());
    }
    Err("must be off, error, warn, info, debug or trace, or a filter such as info,agent_engine_operator::engine=debug"
        .to_owned())
}

/// Our crates, which log no secret at any level (tests search for a canary). All others are capped at `info`.
const OURS: [&str; 1] = [env!("CARGO_CRATE_NAME")];

/// When it cannot decode an answer, it quotes the whole of it at `warn`: for a Secret, that is a token. The error itself
/// is returned to us.
const KUBE_CLIENT: &str = "kube_client::client";

/// A target below [`KUBE_CLIENT`] that quotes no body. It warns of a CA file that cannot be read.
const KUBE_CLIENT_TLS: &str = "kube_client::client::tls";

/// Its span around each reconcile always gives `unknown` as the reason, because the queue is ours. Our own lines name their
/// object.
const KUBE_CONTROLLER: &str = "kube_runtime::controller";

/// Sets up logging for the whole process, once.
///
/// # Errors
/// When the filter cannot be read, and when logging is already set up.
pub fn init(settings: &LogSettings) -> Result<(), LoggingError> {
    subscriber(settings, std::io::stderr)?.try_init()?;
    Ok(())
}

fn subscriber<W>(settings: &LogSettings, writer: W) -> Result<impl Subscriber + Send + Sync, LoggingError>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let wanted = EnvFilter::builder().parse(&settings.filter)?;
    let safe = Targets::new()
        .with_default(LevelFilter::INFO)
        .with_target(KUBE_CONTROLLER, LevelFilter::WARN)
        .with_target(KUBE_CLIENT, LevelFilter::ERROR)
        .with_target(KUBE_CLIENT_TLS, LevelFilter::WARN)
        .with_targets(OURS.map(|name| (name, LevelFilter::TRACE)));
    let lines = tracing_subscriber::fmt::layer().with_writer(writer);
    let lines = match settings.format {
        LogFormat::Text => lines.with_ansi(false).boxed(),
        LogFormat::Json => lines.json().with_current_span(false).boxed(),
    };
    Ok(tracing_subscriber::registry().with(lines.with_filter(wanted).with_filter(safe)))
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use super::{LogFormat, LogSettings, check_filter, subscriber};

    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: LogFormat, filter: &str, speak: impl FnOnce()) -> String {
        let buffer = Buffer::default();
        let writer = buffer.clone();
        let settings = LogSettings {
            format,
            filter: filter.to_owned(),
        };
        let subscriber = subscriber(&settings, move || writer.clone()).unwrap();
        tracing::subscriber::with_default(subscriber, speak);
        let bytes = buffer.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn no_filter_makes_libraries_log_what_they_carry() {
        for filter in [
            "trace",
            "hyper=trace",
            "reqwest=trace,kube_client=debug",
            "info,h2=trace,rustls=trace",
        ] {
            for format in [LogFormat::Text, LogFormat::Json] {
                let log = logged(format, filter, || {
                    tracing::trace!(target: "hyper::proto::h1", "canary");
                    tracing::debug!(target: "h2::codec", "canary");
                    tracing::debug!(target: "rustls::conn", "canary");
                    tracing::trace!(target: "reqwest::connect", "canary");
                    tracing::debug!(target: "kube_client::client::builder", "canary");
                    tracing::warn!(target: "kube_client::client", "canary");
                    tracing::debug_span!(target: "kube_client::client::builder", "HTTP", url = "canary")
                        .in_scope(|| tracing::info!(target: "kube_client::client::builder", "fine"));
                });
                assert!(!log.contains("canary"), "{filter}: {log}");
            }
        }
    }

    #[test]
    fn our_own_lines_go_as_far_down_as_asked() {
        let log = logged(LogFormat::Json, "trace", || {
            tracing::trace!(target: "agent_engine_operator::lifecycle", workspace = "acme", "seen");
        });
        let line: serde_json::Value = serde_json::from_str(&log).unwrap();
        assert_eq!(
            line["fields"],
            serde_json::json!({"message": "seen", "workspace": "acme"})
        );
    }

    #[test]
    fn no_line_of_a_reconcile_gives_an_unknown_reason() {
        let log = logged(LogFormat::Text, "trace", || {
            tracing::info_span!(target: "kube_runtime::controller", "reconciling object", object.reason = "unknown")
                .in_scope(|| tracing::info!(target: "agent_engine_operator::controller", "said"));
            tracing::warn!(target: "kube_runtime::controller", "a warning");
        });
        assert!(
            !log.contains("unknown") && log.contains("said") && log.contains("a warning"),
            "{log}"
        );
    }

    #[test]
    fn a_filter_is_levels_and_targets_with_levels() {
        for fine in [
            "info",
            "WARN",
            "off",
            "info,agent_engine_operator::engine=debug",
            "debug,kube=off",
        ] {
            assert_eq!(check_filter(fine), Ok(()), "{fine}");
        }
    }

    #[test]
    fn a_misspelt_level_is_refused_rather_than_taken_for_a_module() {
        for wrong in ["inof", "", "info,", "agent_engine_operator", "kube=loud", "a=b=c"] {
            assert!(check_filter(wrong).is_err(), "{wrong}");
        }
    }
}
