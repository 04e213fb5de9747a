//! A tenant wants the name of another: by create, by rename, by adoption, in every spelling.

use serde_json::json;

use crate::support::{LONG, Stage, condition, eventually, ready_message, recorded_id};

/// Two tenants who may use any name, and adopt.
async fn careless() -> (Stage, String) {
    let mut stage = Stage::set().await;
    let victim = stage.another_tenant().await;
    let both = json!([{"namespaces": {"names": [stage.tenant, victim]}, "workspaceNames": ["*"], "adoption": "Allowed"}]);
    stage.organization("default", json!({"access": both})).await;
    (stage, victim)
}

/// Form of compatibility, invisible characters, case, blanks, composition: by creation, by rename and by adoption. The message
/// names no object of the other namespace.
#[tokio::test(flavor = "multi_thread")]
async fn no_spelling_of_a_name_is_another_name() {
    let (stage, victim) = careless().await;
    let _operator = stage.operator().await;
    stage
        .workspace_in(&victim, "acme-of-theirs", json!({"name": "Acm\u{e9} Nord"}))
        .await;
    stage.ready_in(&victim, "acme-of-theirs").await;
    stage.workspace("renamed", json!({"name": "Other"})).await;
    let id = recorded_id(&stage.ready("renamed").await);
    let mark = stage.emulator.journal_mark().await;
    let spellings = [
        "Acm\u{e9} Nord",
        "ACM\u{c9} NORD",
        "Acme\u{301} Nord",
        "\u{ff21}cm\u{e9} Nord",
        "Ac\u{200d}m\u{e9} Nord",
        "Acm\u{e9}\u{fe0f} Nord",
        "Ac\u{200c}\u{200d}m\u{e9} Nord",
        // A blank that breaks no line, a wide one, a narrow one, that of Chinese, that of Ogham.
        "Acm\u{e9}\u{a0}Nord",
        "Acm\u{e9}\u{2003}Nord",
        "Acm\u{e9}\u{202f}Nord",
        "Acm\u{e9}\u{3000}Nord",
        "Acm\u{e9}\u{1680}Nord",
    ];
    for (n, spelling) in spellings.into_iter().enumerate() {
        let name = format!("by-creation-{n}");
        stage
            .workspace(&name, json!({"name": spelling, "adoptionPolicy": "ByName"}))
            .await;
        let message = ready_message(&stage.reason(&name, "NameClaimed").await);
        assert!(message.contains("in another namespace"), "{message}");
        assert!(
            !message.contains(&victim) && !message.contains("acme-of-theirs"),
            "{message}"
        );
        stage.change("renamed", json!({"name": spelling})).await;
        stage.synced_reason("renamed", "NameClaimed").await;
    }
    let calls = stage.workspace_calls(mark).await;
    assert!(
        ["T2", "W4", "W5"].iter().all(|call| !calls.contains_key(*call)),
        "{calls:?}"
    );
    assert_eq!(stage.secret_text("renamed-token", "workspace_id").await, id);
    // A tab is no character of a name.
    let tab = json!({
        "apiVersion": "agentengine.airbyte.com/v1alpha1", "kind": "Workspace",
        "metadata": {"name": "tab"}, "spec": {"name": "Acm\u{e9}\tNord"},
    });
    let refused = stage
        .cluster
        .apply(&stage.tenant, &tab.to_string())
        .await
        .refusal();
    assert!(
        refused.contains("must not contain control characters"),
        "{refused}"
    );
}

/// Nor do two blanks for one make a spelling of the name. It is another workspace, with a token of its own, that opens nothing of
/// the one it looks like.
#[tokio::test(flavor = "multi_thread")]
async fn letters_of_another_script_make_another_workspace() {
    let (stage, victim) = careless().await;
    let _operator = stage.operator().await;
    stage
        .workspace_in(&victim, "acme", json!({"name": "Acme Nord"}))
        .await;
    let theirs = recorded_id(&stage.ready_in(&victim, "acme").await);
    // Cyrillic А; Greek Α; Cyrillic е; two blanks.
    let lookalikes = [
        "\u{410}cme Nord",
        "\u{391}cme Nord",
        "Acm\u{435} Nord",
        "Acme  Nord",
    ];
    for (n, lookalike) in lookalikes.into_iter().enumerate() {
        let name = format!("lookalike-{n}");
        stage
            .workspace(&name, json!({"name": lookalike, "adoptionPolicy": "ByName"}))
            .await;
        assert_ne!(recorded_id(&stage.ready(&name).await), theirs);
        assert_ne!(
            stage.secret_text(&format!("{name}-token"), "workspace_id").await,
            theirs
        );
    }
    assert_eq!(stage.remote("Acme Nord").await[0]["id"], theirs);
    stage.ready_in(&victim, "acme").await;
}

/// The policy that `docs/security.md` prints, as printed.
#[tokio::test(flavor = "multi_thread")]
async fn a_policy_keeps_names_to_the_letters_of_one_script() {
    let stage = Stage::bare(&[]).await;
    let page = include_str!("../../../docs/security.md");
    let (_, rest) = page.split_once("```yaml\n").expect("the policy");
    let (policy, _) = rest.split_once("```").expect("its end");
    let policy = policy.replace(
        "workspace-names-of-one-script",
        &format!("one-script-{}", stage.tenant),
    );
    // The cluster is shared: the policy looks at this story's namespace alone.
    let selector = format!(
        "    namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {}}}}}\n",
        stage.tenant
    );
    let policy = policy.replace(
        "  matchConstraints:\n",
        &format!("  matchConstraints:\n{selector}"),
    );
    stage.cluster.apply("", &policy).await.success();
    let object = |name: &str| {
        json!({
            "apiVersion": "agentengine.airbyte.com/v1alpha1", "kind": "Workspace",
            "metadata": {"name": "probe"}, "spec": {"name": name},
        })
        .to_string()
    };
    eventually("the policy to act", LONG, || async {
        let said = stage.cluster.apply(&stage.tenant, &object("\u{410}cme")).await;
        if said.succeeded {
            stage
                .cluster
                .kubectl(["delete", "workspace", "probe", "-n", &stage.tenant])
                .await
                .success();
            return Err("it is taken".to_owned());
        }
        if said.err.contains("letters of one script") {
            Ok(())
        } else {
            Err(said.err)
        }
    })
    .await;
    stage
        .cluster
        .apply(&stage.tenant, &object("Acm\u{e9} 1"))
        .await
        .success();
}

/// What one tenant gave up is nobody's by its name alone; and two namespaces exchange no names.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_given_up_or_exchanged_opens_nothing() {
    let (stage, victim) = careless().await;
    let both = json!([{"namespaces": {"names": [stage.tenant, victim]}, "workspaceNames": ["*"]}]);
    stage.organization("default", json!({"access": both})).await;
    let _operator = stage.operator().await;
    stage
        .workspace_in(
            &victim,
            "acme",
            json!({"name": "Acme", "deletionPolicy": "Retain"}),
        )
        .await;
    let kept = recorded_id(&stage.ready_in(&victim, "acme").await);
    stage
        .workspace_in(&victim, "globex", json!({"name": "Globex"}))
        .await;
    stage.ready_in(&victim, "globex").await;
    stage.workspace("mine", json!({"name": "Mine"})).await;
    stage.ready("mine").await;
    let mark = stage.emulator.journal_mark().await;

    // Both at once: each keeps its own, and neither learns of whom it is.
    stage.change("mine", json!({"name": "Globex"})).await;
    stage.change_in(&victim, "globex", json!({"name": "Mine"})).await;
    for (namespace, name, others) in [
        (&stage.tenant, "mine", [victim.as_str(), "\"globex\""]),
        (&victim, "globex", [stage.tenant.as_str(), "\"mine\""]),
    ] {
        let refused = stage
            .until_in(namespace, name, "the refusal of its rename", |workspace| {
                condition(workspace, "Synced").is_some_and(|synced| {
                    synced.reason == "NameClaimed"
                        && synced.observed_generation == workspace.metadata.generation
                })
            })
            .await;
        for kind in ["Synced", "Ready"] {
            let message = &condition(&refused, kind).unwrap().message;
            assert!(message.contains("in another namespace"), "{kind}: {message}");
            for told in others.into_iter().chain(["in turn"]) {
                assert!(!message.contains(told), "{kind}: {message}");
            }
        }
    }

    let theirs = stage.workspaces_in(&victim);
    theirs.delete("acme", &Default::default()).await.unwrap();
    eventually("the object to be gone", LONG, || async {
        match theirs.get_opt("acme").await {
            Ok(None) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    for (name, spec, reason) in [
        (
            "by-name",
            json!({"name": "Acme", "adoptionPolicy": "ByName"}),
            "AlreadyExists",
        ),
        (
            "by-id",
            json!({"name": "Acme of mine", "workspaceId": kept}),
            "AlreadyExists",
        ),
        ("by-case", json!({"name": "ACME"}), "SimilarNameExists"),
    ] {
        stage.workspace(name, spec).await;
        stage.reason(name, reason).await;
        stage.delete(name).await;
    }
    let calls = stage.workspace_calls(mark).await;
    assert!(
        ["T2", "W4", "W5"].iter().all(|call| !calls.contains_key(*call)),
        "{calls:?}"
    );
    assert_eq!(stage.remote("Acme").await[0]["id"], kept);
}

/// Whoever is told an id learns neither whose it is nor what it is called; one that is no workspace's reads otherwise.
#[tokio::test(flavor = "multi_thread")]
async fn an_id_tells_that_it_exists_and_nothing_more() {
    let (stage, victim) = careless().await;
    let access = json!([
        {"namespaces": {"names": [stage.tenant]}, "workspaceNames": ["mine/*"], "adoption": "Allowed"},
        {"namespaces": {"names": [victim]}, "workspaceNames": ["theirs/*"], "adoption": "Allowed"},
    ]);
    stage.organization("default", json!({"access": access})).await;
    let _operator = stage.operator().await;
    stage
        .workspace_in(&victim, "hidden-object", json!({"name": "theirs/hidden-name"}))
        .await;
    let theirs = recorded_id(&stage.ready_in(&victim, "hidden-object").await);
    stage
        .workspace("by-id", json!({"name": "mine/a", "workspaceId": theirs}))
        .await;
    stage.reason("by-id", "NameNotGranted").await;
    stage
        .workspace(
            "by-chance",
            json!({"name": "mine/b", "workspaceId": "00000000-0000-4000-8000-000000000001"}),
        )
        .await;
    stage.reason("by-chance", "WorkspaceNotFound").await;
    let all = stage
        .cluster
        .kubectl(["get", "workspaces,events", "-n", &stage.tenant, "-o", "json"])
        .await
        .success();
    for secret in ["hidden-name", "hidden-object", victim.as_str(), "theirs/"] {
        assert!(!all.contains(secret), "{secret} is told");
    }
}
