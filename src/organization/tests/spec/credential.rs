//! When a client is made, when its credential is exchanged, and when it is doubted.

use std::time::Duration;

use crate::domain::remote::FailureClass;
use crate::domain::time::later;
use crate::domain::verification::{Missing, Verification};
use crate::organization::effect::Wake;
use crate::organization::tests::harness::given::{ours, row, theirs};
use crate::organization::tests::harness::world::World;
use crate::organization::{KeysDigest, NoClient};

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn a_first_reconcile_connects_exchanges_publishes_and_lists() {
    let mut world = World::new();
    world.reconcile();
    assert_eq!(
        world.done(),
        [
            "Connect",
            "Exchange",
            "NameOrganization",
            "Publish",
            "List",
            "ReadRecords",
            "Publish",
            "WriteStatus"
        ]
    );
    assert_eq!(world.published.verification, Verification::Verified(ours()));
    assert_eq!(world.status.organization_id, Some(ours()), "pinned");
    assert_eq!(world.events(), ["Verified"]);
}

/// Promise: input.waiting
#[test]
fn a_missing_credential_is_waited_for_without_a_call() {
    let mut world = World::new();
    world.secret = None;
    let next = world.reconcile();
    assert_eq!(world.done(), ["Connect", "Publish", "WriteStatus"]);
    assert_eq!(world.reason(), "CredentialsMissing");
    assert_eq!(next, later(world.now, 30 * MINUTE));

    world.rotate();
    world.reconcile();
    assert_eq!(world.calls(), ["Exchange", "List"]);
    assert_eq!(world.reason(), "Verified");
}

#[test]
fn a_secret_that_cannot_be_read_is_read_again_soon() {
    let mut world = World::new();
    world.readable = Err(NoClient::Unread {
        why: "forbidden".to_owned(),
    });
    let next = world.reconcile();
    assert_eq!(world.reason(), "KubernetesApiError");
    assert!(next <= later(world.now, Duration::from_secs(6)), "{next}");
    world.readable = Ok(());
    world.now = next;
    world.reconcile();
    assert_eq!(world.reason(), "Verified");
}

/// Its credential is not exchanged again either.
#[test]
fn a_steady_client_is_kept() {
    let mut world = World::verified();
    for _ in 0..5 {
        world.advance(MINUTE / 2);
        world.reconcile();
    }
    assert_eq!(
        world.done(),
        ["Publish"; 5],
        "what is known is told, and nothing else"
    );
}

#[test]
fn a_rotation_takes_effect_at_once_and_has_the_list_taken() {
    let mut world = World::verified();
    world.rotate();
    world.reconcile();
    assert_eq!(world.calls(), ["Exchange", "List"]);
}

#[test]
fn a_changed_endpoint_takes_effect_at_once() {
    let mut world = World::verified();
    let before = world.published.endpoint.clone();
    world.spec.endpoint = Some("https://elsewhere.example".to_owned());
    assert_ne!(before.as_deref(), world.spec.endpoint.as_deref());
    world.object.generation += 1;
    world.reconcile();
    assert_eq!(world.calls(), ["Exchange", "List"]);
    assert_eq!(
        world.woken(),
        [Wake::Everybody],
        "a spec may say other things to all"
    );
    // Workloads are told where their tokens come from: the new endpoint only together with its client.
    assert_eq!(world.published.endpoint, world.spec.endpoint);
}

#[test]
fn a_changed_endpoint_is_told_to_nobody_before_its_client_is() {
    let mut world = World::verified();
    let before = world.published.endpoint.clone();
    assert!(before.is_some());
    world.spec.endpoint = Some("https://elsewhere.example".to_owned());
    let told = world.until("Exchange");
    assert_eq!(told.endpoint, before, "its credential was not exchanged yet");
}

#[test]
fn a_refused_credential_rests_and_a_rotation_ends_the_rest() {
    let mut world = World::new();
    world.exchange = Err(FailureClass::Denied);
    let next = world.reconcile();
    assert_eq!(world.reason(), "CredentialsRejected");
    assert!(next > world.now);
    world.done();

    // Woken before its time, it asks nothing.
    assert_eq!(world.reconcile(), next);
    assert_eq!(world.calls(), Vec::<&str>::new());

    world.exchange = Ok(Some(ours()));
    world.rotate();
    world.reconcile();
    assert_eq!(world.reason(), "Verified");
    assert_eq!(world.events(), ["CredentialsRejected", "Verified"]);
}

#[test]
fn a_request_for_a_reconcile_ends_the_rest_as_well() {
    let mut world = World::new();
    world.exchange = Err(FailureClass::Transient);
    world.reconcile();
    assert_eq!(world.reason(), "ApiUnavailable");
    world.done();
    world.object.reconcile_at = Some("now".to_owned());
    world.reconcile();
    assert_eq!(world.calls(), ["Exchange"]);
    assert_eq!(world.status.last_handled_reconcile_at, None, "no list was taken");
    world.exchange = Ok(Some(ours()));
    world.live(MINUTE);
    assert_eq!(world.status.last_handled_reconcile_at.as_deref(), Some("now"));
}

/// And six in any later one.
/// Promise: cost.failure
#[test]
fn a_failing_credential_costs_twenty_calls_in_its_first_hour() {
    for class in [
        FailureClass::Denied,
        FailureClass::Transient,
        FailureClass::Malformed,
        FailureClass::Unknown,
        FailureClass::Throttled(Duration::from_secs(1)),
    ] {
        for declared in [None, Some(ours())] {
            let mut world = World::new();
            world.spec.organization_id = declared.clone();
            (world.exchange, world.exchange_unnamed) = (Err(class), Err(class));
            for hour in 0..4 {
                world.live(60 * MINUTE);
                let calls = world.calls().len();
                let most = if hour == 0 { 20 } else { 6 };
                assert!(
                    (1..=most).contains(&calls),
                    "{class:?}, {declared:?}, hour {hour}: {calls}"
                );
            }
        }
    }
}

/// Only to which organization it belongs is asked.
/// Promise: rule.other-organization
#[test]
fn a_credential_of_another_organization_is_used_for_nothing() {
    let mut world = World::verified();
    // Swapped while the client names no organization yet.
    world.exchange = Ok(Some(theirs()));
    world.rotate();
    world.reconcile();
    assert_eq!(world.calls(), ["Exchange"], "nothing is listed there");
    assert_eq!(world.reason(), "OrganizationMismatch");
    assert!(world.message().contains("ours") && world.message().contains("theirs"));
    assert_eq!(world.status.organization_id, Some(ours()), "still pinned");
    assert_eq!(
        world.published.verification,
        Verification::Changed {
            pinned: ours(),
            found: theirs()
        }
    );

    // If the organization is declared, the API refuses the credential. The operator asks again without naming one.
    let mut world = World::new();
    world.spec.organization_id = Some(ours());
    world.exchange = Err(FailureClass::Denied);
    world.exchange_unnamed = Ok(Some(theirs()));
    let next = world.reconcile();
    assert_eq!(world.calls(), ["Exchange", "ExchangeUnnamed"]);
    assert_eq!(world.reason(), "OrganizationMismatch");
    assert_eq!(next, later(world.now, 30 * MINUTE), "only a person can mend it");
}

#[test]
fn a_refusal_stands_where_asking_without_a_name_says_no_more() {
    for unnamed in [Ok(None), Ok(Some(ours())), Err(FailureClass::Denied)] {
        let mut world = World::new();
        world.spec.organization_id = Some(ours());
        world.exchange = Err(FailureClass::Denied);
        world.exchange_unnamed = unnamed;
        world.reconcile();
        assert_eq!(world.reason(), "CredentialsRejected");
    }
}

/// To which organization the credential belongs is not asked.
#[test]
fn an_outage_is_no_refusal_of_the_credential() {
    let mut world = World::new();
    world.spec.organization_id = Some(ours());
    world.exchange = Err(FailureClass::Transient);
    world.reconcile();
    assert_eq!(world.calls(), ["Exchange"]);
    assert_eq!(world.reason(), "ApiUnavailable");
    let remedy =
        "the operator tries again. If that does not pass, check spec.endpoint (https://api.airbyte.ai)";
    assert!(world.message().contains(remedy), "{}", world.message());
}

#[test]
fn a_list_that_is_denied_makes_the_credential_doubted() {
    let mut world = World::verified();
    world.rows = Err(FailureClass::Denied);
    world.exchange = Err(FailureClass::Denied);
    world.advance(5 * MINUTE);
    world.reconcile();
    // The client names the organization by now, so the operator also asks without naming one.
    assert_eq!(world.calls(), ["List", "Exchange", "ExchangeUnnamed"]);
    assert_eq!(world.reason(), "CredentialsRejected");
    assert!(matches!(
        world.published.verification,
        Verification::Pending { .. }
    ));
    assert_eq!(world.woken(), [Wake::Everybody]);
}

#[test]
fn a_credential_that_holds_when_doubted_lacks_rights_only() {
    let mut world = World::verified();
    world.rows = Err(FailureClass::Denied);
    // An answer that names no organization takes nothing back of the one before.
    world.exchange = Ok(None);
    world.advance(5 * MINUTE);
    world.reconcile();
    assert_eq!(world.calls(), ["List", "Exchange"]);
    assert_eq!(world.reason(), "AccessDenied");
    assert_eq!(world.published.verification, Verification::Verified(ours()));
}

/// Every call names it from then on.
#[test]
fn rows_that_name_the_organization_verify_it() {
    let mut world = World::new();
    world.exchange = Ok(None);
    world.rows = Ok(vec![row(0)]);
    world.reconcile();
    assert_eq!(
        world.done(),
        [
            "Connect",
            "Exchange",
            "Publish",
            "List",
            "ReadRecords",
            "NameOrganization",
            "Publish",
            "WriteStatus"
        ]
    );
    assert_eq!(world.published.verification, Verification::Verified(ours()));

    world.rows = Err(FailureClass::Transient);
    world.advance(5 * MINUTE);
    world.reconcile();
    assert_eq!(
        world.published.verification,
        Verification::Verified(ours()),
        "a failing list takes nothing back"
    );
}

/// Though the one answer before named another organization.
#[test]
fn a_credential_that_belongs_here_again_is_noticed() {
    for asked in [None, Some("now".to_owned())] {
        let mut world = World::verified();
        (world.exchange, world.rows) = (Err(FailureClass::Denied), Err(FailureClass::Denied));
        world.exchange_unnamed = Ok(Some(theirs()));
        world.advance(5 * MINUTE);
        world.reconcile();
        assert_eq!(world.reason(), "OrganizationMismatch");
        (world.exchange, world.rows) = (Ok(Some(ours())), Ok(Vec::new()));
        world.reconcile();
        assert_eq!(world.reason(), "OrganizationMismatch", "not asked at every wake");
        if asked.is_none() {
            world.advance(30 * MINUTE);
        }
        world.object.reconcile_at = asked;
        world.reconcile();
        assert_eq!(world.reason(), "Verified");
    }
}

/// The Secret is exchanged for that of another organization, unseen by a watch that is dead, and put back.
#[test]
fn an_answer_to_other_keys_judges_no_client_of_former_ones() {
    let mut world = World::verified();
    (world.exchange, world.rows) = (Err(FailureClass::Denied), Err(FailureClass::Denied));
    world.exchange_unnamed = Ok(Some(theirs()));
    world.keys += 1;
    world.advance(5 * MINUTE);
    world.reconcile();
    world.rotate();
    world.keys -= 2;
    (world.exchange, world.rows) = (Ok(Some(ours())), Ok(Vec::new()));
    world.reconcile();
    assert_eq!(world.reason(), "Verified");
}

/// Promise: rule.credential-touched: A credential Secret whose keys are the same keeps the Organization verified, whatever else of it changes
#[test]
fn a_touch_of_the_secret_takes_no_verification_back() {
    let mut world = World::with_workspaces(3);
    world.exchange = Ok(None);
    world.restart();
    world.reconcile();
    assert_eq!(
        world.published.verification,
        Verification::Verified(ours()),
        "by its list"
    );
    world.calls();
    world.woken();
    for _ in 0..10 {
        world.touch();
        world.advance(Duration::from_secs(20));
        assert_eq!(
            world.until("Publish").verification,
            Verification::Verified(ours())
        );
        world.reconcile();
        assert_eq!(world.published.verification, Verification::Verified(ours()));
    }
    assert_eq!(world.calls(), Vec::<&str>::new());
    assert_eq!(world.woken(), []);
    world.rotate();
    world.reconcile();
    assert_eq!(world.calls(), ["Exchange", "List"], "other keys are verified");
}

/// Other keys are tried at once.
/// Promise: rule.credential-touched
#[test]
fn a_touch_of_a_refused_secret_costs_no_call() {
    let mut world = World::new();
    world.exchange = Err(FailureClass::Denied);
    world.reconcile();
    assert_eq!(world.reason(), "CredentialsRejected");
    world.calls();
    for _ in 0..120 {
        world.touch();
        world.advance(Duration::from_secs(30));
        world.reconcile();
    }
    assert!(world.calls().len() < 20, "in its first hour");
    world.exchange = Ok(Some(ours()));
    world.touch();
    world.reconcile();
    assert_eq!(world.reason(), "CredentialsRejected");
    world.rotate();
    world.reconcile();
    assert_eq!(world.reason(), "Verified");
}

/// The same while every other read of the Secret fails: what it holds is not known to have changed.
///
/// Promise: rule.credential-touched
#[test]
fn a_failed_read_of_a_refused_secret_ends_no_rest() {
    let mut world = World::new();
    world.exchange = Err(FailureClass::Denied);
    world.reconcile();
    world.calls();
    for nth in 0..120 {
        world.touch();
        world.readable = match nth % 2 {
            0 => Err(NoClient::Unread {
                why: "no answer".to_owned(),
            }),
            _ => Ok(()),
        };
        world.advance(Duration::from_secs(30));
        world.reconcile();
    }
    let calls = world.calls().len();
    assert!(calls < 20, "{calls} in its first hour");
    world.exchange = Ok(Some(ours()));
    world.rotate();
    world.reconcile();
    assert_eq!(world.reason(), "Verified");
}

/// As a tool does that replaces objects instead of patching them.
#[test]
fn a_secret_made_again_costs_one_exchange_and_one_list() {
    let mut world = World::with_workspaces(25);
    world.secret = None;
    world.reconcile();
    assert_eq!(world.reason(), "CredentialsMissing");
    world.secret = Some(7);
    world.reconcile();
    assert_eq!(world.calls(), ["Exchange", "List"]);
    assert_eq!(world.published.verification, Verification::Verified(ours()));
    assert_eq!(world.published.missing, Missing::Few);
    for _ in 0..60 {
        world.touch();
        world.advance(Duration::from_secs(1));
        world.reconcile();
    }
    assert_eq!(world.calls(), Vec::<&str>::new());
}

#[test]
fn a_digest_of_keys_shows_nothing_of_them() {
    let digest = KeysDigest::of("client", "secret");
    assert_eq!(format!("{digest:?}"), "KeysDigest(..)");
    assert_ne!(digest, KeysDigest::of("clients", "ecret"));
    assert_eq!(digest, KeysDigest::of("client", "secret"));
}
