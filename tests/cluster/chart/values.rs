//! What values the chart takes, and with which words it refuses the others.

use agent_engine_operator::logging::check_filter;

use super::cluster;
use super::render::{CHART, container, deployment, manifests, refusal, template, texts};

/// Values that users write, each a file of its own.
const TAKEN: [&str; 8] = [
    "",
    "global: {imageRegistry: mirror.example, imagePullSecrets: [pull, {name: more}], somebodyElses: {key: 1}}",
    "watchNamespaces: [team-a, team-b]",
    "{logFormat: text, logLevel: 'info,agent_engine_operator=debug', concurrency: 8, image: {tag: later}, extraArgs: [--some-flag=1]}",
    "{extraEnv: [{name: A, value: b}, {name: C, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}], proxy: {httpsProxy: 'http://proxy.example:3128', noProxy: .svc}}",
    "{serviceAccount: {create: false, name: mine}, rbac: {create: false, tenantRoles: false}, metrics: {service: {enabled: false}}}",
    "{commonLabels: {team: x}, podLabels: {y: z}, podAnnotations: {a: b}, resources: {}, nodeSelector: {kubernetes.io/os: linux}, tolerations: [{operator: Exists}], affinity: {nodeAffinity: {}}, priorityClassName: high}",
    "{nameOverride: other, fullnameOverride: whole, revisionHistoryLimit: 0, drainTimeoutSeconds: 60, terminationGracePeriodSeconds: 61}",
];

#[tokio::test]
async fn values_of_users_pass_the_lint_and_render_the_same_twice() {
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
        (
            "image: {digest: abc}",
            "image.digest: \"abc\" must be sha256: and 64 lower-case hex digits",
        ),
        (
            "image: {tag: 'sha256:0'}",
            "image.tag: \"sha256:0\" must be a tag alone",
        ),
        (
            "image: {registry: 'https://registry.example'}",
            "image.registry: \"https://registry.example\" must be a registry alone, without https://",
        ),
        (
            "global: {imageRegistry: 'mirror example'}",
            "global.imageRegistry: \"mirror example\" must be a registry alone",
        ),
        (
            "proxy: {httpsProxy: proxy.example}",
            "proxy.httpsProxy must be the URL of a proxy",
        ),
        ("proxy: {httpsProxy: 'socks5://proxy.example'}", "http or https"),
        (
            "lease: {giveUpSeconds: 30}",
            "lease.giveUpSeconds (30) must be less than lease.durationSeconds (30), or two Pods would lead at once",
        ),
        (
            "lease: {renewalSeconds: 11}",
            "lease.renewalSeconds (11) must be at most half of lease.giveUpSeconds (20)",
        ),
        (
            "lease: {durationSeconds: 21, giveUpSeconds: 20}",
            "lease.durationSeconds (21) must be at least lease.renewalSeconds (5), 5 for its answer, and the 20 seconds of a request",
        ),
        (
            "logLevel: verbose",
            "logLevel: \"verbose\" must be off, error, warn, info, debug or trace",
        ),
        ("logLevel: 'info,kube=loud'", "or a filter such as info,"),
        ("image: {pullPolicy: Sometimes}", "at '/image/pullPolicy'"),
        (
            "watchNamespaces: team-a",
            "at '/watchNamespaces': got string, want array",
        ),
        (
            "watchNamespaces: [Team_A]",
            "watchNamespaces: \"Team_A\" is no name of a namespace",
        ),
        ("watchNamespaces: ['team-*']", "there are no wildcards"),
        ("logFormat: xml", "at '/logFormat'"),
        ("concurrency: 0", "at '/concurrency': minimum: got 0, want 1"),
        ("concurrency: '8'", "at '/concurrency': got string, want integer"),
        (
            "extraArgs: [--a b]",
            "extraArgs: \"--a b\" must be one flag with its value, as --flag=value",
        ),
        (
            "extraArgs: [--foo]",
            "has no flag --foo and would not start; remove it",
        ),
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
        (
            "{image: {tag: later}, extraArgs: [--a=1, --a=2]}",
            "extraArgs: --a is given twice",
        ),
        (
            "extraEnv: [{name: HTTPS_PROXY, value: x}]",
            "the chart sets HTTPS_PROXY itself; set the value proxy.httpsProxy instead",
        ),
        (
            "extraEnv: [{name: AGENT_ENGINE_WATCH_NAMESPACES, value: x}]",
            "set the value watchNamespaces instead",
        ),
        (
            "extraEnv: [{name: POD_NAMESPACE, value: x}]",
            "extraEnv: remove POD_NAMESPACE: the operator's namespace is the release's",
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

/// In each of its forms.
#[tokio::test]
async fn a_name_that_is_too_long_or_taken_is_refused() {
    let (long, longer) = ("n".repeat(64), "n".repeat(129));
    for (values, words) in [
        (format!("watchNamespaces: [{long}]"), "at most 63"),
        (format!("image: {{tag: {longer}}}"), "at most 128"),
        (
            "{commonLabels: {team: one}, podLabels: {team: two}}".to_owned(),
            "podLabels: the label team is there already",
        ),
    ] {
        let said = refusal(&values).await;
        assert!(said.contains(words), "{values}: {said}");
    }
    for name in ["HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"] {
        let said = refusal(&format!("extraEnv: [{{name: {name}, value: x}}]")).await;
        assert!(said.contains(&format!("the chart sets {name} itself")), "{said}");
    }
    for name in [
        "POD_NAME",
        "POD_NAMESPACE",
        "AGENT_ENGINE_LEASE_IDENTITY",
        "AGENT_ENGINE_OPERATOR_NAMESPACE",
    ] {
        let said = refusal(&format!("extraEnv: [{{name: {name}, value: x}}]")).await;
        assert!(said.contains(&format!("remove {name}")), "{said}");
    }
}

#[tokio::test]
async fn the_operators_flags_say_what_the_values_say() {
    let defaults = manifests("").await;
    assert_eq!(
        texts(&container(&defaults)["args"]),
        [
            "run",
            "--listen=[::]:8080",
            "--log-format=json",
            "--log-level=info",
            "--concurrency=64",
            "--drain-timeout=25s",
            "--reconcile-timeout=120s",
            "--lease-name=r-agent-engine-operator",
            "--lease-duration=30s",
            "--lease-renewal=5s",
            "--lease-give-up=20s",
        ]
    );
    let other = manifests(
        "{metrics: {port: 9000}, logFormat: text, logLevel: 'warn,kube=debug', concurrency: 7, drainTimeoutSeconds: 5, \
         reconcileTimeoutSeconds: 1800, lease: {durationSeconds: 60, renewalSeconds: 4, giveUpSeconds: 40}, \
         watchNamespaces: [a, b, a], image: {tag: later}, extraArgs: [--more=1]}",
    )
    .await;
    assert_eq!(
        texts(&container(&other)["args"]),
        [
            "run",
            "--listen=[::]:9000",
            "--log-format=text",
            "--log-level=warn,kube=debug",
            "--concurrency=7",
            "--drain-timeout=5s",
            "--reconcile-timeout=1800s",
            "--lease-name=r-agent-engine-operator",
            "--lease-duration=60s",
            "--lease-renewal=4s",
            "--lease-give-up=40s",
            "--watch-namespaces=a,b",
            "--more=1",
        ]
    );
    assert_eq!(container(&other)["ports"][0]["containerPort"], 9000);
}

/// What the chart takes, the binary takes too, or its Pod would never start.
#[tokio::test]
async fn a_log_level_is_taken_or_refused_by_chart_and_operator_alike() {
    for (level, taken) in [
        ("off", true),
        ("WARN", true),
        ("info,kube=debug", true),
        ("agent_engine_operator::engine=trace", true),
        ("info,agent_engine_operator[pass{name=x}]=debug", true),
        ("verbose", false),
        ("info,", false),
        ("kube=loud", false),
        ("agent_engine_operator", false),
        ("a=b=c", false),
    ] {
        let rendered = template(&format!("logLevel: '{level}'")).await;
        assert_eq!(rendered.succeeded, taken, "{level}: {rendered:?}");
        assert_eq!(check_filter(level).is_ok(), taken, "{level}");
    }
}

/// A flag that the chart does not know is refused, so it must know all.
#[tokio::test]
async fn every_flag_of_the_operator_has_a_value_of_its_own() {
    let help = std::process::Command::new(env!("CARGO_BIN_EXE_agent-engine-operator"))
        .args(["run", "--help"])
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let flags: Vec<_> = help
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("--")?.split_whitespace().next())
        .collect();
    assert!(flags.len() >= 8, "{flags:?}");
    for flag in flags {
        let said = refusal(&format!("{{image: {{tag: later}}, extraArgs: ['--{flag}=x']}}")).await;
        let known = said.contains(&format!("the chart sets --{flag} itself"))
            || said.contains("the operator's namespace is the release's")
            || said.contains("identity in the Lease is its own name");
        assert!(known, "{flag}: {said}");
    }
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
