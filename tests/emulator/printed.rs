//! The commands of the API's documentation, as it prints them. Only the host and what stands in angle brackets are replaced. They are
//! read here as a shell and curl read them: no test needs curl.

use agent_engine_operator::emulator::DEFAULT_ORGANIZATION;
use reqwest::Method;
use serde_json::{Value, json};

use crate::rig::{Reply, Rig, rig};

const HOSTS: [&str; 2] = ["https://api.airbyte.ai", "https://cloud.airbyte.com"];

const EXCHANGE: &str = r#"curl -X POST https://api.airbyte.ai/api/v1/account/applications/token \
  -H 'Content-Type: application/json' \
  -d '{
    "client_id": "<your_client_id>",
    "client_secret": "<your_client_secret>"
  }'"#;
const EXCHANGE_AT_CLOUD: &str = r#"curl --location 'https://cloud.airbyte.com/api/v1/applications/token' \
  --header 'Content-Type: application/json' \
  --data '{
    "client_id": "<your_client_id>",
    "client_secret": "<your_client_secret>"
  }'"#;
/// The ways to a scoped token, newest first, each with the name that it is for.
const ISSUES: [(&str, &str); 6] = [
    (
        r#"curl -X POST https://api.airbyte.ai/api/v1/account/applications/scoped-token \
  -H 'Authorization: Bearer <your_application_token>' \
  -H 'Content-Type: application/json' \
  -d '{
    "workspace_name": "default"
  }'"#,
        "default",
    ),
    (
        r#"curl -X POST https://api.airbyte.ai/api/v1/account/applications/scoped-token \
  -H 'Authorization: Bearer <your_operator_token>' \
  -H 'Content-Type: application/json' \
  -d '{
    "workspace_name": "acme_corp"
  }'"#,
        "acme_corp",
    ),
    (
        r#"curl -X POST https://api.airbyte.ai/api/v1/embedded/scoped-token \
  -H 'Authorization: Bearer <your_operator_token>' \
  -H 'Content-Type: application/json' \
  -d '{
    "workspace_name": "customer_acme_corp"
  }'"#,
        "customer_acme_corp",
    ),
    (
        r#"curl -X POST https://api.airbyte.ai/api/v1/embedded/scoped-token \
  -H 'Authorization: Bearer <your_operator_token>' \
  -H 'Content-Type: application/json' \
  -d '{
    "workspace_name": "customer_workspace_123"
  }'"#,
        "customer_workspace_123",
    ),
    (
        r#"curl --location 'https://api.airbyte.ai/api/v1/embedded/scoped-token' \
  --header 'Content-Type: application/json' \
  --header 'Authorization: Bearer <your_access_token>' \
  --header 'X-Organization-Id: <your_organization_id>' \
  --data '{
    "workspace_name": "your_workspace_name",
    "region_id": "optional_region_id"
  }'"#,
        "your_workspace_name",
    ),
    (
        r#"curl --location 'https://api.airbyte.ai/api/v1/embedded/scoped-token' \
  --header 'Content-Type: application/json' \
  --header 'Authorization: Bearer <APPLICATION_TOKEN>' \
  --data '{
    "workspace_name": "<your_workspace_name>"
  }'"#,
        "tenant-1",
    ),
];
const INFOS: [&str; 2] = [
    r"curl https://api.airbyte.ai/api/v1/account/applications/scoped-token/info \
  -H 'Authorization: Bearer <scoped_token>'",
    r"curl https://api.airbyte.ai/api/v1/embedded/scoped-token/info \
  -H 'Authorization: Bearer <scoped_token>'",
];
const WIDGET: &str = r#"curl -X POST https://api.airbyte.ai/api/v1/embedded/widget-token \
  -H 'Authorization: Bearer <your_operator_token>' \
  -H 'Content-Type: application/json' \
  -d '{
    "workspace_name": "customer_workspace_123",
    "allowed_origin": "https://yourapp.com"
  }'"#;
const LIST: &str = r"curl https://api.airbyte.ai/api/v1/workspaces \
  -H 'Authorization: Bearer <your_operator_token>'";
const FILTERED: &str = r"curl 'https://api.airbyte.ai/api/v1/workspaces?name_contains=acme&status=active' \
  -H 'Authorization: Bearer <your_operator_token>'";
const READ: &str = r"curl https://api.airbyte.ai/api/v1/workspaces/<workspace_id> \
  -H 'Authorization: Bearer <your_operator_token>'";
const UPDATE: &str = r#"curl -X PUT https://api.airbyte.ai/api/v1/workspaces/<workspace_id> \
  -H 'Authorization: Bearer <your_operator_token>' \
  -H 'Content-Type: application/json' \
  -d '{
    "name": "Acme Corp - Enterprise",
    "status": "active"
  }'"#;
const DELETE: &str = r"curl -X DELETE https://api.airbyte.ai/api/v1/workspaces/<workspace_id> \
  -H 'Authorization: Bearer <your_operator_token>'";
const DEFINITIONS: [&str; 2] = [
    r"curl https://api.airbyte.ai/api/v1/integrations/definitions/sources \
  -H 'Authorization: Bearer <your_operator_token>'",
    r"curl 'https://api.airbyte.ai/api/v1/integrations/definitions/sources?name=github' \
  -H 'Authorization: Bearer <your_operator_token>'",
];

/// Words as a shell splits them: single quotes, and a backslash that continues the line.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    let mut characters = command.chars();
    while let Some(c) = characters.next() {
        let word = words.last_mut().unwrap();
        match c {
            '\'' => quoted = !quoted,
            '\\' if !quoted => assert_eq!(
                characters.next(),
                Some('\n'),
                "a backslash that escapes nothing else"
            ),
            ' ' if !quoted => words.push(String::new()),
            '\n' if !quoted => panic!("the command ends in the middle: {command}"),
            _ => word.push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The request that curl makes of these words.
struct Typed {
    method: Method,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<String>,
}

fn typed(command: &str) -> Typed {
    let mut words = words(command).into_iter();
    assert_eq!(words.next().as_deref(), Some("curl"));
    let (mut method, mut url, mut headers, mut body) = (None, None, Vec::new(), None);
    while let Some(word) = words.next() {
        let mut next = || words.next().unwrap();
        match word.as_str() {
            "-X" => method = Some(next()),
            "-H" | "--header" => {
                let header = next();
                let (name, value) = header.split_once(": ").unwrap();
                headers.push((name.to_owned(), value.to_owned()));
            }
            "-d" | "--data" => body = Some(next()),
            "--location" => {} // follows redirects, of which there are none here
            _ => url = Some(word),
        }
    }
    let url = url.unwrap();
    let path = HOSTS
        .iter()
        .find_map(|host| url.strip_prefix(host))
        .unwrap()
        .to_owned();
    let typed = headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    if body.is_some() && !typed {
        headers.push(("Content-Type".into(), "application/x-www-form-urlencoded".into()));
    }
    let method = method.unwrap_or_else(|| if body.is_some() { "POST" } else { "GET" }.to_owned());
    Typed {
        method: method.parse().unwrap(),
        path,
        headers,
        body,
    }
}

/// What stands in angle brackets, as it is known by now.
struct Reader<'a> {
    rig: &'a Rig,
    application: String,
    scoped: String,
    workspace: String,
}

impl Reader<'_> {
    /// Types a command; the answer is judged against the documented shapes.
    async fn types(&self, command: &str) -> Reply {
        let mut command = command.to_owned();
        for (placeholder, value) in [
            ("<your_client_id>", "emulated-client"),
            ("<your_client_secret>", "emulated-secret"),
            ("<your_organization_id>", DEFAULT_ORGANIZATION),
            ("optional_region_id", "645a183f-b12b-4c6e-8ad3-99e165603450"),
            ("<your_workspace_name>", "tenant-1"),
            ("<your_application_token>", &self.application),
            ("<your_operator_token>", &self.application),
            ("<your_access_token>", &self.application),
            ("<APPLICATION_TOKEN>", &self.application),
            ("<scoped_token>", &self.scoped),
            ("<workspace_id>", &self.workspace),
        ] {
            command = command.replace(placeholder, value);
        }
        assert!(!command.contains('<'), "{command}");
        let Typed {
            method,
            path,
            headers,
            body,
        } = typed(&command);
        let headers: Vec<(&str, &str)> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let reply = self.rig.send_text(method, &path, &headers, body).await;
        assert_eq!(reply.status, 200, "{command}: {}", reply.body);
        reply
    }
}

#[tokio::test]
async fn the_printed_commands_work_one_after_another() {
    let rig = rig().await;
    let mut reader = Reader {
        rig: &rig,
        application: String::new(),
        scoped: String::new(),
        workspace: String::new(),
    };
    for exchange in [EXCHANGE_AT_CLOUD, EXCHANGE] {
        reader.application = reader.types(exchange).await.text("access_token");
        reader.types(LIST).await;
    }
    for (issue, name) in ISSUES {
        reader.scoped = reader.types(issue).await.text("token");
        for info in INFOS {
            reader.workspace = reader.types(info).await.text("workspace_id");
        }
        assert_eq!(reader.types(READ).await.text("name"), name);
    }
    reader.types(WIDGET).await;
    let mut names = reader.types(LIST).await.names();
    names.sort();
    let mut expected: Vec<&str> = ISSUES.iter().map(|(_, name)| *name).collect();
    expected.sort_unstable();
    assert_eq!(
        names, expected,
        "each is one workspace, whichever family it was made by"
    );
    let acme = reader.types(FILTERED).await;
    assert_eq!(acme.names().len(), 2);
    reader.workspace = acme.body["data"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(reader.types(UPDATE).await.text("name"), "Acme Corp - Enterprise");
    assert_eq!(reader.types(DELETE).await.text("id"), reader.workspace);
    assert_eq!(reader.types(FILTERED).await.names().len(), 1);
    for definitions in DEFINITIONS {
        let found = reader.types(definitions).await.body;
        assert_eq!(found["definitions"][0]["name"], "GitHub");
    }
}

#[test]
fn a_command_is_read_as_a_shell_reads_it() {
    assert_eq!(
        words("curl -X PUT 'a b' \\\n  -d '{\n  \"x\": 1}'"),
        ["curl", "-X", "PUT", "a b", "-d", "{\n  \"x\": 1}"]
    );
    let Typed {
        method,
        path,
        headers,
        body,
    } = typed("curl https://api.airbyte.ai/x?y=1 -d '{}'");
    let form = (
        "Content-Type".to_owned(),
        "application/x-www-form-urlencoded".to_owned(),
    );
    assert_eq!(
        (method, path.as_str(), headers),
        (Method::POST, "/x?y=1", vec![form])
    );
    assert_eq!(serde_json::from_str::<Value>(&body.unwrap()).unwrap(), json!({}));
}
