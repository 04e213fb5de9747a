//! Bounds and rules of `Workspace.spec`.

use schemars::Schema;
use serde_json::json;

use super::{LABEL_KEY, LABEL_VALUE, add, refuse_unless, unset_is_absent};
use crate::crd::metadata_keys::RESERVED_KEYS;

/// Longest name of a workspace, in characters. The API states no limit; its own organization names end here.
const MAX_WORKSPACE_NAME: usize = 256;

/// A workspace's name at Agent Engine.
pub fn workspace_name(schema: &mut Schema) {
    add(schema, json!({"minLength": 1, "maxLength": MAX_WORKSPACE_NAME}));
    refuse_unless(
        schema,
        &[
            (
                "self.trim() == self",
                "must not begin or end with white space: remove it",
            ),
            (
                // Cc, line and paragraph separators, and what is invisible or turns the direction of text: two names
                // that look the same to a person must not be two workspaces. Joiners and selectors of variants stay, for
                // scripts and emoji need them; claims disregard them.
                r"!self.matches('[\\p{Cc}\\p{Zl}\\p{Zp}\\x{AD}\\x{34F}\\x{61C}\\x{115F}\\x{1160}\\x{17B4}\\x{17B5}\\x{180B}-\\x{180F}\\x{200B}\\x{200E}\\x{200F}\\x{202A}-\\x{202E}\\x{2060}-\\x{206F}\\x{2800}\\x{3164}\\x{FEFF}\\x{FFA0}\\x{FFF0}-\\x{FFFB}\\x{1BCA0}-\\x{1BCA3}\\x{1D173}-\\x{1D17A}\\x{E0000}-\\x{E00FF}\\x{E01F0}-\\x{E0FFF}]')",
                "must not contain control characters, line breaks or invisible characters: write it as plain text of \
                 1 to 256 characters",
            ),
        ],
    );
}

/// Across the fields of a spec, and from one version of it to the next.
pub fn spec(schema: &mut Schema) {
    unset_is_absent(schema);
    refuse_unless(
        schema,
        &[
            (
                "(has(self.organization) ? self.organization : 'default') \
                 == (has(oldSelf.organization) ? oldSelf.organization : 'default')",
                "organization cannot change (unset means 'default'): create another Workspace object for the other \
                 organization",
            ),
            (
                "has(self.workspaceId) == has(oldSelf.workspaceId) \
                 && (!has(self.workspaceId) || self.workspaceId == oldSelf.workspaceId)",
                "workspaceId cannot be changed, added or removed: create another Workspace object to adopt another \
                 workspace",
            ),
            (
                "has(self.regionId) == has(oldSelf.regionId) \
                 && (!has(self.regionId) || self.regionId == oldSelf.regionId)",
                "regionId cannot be changed, added or removed, for a workspace cannot move: create another Workspace \
                 object for another region",
            ),
            (
                "!(has(self.workspaceId) && has(self.regionId))",
                "workspaceId adopts a workspace that exists, regionId places one that does not: remove one of them",
            ),
            (
                "!(has(self.workspaceId) && has(self.adoptionPolicy) && self.adoptionPolicy == 'Never')",
                "workspaceId adopts a workspace, adoptionPolicy Never forbids it: remove one of them",
            ),
            (
                "!(self.name == 'default' && has(self.status) && self.status == 'inactive')",
                "the workspace 'default' is what every organization falls back to and is never deactivated: remove \
                 status or set it to active",
            ),
            (
                "!(self.name == 'default' && has(self.deletionPolicy) && self.deletionPolicy == 'Delete')",
                "the workspace 'default' is what every organization falls back to and is never deleted: remove \
                 deletionPolicy or set it to Retain",
            ),
            (
                "!(self.name == 'default' && has(self.regionId))",
                "the workspace 'default' is never created, so regionId has no use: remove it",
            ),
            (
                "(self.name == 'default') == (oldSelf.name == 'default')",
                "the workspace 'default' is never renamed and nothing takes its name: create another Workspace object",
            ),
        ],
    );
}

/// `tokenSecret.labels`.
pub fn secret_labels(schema: &mut Schema) {
    add(
        schema,
        json!({
            "maxProperties": 32,
            "additionalProperties": {
                "type": "string",
                "maxLength": 63,
                "pattern": LABEL_VALUE,
            },
        }),
    );
    secret_keys(schema);
}

/// `tokenSecret.annotations`.
pub fn secret_annotations(schema: &mut Schema) {
    add(
        schema,
        json!({"maxProperties": 32, "additionalProperties": {"type": "string", "maxLength": 4096}}),
    );
    secret_keys(schema);
}

fn secret_keys(schema: &mut Schema) {
    let reserved: Vec<_> = RESERVED_KEYS
        .iter()
        .map(|prefix| format!("k.startsWith('{prefix}')"))
        .collect();
    let listed = RESERVED_KEYS.join(", ");
    refuse_unless(
        schema,
        &[
            (
                &format!("self.all(k, size(k) <= 317 && k.matches('{LABEL_KEY}'))"),
                "a key must be a name of at most 63 letters, digits, '-', '_' and '.', or such a name after a DNS \
                 prefix and '/'",
            ),
            (
                &format!("!self.exists(k, {})", reserved.join(" || ")),
                &format!(
                    "a key must not begin with any of these, by which tools and this operator tell whose a Secret is: \
                     {listed}. Remove it"
                ),
            ),
        ],
    );
}
