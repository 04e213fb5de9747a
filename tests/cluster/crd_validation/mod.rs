//! What the API server takes and refuses of our kinds, and with which words. Each table reads as the specification of
//! one kind; a real API server is the judge.

mod access;
mod examples;
mod judge;
mod organization;
mod stored;
mod token_secret;
mod workspace;

use std::collections::BTreeSet;

use agent_engine_operator::crd::definitions;
use serde_json::Value;

use judge::{Answer, Case};

fn all_cases() -> Vec<Case> {
    [
        workspace::creations(),
        workspace::changes(),
        organization::creations(),
        organization::changes(),
    ]
    .concat()
}

/// Needs no cluster: the tables are read against the definitions.
#[test]
fn every_rule_has_a_case_that_it_refuses() {
    let mut messages = BTreeSet::new();
    for crd in definitions::all() {
        collect_messages(&serde_json::to_value(&crd).unwrap(), &mut messages);
    }
    assert!(messages.len() > 20, "the rules were found: {messages:?}");
    for case in all_cases() {
        if let Answer::Refused(expected) = case.answer {
            messages.retain(|message| !message.contains(&expected));
        }
    }
    assert_eq!(messages, BTreeSet::new());
}

fn collect_messages(value: &Value, messages: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            let rules = members.get("x-kubernetes-validations").and_then(Value::as_array);
            messages.extend(
                rules
                    .into_iter()
                    .flatten()
                    .map(|rule| rule["message"].as_str().unwrap().to_owned()),
            );
            members
                .values()
                .for_each(|member| collect_messages(member, messages));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_messages(item, messages)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
