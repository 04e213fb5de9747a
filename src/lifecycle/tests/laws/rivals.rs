//! I2: what another object holds stays its own, whatever is stored, listed and answered. The law is held against the table of
//! claims, not against what the view says of it.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::domain::ids::{WorkspaceId, WorkspaceName};
use crate::lifecycle::effect::{ClusterEffect, Effect, EngineCall, WorkspaceChange};
use crate::lifecycle::tests::harness::dice::Dice;
use crate::lifecycle::tests::harness::world::at;
use crate::lifecycle::tests::laws::any_view::play;
use crate::lifecycle::view::View;
use crate::tenancy::{Basis, ClaimKey, Claimant, Claims, canonical};

/// An object of another tenant, older than any.
struct Rival {
    claimant: Claimant,
    ids: Vec<WorkspaceId>,
    names: Vec<WorkspaceName>,
}

impl Rival {
    fn drawn(dice: &mut Dice) -> Self {
        let ids: &[&[&str]] = &[&["ws-1"], &["ws-2"], &["ws-1", "ws-3"], &[]];
        let names: &[&[&str]] = &[&["acme"], &["zenith"], &["theirs", "acme"], &[]];
        Self {
            claimant: Claimant {
                uid: "uid-of-rival".into(),
                namespace: "hidden-namespace".to_owned(),
                name: "hidden-object".to_owned(),
                created: at(-99_999),
            },
            ids: dice.pick(ids).iter().map(|id| WorkspaceId::from(*id)).collect(),
            names: dice
                .pick(names)
                .iter()
                .map(|name| WorkspaceName::from(*name))
                .collect(),
        }
    }

    /// In both organizations that there are.
    fn claims(&self) -> BTreeMap<ClaimKey, Basis> {
        let organizations = ["org-1", "org-2"];
        let keys = organizations.into_iter().flat_map(|organization| {
            let id = |id: &WorkspaceId| ClaimKey::Id(organization.into(), id.clone());
            let name = |name: &WorkspaceName| ClaimKey::Name(organization.into(), canonical(name));
            self.ids.iter().map(id).chain(self.names.iter().map(name))
        });
        keys.map(|key| (key, Basis::Recorded)).collect()
    }

    fn has(&self, id: &WorkspaceId) -> bool {
        self.ids.contains(id)
    }

    fn bears(&self, name: &WorkspaceName) -> bool {
        self.names.iter().any(|its| canonical(its) == canonical(name))
    }

    fn keeps_its_own(&self, view: &View, effect: &Effect) -> Result<(), TestCaseError> {
        match effect {
            Effect::Engine(EngineCall::Issue { name, .. }) => {
                prop_assert!(!self.bears(name), "a token is issued for {:?}", name);
            }
            Effect::Engine(EngineCall::Update { id, change }) => {
                prop_assert!(!self.has(id), "{} is changed", id);
                if let WorkspaceChange::Rename(name) = change {
                    prop_assert!(!self.bears(name), "{} is renamed to {:?}", id, name);
                }
            }
            Effect::Engine(EngineCall::Delete(id)) => prop_assert!(!self.has(id), "{} is deleted", id),
            Effect::Cluster(ClusterEffect::WriteSecret(draft)) => {
                let content = &draft.content;
                prop_assert!(
                    !self.has(&content.workspace_id),
                    "a token of {}",
                    content.workspace_id
                );
                prop_assert!(
                    !self.bears(&content.workspace_name),
                    "under the name {:?}",
                    content.workspace_name
                );
            }
            Effect::Cluster(ClusterEffect::WriteStatus(status)) => {
                self.is_not_told(&format!("{status:?}"))?;
                let recorded = status
                    .workspace_id
                    .as_ref()
                    .filter(|_| view.recorded_id().is_none());
                let new = recorded.filter(|_| view.stored.workspace_id != status.workspace_id);
                prop_assert!(new.is_none_or(|id| !self.has(id)), "{:?} is recorded", new);
                let begins = status
                    .creation
                    .as_ref()
                    .filter(|begun| view.intent() != Some(begun));
                let begins = begins.filter(|_| view.stored.creation != status.creation);
                prop_assert!(
                    begins.is_none_or(|begun| !self.bears(&begun.name)),
                    "{:?} begins",
                    begins
                );
            }
            Effect::Cluster(_) | Effect::Engine(_) => {}
        }
        Ok(())
    }

    /// No object of another namespace is named.
    fn is_not_told(&self, text: &str) -> Result<(), TestCaseError> {
        for told in [&self.claimant.namespace, &self.claimant.name] {
            prop_assert!(!text.contains(told), "{} is told: {}", told, text);
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(crate::domain::testing::cases(4_000))]

    /// Promise: I2
    #[test]
    fn what_another_object_holds_stays_its_own(numbers in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut dice = Dice::new(numbers);
        let rival = Rival::drawn(&mut dice);
        let mut claims = Claims::default();
        claims.observe(&rival.claimant, rival.claims());
        let keeps_its_own = |view: &View, effect: &Effect| rival.keeps_its_own(view, effect);
        let (_, settled) = play(dice.view(), &mut dice, claims, keeps_its_own)?;
        rival.is_not_told(&format!("{:?}{:?}", settled.stored, settled.events))?;
    }
}
