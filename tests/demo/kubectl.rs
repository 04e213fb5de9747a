//! kubectl as a person would type it, and what it says.

use crate::support::{Cluster, Said};

/// A part of what a step shows.
pub enum Shown {
    /// What was typed and what came of it.
    Typed { command: String, output: String },
    /// What happened besides.
    Note(String),
}

/// Runs kubectl with these arguments; fails as it does.
pub async fn kubectl(cluster: &Cluster, arguments: &[&str]) -> Shown {
    let output = cluster.kubectl(arguments).await.success();
    Shown::Typed {
        command: typed(arguments),
        output,
    }
}

/// Runs kubectl with arguments that it must refuse.
pub async fn refused(cluster: &Cluster, arguments: &[&str]) -> Shown {
    let output = cluster.kubectl(arguments).await.refusal();
    Shown::Typed {
        command: typed(arguments),
        output,
    }
}

/// `kubectl apply` of manifests that are shown as well.
pub async fn apply(cluster: &Cluster, namespace: &str, manifests: &str) -> Shown {
    let Said { succeeded, out, err } = cluster.apply(namespace, manifests).await;
    assert!(succeeded, "kubectl apply failed: {err}");
    let manifests = manifests.trim();
    Shown::Typed {
        command: format!("kubectl apply -n {namespace} -f - <<EOF\n{manifests}\nEOF"),
        output: out,
    }
}

/// As a shell would need it.
fn typed(arguments: &[&str]) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,@%".contains(c);
    let quoted = arguments.iter().map(|argument| {
        if argument.chars().all(plain) {
            (*argument).to_owned()
        } else {
            format!("'{argument}'")
        }
    });
    format!("kubectl {}", quoted.collect::<Vec<_>>().join(" "))
}
