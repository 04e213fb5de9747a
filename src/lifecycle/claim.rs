//! I2: what an object may claim. Recorded, observed, intended and desired names, and the id; nothing ungranted.

use std::collections::BTreeMap;

use super::facts::Deletion;
use super::view::View;
use crate::api::ids::WorkspaceName;
use crate::tenancy::{Basis, ClaimKey, canonical};

impl View {
    /// What the object may claim, as far as its Organization grants it. I2: recorded, observed, intended, desired.
    pub fn claims(&self) -> BTreeMap<ClaimKey, Basis> {
        let mut claims = BTreeMap::new();
        let mut claim = |key: ClaimKey, basis: Basis| {
            let held = claims.entry(key).or_insert(basis);
            *held = basis.min(*held);
        };
        let not_refused =
            |name: &WorkspaceName| self.readable().is_none_or(|o| o.access.grant(name).is_some());
        if let Some(record) = self.record() {
            let observed = self
                .found
                .row
                .as_ref()
                .filter(|row| row.id == record.id)
                .map(|row| &row.name);
            claim(
                ClaimKey::Id(record.organization_id.clone(), record.id.clone()),
                Basis::Recorded,
            );
            for name in [Some(&record.name), observed]
                .into_iter()
                .flatten()
                .filter(|name| not_refused(name))
            {
                claim(
                    ClaimKey::Name(record.organization_id.clone(), canonical(name)),
                    Basis::Recorded,
                );
            }
        } else if let Some(intent) = self.intent().filter(|intent| not_refused(&intent.name)) {
            claim(
                ClaimKey::Name(intent.organization_id.clone(), canonical(&intent.name)),
                Basis::Intended,
            );
        }
        let Some(organization) = self.verified() else {
            return claims;
        };
        if self.object.deletion == Deletion::Asked {
            return claims;
        }
        if !not_refused(&self.declared.name) {
            return claims;
        }
        claim(
            ClaimKey::Name(organization.clone(), canonical(&self.declared.name)),
            Basis::Desired,
        );
        let ids = [
            self.declared.workspace_id.as_ref(),
            self.wish(),
            self.found.remote.as_ref().map(|seen| &seen.id),
        ];
        for id in ids.into_iter().flatten() {
            claim(ClaimKey::Id(organization.clone(), id.clone()), Basis::Desired);
        }
        if self.record().is_none()
            && let Some(row) = self.found.row.as_ref().filter(|row| not_refused(&row.name))
        {
            claim(
                ClaimKey::Name(organization.clone(), canonical(&row.name)),
                Basis::Desired,
            );
        }
        if let Some(other) = &self.found.other {
            claim(
                ClaimKey::Id(organization.clone(), other.id.clone()),
                Basis::Desired,
            );
        }
        claims
    }
}
