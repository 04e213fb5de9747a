//! Which version of each program is used: read from the `go.mod` files under `tools/`, written nowhere else.

const KUBERNETES: &str = include_str!("../../tools/kubernetes/go.mod");
const HELM: &str = include_str!("../../tools/helm/go.mod");

/// A `go.mod` file of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pins {
    Kubernetes,
    Helm,
}

impl Pins {
    /// Its folder in the checkout.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Kubernetes => concat!(env!("CARGO_MANIFEST_DIR"), "/tools/kubernetes"),
            Self::Helm => concat!(env!("CARGO_MANIFEST_DIR"), "/tools/helm"),
        }
    }

    /// The version required of `module`, such as `v1.36.3`.
    pub fn version_of(self, module: &str) -> anyhow::Result<&'static str> {
        let text = match self {
            Self::Kubernetes => KUBERNETES,
            Self::Helm => HELM,
        };
        text.lines()
            .find_map(|line| {
                let mut words = line.split_whitespace().skip_while(|word| *word == "require");
                (words.next() == Some(module)).then(|| words.next()).flatten()
            })
            .filter(|version| version.starts_with('v'))
            .ok_or_else(|| anyhow::anyhow!("{}/go.mod requires no {module}", self.folder()))
    }
}
