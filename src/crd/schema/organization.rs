//! Bounds and rules of `Organization.spec`.

use kube::core::{Message, Rule};
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::json;

use super::{LABEL_KEY, LABEL_VALUE, add, refuse_unless, unset_is_absent};

/// Across the fields of a spec.
pub fn spec(schema: &mut Schema) {
    unset_is_absent(schema);
}

/// On the whole object, for it asks the status. Without a verified organization, a wrong id can be corrected; with one, it is
/// not taken in the first place. To remove it is always safe: the verified one stays pinned.
pub fn organization_id_stays() -> Rule {
    Rule::new(
        "!has(self.spec.organizationId) \
         || (has(oldSelf.spec.organizationId) && self.spec.organizationId == oldSelf.spec.organizationId) \
         || !has(self.status) || !has(self.status.organizationId) \
         || self.spec.organizationId == self.status.organizationId",
    )
    .message(Message::Message(
        "organizationId cannot be set to another organization than the one that was verified (status.organizationId): \
         create another Organization object for another organization"
            .to_owned(),
    ))
}

/// A URL that credentials may be sent to.
pub fn endpoint(schema: &mut Schema) {
    add(schema, json!({"minLength": 1, "maxLength": 1024}));
    refuse_unless(
        schema,
        &[
            (
                "isURL(self) && url(self).getHostname() != '' && self.matches('^https?://')",
                "must be a URL such as https://api.airbyte.ai",
            ),
            (
                // `url()` says nothing of user information, so look for its mark.
                r"!self.matches('[@?#\\s\\\\]')",
                "must not contain user information, a query or a fragment: write scheme, host, and at most a port; \
                 credentials belong in the Secret that credentialsSecretRef names",
            ),
            (
                "!self.matches('^https?://[^/?#]*/[^?#]')",
                "must not contain a path: write scheme, host, and at most a port, such as https://api.airbyte.ai (the \
                 operator adds /api/v1 itself)",
            ),
            (
                r"!self.startsWith('http://') || self.matches('^http://(localhost|127(\\.[0-9]{1,3}){3}|\\[::1\\]|[a-z0-9.-]+\\.svc(\\.cluster\\.local)?)(:[0-9]+)?(/.*)?$')",
                "must begin with https://, for credentials are sent to it; http:// is for loopback addresses and for \
                 Services of the cluster (hosts ending in .svc or .svc.cluster.local) only",
            ),
        ],
    );
}

/// Certificates, in PEM.
pub fn ca_bundle(schema: &mut Schema) {
    add(schema, json!({"minLength": 1, "maxLength": 262_144}));
    refuse_unless(
        schema,
        &[
            (
                "self.contains('-----BEGIN CERTIFICATE-----')",
                "must be PEM with at least one '-----BEGIN CERTIFICATE-----' block",
            ),
            (
                "!self.contains('PRIVATE KEY-----')",
                "must not contain a private key: keep only the CERTIFICATE blocks",
            ),
        ],
    );
}

/// A duration that both CEL and Rust read alike.
pub fn poll_interval(schema: &mut Schema) {
    add(schema, json!({"minLength": 2, "maxLength": 20}));
    refuse_unless(
        schema,
        &[(
            r"self.matches('^([0-9]{1,6}[hms])+$') && duration(self) >= duration('30s') && duration(self) <= duration('24h')",
            "must be a duration from 30s to 24h in hours, minutes and seconds, such as 90s, 5m or 1h30m",
        )],
    );
}

/// `access`.
pub fn access(schema: &mut Schema) {
    add(
        schema,
        json!({"maxItems": 64, "x-kubernetes-list-type": "atomic"}),
    );
}

/// `access[].namespaces`.
pub fn namespaces(schema: &mut Schema) {
    refuse_unless(
        schema,
        &[(
            "(has(self.names) && size(self.names) > 0) || has(self.selector)",
            "must say which namespaces: list them in names, or set selector (selector: {} selects every namespace)",
        )],
    );
}

/// `access[].namespaces.names`.
pub fn namespace_names(schema: &mut Schema) {
    add(
        schema,
        json!({
            "maxItems": 256,
            "x-kubernetes-list-type": "set",
            "items": {"type": "string", "minLength": 1, "maxLength": 63},
        }),
    );
    refuse_unless(
        schema,
        &[(
            "self.all(n, n.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$'))",
            "must be names of namespaces, without wildcards: select namespaces by label with selector (selector: {} \
             selects every namespace)",
        )],
    );
}

/// `access[].workspaceNames`. What makes a grant of one namespace overlap another namespace's is refused here, where the
/// administrator who writes it can see it.
pub fn workspace_names(schema: &mut Schema) {
    add(
        schema,
        json!({
            "maxItems": 64,
            "x-kubernetes-list-type": "set",
            "items": {"type": "string", "minLength": 1, "maxLength": 256},
        }),
    );
    refuse_unless(
        schema,
        &[
            (
                r"self.all(p, !p.replace('{namespace}', '').matches('[{}]'))",
                "'{' and '}' may stand in a pattern only as {namespace}: correct the spelling",
            ),
            (
                // No letter, digit or mark of any script, and nothing invisible or of compatibility alone: in the form in which
                // names are compared, some of these are ASCII letters, others are gone.
                r"self.all(p, !p.matches('[{]namespace[}][\\p{L}\\p{N}\\p{M}\\p{Cf}\\p{So}\\x{20A8}\\x{FE50}-\\x{FE6F}\\x{FF00}-\\x{FFEF}*{-]'))",
                "{namespace} must end the pattern or be followed by a separator that no namespace name contains, such \
                 as '_', '.', '/' or ':' ({namespace}-* would give the namespace team the names of team-a): write \
                 {namespace}_* or {namespace}/*",
            ),
            (
                // With a '*' before it, the name must tell the namespace from its right end, so nothing may vary there.
                r"self.all(p, !p.matches('^[^{]*[*][^{]*[{]') || p.matches('^[^{]*[^\\p{L}\\p{N}\\p{M}*{-][{]namespace[}][^{*]*$'))",
                "after a '*', {namespace} may stand once, behind a separator that no namespace name contains, and with \
                 no '*' after it (*-{namespace} would give the namespace a the names of team-a): write *_{namespace} or \
                 */{namespace}",
            ),
            (
                r"self.all(p, p.trim() == p && !p.matches('[\\p{Cc}\\p{Zl}\\p{Zp}]'))",
                "a pattern must not begin or end with white space nor contain control characters or line breaks: no \
                 workspace name does, so it would grant nothing",
            ),
        ],
    );
}

/// `metav1.LabelSelector` with bounds, and with the checks that the API server makes for its own kinds.
pub fn selector(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "x-kubernetes-map-type": "atomic",
        "properties": {
            "matchLabels": {
                "type": "object",
                "description": "Labels that a namespace must have, at most 32.",
                "maxProperties": 32,
                "x-kubernetes-validations": [{
                    "rule": format!("self.all(k, size(k) <= 317 && k.matches('{LABEL_KEY}'))"),
                    "message": "must be keys of labels: each at most 63 letters, digits, '-', '_' and '.', or such a \
                                name after a DNS prefix and '/'",
                }],
                "additionalProperties": {
                    "type": "string",
                    "maxLength": 63,
                    "pattern": LABEL_VALUE,
                },
            },
            "matchExpressions": {
                "type": "array",
                "description": "Conditions on labels that a namespace must meet, at most 32.",
                "maxItems": 32,
                "x-kubernetes-list-type": "atomic",
                "items": {
                    "type": "object",
                    "description": "A condition on one label.",
                    "required": ["key", "operator"],
                    "properties": {
                        "key": {
                            "type": "string",
                            "minLength": 1,
                            "maxLength": 317,
                            "description": "Key of the label.",
                            "x-kubernetes-validations": [{
                                "rule": format!("self.matches('{LABEL_KEY}')"),
                                "message": "must be the key of a label: at most 63 letters, digits, '-', '_' and '.', \
                                            or such a name after a DNS prefix and '/'",
                            }],
                        },
                        "operator": {
                            "type": "string",
                            "enum": ["In", "NotIn", "Exists", "DoesNotExist"],
                            "description": "In or NotIn, which need values; Exists or DoesNotExist, which take none.",
                        },
                        "values": {
                            "type": "array",
                            "description": "Values for In and NotIn, at most 64.",
                            "maxItems": 64,
                            "x-kubernetes-list-type": "set",
                            "items": {
                                "type": "string",
                                "maxLength": 63,
                                "pattern": LABEL_VALUE,
                            },
                        },
                    },
                    "x-kubernetes-validations": [
                        {
                            "rule": "!(self.operator in ['In', 'NotIn']) || (has(self.values) && size(self.values) > 0)",
                            "message": "operators In and NotIn need at least one value: add values",
                        },
                        {
                            "rule": "!(self.operator in ['Exists', 'DoesNotExist']) || !has(self.values) || size(self.values) == 0",
                            "message": "operators Exists and DoesNotExist take no values: remove them",
                        },
                    ],
                },
            },
        },
    })
}
