//! C1 and C2: as much of connectors as tells whether a workspace is empty.

use serde_json::{Value, json};

use super::refusal::{Outcome, Place, Refusal, Validation};
use super::tokens::Grant;
use super::workspaces::time;
use super::{Call, Trace, World, input};
use crate::emulator::api::organization::{Organization, Workspace};

/// The parameters that name a workspace by name; the latter two are deprecated.
const BY_NAME: [&str; 3] = ["workspace_name", "customer_name", "external_user_id"];

/// All connectors of the emulator are of this definition.
const DEFINITION: &str = "5e6175e5-68e1-4c17-bff9-56103bbb0d80";
const DEFINITION_NAME: &str = "GitHub";

impl World {
    pub(super) fn connectors(&mut self, call: &Call<'_>, trace: &mut Trace) -> Outcome<(u16, Value)> {
        let (organization, own) = self.either(call, trace)?;
        let organization = self
            .organization(&organization)
            .ok_or_else(|| Refusal::new(404, "Organization not found"))?;
        let query = &call.request.query;
        let mut validation = Validation::default();
        let id = validation.take(input::uuid_parameter(query, "workspace_id"));
        let definition = validation.take(input::uuid_parameter(query, "definition_id"));
        let (Some(id), Some(definition)) = (id, definition) else {
            return Err(validation.refusal());
        };
        let workspace = keyed(organization, id, query)?;
        if own.is_some_and(|own| own != workspace.row.id) {
            return Err(Refusal::new(403, "Token is scoped to another workspace"));
        }
        trace.workspace_id = Some(workspace.row.id.clone());
        let data: Vec<Value> = workspace
            .connectors
            .iter()
            .filter(|_| definition.as_deref().is_none_or(|wanted| wanted == DEFINITION))
            .map(|connector| {
                json!({
                    "id": connector.id,
                    "name": connector.name,
                    "summarized_source_template": {
                        "id": connector.id,
                        "name": connector.name,
                        "icon": null,
                        "actor_definition_id": DEFINITION,
                    },
                    "created_at": time(workspace.row.created_at, call.knobs),
                    "updated_at": time(workspace.row.updated_at, call.knobs),
                })
            })
            .collect();
        Ok((200, json!({"data": data})))
    }

    /// What connectors can be made of: the one definition that all connectors of the emulator have.
    pub(super) fn definitions(&mut self, call: &Call<'_>, trace: &mut Trace) -> Outcome<(u16, Value)> {
        self.either(call, trace)?;
        let part = input::parameter(&call.request.query, "name").unwrap_or_default();
        let data: Vec<Value> = [DEFINITION_NAME]
            .into_iter()
            .filter(|name| name.to_lowercase().contains(&part.to_lowercase()))
            .map(|name| {
                json!({"sourceDefinitionId": DEFINITION, "name": name, "iconUrl": null, "supportLevel": "certified"})
            })
            .collect();
        Ok((200, json!({"definitions": data})))
    }

    pub(super) fn delete_connector(&mut self, call: &Call<'_>, trace: &mut Trace) -> Outcome<(u16, Value)> {
        let (organization, own) = self.either(call, trace)?;
        let id = input::path_id(call.request, "id")?;
        let job_id = self.next_id();
        let workspaces = self
            .organization_mut(&organization)
            .map(|o| o.workspaces.as_mut_slice())
            .unwrap_or_default();
        let holder = workspaces
            .iter_mut()
            .find(|w| w.connectors.iter().any(|connector| connector.id == id));
        let holder = holder.filter(|w| own.is_none_or(|own| own == w.row.id));
        let holder = holder.ok_or_else(|| Refusal::new(404, "Connector not found"))?;
        trace.workspace_id = Some(holder.row.id.clone());
        holder.connectors.retain(|connector| connector.id != id);
        Ok((202, json!({"job_id": job_id})))
    }

    /// Accepts either kind of token; a scoped one opens its own workspace only.
    fn either(&mut self, call: &Call<'_>, trace: &mut Trace) -> Outcome<(String, Option<String>)> {
        let token = call
            .request
            .authorization
            .as_deref()
            .and_then(|header| header.split_once(' '))
            .map(|(_, token)| token);
        match token.map(|token| self.issuer.read(token, call.now)) {
            Some(Ok(Grant::Scoped { .. })) => {
                let (organization, workspace, _) = self.scoped(call, trace)?;
                Ok((organization, Some(workspace)))
            }
            _ => Ok((self.application(call, trace)?, None)), // refuses what is no token at all
        }
    }
}

fn keyed<'a>(
    organization: &'a Organization,
    id: Option<String>,
    query: &[(String, String)],
) -> Outcome<&'a Workspace> {
    if let Some(id) = id {
        return organization
            .find(&id)
            .filter(|workspace| workspace.is_live())
            .ok_or_else(|| Refusal::new(404, format!("Workspace not found for workspace_id '{id}'")));
    }
    let name = BY_NAME
        .into_iter()
        .find_map(|field| input::parameter(query, field));
    let name = name.ok_or_else(|| {
        Refusal::invalid(
            Place::Query,
            "workspace_id",
            "missing",
            "workspace_id or workspace_name is required",
        )
    })?;
    organization
        .workspaces
        .iter()
        .find(|workspace| workspace.is_live() && workspace.row.name == name)
        .ok_or_else(|| Refusal::new(404, format!("Workspace not found for workspace_name '{name}'")))
}
