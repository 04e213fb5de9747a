//! X1 to X4: calls that are in no public document. Published clients make them before or beside the public ones, so they are answered
//! as far as those clients read the answer.

use serde_json::{Value, json};

use super::organization::Workspace;
use super::refusal::{Outcome, Place, Refusal};
use super::tokens::Grant;
use super::{Call, Principal, Trace, World, access, input};

impl World {
    /// Without `X-Organization-Id` it is about the first of the caller's organizations.
    pub(super) fn enrollment(&mut self, call: &Call<'_>, trace: &mut Trace) -> Outcome<(u16, Value)> {
        let (_, mut mine) = self.caller(call, trace)?;
        if call.request.organization.is_none() {
            mine.truncate(1);
        }
        let organization = self.choose(mine, call.request, call.knobs)?;
        let answer = json!({
            "is_new_user": false,
            "is_enrolled": true,
            "is_instance_admin": false,
            "organization_id": organization,
            "organization_name": name(&organization),
        });
        Ok((200, answer))
    }

    pub(super) fn my_organizations(&mut self, call: &Call<'_>, trace: &mut Trace) -> Outcome<(u16, Value)> {
        let (_, mine) = self.caller(call, trace)?;
        let mine: Vec<Value> = mine
            .iter()
            .map(|id| json!({"id": id, "organization_name": name(id)}))
            .collect();
        Ok((200, json!({"organizations": mine, "is_instance_admin": false})))
    }

    /// The pair that the caller's token came from; asking again changes nothing.
    pub(super) fn my_credentials(&mut self, call: &Call<'_>, trace: &mut Trace) -> Outcome<(u16, Value)> {
        let (client_id, mine) = self.caller(call, trace)?;
        self.choose(mine, call.request, call.knobs)?;
        let held = self.credentials.iter().find(|held| held.client_id == client_id);
        let held = held.ok_or_else(|| Refusal::new(404, "Application not found"))?;
        let answer = json!({
            "id": held.client_id,
            "name": held.client_id,
            "client_id": held.client_id,
            "client_secret": held.client_secret,
        });
        Ok((200, answer))
    }

    /// The emulator has none.
    pub(super) fn workflows(&mut self, call: &Call<'_>, trace: &mut Trace) -> Outcome<(u16, Value)> {
        let organization = self.application(call, trace)?;
        let id = input::uuid_parameter(&call.request.query, "workspace_id")?;
        let id =
            id.ok_or_else(|| Refusal::invalid(Place::Query, "workspace_id", "missing", "Field required"))?;
        let known = self
            .organization(&organization)
            .and_then(|organization| organization.find(&id))
            .is_some_and(Workspace::is_live);
        if !known {
            return Err(Refusal::new(404, "Workspace not found"));
        }
        trace.workspace_id = Some(id);
        Ok((200, json!({"data": []})))
    }

    /// Client id and organizations of an application token.
    fn caller(&self, call: &Call<'_>, trace: &mut Trace) -> Outcome<(String, Vec<String>)> {
        match self.bearer(call, trace)? {
            Ok(Grant::Application {
                client_id,
                generation,
                organizations,
            }) => {
                self.not_revoked(&client_id, generation, call.knobs, trace)?;
                trace.principal = Principal::Application;
                access::subscribed(call.knobs)?;
                Ok((client_id, organizations))
            }
            Ok(Grant::Scoped { .. }) | Err(_) => {
                trace.principal = Principal::Invalid;
                Err(Refusal::new(401, "Invalid authentication credentials"))
            }
        }
    }
}

fn name(organization: &str) -> String {
    format!("Organization {organization}")
}
