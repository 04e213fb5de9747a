//! One `go build`, with progress; leaves either the whole program or nothing.

use std::{
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
};

use crate::tools::Recipe;

const PROGRESS_EVERY: Duration = Duration::from_secs(20);

/// How much of a failed build's output is shown.
const SHOWN_LINES: usize = 40;

/// Builds `recipe` and moves the program to `to` when it is whole.
pub async fn build(name: &str, recipe: &Recipe, to: &Path) -> anyhow::Result<()> {
    let version = recipe.pins.version_of(recipe.module)?;
    let aside = to.with_added_extension("building");
    eprintln!(
        "building {name} {version} with Go: about {} the first time, then cached in {}",
        minutes(recipe.usual),
        to.display()
    );
    let started = Instant::now();
    let mut go = Command::new("go")
        // A checkout of another owner is one whose version control Go refuses to ask.
        .args(["build", "-mod=readonly", "-buildvcs=false", "-trimpath", "-v"])
        .args(["-ldflags", &link_flags(recipe)?, "-o"])
        .arg(&aside)
        .arg(recipe.package)
        .current_dir(recipe.pins.folder())
        .env("GOWORK", "off")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("`go` does not start; is Go installed and on the PATH?")?;
    let stderr = go.stderr.take().context("go has no standard error")?;
    let said = tokio::spawn(follow(
        name.to_owned(),
        BufReader::new(stderr),
        started,
        recipe.usual,
    ));
    let status = go.wait().await?;
    let said = said.await?;
    if !status.success() {
        // Nothing to remove if Go wrote nothing.
        std::fs::remove_file(&aside).ok();
        bail!(
            "go build {} ended with {status}:\n{}",
            recipe.package,
            said.join("\n")
        );
    }
    std::fs::rename(&aside, to)?;
    eprintln!("built {name} {version} in {}", minutes(started.elapsed()));
    Ok(())
}

/// Programs are told their version by the linker. Without it the API server calls itself v0.0.0, and clients
/// misjudge what it can do.
fn link_flags(recipe: &Recipe) -> anyhow::Result<String> {
    let version = recipe.pins.version_of(recipe.module)?;
    let mut parts = version.trim_start_matches('v').split('.');
    let (major, minor) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    Ok(match recipe.module {
        "k8s.io/kubernetes" => format!(
            "-s -w -X k8s.io/component-base/version.gitVersion={version} \
             -X k8s.io/component-base/version.gitMajor={major} -X k8s.io/component-base/version.gitMinor={minor}"
        ),
        "helm.sh/helm/v4" => format!("-s -w -X helm.sh/helm/v4/internal/version.version={version}"),
        // etcd has its version in its source.
        _ => "-s -w".to_owned(),
    })
}

/// Says now and then that the build lives; returns the last lines that Go said.
async fn follow(
    name: String,
    output: BufReader<tokio::process::ChildStderr>,
    started: Instant,
    usual: Duration,
) -> Vec<String> {
    let mut lines = output.lines();
    let mut last = Vec::new();
    let mut packages = 0_usize;
    let mut progress = tokio::time::interval_at(tokio::time::Instant::now() + PROGRESS_EVERY, PROGRESS_EVERY);
    loop {
        tokio::select! {
            line = lines.next_line() => match line {
                Ok(Some(line)) => {
                    // `go build -v` names each package that it compiles, one a line.
                    packages += usize::from(!line.contains(' '));
                    last.push(line);
                    if last.len() > SHOWN_LINES {
                        last.remove(0);
                    }
                }
                Ok(None) | Err(_) => return last,
            },
            _ = progress.tick() => eprintln!(
                "  … {name}: {packages} packages compiled, {} of about {}",
                minutes(started.elapsed()),
                minutes(usual)
            ),
        }
    }
}

fn minutes(time: Duration) -> String {
    match (time.as_secs() / 60, time.as_secs() % 60) {
        (0, seconds) => format!("{seconds} s"),
        (minutes, 0) => format!("{minutes} min"),
        (minutes, seconds) => format!("{minutes} min {seconds} s"),
    }
}
