//! Who is calling, and for which organization: bearer, organization header, plan, rate.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::organization::Organization;
use super::refusal::{Outcome, Place, Refusal};
use super::tokens::{BadToken, Grant};
use super::{Allowance, Call, Request, Trace, World, input};
use crate::emulator::knobs::{
    InfoRefusal, Knobs, Limit, OrganizationRefusal, Role, Rotation, Subscription, Unauthorized,
};
use crate::emulator::operation::Operation;

/// What kind of bearer a call came with.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Principal {
    #[default]
    None,
    Application,
    Scoped,
    /// Forged, expired or revoked.
    Invalid,
}

/// For several organizations when the call names none: real clients search for these words.
const AMBIGUOUS: &str =
    "User belongs to several organizations, specify target organization with X-Organization-Id";

impl World {
    /// The organization that an application token is used for.
    pub(super) fn application(&mut self, call: &Call<'_>, trace: &mut Trace) -> Outcome<String> {
        let organizations = match self.bearer(call, trace)? {
            Ok(Grant::Application {
                client_id,
                generation,
                organizations,
            }) => {
                self.not_revoked(&client_id, generation, call.knobs, trace)?;
                organizations
            }
            Ok(Grant::Scoped { .. }) => {
                trace.principal = Principal::Scoped;
                return Err(Refusal::new(
                    code(call.knobs.scoped_on_workspaces),
                    "Scoped tokens cannot use this endpoint",
                ));
            }
            Err(_) => return Err(unauthorized(call.knobs, trace)),
        };
        trace.principal = Principal::Application;
        let organization = self.choose(organizations, call.request, call.knobs)?;
        trace.organization_id = Some(organization.clone());
        subscribed(call.knobs)?;
        self.allowed(&organization, call.knobs, call.now, trace)?;
        if call.knobs.role == Role::Member && call.request.operation.writes() {
            return Err(Refusal::new(
                403,
                "You must be a workspace admin to perform this action",
            ));
        }
        Ok(organization)
    }

    /// The workspace that a scoped token opens: organization, id, name at issue.
    pub(super) fn scoped(&mut self, call: &Call<'_>, trace: &mut Trace) -> Outcome<(String, String, String)> {
        match self.bearer(call, trace)? {
            Ok(Grant::Scoped {
                organization_id,
                workspace_id,
                name_at_issue,
            }) => {
                trace.principal = Principal::Scoped;
                trace.organization_id = Some(organization_id.clone());
                trace.workspace_id = Some(workspace_id.clone());
                // The token has one organization; the header may name no other.
                self.choose(vec![organization_id.clone()], call.request, call.knobs)?;
                subscribed(call.knobs)?;
                self.allowed(&organization_id, call.knobs, call.now, trace)?;
                Ok((organization_id, workspace_id, name_at_issue))
            }
            Ok(Grant::Application { .. }) => {
                trace.principal = Principal::Application;
                Err(Refusal::new(
                    info_code(call.knobs.info_application_token),
                    "A scoped token is required",
                ))
            }
            Err(BadToken::Expired) if call.request.operation == Operation::T3 => {
                trace.principal = Principal::Invalid;
                Err(Refusal::new(
                    info_code(call.knobs.info_expired),
                    "Token has expired",
                ))
            }
            Err(_) => Err(unauthorized(call.knobs, trace)),
        }
    }

    pub(super) fn bearer(&self, call: &Call<'_>, trace: &mut Trace) -> Outcome<Result<Grant, BadToken>> {
        let Some(header) = &call.request.authorization else {
            return Err(Refusal::new(code(call.knobs.missing_bearer), "Not authenticated"));
        };
        let token = header
            .split_once(' ')
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        match token {
            Some((_, token)) => Ok(self.issuer.read(token.trim(), call.now)),
            None => Err(unauthorized(call.knobs, trace)),
        }
    }

    /// The organization that a call will be for, if that is known without refusing the call.
    pub(super) fn organization_at_arrival(&self, request: &Request, now: Timestamp) -> Option<&Organization> {
        let token = request.authorization.as_deref()?.split_once(' ')?.1;
        match self.issuer.read(token.trim(), now).ok()? {
            Grant::Application { organizations, .. } => {
                let named = request
                    .organization
                    .as_ref()
                    .filter(|named| organizations.contains(named));
                self.organization(named.or(organizations.first())?)
            }
            Grant::Scoped { .. } => None,
        }
    }

    pub(super) fn not_revoked(
        &self,
        client_id: &str,
        generation: u64,
        knobs: &Knobs,
        trace: &mut Trace,
    ) -> Outcome<()> {
        let held = self
            .credentials
            .iter()
            .find(|credential| credential.client_id == client_id);
        match (knobs.rotation, held) {
            (Rotation::Revoked, Some(credential)) if credential.generation != generation => {
                Err(unauthorized(knobs, trace))
            }
            (_, None) => Err(unauthorized(knobs, trace)),
            (Rotation::Kept | Rotation::Revoked, Some(_)) => Ok(()),
        }
    }

    /// One of the caller's organizations: the one that the header names, or the only one.
    pub(super) fn choose(&self, mine: Vec<String>, request: &Request, knobs: &Knobs) -> Outcome<String> {
        match named(request, knobs)? {
            Some(named) => {
                if mine.contains(&named) {
                    Ok(named)
                } else {
                    let status = organization_code(knobs.organization_foreign);
                    Err(Refusal::new(
                        status,
                        "You do not have access to this organization",
                    ))
                }
            }
            None => match mine.as_slice() {
                [only] => Ok(only.clone()),
                _ => Err(Refusal::new(400, AMBIGUOUS)),
            },
        }
    }

    fn allowed(
        &mut self,
        organization: &str,
        knobs: &Knobs,
        now: Timestamp,
        trace: &mut Trace,
    ) -> Outcome<()> {
        let Limit::At(limit) = knobs.rate_limit else {
            return Ok(());
        };
        let window = SignedDuration::from_secs(60);
        let recent = self.recent.entry(organization.to_owned()).or_default();
        while recent
            .front()
            .is_some_and(|call| now.duration_since(*call) >= window)
        {
            recent.pop_front();
        }
        let used = u64::try_from(recent.len()).unwrap_or(u64::MAX);
        let oldest = recent.front().copied().unwrap_or(now);
        let seconds = 1 + u64::try_from((window - now.duration_since(oldest)).as_secs()).unwrap_or(0);
        if used >= limit {
            trace.allowance = Some(Allowance {
                limit,
                left: 0,
                seconds,
            });
            return Err(Refusal::new(429, "Too many requests"));
        }
        recent.push_back(now);
        trace.allowance = Some(Allowance {
            limit,
            left: limit - used - 1,
            seconds,
        });
        Ok(())
    }
}

/// The organization that the header names.
pub(super) fn named(request: &Request, knobs: &Knobs) -> Outcome<Option<String>> {
    let Some(header) = &request.organization else {
        return Ok(None);
    };
    let named = input::uuid(header, Place::Header, "X-Organization-Id");
    named.map(Some).map_err(|refusal| Refusal {
        status: organization_code(knobs.organization_malformed),
        ..refusal
    })
}

pub(super) fn subscribed(knobs: &Knobs) -> Outcome<()> {
    let message = "This organization has no active subscription";
    match knobs.subscription {
        Subscription::Active => Ok(()),
        Subscription::Unauthorized => Err(Refusal::new(401, message)),
        Subscription::Forbidden => Err(Refusal::new(403, message)),
    }
}

fn unauthorized(knobs: &Knobs, trace: &mut Trace) -> Refusal {
    trace.principal = Principal::Invalid;
    Refusal::new(code(knobs.bad_bearer), "Invalid authentication credentials")
}

pub(super) fn code(knob: Unauthorized) -> u16 {
    match knob {
        Unauthorized::Unauthorized => 401,
        Unauthorized::Forbidden => 403,
    }
}

fn info_code(knob: InfoRefusal) -> u16 {
    match knob {
        InfoRefusal::BadRequest => 400,
        InfoRefusal::Unauthorized => 401,
        InfoRefusal::Forbidden => 403,
    }
}

fn organization_code(knob: OrganizationRefusal) -> u16 {
    match knob {
        OrganizationRefusal::BadRequest => 400,
        OrganizationRefusal::Forbidden => 403,
        OrganizationRefusal::NotFound => 404,
        OrganizationRefusal::Unprocessable => 422,
    }
}
