//! What values the chart takes, and with which words it refuses the others.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::render::{CHART, container, deployment, manifests, refusal, template, texts};
use crate::support::cluster;

/// Values that users write, each a file of its own.
const TAKEN: [&str; 8] = [
    "",
    "global: {imageRegistry: mirror.example, imagePullSecrets: [pull, {name: more}], somebodyElses: {key: 1}}",
    "watchNamespaces: [team-a, team-b]",
    "{logFormat: text, logLevel: 'info,agent_engine_operator=debug', concurrency: 8, extraArgs: [--some-flag=1]}",
    "{extraEnv: [{name: A, value: b}, {name: C, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}], proxy: {httpsProxy: 'http://proxy.example:3128', noProxy: .svc}}",
    "{serviceAccount: {create: false, name: mine}, rbac: {create: false, tenantRoles: false}, metrics: {service: {enabled: false}}}",
    "{commonLabels: {team: x}, podLabels: {y: z}, podAnnotations: {a: b}, resources: {}, nodeSelector: {kubernetes.io/os: linux}, tolerations: [{operator: Exists}], affinity: {nodeAffinity: {}}, priorityClassName: high}",
    "{nameOverride: other, fullnameOverride: whole, revisionHistoryLimit: 0, drainTimeoutSeconds: 60, terminationGracePeriodSeconds: 61}",
];

#[tokio::test]
async fn values_that_users_write_pass_the_strict_lint_and_render_the_same_twice() {
    for values in TAKEN {
        let file = crate::support::scratch_file("lint.yaml");
        std::fs::write(&file, values).unwrap();
        let file = file.display().to_string();
        cluster()
            .helm(["lint", "--strict", CHART, "--values", &file])
            .await
            .success();
        let once = template(values).await.success();
        assert!(once == template(values).await.success(), "{values}");
    }
}

#[tokio::test]
async fn a_wrong_value_is_refused_with_words_that_say_what_to_do() {
    let cases = [
        ("someKey: 1", "additional properties 'someKey' not allowed"),
        ("image: {tags: x}", "additional properties 'tags' not allowed"),
        ("image: {digest: abc}", "at '/image/digest'"),
        ("image: {pullPolicy: Sometimes}", "at '/image/pullPolicy'"),
        (
            "watchNamespaces: team-a",
            "at '/watchNamespaces': got string, want array",
        ),
        ("watchNamespaces: [Team_A]", "at '/watchNamespaces/0'"),
        ("logFormat: xml", "at '/logFormat'"),
        ("concurrency: 0", "at '/concurrency': minimum: got 0, want 1"),
        ("concurrency: '8'", "at '/concurrency': got string, want integer"),
        ("extraArgs: [--a b]", "at '/extraArgs/0'"),
        ("crds: {keep: 'yes'}", "at '/crds/keep': got string, want boolean"),
        ("podLabels: {a: 1}", "at '/podLabels/a': got number, want string"),
        (
            "terminationGracePeriodSeconds: 25",
            "terminationGracePeriodSeconds (25) must be more than drainTimeoutSeconds (25)",
        ),
        (
            "serviceAccount: {create: false}",
            "set serviceAccount.name to the account",
        ),
        (
            "extraArgs: ['--log-level=debug']",
            "the chart sets --log-level itself; set the value logLevel instead",
        ),
        (
            "extraArgs: ['--operator-namespace=x']",
            "the operator's namespace is the release's",
        ),
        ("extraArgs: [--a=1, --a=2]", "extraArgs: --a is given twice"),
        (
            "extraEnv: [{name: HTTPS_PROXY, value: x}]",
            "the chart sets HTTPS_PROXY itself; set proxy.httpsProxy instead",
        ),
        (
            "extraEnv: [{name: AGENT_ENGINE_OPERATOR_WATCH_NAMESPACES, value: x}]",
            "set watchNamespaces instead",
        ),
        (
            "extraEnv: [{name: A, value: x}, {name: A, value: z}]",
            "extraEnv: A is given twice",
        ),
        (
            "commonLabels: {app.kubernetes.io/version: x}",
            "the chart sets the label app.kubernetes.io/version itself",
        ),
        (
            "podLabels: {app.kubernetes.io/instance: x}",
            "podLabels: the label app.kubernetes.io/instance is there already",
        ),
    ];
    for (values, words) in cases {
        let said = refusal(values).await;
        assert!(said.contains(words), "{values}: {said}");
    }
}

#[tokio::test]
async fn the_schema_knows_exactly_the_values_that_there_are() {
    let read = |name: &str| std::fs::read_to_string(format!("{CHART}/{name}")).unwrap();
    let values: Value = serde_saphyr::from_str(&read("values.yaml")).unwrap();
    let schema: Value = serde_json::from_str(&read("values.schema.json")).unwrap();
    let (mut there, mut meant) = (BTreeSet::new(), BTreeSet::new());
    keys(&values, &schema, "", &mut there, &mut meant);
    assert_eq!(there, meant);
}

/// Walks as deep as the schema names properties.
fn keys(
    values: &Value,
    schema: &Value,
    path: &str,
    there: &mut BTreeSet<String>,
    meant: &mut BTreeSet<String>,
) {
    let Some(properties) = schema["properties"].as_object() else {
        return;
    };
    there.extend(
        values
            .as_object()
            .into_iter()
            .flatten()
            .map(|(key, _)| format!("{path}.{key}")),
    );
    for (key, property) in properties {
        let path = format!("{path}.{key}");
        meant.insert(path.clone());
        keys(&values[key], property, &path, there, meant);
    }
}

#[tokio::test]
async fn the_operators_flags_say_what_the_values_say() {
    let defaults = manifests("").await;
    assert_eq!(
        texts(&container(&defaults)["args"]),
        [
            "run",
            "--listen=0.0.0.0:8080",
            "--log-format=json",
            "--log-level=info",
            "--concurrency=64",
            "--drain-timeout=25s",
            "--pass-deadline=120s",
        ]
    );
    let other = manifests(
        "{metrics: {port: 9000}, logFormat: text, logLevel: 'warn,kube=debug', concurrency: 7, drainTimeoutSeconds: 5, \
         passDeadlineSeconds: 1800, watchNamespaces: [a, b, a], extraArgs: [--more=1]}",
    )
    .await;
    assert_eq!(
        texts(&container(&other)["args"]),
        [
            "run",
            "--listen=0.0.0.0:9000",
            "--log-format=text",
            "--log-level=warn,kube=debug",
            "--concurrency=7",
            "--drain-timeout=5s",
            "--pass-deadline=1800s",
            "--watch-namespaces=a,b",
            "--more=1",
        ]
    );
    assert_eq!(container(&other)["ports"][0]["containerPort"], 9000);
}

#[tokio::test]
async fn the_image_is_named_by_registry_tag_and_digest() {
    let digest = format!("sha256:{:064}", 7);
    let cases = [
        ("{}".to_owned(), format!("agent-engine-operator:{}", env!("CARGO_PKG_VERSION"))),
        ("image: {registry: r.example, tag: v2}".into(), "r.example/agent-engine-operator:v2".into()),
        (
            "{global: {imageRegistry: mirror.example/}, image: {registry: r.example, repository: a/b, tag: v2}}".into(),
            "mirror.example/a/b:v2".into(),
        ),
        (format!("image: {{digest: '{digest}'}}"), format!("agent-engine-operator@{digest}")),
        (
            format!("image: {{tag: v2, digest: '{digest}'}}"),
            format!("agent-engine-operator:v2@{digest}"),
        ),
    ];
    for (values, image) in cases {
        let manifests = manifests(&values).await;
        assert_eq!(container(&manifests)["image"], image.as_str(), "{values}");
    }
    let pulled =
        manifests("{global: {imagePullSecrets: [a, {name: b}]}, imagePullSecrets: [{name: c}, a]}").await;
    assert_eq!(
        deployment(&pulled)["spec"]["template"]["spec"]["imagePullSecrets"],
        serde_json::json!([{"name": "a"}, {"name": "b"}, {"name": "c"}])
    );
}
