//! What the API server is told to accept: bounds and CEL rules, one function per field that has any.
//!
//! A message says what is wrong and what to write instead. Nothing here sets a default: what a user leaves out of a
//! spec stays out, or GitOps tools would always see a difference.

pub mod organization;
pub mod status;
pub mod workspace;

use kube::core::{Message, Rule};
use schemars::Schema;
use serde_json::{Map, Value, json};

/// Longest name of a Workspace or an Organization: it must fit a label value.
pub const MAX_OBJECT_NAME: usize = 63;
/// Longest name of a Secret: a DNS subdomain.
const MAX_SECRET_NAME: usize = 253;

/// A key of a label or an annotation, inside a CEL string: a DNS prefix or none, and a name of at most 63 characters.
/// The length of the prefix is bounded by that of the whole.
const LABEL_KEY: &str = r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$";
/// A value of a label.
const LABEL_VALUE: &str = "^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$";

/// Of an optional field: absent is the one way to say nothing. Without `nullable`, the API server drops an explicit
/// `null`, so rules need not look for it and no field manager comes to own it.
pub fn unset_is_absent(schema: &mut Schema) {
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        for property in properties.values_mut().filter_map(Value::as_object_mut) {
            drop_null(property);
            join_lines(property);
        }
    }
}

fn drop_null(property: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = property.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            property.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(values)) = property.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    if let Some(Value::Array(mut variants)) = property.remove("anyOf") {
        variants.retain(|variant| variant.get("type") != Some(&json!("null")));
        if let [Value::Object(only)] = variants.as_mut_slice() {
            // What stands on the field (its description) outranks what its type says of itself.
            for (key, value) in std::mem::take(only) {
                property.entry(key).or_insert(value);
            }
        } else {
            property.insert("anyOf".to_owned(), Value::Array(variants));
        }
    }
}

/// A description is one paragraph, without the line breaks of the source.
fn join_lines(property: &mut Map<String, Value>) {
    if let Some(Value::String(description)) = property.get_mut("description") {
        *description = description.replace('\n', " ");
    }
}

/// Adds keywords to a schema.
fn add(schema: &mut Schema, keywords: Value) {
    if let Value::Object(keywords) = keywords {
        schema.ensure_object().extend(keywords);
    }
}

/// Adds CEL rules, each with the message for those it refuses.
fn refuse_unless(schema: &mut Schema, rules: &[(&str, &str)]) {
    let list = schema
        .ensure_object()
        .entry("x-kubernetes-validations")
        .or_insert_with(|| json!([]));
    if let Value::Array(list) = list {
        list.extend(
            rules
                .iter()
                .map(|(rule, message)| json!({"rule": rule, "message": message})),
        );
    }
}

/// On the whole object: its name stands in a label of its token Secret and in the names of events.
pub fn object_name_fits() -> Rule {
    Rule::new(format!("size(self.metadata.name) <= {MAX_OBJECT_NAME}")).message(Message::Message(format!(
        "metadata.name must have at most {MAX_OBJECT_NAME} characters, for labels carry it: choose a shorter one"
    )))
}

/// Text that is compared with what the API prints, so there is one way to write it.
pub fn uuid(schema: &mut Schema) {
    add(schema, json!({"maxLength": 36}));
    refuse_unless(
        schema,
        &[(
            "self.matches('^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$')",
            "must be a UUID as Agent Engine prints it: 36 characters, lower case, \
             such as 645a183f-b12b-4c6e-8ad3-99e165603450",
        )],
    );
}

/// The name of a Secret.
pub fn secret_name(schema: &mut Schema) {
    add(schema, json!({"minLength": 1, "maxLength": MAX_SECRET_NAME}));
    refuse_unless(
        schema,
        &[(
            r"self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')",
            "must be a name that a Secret can have: lower-case letters, digits, '-' and '.', \
             with a letter or a digit at both ends",
        )],
    );
}

/// The name of an Organization.
pub fn organization_name(schema: &mut Schema) {
    add(schema, json!({"minLength": 1, "maxLength": MAX_OBJECT_NAME}));
    refuse_unless(
        schema,
        &[(
            r"self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')",
            "must be the name of an Organization object: lower-case letters, digits, '-' and '.', \
             with a letter or a digit at both ends",
        )],
    );
}
