//! What tests ask of their world.

use std::time::Duration;

use jiff::SignedDuration;

use crate::crd::workspace::WorkspaceStatus;
use crate::domain::ids::WorkspaceId;
use crate::domain::time::later;
use crate::lifecycle::facts::Content;
use crate::lifecycle::tests::harness::world::{World, spec};

impl World {
    pub(in crate::lifecycle::tests) fn kinds(&self) -> Vec<&'static str> {
        self.journal.iter().map(|(_, kind)| *kind).collect()
    }

    pub(in crate::lifecycle::tests) fn count(&self, kind: &str) -> usize {
        self.journal.iter().filter(|(_, of)| *of == kind).count()
    }

    pub(in crate::lifecycle::tests) fn calls(&self) -> usize {
        let remote = ["Search", "Get", "Issue", "Verify", "Update", "Delete"];
        self.journal
            .iter()
            .filter(|(_, kind)| remote.contains(kind))
            .count()
    }

    pub(in crate::lifecycle::tests) fn writes(&self) -> usize {
        let writes = [
            "AddFinalizer",
            "RemoveFinalizer",
            "WriteStatus",
            "WriteSecret",
            "DecorateSecret",
            "DeleteSecret",
        ];
        self.journal
            .iter()
            .filter(|(_, kind)| writes.contains(kind))
            .count()
    }

    pub(in crate::lifecycle::tests) fn forget_journal(&mut self) {
        self.journal.clear();
        self.events.clear();
        self.issued_names.clear();
    }

    pub(in crate::lifecycle::tests) fn status(&self, object: &str) -> &WorkspaceStatus {
        &self.objects[object].status
    }

    pub(in crate::lifecycle::tests) fn id(&self, object: &str) -> Option<WorkspaceId> {
        self.status(object).workspace_id.clone()
    }

    pub(in crate::lifecycle::tests) fn condition(
        &self,
        object: &str,
        kind: &str,
    ) -> Option<(String, String)> {
        let conditions = &self.status(object).conditions;
        let found = conditions.iter().find(|c| c.type_ == kind)?;
        Some((found.status.clone(), found.reason.clone()))
    }

    /// The reason of Ready.
    pub(in crate::lifecycle::tests) fn ready(&self, object: &str) -> String {
        self.condition(object, "Ready")
            .map(|(_, reason)| reason)
            .unwrap_or_default()
    }

    /// Of the Ready condition.
    pub(in crate::lifecycle::tests) fn message(&self, object: &str) -> String {
        let conditions = &self.status(object).conditions;
        conditions
            .iter()
            .find(|condition| condition.type_ == "Ready")
            .map_or_else(String::new, |condition| condition.message.clone())
    }

    pub(in crate::lifecycle::tests) fn token_ready(&self, object: &str) -> String {
        self.condition(object, "TokenReady")
            .map(|(_, reason)| reason)
            .unwrap_or_default()
    }

    /// The workspace that the token in the Secret opens.
    pub(in crate::lifecycle::tests) fn token_opens(&self, secret: &str) -> Option<WorkspaceId> {
        match &self.secrets.get(secret)?.facts.content {
            Content::Whole(content) => Some(content.workspace_id.clone()),
            Content::Damaged => None,
        }
    }

    pub(in crate::lifecycle::tests) fn advance(&mut self, seconds: u64) {
        self.now = later(self.now, Duration::from_secs(seconds));
        self.land();
    }

    /// A world with one Workspace `acme` that is Ready.
    pub(in crate::lifecycle::tests) fn with_acme() -> Self {
        let mut world = Self::new();
        world.apply("acme", spec("acme"));
        world.reconcile("acme").unwrap();
        assert_eq!(world.ready("acme"), "AsDeclared");
        world.forget_journal();
        world
    }

    /// As [`World::with_acme`], at the instant when its token is to be renewed.
    pub(in crate::lifecycle::tests) fn with_acme_due() -> Self {
        let mut world = Self::with_acme();
        let times = world.secrets["acme-token"].facts.times.unwrap();
        world.now = times.renew_at(&world.objects["acme"].facts.uid);
        world
    }

    /// As [`World::with_acme`], after its workspace was deleted behind our back, and that was found out.
    pub(in crate::lifecycle::tests) fn with_acme_gone() -> Self {
        let mut world = Self::with_acme();
        world.advance(60);
        world.engine.rows.clear();
        world.list();
        world.live("acme", Duration::from_secs(5));
        assert_eq!(world.ready("acme"), "WorkspaceNotFound");
        world.forget_journal();
        world
    }

    /// The server's clock stands elsewhere.
    pub(in crate::lifecycle::tests) fn server_ahead(&mut self, seconds: i64) {
        self.engine.ahead = SignedDuration::from_secs(seconds);
    }
}
