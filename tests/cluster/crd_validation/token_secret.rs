//! What a `Workspace` may ask of its token Secret.

use agent_engine_operator::crd::metadata_keys::RESERVED_KEYS;

use super::judge::{Case, refuses, takes};

pub fn cases() -> Vec<Case> {
    let long = |count| "n".repeat(count);
    let many = |count| {
        (0..count)
            .map(|n| format!("k{n}: v"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let mut cases = vec![
        takes(
            "a token Secret in full",
            "{name: acme, tokenSecret: {enabled: false, name: acme.token, labels: {team: blue, example.com/x: ''}, annotations: {example.com/note: 'any text: \"\"'}}}",
        ),
        refuses(
            "a Secret name that cannot be",
            "{name: acme, tokenSecret: {name: Acme_Token}}",
            "must be a name that a Secret can have",
        ),
        refuses(
            "an over-long Secret name",
            format!("{{name: acme, tokenSecret: {{name: {}}}}}", long(254)),
            "may not be more than 253",
        ),
        refuses(
            "a label key that cannot be",
            "{name: acme, tokenSecret: {labels: {'a b': c}}}",
            "a key must be a name of at most 63",
        ),
        refuses(
            "an annotation key that cannot be",
            "{name: acme, tokenSecret: {annotations: {'a/b/c': d}}}",
            "a key must be a name of at most 63",
        ),
        refuses(
            "a label value that cannot be",
            "{name: acme, tokenSecret: {labels: {team: 'a b'}}}",
            "should match",
        ),
        refuses(
            "an over-long label value",
            format!("{{name: acme, tokenSecret: {{labels: {{team: {}}}}}}}", long(64)),
            "may not be more than 63",
        ),
        takes(
            "32 labels",
            format!("{{name: acme, tokenSecret: {{labels: {{{}}}}}}}", many(32)),
        ),
        refuses(
            "33 labels",
            format!("{{name: acme, tokenSecret: {{labels: {{{}}}}}}}", many(33)),
            "must have at most 32 items",
        ),
        refuses(
            "33 annotations",
            format!("{{name: acme, tokenSecret: {{annotations: {{{}}}}}}}", many(33)),
            "must have at most 32 items",
        ),
    ];
    for key in RESERVED_KEYS {
        let key = if key.ends_with('/') {
            format!("{key}x")
        } else {
            key.to_owned()
        };
        for place in ["labels", "annotations"] {
            cases.push(refuses(
                "a key by which others tell whose a Secret is",
                format!("{{name: acme, tokenSecret: {{{place}: {{{key}: x}}}}}}"),
                "a key must not begin with any of these, by which tools and this operator tell whose a Secret is",
            ));
        }
    }
    cases
}
