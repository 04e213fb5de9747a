//! I2: what an object may claim. The recorded id always; recorded, observed, intended and desired names as far as a readable
//! Organization grants them.

use std::collections::BTreeMap;

use crate::domain::ids::{OrganizationId, WorkspaceId, WorkspaceName};
use crate::domain::object::Deletion;
use crate::lifecycle::view::View;
use crate::tenancy::{Basis, ClaimKey, canonical};

impl View {
    /// What the object claims during its reconcile, as far as its Organization grants it. I2: recorded, observed, intended,
    /// desired.
    pub fn claims(&self) -> BTreeMap<ClaimKey, Basis> {
        self.and_desired(self.desired_claims().chain(self.claims_of_what_it_reads()))
    }

    /// What it claims between its reconciles: nothing only because it was read, or others would win and lose by it in turns.
    pub fn standing_claims(&self) -> BTreeMap<ClaimKey, Basis> {
        self.and_desired(self.desired_claims())
    }

    fn and_desired(&self, desired: impl Iterator<Item = ClaimKey>) -> BTreeMap<ClaimKey, Basis> {
        let mut claims = self.recorded_claims();
        for key in desired {
            claims.entry(key).or_insert(Basis::Desired);
        }
        claims
    }

    /// The names and the id that the object has or is about to have. An object that cannot be decoded claims these alone.
    pub fn recorded_claims(&self) -> BTreeMap<ClaimKey, Basis> {
        let mut claims = BTreeMap::new();
        if self.object.is_let_go() {
            return claims;
        }
        if let Some(record) = self.record() {
            let observed = self.row(&record.id).map(|row| &row.name);
            claims.insert(
                ClaimKey::Id(record.organization_id.clone(), record.id.clone()),
                Basis::Recorded,
            );
            for name in [Some(&record.name), observed]
                .into_iter()
                .flatten()
                .filter(|name| self.not_refused(name))
            {
                claims.insert(
                    ClaimKey::Name(record.organization_id.clone(), canonical(name)),
                    Basis::Recorded,
                );
            }
        } else if let Some(intent) = self.intent().filter(|intent| self.not_refused(&intent.name)) {
            claims.insert(
                ClaimKey::Name(intent.organization_id.clone(), canonical(&intent.name)),
                Basis::Creating,
            );
        }
        claims
    }

    fn desired_claims(&self) -> impl Iterator<Item = ClaimKey> {
        let name = Some(&self.declared.name).filter(|name| self.not_refused(name));
        let stays = self.object.deletion == Deletion::NotRequested;
        let desired = self.claims_in().zip(name).filter(|_| stays);
        desired.into_iter().flat_map(|(organization, name)| {
            let ids = [self.declared.workspace_id.as_ref(), self.wish()];
            let ids = ids.into_iter().flatten();
            let ids = ids.map(|id| ClaimKey::Id(organization.clone(), id.clone()));
            ids.chain([ClaimKey::Name(organization.clone(), canonical(name))])
        })
    }

    /// The workspaces that this reconcile has read, and the names that they bear: it may be about to record them.
    fn claims_of_what_it_reads(&self) -> impl Iterator<Item = ClaimKey> {
        let records = self.is_granted_what_it_reads() && self.recorded_id().is_none();
        self.claims_in().into_iter().flat_map(move |organization| {
            let read = self.ids_read().filter(|_| self.is_granted_what_it_reads());
            let ids = read.map(|id| ClaimKey::Id(organization.clone(), id.clone()));
            let rows = self.progress.workspaces.values().filter(move |_| records);
            let names = rows.filter_map(|seen| Some(&seen.row.as_ref()?.name));
            let names = names.filter(|name| self.not_refused(name));
            ids.chain(names.map(|name| ClaimKey::Name(organization.clone(), canonical(name))))
        })
    }

    /// The organization whose keys the object may claim.
    fn claims_in(&self) -> Option<&OrganizationId> {
        self.verified().filter(|_| !self.object.is_let_go())
    }

    /// Ids read in this reconcile that we may not claim. We still check who holds them before acting.
    pub fn asks(&self) -> Vec<ClaimKey> {
        let Some(organization) = self.verified() else {
            return Vec::new();
        };
        let ids = self.ids_read().filter(|_| !self.is_granted_what_it_reads());
        ids.map(|id| ClaimKey::Id(organization.clone(), id.clone()))
            .collect()
    }

    /// The workspaces that this reconcile has read by id, without a later write of ours.
    fn ids_read(&self) -> impl Iterator<Item = &WorkspaceId> {
        let read = self.progress.workspaces.iter();
        read.filter(|(_, seen)| seen.read.is_some()).map(|(id, _)| id)
    }

    /// Whether the declared name, or that of the creation in flight, is granted: the object reads by id for these.
    fn is_granted_what_it_reads(&self) -> bool {
        let declared = Some(&self.declared.name).filter(|_| self.object.deletion == Deletion::NotRequested);
        let begun = self.intent().map(|intent| &intent.name);
        declared
            .into_iter()
            .chain(begun)
            .any(|name| self.not_refused(name))
    }

    fn not_refused(&self, name: &WorkspaceName) -> bool {
        self.readable()
            .is_none_or(|organization| organization.access.grant(name).is_some())
    }
}
