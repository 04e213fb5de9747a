//! Get or create by name, the one way in which workspaces come to be.

use jiff::{SignedDuration, Timestamp};

use super::organization::{DEFAULT_WORKSPACE, Reach, Restored, Status, Workspace};
use super::refusal::{Outcome, Place, Refusal};
use super::{Arrival, Call, Request, Trace, World, input, names, new_cache};
use crate::emulator::knobs::{
    CloudAdoption, ConcurrentMint, HiddenMint, Knobs, Limit, MintAmbiguous, MintInactive, PlanRefusal,
    Reactivation, RegionEu, RegionUnknown, RemintDeleted,
};

/// The regions that the documentation names.
const UNITED_STATES: &str = "645a183f-b12b-4c6e-8ad3-99e165603450";
const EUROPE: &str = "b9e48d61-f082-4a14-a8d0-799a907938cb";

impl World {
    /// Searches for the name when the call arrives, for the race in which two calls search before either creates.
    pub fn find_at_arrival(&self, request: &Request, knobs: &Knobs, now: Timestamp) -> Arrival {
        if knobs.concurrent_mint == ConcurrentMint::One {
            return Arrival::Unseen;
        }
        let Ok(body) = input::object(&request.body) else {
            return Arrival::Unseen;
        };
        let Ok(name) = names::read(&body, "workspace_name", knobs) else {
            return Arrival::Unseen;
        };
        let organization = self.organization_at_arrival(request, now);
        let taken = organization.is_some_and(|organization| {
            organization
                .workspaces
                .iter()
                .any(|w| w.is_live() && names::same(&w.row.name, &name, knobs))
        });
        if taken {
            Arrival::NameTaken
        } else {
            Arrival::NameFree
        }
    }

    /// The id of the workspace of this name, made if need be.
    pub(super) fn get_or_create(
        &mut self,
        organization_id: &str,
        name: &str,
        region: Option<String>,
        call: &Call<'_>,
        trace: &mut Trace,
    ) -> Outcome<String> {
        let region = accept_region(region, call.knobs)?;
        let organization = self
            .organization(organization_id)
            .ok_or_else(|| Refusal::new(404, "Organization not found"))?;
        let named = |w: &&Workspace| names::same(&w.row.name, name, call.knobs);
        let (seen, unseen): (Vec<_>, Vec<_>) = organization
            .workspaces
            .iter()
            .filter(|w| !w.row.tombstone)
            .filter(named)
            .partition(|w| w.reach == Reach::Visible);
        let raced = call.request.arrival == Arrival::NameFree;
        let chosen = match seen.as_slice() {
            [] => None,
            _ if raced => None,
            [only] => Some(*only),
            [oldest, .., newest] => Some(match call.knobs.mint_ambiguous {
                MintAmbiguous::Oldest => *oldest,
                MintAmbiguous::Newest => *newest,
                MintAmbiguous::ServerError => {
                    return Err(Refusal::new(500, "More than one workspace has this name"));
                }
            }),
        };
        if let Some(found) = chosen {
            let id = found.row.id.clone();
            trace.workspace_id = Some(id.clone());
            if region.is_some()
                && region != found.region_id
                && call.knobs.region_conflict == RegionUnknown::Refused
            {
                return Err(Refusal::invalid(
                    Place::Body,
                    "region_id",
                    "value_error",
                    "Workspace exists in another region",
                ));
            }
            self.open(organization_id, &id, call.knobs, call.now)?;
            return Ok(id);
        }
        if let Some(other) = unseen.first().filter(|_| !raced) {
            let id = other.row.id.clone();
            let adopted = match other.reach {
                Reach::CloudOnly => call.knobs.cloud_adoption == CloudAdoption::Adopt,
                Reach::Visible | Reach::Hidden => match call.knobs.hidden_mint {
                    HiddenMint::Forbidden => {
                        trace.workspace_id = Some(id);
                        return Err(Refusal::new(403, "You do not have access to this workspace"));
                    }
                    HiddenMint::Token => return Ok(id),
                    HiddenMint::Duplicate => false,
                },
            };
            if adopted {
                if let Some(workspace) = self
                    .organization_mut(organization_id)
                    .and_then(|o| o.find_mut(&id))
                {
                    workspace.reach = Reach::Visible;
                }
                return Ok(id);
            }
        }
        self.create(organization_id, name, region, call.knobs, call.now)
    }

    /// A token for an existing workspace, if its state allows it.
    fn open(&mut self, organization_id: &str, id: &str, knobs: &Knobs, now: Timestamp) -> Outcome<()> {
        let workspace = self
            .organization_mut(organization_id)
            .and_then(|organization| organization.find_mut(id));
        let Some(workspace) = workspace.filter(|w| w.row.status == Status::Inactive) else {
            return Ok(());
        };
        match knobs.mint_inactive {
            MintInactive::Ok => Ok(()),
            MintInactive::Forbidden => Err(Refusal::new(403, "Workspace is inactive")),
            MintInactive::Reactivate => {
                workspace.set_status(now, Status::Active, restored(knobs));
                Ok(())
            }
        }
    }

    fn create(
        &mut self,
        organization_id: &str,
        name: &str,
        region: Option<String>,
        knobs: &Knobs,
        now: Timestamp,
    ) -> Outcome<String> {
        let organization = self
            .organization_mut(organization_id)
            .ok_or_else(|| Refusal::new(404, "Organization not found"))?;
        let live = organization.workspaces.iter().filter(|w| w.is_live()).count();
        let deleted = organization
            .workspaces
            .iter_mut()
            .filter(|w| w.row.tombstone && names::same(&w.row.name, name, knobs))
            .max_by_key(|w| w.deleted_at);
        if let Some(deleted) = deleted {
            let free_at = deleted.deleted_at.map(|at| now.duration_since(at));
            let kept =
                SignedDuration::from_millis(i64::try_from(knobs.name_release_ms.0).unwrap_or(i64::MAX));
            if free_at.is_some_and(|since| since < kept) {
                return Err(Refusal::new(409, "A workspace of this name is being deleted"));
            }
            match knobs.remint_deleted {
                RemintDeleted::New => {}
                RemintDeleted::Revive => {
                    deleted.change(now, |row| row.tombstone = false);
                    deleted.deleted_at = None;
                    return Ok(deleted.row.id.clone());
                }
                RemintDeleted::Error => {
                    return Err(Refusal::new(409, "A workspace of this name was deleted"));
                }
            }
        }
        if let Limit::At(limit) = knobs.plan_limit
            && u64::try_from(live).unwrap_or(u64::MAX) >= limit
        {
            let status = match knobs.plan_refusal {
                PlanRefusal::PaymentRequired => 402,
                PlanRefusal::Forbidden => 403,
                PlanRefusal::Conflict => 409,
                PlanRefusal::Unprocessable => 422,
            };
            return Err(Refusal::new(status, "Your plan does not allow more workspaces"));
        }
        let mut row = self.row(organization_id, name, now);
        row.cache_enabled = new_cache(knobs);
        let id = row.id.clone();
        let mut workspace = Workspace::new(row, now);
        workspace.region_id = Some(region.unwrap_or_else(|| UNITED_STATES.to_owned()));
        if let Some(organization) = self.organization_mut(organization_id) {
            organization.add(workspace);
        }
        Ok(id)
    }
}

/// Whether connectors come back with `active`.
pub(super) fn restored(knobs: &Knobs) -> Restored {
    match knobs.reactivation {
        Reactivation::Disabled => Restored::No,
        Reactivation::Restored => Restored::Yes,
    }
}

/// Whether a change to this workspace is one to the organization's fallback.
pub(super) fn is_default(name: &str) -> bool {
    name == DEFAULT_WORKSPACE
}

fn accept_region(region: Option<String>, knobs: &Knobs) -> Outcome<Option<String>> {
    let refused = |why: &str| Err(Refusal::invalid(Place::Body, "region_id", "value_error", why));
    match region.as_deref() {
        None | Some(UNITED_STATES) => Ok(region),
        Some(EUROPE) => match knobs.region_eu {
            RegionEu::Honoured => Ok(region),
            RegionEu::Us => Ok(Some(UNITED_STATES.to_owned())),
            RegionEu::Refused => refused("Region is no longer available"),
        },
        Some(_) => match knobs.region_unknown {
            RegionUnknown::Ignored => Ok(None),
            RegionUnknown::Refused => refused("Unknown region"),
        },
    }
}
