//! The committed reference pages are what the code says. Update with `make generate`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::time::Duration;

use agent_engine_operator::admin::Metrics;
use agent_engine_operator::admin::metrics::{EffectOutcome, Kind, ReconcileResult};
use agent_engine_operator::crd::definitions;
use agent_engine_operator::domain::reason::{Kstatus, Reason};
use agent_engine_operator::engine::{Call, CallOutcome, Observer, Operation};
use agent_engine_operator::simulation::laws::LAWS;
use serde_json::Value;

use crate::committed;

#[test]
fn metrics_are_documented() {
    let metrics = exercised();
    let text = metrics.encode().unwrap();
    let mut page = "# Metrics\n\nServed at `/metrics` of the listener (`--listen`) as OpenMetrics text. No label \
                    names a Workspace or an Organization, so their number does not grow with theirs. Times are in \
                    seconds. Generated from the code.\n\n"
        .to_owned();
    page.push_str(&on_a_standby());
    page.push_str("| name | type | labels | meaning |\n|---|---|---|---|\n");
    let mut documented = 0;
    for line in text.lines().filter_map(|line| line.strip_prefix("# HELP ")) {
        let (name, help) = line.split_once(' ').unwrap();
        let kind = text
            .lines()
            .find_map(|line| line.strip_prefix(&format!("# TYPE {name} ")))
            .unwrap();
        let shown = match kind {
            "counter" => format!("{name}_total"),
            "info" => format!("{name}_info"),
            _ => name.to_owned(),
        };
        let labels = labels(&text, name);
        writeln!(page, "| `{shown}` | {kind} | {labels} | {help} |").unwrap();
        documented += 1;
    }
    // A family that was never touched is not printed, and would be missing from the page.
    let registered = include_str!("../../src/admin/metrics.rs")
        .matches("r.register")
        .count();
    assert_eq!(documented, registered, "`exercised` touches every metric");
    committed("metrics.md", &page);
}

/// What a process serves that does not lead: it counts no objects.
fn on_a_standby() -> String {
    let standby = Metrics::default();
    standby.leads(false);
    let text = standby.encode().unwrap();
    let zero = [
        "workspaces",
        "requests_per_second",
        "first_token_expiry_timestamp_seconds",
        "leader",
    ]
    .map(|name| format!("agent_engine_operator_{name}"));
    for name in &zero {
        let samples = text.lines().filter(|line| line.starts_with(name.as_str()));
        let values: BTreeSet<_> = samples.filter_map(|line| line.rsplit(' ').next()).collect();
        assert_eq!(values, BTreeSet::from(["0"]), "{name}");
    }
    let running = "agent_engine_operator_reconciles_running";
    assert!(!text.contains(running), "{text}");
    let [workspaces, rates, expiry, leader] = zero;
    format!(
        "Each Pod serves its own metrics, and only the leader counts objects: on a standby `{workspaces}`, `{rates}` and \
         `{expiry}` are 0, and `{running}` has no series. To read the leader's:\n\n```promql\n{workspaces} and on (job, \
         instance) {leader} == 1\n```\n\nCounters begin at 0 with each process: sum their rates over the \
         Pods.\n\n"
    )
}

/// Every metric, touched once.
fn exercised() -> Metrics {
    let metrics = Metrics::default();
    let second = Duration::from_secs(1);
    metrics.reconcile_began(Kind::Workspace);
    metrics.reconcile_ended(
        Kind::Workspace,
        ReconcileResult::Panicked,
        Reason::InternalError,
        second,
    );
    metrics.effect_ended(Kind::Workspace, "x", EffectOutcome::Done);
    metrics.call_ended(&Call {
        operation: Operation::Get,
        outcome: CallOutcome::Status(200),
        took: second,
    });
    metrics.set_workspaces(&[(Reason::AsDeclared, 1)].into());
    metrics.token_refreshed(second);
    metrics.set_first_token_expiry(Some(1));
    metrics.watch_failed("x");
    metrics.set_workspaces_of_others(&[("x/y".into(), 1)].into());
    metrics
}

/// Names of the labels that samples of a metric carry.
fn labels(text: &str, name: &str) -> String {
    let samples = text
        .lines()
        .filter(|line| !line.starts_with('#') && line.starts_with(name));
    let names: BTreeSet<_> = samples
        .filter_map(|line| Some(line.split_once('{')?.1.split_once('}')?.0))
        .flat_map(|labels| labels.split(','))
        .filter_map(|label| Some(label.split_once('=')?.0))
        .filter(|label| *label != "le")
        .map(|label| format!("`{label}`"))
        .collect();
    names.into_iter().collect::<Vec<_>>().join(", ")
}

#[test]
fn fields_are_documented() {
    let mut page = "# Fields of the kinds\n\nGroup `agentengine.airbyte.com`, version `v1alpha1`. What \
                    `kubectl explain` shows, on one page. **Bold** fields are required. Generated from the code.\n"
        .to_owned();
    for crd in definitions::all() {
        let names = &crd.spec.names;
        let short = names.short_names.as_deref().unwrap_or_default().join(", ");
        let crd = serde_json::to_value(&crd).unwrap();
        let schema = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        let about = schema["description"].as_str().unwrap();
        writeln!(
            page,
            "\n## {}\n\n{about} Short name: `{short}`.",
            crd["spec"]["names"]["kind"].as_str().unwrap()
        )
        .unwrap();
        for half in ["spec", "status"] {
            writeln!(page, "\n### {half}\n\n| field | type | meaning |\n|---|---|---|").unwrap();
            fields(&schema["properties"][half], half, &mut page);
        }
        let mut rules = BTreeMap::new();
        collect_rules(schema, "", &mut rules);
        writeln!(page, "\n### What is refused\n\n| where | message |\n|---|---|").unwrap();
        for ((path, _), message) in rules {
            writeln!(page, "| `{path}` | {} |", escaped(&message).replace('*', "\\*")).unwrap();
        }
    }
    committed("api.md", &page);
}

fn fields(schema: &Value, path: &str, page: &mut String) {
    let required: Vec<_> = schema["required"].as_array().into_iter().flatten().collect();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let shown = format!("{path}.{name}");
        let mark = if required.iter().any(|required| *required == name) {
            "**"
        } else {
            ""
        };
        let meaning = escaped(field["description"].as_str().unwrap());
        writeln!(page, "| {mark}`{shown}`{mark} | {} | {meaning} |", type_of(field)).unwrap();
        fields(field, &shown, page);
        fields(&field["items"], &format!("{shown}[]"), page);
    }
}

fn type_of(field: &Value) -> String {
    match field["type"].as_str().unwrap() {
        "array" => format!("list of {}", type_of(&field["items"])),
        "object" if field.get("additionalProperties").is_some() => "map".to_owned(),
        "string" => match (field["enum"].as_array(), field["format"].as_str()) {
            (Some(values), _) => values
                .iter()
                .map(|value| format!("`{}`", value.as_str().unwrap()))
                .collect::<Vec<_>>()
                .join(", "),
            (None, Some(format)) => format.to_owned(),
            (None, None) => "string".to_owned(),
        },
        other => other.to_owned(),
    }
}

fn collect_rules(schema: &Value, path: &str, rules: &mut BTreeMap<(String, usize), String>) {
    let place = if path.is_empty() { "metadata" } else { path };
    for (number, rule) in schema["x-kubernetes-validations"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
    {
        rules.insert(
            (place.to_owned(), number),
            rule["message"].as_str().unwrap().to_owned(),
        );
    }
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let inner = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        collect_rules(field, &inner, rules);
        collect_rules(&field["items"], &format!("{inner}[]"), rules);
    }
}

#[test]
fn reasons_are_documented() {
    let mut page = "# Reasons\n\nWhy a condition is as it is, in one word that programs may rely on: in `kubectl get workspaces`, in \
                    `status.conditions[].reason`, in events and in metrics. The condition's message says it of the one object, \
                    with names. Generated from the code.\n"
        .to_owned();
    let chapters = [
        (
            Kstatus::Ready,
            "Nothing is wrong",
            "No condition `Reconciling` or `Stalled` is set.",
        ),
        (
            Kstatus::Reconciling,
            "It goes on by itself",
            "The condition `Reconciling` is true. The operator tries again by itself, more and more rarely, and at once when \
             something that it waits for changes.",
        ),
        (
            Kstatus::Stalled,
            "A person must change something",
            "The condition `Stalled` is true. Nothing is done at Agent Engine until the cause goes; that is noticed without a restart.",
        ),
    ];
    for (weight, title, about) in chapters {
        write!(
            page,
            "\n## {title}\n\n{about}\n\n| reason | what it means | what to do |\n|---|---|---|\n"
        )
        .unwrap();
        for reason in Reason::ALL.iter().filter(|reason| reason.kstatus() == weight) {
            let (meaning, remedy) = (reason.meaning().trim(), reason.remedy());
            writeln!(
                page,
                "| `{}` | {} | {} |",
                reason.as_str(),
                escaped(meaning),
                escaped(remedy)
            )
            .unwrap();
        }
    }
    committed("reasons.md", &page);
}

#[test]
fn laws_are_documented() {
    let mut page = "# Laws of the simulator\n\nWhat must hold in every history of the [simulator](simulation.md). Generated from \
                    the code.\n\n| law | what it holds | what it says |\n|---|---|---|\n"
        .to_owned();
    for law in LAWS {
        writeln!(page, "| `{}` | {} | {} |", law.name, law.holds, escaped(law.says)).unwrap();
    }
    committed("laws.md", &page);
}

#[test]
fn links_between_pages_lead_somewhere() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let pages = [
        "README.md",
        "CONTRIBUTING.md",
        "charts/agent-engine-operator/README.md",
        "examples/README.md",
    ]
    .map(|page| root.join(page));
    let docs = ["docs", "docs/stories"].into_iter().flat_map(|folder| {
        let entries = std::fs::read_dir(root.join(folder)).unwrap();
        entries.map(|entry| entry.unwrap().path())
    });
    let docs = docs.filter(|path| path.is_file());
    for page in pages.into_iter().chain(docs) {
        let text = std::fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap();
            let leads = link.starts_with("https://") || page.parent().unwrap().join(file).exists();
            assert!(leads, "{} links to {link}, which is not there", page.display());
        }
    }
}

/// For a cell of a table.
fn escaped(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
