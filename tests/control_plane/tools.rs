//! Where the programs of a cluster are: `tools/build` finds or builds them.

use std::{collections::BTreeMap, path::PathBuf, process::Stdio};

use anyhow::{Context, ensure};

const BUILD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tools/build");

/// Programs by name.
pub struct Tools(BTreeMap<String, PathBuf>);

impl Tools {
    /// `wanted` as `tools/build` takes it, such as `all`. What it says goes to standard error.
    pub async fn find(wanted: &str) -> anyhow::Result<Self> {
        let output = tokio::process::Command::new(BUILD)
            .arg(wanted)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .output()
            .await
            .with_context(|| format!("{BUILD} does not start"))?;
        ensure!(output.status.success(), "not all programs were found");
        let lines = String::from_utf8(output.stdout)?;
        let tools = lines.lines().filter_map(|line| line.split_once(' '));
        Ok(Self(
            tools.map(|(name, path)| (name.to_owned(), path.into())).collect(),
        ))
    }

    pub fn get(&self, name: &str) -> anyhow::Result<PathBuf> {
        self.0
            .get(name)
            .cloned()
            .with_context(|| format!("{BUILD} names no {name}"))
    }
}
