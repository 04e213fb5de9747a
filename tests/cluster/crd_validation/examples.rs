//! The manifests in `examples/`.

use crate::support::cluster;

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");

#[tokio::test]
async fn examples_are_accepted_as_they_are() {
    for namespace in ["agent-engine-operator", "team-a", "platform"] {
        cluster()
            .kubectl(["create", "namespace", namespace])
            .await
            .success();
    }
    let arguments = [
        "apply",
        "--server-side",
        "--dry-run=server",
        "--validate=strict",
        "-f",
        EXAMPLES,
    ];
    let said = cluster().kubectl(arguments).await;
    assert!(said.succeeded && said.err.is_empty(), "{said:?}");
    let files = std::fs::read_dir(EXAMPLES)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    // Each holds one manifest.
    let manifests = files.filter(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    assert_eq!(said.out.lines().count(), manifests.count(), "{}", said.out);
}
