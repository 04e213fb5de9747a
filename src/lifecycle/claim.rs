//! I2: what an object may claim. Recorded, observed, intended and desired names, and the id; nothing ungranted.

use std::collections::BTreeMap;

use super::facts::Deletion;
use super::view::View;
use crate::api::ids::WorkspaceName;
use crate::tenancy::{Basis, ClaimKey, canonical};

impl View {
    /// What the object may claim, as far as its Organization grants it. I2: recorded, observed, intended, desired.
    pub fn claims(&self) -> BTreeMap<ClaimKey, Basis> {
        let mut claims = self.recorded_claims();
        for key in self.desired_claims() {
            claims.entry(key).or_insert(Basis::Desired);
        }
        claims
    }

    /// What the object has, or is about to have, whatever it declares. All that one that cannot be decoded claims.
    pub fn recorded_claims(&self) -> BTreeMap<ClaimKey, Basis> {
        let mut claims = BTreeMap::new();
        if let Some(record) = self.record() {
            let observed = self
                .found
                .row
                .as_ref()
                .filter(|row| row.id == record.id)
                .map(|row| &row.name);
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
                Basis::Intended,
            );
        }
        claims
    }

    fn desired_claims(&self) -> Vec<ClaimKey> {
        let Some(organization) = self.verified() else {
            return Vec::new();
        };
        if self.object.deletion == Deletion::Asked || !self.not_refused(&self.declared.name) {
            return Vec::new();
        }
        let row = self.found.row.as_ref().filter(|_| self.record().is_none());
        let names = [Some(&self.declared.name), row.map(|row| &row.name)]
            .into_iter()
            .flatten()
            .filter(|name| self.not_refused(name))
            .map(|name| ClaimKey::Name(organization.clone(), canonical(name)));
        let seen = [&self.found.remote, &self.found.other].map(|seen| seen.as_ref().map(|seen| &seen.id));
        let ids = [self.declared.workspace_id.as_ref(), self.wish()]
            .into_iter()
            .chain(seen)
            .flatten()
            .map(|id| ClaimKey::Id(organization.clone(), id.clone()));
        names.chain(ids).collect()
    }

    fn not_refused(&self, name: &WorkspaceName) -> bool {
        self.readable()
            .is_none_or(|organization| organization.access.grant(name).is_some())
    }
}
