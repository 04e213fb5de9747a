//! Every remedy that a message gives leads out: each row brings a Workspace into a state, reads its message, does what the
//! message says, and ends at a Ready object or at one that is gone.

use std::collections::BTreeSet;

use crate::crd::workspace::DeletionPolicy;
use crate::domain::ids::{WorkspaceId, WorkspaceName};
use crate::domain::reason::{Kstatus, Reason};
use crate::domain::remote::FailureClass;
use crate::domain::verification::{Missing, Verification};
use crate::lifecycle::facts::OrganizationFacts;
use crate::lifecycle::tests::harness::predicaments::*;
use crate::lifecycle::tests::harness::world::{World, org, spec};

/// What the acts of the user come to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum End {
    Ready,
    /// The object is gone.
    Released,
}

struct Remedy {
    reason: &'static str,
    /// What the message says to do.
    advice: &'static str,
    state: fn() -> World,
    acts: fn(&mut World),
    end: End,
}

/// A row of the table.
const fn remedy(
    reason: &'static str,
    advice: &'static str,
    state: fn() -> World,
    acts: fn(&mut World),
    end: End,
) -> Remedy {
    Remedy {
        reason,
        advice,
        state,
        acts,
        end,
    }
}

const REMEDIES: &[Remedy] = &[
    remedy(
        "NameNotGranted",
        "Choose a name that is granted",
        not_granted,
        |w| named(w, "acme", "zenith"),
        End::Ready,
    ),
    remedy(
        "NameNotGranted",
        "ask the administrator for this entry",
        not_granted,
        |w| w.grant("[{namespaces: {names: [team]}, workspaceNames: [acme]}]"),
        End::Ready,
    ),
    remedy(
        "NameNotGranted",
        "Have the workspace renamed there",
        grant_withdrawn,
        |w| {
            let id = w.id("acme").unwrap();
            w.engine.row(&id).unwrap().name = WorkspaceName::from("zenith");
            named(w, "acme", "zenith");
            w.list();
            w.advance(1);
        },
        End::Ready,
    ),
    remedy(
        "NameNotGranted",
        "Choose a name for which deletion is forbidden too",
        held_by_a_ceiling,
        |w| named(w, "acme", "held-2"),
        End::Ready,
    ),
    remedy(
        "NameNotGranted",
        "ask the administrator to allow it for both",
        held_by_a_ceiling,
        |w| w.grant("[{namespaces: {names: [team]}, workspaceNames: ['*']}]"),
        End::Ready,
    ),
    remedy(
        "NameClaimed",
        "Choose another name",
        claimed,
        |w| named(w, "acme", "zenith"),
        End::Ready,
    ),
    remedy(
        "NameClaimed",
        "another spec.name there",
        claimed,
        |w| named(w, "other", "zenith"),
        End::Ready,
    ),
    remedy(
        "NameClaimed",
        "or its deletion",
        claimed,
        |w| w.delete("other"),
        End::Ready,
    ),
    remedy(
        "NameClaimed",
        "by way of a third",
        names_exchanged,
        |w| {
            named(w, "acme", "third");
            lives(w);
            assert_eq!(w.ready("other"), "AsDeclared", "the other has its name");
            named(w, "acme", "other");
        },
        End::Ready,
    ),
    remedy(
        "AlreadyExists",
        "set spec.adoptionPolicy: ByName",
        || exists(true),
        by_name,
        End::Ready,
    ),
    remedy(
        "AlreadyExists",
        "ask the administrator for `adoption: Allowed`",
        || exists(false),
        |w| {
            by_name(w);
            w.allow_adoption();
        },
        End::Ready,
    ),
    remedy(
        "AlreadyExists",
        "choose another name",
        || exists(false),
        |w| named(w, "acme", "zenith"),
        End::Ready,
    ),
    remedy(
        "AlreadyExists",
        "Choose another name",
        target_taken,
        |w| named(w, "acme", "third"),
        End::Ready,
    ),
    remedy(
        "AlreadyExists",
        "or remove that workspace",
        target_taken,
        |w| {
            w.engine
                .rows
                .retain(|row| row.workspace.name != WorkspaceName::from("zenith"));
        },
        End::Ready,
    ),
    remedy(
        "AlreadyExists",
        "Rename the others at Agent Engine",
        several,
        |w| w.engine.rows[0].workspace.name = WorkspaceName::from("elsewhere"),
        End::Ready,
    ),
    remedy(
        "AlreadyExists",
        "create it again with spec.workspaceId",
        several,
        |w| {
            again(w, |spec| {
                spec.workspace_id = Some(WorkspaceId::from("ws-2"));
                spec.name = WorkspaceName::from("zenith");
            });
        },
        End::Ready,
    ),
    remedy(
        "IdentityMismatch",
        "declare another spec.name",
        || {
            let mut world = several();
            again(&mut world, |spec| {
                spec.workspace_id = Some(WorkspaceId::from("ws-2"));
            });
            lives(&mut world);
            world
        },
        |w| named(w, "acme", "zenith"),
        End::Ready,
    ),
    remedy(
        "IdentityMismatch",
        "Find out who renamed or replaced",
        || {
            let mut world = World::with_acme();
            named(&mut world, "acme", "zenith");
            lives(&mut world);
            let twin = world.engine.make(world.now, "twin");
            world.engine.rows.reverse();
            world.engine.row(&twin).unwrap().name = WorkspaceName::from("zenith");
            world.advance(3600);
            world.secrets.clear();
            lives(&mut world);
            world
        },
        |w| w.engine.rows[0].workspace.name = WorkspaceName::from("twin"),
        End::Ready,
    ),
    remedy(
        "SimilarNameExists",
        "Declare that very name to mean it",
        similar,
        |w| {
            named(w, "acme", "ACME");
            by_name(w);
        },
        End::Ready,
    ),
    remedy(
        "SimilarNameExists",
        "or choose one",
        similar,
        |w| named(w, "acme", "zenith"),
        End::Ready,
    ),
    remedy(
        "CreationUncertain",
        "Adopt it with spec.adoptionPolicy: ByName",
        uncertain,
        by_name,
        End::Ready,
    ),
    remedy(
        "CreationUncertain",
        "or remove it at Agent Engine",
        uncertain,
        |w| w.engine.rows.clear(),
        End::Ready,
    ),
    remedy(
        "CreationUncertain",
        "declare \"acme\", then remove it at Agent Engine",
        || kept_in_another_form(false),
        |w| {
            named(w, "acme", "acme");
            lives(w);
            assert!(w.message("acme").contains("Remove it at Agent Engine"));
            w.engine.rows.clear();
        },
        End::Ready,
    ),
    remedy(
        "CreationUncertain",
        "declare \"acme\", then remove it at Agent Engine",
        || kept_in_another_form(false),
        |w| {
            w.engine.rows.clear();
            named(w, "acme", "acme");
        },
        End::Ready,
    ),
    remedy(
        "CreationUncertain",
        "ask the administrator for `adoption: Allowed`",
        || kept_in_another_form(false),
        |w| {
            named(w, "acme", "acme");
            by_name(w);
            w.allow_adoption();
        },
        End::Ready,
    ),
    remedy(
        "CreationUncertain",
        "declare \"acme\", then adopt it with spec.adoptionPolicy: ByName",
        || kept_in_another_form(true),
        |w| {
            named(w, "acme", "acme");
            by_name(w);
        },
        End::Ready,
    ),
    remedy(
        "OrganizationMismatch",
        "Restore the credential of org-1",
        another_answers,
        |w| w.readable().verification = Verification::Verified(org()),
        End::Ready,
    ),
    remedy(
        "OrganizationMismatch",
        "create it again without that status",
        foreign_status,
        |w| {
            // Its workspace is another organization's, so it stays.
            w.edit("acme", |o| o.spec.deletion_policy = Some(DeletionPolicy::Retain));
            again(w, |spec| {
                spec.deletion_policy = None;
                spec.name = WorkspaceName::from("zenith");
            });
        },
        End::Ready,
    ),
    remedy(
        "WorkspaceNotFound",
        "Delete this object",
        World::with_acme_gone,
        |w| w.delete("acme"),
        End::Released,
    ),
    remedy(
        "WorkspaceNotFound",
        "annotate it with agentengine.airbyte.com/recreate=ws-1",
        World::with_acme_gone,
        |w| w.edit("acme", |o| o.facts.recreate = o.status.workspace_id.clone()),
        End::Ready,
    ),
    remedy(
        "WorkspaceNotFound",
        "Rename or remove it at Agent Engine",
        lost_beside_a_suspect,
        |w| {
            w.engine.rows.clear();
            w.list();
        },
        End::Ready,
    ),
    // Agent Engine may list and find a workspace only while it is enabled for Agents.
    remedy(
        "WorkspaceNotFound",
        "If it still exists, enable it for Agents again",
        World::with_acme_gone,
        |w| {
            w.engine.make(w.now, "acme");
            w.engine.rows[0].workspace.id = WorkspaceId::from("ws-1");
            w.advance(60);
            w.list();
        },
        End::Ready,
    ),
    remedy(
        "WorkspaceNotFound",
        "create another with the right id",
        declared_id_gone,
        |w| {
            let id = w.engine.make(w.now, "acme");
            again(w, |spec| spec.workspace_id = Some(id));
        },
        End::Ready,
    ),
    remedy(
        "SecretNotOwned",
        "Remove it",
        foreign_secret,
        |w| w.secrets.clear(),
        End::Ready,
    ),
    remedy(
        "SecretNotOwned",
        "another spec.tokenSecret.name",
        foreign_secret,
        |w| secret_named(w, "acme", "fresh"),
        End::Ready,
    ),
    remedy(
        "SecretNotOwned",
        "by way of a third",
        secrets_exchanged,
        |w| {
            secret_named(w, "acme", "third");
            lives(w);
            assert_eq!(w.ready("other"), "AsDeclared", "the other has its Secret");
            secret_named(w, "acme", "other-token");
        },
        End::Ready,
    ),
    remedy(
        "SecretAltered",
        "Exempt the Secret from that policy",
        altered,
        |w| {
            w.admission = None;
            w.secrets.clear();
        },
        End::Ready,
    ),
    remedy(
        "PlanLimit",
        "Raise the plan",
        || creation_refused(FailureClass::Denied, 402),
        World::heal,
        End::Ready,
    ),
    remedy(
        "Rejected",
        "Change what is declared",
        || creation_refused(FailureClass::Rejected, 422),
        |w| {
            w.heal();
            named(w, "acme", "zenith");
        },
        End::Ready,
    ),
    remedy(
        "Rejected",
        "declare that name",
        kept_otherwise,
        |w| named(w, "acme", "ZENITH"),
        End::Ready,
    ),
    remedy(
        "DeletionBlocked",
        "spec.deletionPolicy: Retain",
        deletion_blocked,
        |w| w.edit("acme", |o| o.spec.deletion_policy = Some(DeletionPolicy::Retain)),
        End::Released,
    ),
    remedy(
        "DeletionBlocked",
        "It is tried again",
        deletion_blocked,
        World::heal,
        End::Released,
    ),
    remedy(
        "OrganizationNotFound",
        "create it there",
        no_organization,
        |w| w.organization = World::new().organization,
        End::Ready,
    ),
    remedy(
        "OrganizationNotFound",
        "delete this object",
        no_organization,
        |w| w.delete("acme"),
        End::Released,
    ),
    remedy(
        "OrganizationNotReady",
        "correct it",
        || {
            let mut world = World::new();
            world.organization = OrganizationFacts::Unreadable {
                name: "default".to_owned(),
            };
            applied(world)
        },
        |w| w.organization = World::new().organization,
        End::Ready,
    ),
    remedy(
        "ManyWorkspacesMissing",
        "See the Organization",
        || {
            let mut world = World::with_acme();
            world.advance(60);
            world.engine.rows.clear();
            world.list();
            world.readable().missing = Missing::Many;
            lives(&mut world);
            world
        },
        |w| {
            let back = w.engine.make(w.now, "acme");
            w.engine.row(&back).unwrap().id = WorkspaceId::from("ws-1");
            w.readable().missing = Missing::Few;
            w.list();
        },
        End::Ready,
    ),
    remedy(
        "Suspended",
        "Remove it to go on",
        || {
            let mut world = World::new();
            let mut declared = spec("acme");
            declared.suspend = Some(true);
            world.apply("acme", declared);
            lives(&mut world);
            world
        },
        |w| w.edit("acme", |o| o.spec.suspend = None),
        End::Ready,
    ),
    remedy(
        "AccessDenied",
        "a 403 can also mean that the organization is not enabled for Agents",
        search_denied,
        World::heal,
        End::Ready,
    ),
    remedy(
        "AccessDenied",
        "It needs administrator rights",
        search_denied,
        World::heal,
        End::Ready,
    ),
];

/// Promise: rule.remedies: Every remedy that a message gives leads to a Ready object, or to one that is gone
#[test]
fn every_remedy_leads_out() {
    let wrong: Vec<_> = REMEDIES.iter().filter_map(|remedy| walk(remedy).err()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn walk(remedy: &Remedy) -> Result<(), String> {
    let (reason, advice) = (remedy.reason, remedy.advice);
    let mut world = (remedy.state)();
    let said = world.message("acme");
    if world.ready("acme") != reason || !said.contains(advice) {
        return Err(format!(
            "{reason}: {advice:?} is not in {}: {said}",
            world.ready("acme")
        ));
    }
    (remedy.acts)(&mut world);
    lives(&mut world);
    let unready = |object: &&String| world.ready(object) != "AsDeclared";
    let left = match remedy.end {
        End::Released => world.objects.keys().find(|object| *object == "acme"),
        End::Ready => world.objects.keys().find(unready),
    };
    match left {
        Some(object) => Err(format!("{reason}: {advice}: {object}: {}", world.message(object))),
        None => Ok(()),
    }
}

/// Those that a person must act on are walked here, or where more than this world is needed.
#[test]
fn no_remedy_is_left_unwalked() {
    let elsewhere = [
        // `organization::tests::spec::advice`.
        Reason::CredentialsRejected,
        Reason::InvalidConfiguration,
        // `tests/cluster/bad_input/undecodable.rs`.
        Reason::InvalidObject,
    ];
    let walked: BTreeSet<_> = REMEDIES.iter().map(|remedy| remedy.reason).collect();
    for reason in Reason::ALL
        .iter()
        .filter(|reason| reason.kstatus() == Kstatus::Stalled)
    {
        assert!(
            walked.contains(reason.as_str()) || elsewhere.contains(reason),
            "no remedy of {reason:?} is walked"
        );
    }
}

/// A Secret of another Workspace is in use: nobody is told to remove it.
#[test]
fn a_secret_of_another_workspace_is_not_to_be_removed() {
    let world = secrets_exchanged();
    let said = world.message("acme");
    assert!(said.contains("the Workspace object \"other\""), "{said}");
    assert!(!said.contains("Remove it"), "{said}");
}

/// Nor is the other object of an exchange to be deleted.
#[test]
fn who_exchanges_names_is_not_told_to_delete() {
    let world = names_exchanged();
    for object in ["acme", "other"] {
        let said = world.message(object);
        assert!(!said.contains("delet"), "{said}");
    }
}
