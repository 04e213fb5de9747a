//! `Workspace`, but for its token Secret.

use super::judge::{Case, forbids_change, judge, lets_change, refuses, takes};
use super::token_secret;

/// Promise: input.fields: names, immutable fields, what excludes each other, unbounded `{namespace}`: refused by the API server
#[tokio::test]
async fn workspaces_are_judged_as_the_table_says() {
    judge("Workspace", creations()).await;
}

/// Promise: input.fields
#[tokio::test]
async fn changes_of_workspaces_are_judged_as_the_table_says() {
    judge("Workspace", changes()).await;
}

pub fn creations() -> Vec<Case> {
    [
        names(),
        states_and_policies(),
        organizations(),
        ids_and_regions(),
        the_workspace_default(),
        token_secret::cases(),
        the_object(),
    ]
    .concat()
}

fn names() -> Vec<Case> {
    let long = |count| "n".repeat(count);
    vec![
        takes("a name is enough", "{name: acme}"),
        takes(
            "a name as people write it",
            "{name: 'Müller & Söhne (EU) / 東京 👩‍💻'}",
        ),
        takes(
            "a name of 256 characters, not bytes",
            format!("{{name: {}}}", "ü".repeat(256)),
        ),
        refuses("no name", "{}", "spec.name: Required value"),
        refuses("an empty name", "{name: ''}", "should be at least 1 chars long"),
        refuses(
            "a name of 257 characters",
            format!("{{name: {}}}", long(257)),
            "may not be more than 256",
        ),
        refuses(
            "white space before",
            "{name: ' acme'}",
            "must not begin or end with white space",
        ),
        refuses(
            "white space after",
            "{name: \"acme\\u00a0\"}",
            "must not begin or end with white space",
        ),
        refuses(
            "nothing but white space",
            "{name: ' '}",
            "must not begin or end with white space",
        ),
        refuses(
            "a line break",
            "{name: \"a\\nb\"}",
            "must not contain control characters",
        ),
        refuses(
            "a control character",
            "{name: \"a\\u0007b\"}",
            "must not contain control characters",
        ),
        refuses(
            "an invisible space",
            "{name: \"a\\u200bb\"}",
            "must not contain control characters",
        ),
        refuses(
            "a soft hyphen",
            "{name: \"a\\u00adb\"}",
            "must not contain control characters",
        ),
        refuses(
            "a filler",
            "{name: \"a\\u3164\"}",
            "must not contain control characters",
        ),
        refuses(
            "a tag",
            "{name: \"a\\U000e0041\"}",
            "must not contain control characters",
        ),
        refuses(
            "turned direction of text",
            "{name: \"a\\u202eb\"}",
            "must not contain control characters",
        ),
    ]
}

fn states_and_policies() -> Vec<Case> {
    vec![
        takes("both states", "{name: acme, status: inactive}"),
        refuses(
            "another state",
            "{name: acme, status: paused}",
            "supported values: \"active\", \"inactive\"",
        ),
        takes(
            "policies",
            "{name: acme, deletionPolicy: Retain, adoptionPolicy: ByName}",
        ),
        refuses(
            "another deletion policy",
            "{name: acme, deletionPolicy: Orphan}",
            "supported values: \"Delete\", \"Retain\"",
        ),
        refuses(
            "another adoption policy",
            "{name: acme, adoptionPolicy: Always}",
            "supported values: \"Never\", \"ByName\"",
        ),
    ]
}

fn organizations() -> Vec<Case> {
    let long = |count| "n".repeat(count);
    vec![
        takes("an Organization by name", "{name: acme, organization: eu.prod-1}"),
        refuses(
            "an Organization that cannot be",
            "{name: acme, organization: EU}",
            "must be the name of an Organization object",
        ),
        refuses(
            "an empty Organization",
            "{name: acme, organization: ''}",
            "should be at least 1 chars long",
        ),
        refuses(
            "an over-long Organization",
            format!("{{name: acme, organization: {}}}", long(64)),
            "may not be more than 63",
        ),
    ]
}

fn ids_and_regions() -> Vec<Case> {
    vec![
        takes(
            "adoption by id",
            "{name: acme, workspaceId: 645a183f-b12b-4c6e-8ad3-99e165603450}",
        ),
        takes(
            "adoption by id, said twice",
            "{name: acme, workspaceId: 645a183f-b12b-4c6e-8ad3-99e165603450, adoptionPolicy: ByName}",
        ),
        refuses(
            "adoption by id, forbidden in the same breath",
            "{name: acme, workspaceId: 645a183f-b12b-4c6e-8ad3-99e165603450, adoptionPolicy: Never}",
            "workspaceId adopts a workspace, adoptionPolicy Never forbids it",
        ),
        refuses(
            "adoption by id into a region",
            "{name: acme, workspaceId: 645a183f-b12b-4c6e-8ad3-99e165603450, regionId: 645a183f-b12b-4c6e-8ad3-99e165603450}",
            "workspaceId adopts a workspace that exists, regionId places one that does not",
        ),
        refuses(
            "an id in upper case",
            "{name: acme, workspaceId: 645A183F-B12B-4C6E-8AD3-99E165603450}",
            "must be a UUID as Agent Engine prints it",
        ),
        refuses(
            "an id without dashes",
            "{name: acme, workspaceId: 645a183fb12b4c6e8ad399e165603450}",
            "must be a UUID as Agent Engine prints it",
        ),
        takes(
            "a region",
            "{name: acme, regionId: 645a183f-b12b-4c6e-8ad3-99e165603450}",
        ),
        refuses(
            "a region by name",
            "{name: acme, regionId: eu}",
            "must be a UUID as Agent Engine prints it",
        ),
    ]
}

fn the_workspace_default() -> Vec<Case> {
    vec![
        takes(
            "adopting the default workspace",
            "{name: default, adoptionPolicy: ByName, deletionPolicy: Retain, status: active}",
        ),
        refuses(
            "deactivating the default workspace",
            "{name: default, status: inactive}",
            "is never deactivated",
        ),
        refuses(
            "deleting the default workspace",
            "{name: default, deletionPolicy: Delete}",
            "is never deleted",
        ),
        refuses(
            "a region for the default workspace",
            "{name: default, regionId: 645a183f-b12b-4c6e-8ad3-99e165603450}",
            "is never created",
        ),
    ]
}

fn the_object() -> Vec<Case> {
    let long = |count| "n".repeat(count);
    vec![
        takes("hands off", "{name: acme, suspend: true}"),
        takes(
            "null says nothing",
            "{name: acme, status: null, organization: null, workspaceId: null, tokenSecret: null}",
        ),
        takes("an object name of 63 characters", "{name: acme}").named(long(63)),
        refuses(
            "an object name of 64 characters",
            "{name: acme}",
            "metadata.name must have at most 63 characters",
        )
        .named(long(64)),
    ]
}

pub fn changes() -> Vec<Case> {
    const ID: &str = "{name: acme, workspaceId: 645a183f-b12b-4c6e-8ad3-99e165603450}";
    const OTHER_ID: &str = "{name: acme, workspaceId: 745a183f-b12b-4c6e-8ad3-99e165603450}";
    const REGION: &str = "{name: acme, regionId: 645a183f-b12b-4c6e-8ad3-99e165603450}";
    const OTHER_REGION: &str = "{name: acme, regionId: 745a183f-b12b-4c6e-8ad3-99e165603450}";
    vec![
        lets_change("a rename", "{name: acme}", "{name: Acme Inc.}"),
        lets_change(
            "a state",
            "{name: acme, status: active}",
            "{name: acme, status: inactive}",
        ),
        lets_change(
            "a policy for deletion",
            "{name: acme}",
            "{name: acme, deletionPolicy: Retain}",
        ),
        lets_change(
            "another Secret",
            "{name: acme, tokenSecret: {name: a}}",
            "{name: acme, tokenSecret: {name: b}}",
        ),
        // organization, by what it means
        lets_change(
            "naming the default Organization",
            "{name: acme}",
            "{name: acme, organization: default}",
        ),
        lets_change(
            "no longer naming it",
            "{name: acme, organization: default}",
            "{name: acme}",
        ),
        forbids_change(
            "naming another",
            "{name: acme}",
            "{name: acme, organization: eu}",
            "organization cannot change",
        ),
        forbids_change(
            "no longer naming another",
            "{name: acme, organization: eu}",
            "{name: acme}",
            "organization cannot change",
        ),
        forbids_change(
            "another for another",
            "{name: acme, organization: eu}",
            "{name: acme, organization: us}",
            "organization cannot change",
        ),
        // workspaceId, regionId
        lets_change(
            "something else beside an id",
            ID,
            "{name: new, workspaceId: 645a183f-b12b-4c6e-8ad3-99e165603450}",
        ),
        forbids_change(
            "another id",
            ID,
            OTHER_ID,
            "workspaceId cannot be changed, added or removed",
        ),
        forbids_change(
            "an id added",
            "{name: acme}",
            ID,
            "workspaceId cannot be changed, added or removed",
        ),
        forbids_change(
            "an id removed",
            ID,
            "{name: acme}",
            "workspaceId cannot be changed, added or removed",
        ),
        lets_change(
            "something else beside a region",
            REGION,
            "{name: new, regionId: 645a183f-b12b-4c6e-8ad3-99e165603450}",
        ),
        forbids_change(
            "another region",
            REGION,
            OTHER_REGION,
            "regionId cannot be changed, added or removed",
        ),
        forbids_change(
            "a region added",
            "{name: acme}",
            REGION,
            "regionId cannot be changed, added or removed",
        ),
        forbids_change(
            "a region removed",
            REGION,
            "{name: acme}",
            "regionId cannot be changed, added or removed",
        ),
        // the workspace `default`
        lets_change(
            "something else of the default workspace",
            "{name: default}",
            "{name: default, suspend: true}",
        ),
        forbids_change(
            "a rename of the default workspace",
            "{name: default}",
            "{name: acme}",
            "is never renamed",
        ),
        forbids_change(
            "a rename to the default workspace",
            "{name: acme}",
            "{name: default}",
            "is never renamed",
        ),
    ]
}
