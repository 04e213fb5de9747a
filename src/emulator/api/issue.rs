//! T1 to T4: application token, scoped token (which creates), what a scoped token opens, widget token.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::refusal::{Outcome, Refusal, Validation};
use super::tokens::{Grant, Style};
use super::{Call, Tampering, Trace, World, access, input, names};
use crate::emulator::api::organization::Status;
use crate::emulator::knobs::{
    InfoName, Knobs, Limit, T1Organization, T1Refusal, TokenAfterDelete, TokenAfterInactive, TokenAfterRename,
};
use crate::emulator::operation::Family;

/// Members of T4 that choose among templates, of which the emulator has none.
const TEMPLATE_TAGS: [(&str, &str); 2] = [
    (
        "selected_source_template_tags",
        "selected_source_template_tags_mode",
    ),
    (
        "selected_connection_template_tags",
        "selected_connection_template_tags_mode",
    ),
];

/// The workspace that T2 or T4 is asked for.
struct Wanted {
    name: String,
    region: Option<String>,
}

impl Wanted {
    fn read(body: &Map<String, Value>, knobs: &Knobs) -> Outcome<Self> {
        let mut validation = Validation::default();
        let name = validation.take(names::read(body, "workspace_name", knobs));
        let region = validation.take(input::optional_uuid(body, "region_id"));
        match (name, region) {
            (Some(name), Some(region)) => Ok(Self { name, region }),
            _ => Err(validation.refusal()),
        }
    }
}

impl World {
    pub(super) fn application_token(&mut self, call: &Call<'_>, trace: &mut Trace) -> Outcome<(u16, Value)> {
        // Airbyte Cloud knows no organization here: one token is for all of them.
        let cloud = call.request.family == Family::Cloud;
        if !cloud {
            access::named(call.request, call.knobs)?;
        }
        let body = input::object(&call.request.body)?;
        let mut validation = Validation::default();
        let client_id = validation.take(input::string(&body, "client_id"));
        let client_secret = validation.take(input::string(&body, "client_secret"));
        let (Some(client_id), Some(client_secret)) = (client_id, client_secret) else {
            return Err(validation.refusal());
        };
        let credential = self
            .credentials
            .iter()
            .find(|held| held.client_id == client_id && held.client_secret == client_secret)
            .cloned()
            .ok_or_else(|| {
                let status = match call.knobs.t1_refusal {
                    T1Refusal::BadRequest => 400,
                    T1Refusal::Unauthorized => 401,
                    T1Refusal::Forbidden => 403,
                };
                Refusal::new(status, "Invalid client credentials")
            })?;
        let organization = if cloud {
            None
        } else {
            Some(self.choose(credential.organizations.clone(), call.request, call.knobs)?)
        };
        trace.organization_id.clone_from(&organization);
        let seconds = match call.request.tampering {
            Tampering::Lifetime(seconds) => seconds,
            Tampering::None | Tampering::TokenOf(_) => seconds(call.knobs.expires_in.0),
        };
        let grant = Grant::Application {
            client_id,
            generation: credential.generation,
            organizations: match &organization {
                Some(one) => vec![one.clone()],
                None => credential.organizations,
            },
        };
        let token = self.issue(grant, call.now, seconds, call.knobs);
        let said = match call.knobs.expires_in_said {
            Limit::None => json!(seconds.max(0)),
            Limit::At(other) => json!(other),
        };
        let mut answer = json!({"access_token": token, "token_type": "bearer", "expires_in": said});
        match (organization, call.knobs.t1_organization) {
            (Some(one), T1Organization::Present) => answer["organization_id"] = json!(one),
            (Some(_), T1Organization::Null) => answer["organization_id"] = Value::Null,
            (None, _) | (_, T1Organization::Absent) => {}
        }
        Ok((200, answer))
    }

    pub(super) fn scoped_token(&mut self, call: &Call<'_>, trace: &mut Trace) -> Outcome<(u16, Value)> {
        let organization = self.application(call, trace)?;
        let body = input::object(&call.request.body)?;
        let wanted = Wanted::read(&body, call.knobs)?;
        let token = self.token_for(&organization, wanted, call, trace)?;
        Ok((200, json!({"token": token})))
    }

    pub(super) fn widget_token(&mut self, call: &Call<'_>, trace: &mut Trace) -> Outcome<(u16, Value)> {
        let organization = self.application(call, trace)?;
        let body = input::object(&call.request.body)?;
        let mut validation = Validation::default();
        let wanted = validation.take(Wanted::read(&body, call.knobs));
        let origin = validation.take(input::string(&body, "allowed_origin"));
        for (tags, mode) in TEMPLATE_TAGS {
            validation.take(input::optional_strings(&body, tags));
            validation.take(input::optional_word(&body, mode, ["any", "all"]));
        }
        let (Some(wanted), Some(origin), true) = (wanted, origin, validation.is_empty()) else {
            return Err(validation.refusal());
        };
        let token = self.token_for(&organization, wanted, call, trace)?;
        let id = trace.workspace_id.clone().unwrap_or_default();
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("workspaceId", &id)
            .append_pair("allowedOrigin", &origin)
            .finish();
        let bundle =
            json!({"token": token, "widgetUrl": format!("{}/embedded-widget?{query}", call.request.origin)});
        Ok((200, json!({"token": STANDARD.encode(bundle.to_string())})))
    }

    fn token_for(
        &mut self,
        organization: &str,
        Wanted { name, region }: Wanted,
        call: &Call<'_>,
        trace: &mut Trace,
    ) -> Outcome<String> {
        let id = self.get_or_create(organization, &name, region, call, trace)?;
        trace.workspace_id = Some(id.clone());
        let id = match &call.request.tampering {
            Tampering::TokenOf(other) => other.clone(),
            Tampering::None | Tampering::Lifetime(_) => id,
        };
        let seconds = match call.request.tampering {
            Tampering::Lifetime(seconds) => seconds,
            Tampering::None | Tampering::TokenOf(_) => seconds(call.knobs.scoped_ttl.0),
        };
        let name_at_issue = self
            .organizations
            .iter()
            .find_map(|organization| organization.find(&id))
            .map(|workspace| workspace.row.name.clone())
            .unwrap_or_default();
        let grant = Grant::Scoped {
            organization_id: organization.to_owned(),
            workspace_id: id,
            name_at_issue,
        };
        Ok(self.issue(grant, call.now, seconds, call.knobs))
    }

    fn issue(&mut self, grant: Grant, now: Timestamp, seconds: i64, knobs: &Knobs) -> String {
        let jti = self.next_id();
        self.issuer.issue(
            grant,
            now,
            seconds,
            jti,
            Style {
                form: knobs.token_form,
                exp: knobs.exp_claim,
            },
        )
    }

    pub(super) fn token_info(&mut self, call: &Call<'_>, trace: &mut Trace) -> Outcome<(u16, Value)> {
        let (organization, id, name_at_issue) = self.scoped(call, trace)?;
        let found = self
            .organizations
            .iter()
            .find_map(|organization| organization.find(&id));
        let deleted = match call.knobs.scoped_after_delete {
            TokenAfterDelete::Valid => None,
            TokenAfterDelete::Unauthorized => Some(401),
            TokenAfterDelete::Forbidden => Some(403),
            TokenAfterDelete::NotFound => Some(404),
        };
        let name = match found {
            Some(workspace) => {
                if let (true, Some(status)) = (workspace.row.tombstone, deleted) {
                    return Err(Refusal::new(status, "Workspace not found"));
                }
                let inactive = workspace.row.status == Status::Inactive;
                if inactive && call.knobs.scoped_after_inactive == TokenAfterInactive::Forbidden {
                    return Err(Refusal::new(403, "Workspace is inactive"));
                }
                let renamed = workspace.row.name != name_at_issue;
                if renamed && call.knobs.scoped_after_rename == TokenAfterRename::Unauthorized {
                    return Err(Refusal::new(401, "Invalid authentication credentials"));
                }
                match call.knobs.info_name {
                    InfoName::Current => workspace.row.name.clone(),
                    InfoName::AtMint => name_at_issue,
                }
            }
            None => match deleted {
                Some(status) => return Err(Refusal::new(status, "Workspace not found")),
                None => name_at_issue,
            },
        };
        Ok((
            200,
            match call.request.family {
                Family::Current | Family::Cloud => {
                    json!({"organization_id": organization, "workspace_id": id, "workspace_name": name})
                }
                Family::Legacy => json!({"organization_id": organization, "workspace_id": id}),
            },
        ))
    }
}

fn seconds(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
