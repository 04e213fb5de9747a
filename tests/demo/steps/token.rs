//! What tokens are for, and how they stay good.

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    kubectl::{Shown, kubectl},
    stage::{Stage, TENANT, Token},
    support::{LONG, eventually},
};

/// Prints the Secret with all but the token.
const REDACTED: &str = "go-template={{range $key, $value := .data}}{{$key}}: \
    {{if eq $key \"token\"}}(redacted){{else}}{{base64decode $value}}{{end}}{{\"\\n\"}}{{end}}";

pub async fn used(stage: &Stage) -> Vec<Shown> {
    let secret = kubectl(
        &stage.cluster,
        &["get", "secret", "acme-token", "-n", TENANT, "-o", REDACTED],
    )
    .await;
    let token = stage.token("acme").await;
    let asked = ask(stage, &token).await;
    let remote = stage.remote_named(&format!("{TENANT}/acme")).await;
    assert_eq!(
        token.workspace_id, remote[0]["id"],
        "the Secret names another workspace"
    );
    vec![secret, asked]
}

pub async fn renewed(stage: &Stage, first: &Token) -> Vec<Shown> {
    let now = eventually("the token of globex to be replaced", LONG, || async {
        let now = stage.token("globex").await;
        if now.token == first.token {
            Err("the first token")
        } else {
            Ok(now)
        }
    })
    .await;
    let journal = stage.emulator.journal(0).await;
    let name = format!("{TENANT}/globex");
    let entries = journal["entries"].as_array().expect("entries");
    let issues: Vec<_> = entries
        .iter()
        .filter(|entry| entry["operation"] == "T2" && entry["body"]["workspace_name"] == name.as_str())
        .collect();
    assert_eq!(issues.len(), 2, "issues for globex: one creates, one renews");
    let issued: Timestamp = issues[1]["at"].as_str().expect("a time").parse().expect("a time");
    assert!(
        issued < first.expires_at && first.expires_at < now.expires_at,
        "the first token ended at {}, and its successor was issued at {issued}",
        first.expires_at
    );
    let times = Shown::Note(format!(
        "the first is good until {:.0}; its successor came at {issued:.0} and is good until {:.0}",
        first.expires_at, now.expires_at
    ));
    vec![times, ask(stage, &now).await]
}

/// A workload's call of Agent Engine with the token.
async fn ask(stage: &Stage, token: &Token) -> Shown {
    const PATH: &str = "/api/v1/account/applications/scoped-token/info";
    let request = stage
        .http
        .get(format!("{}{PATH}", stage.emulator.url()))
        .bearer_auth(&token.token);
    let answer = request.send().await.expect("Agent Engine answers");
    assert!(
        answer.status().is_success(),
        "Agent Engine answers {}",
        answer.status()
    );
    let answer: Value = serde_json::from_str(&answer.text().await.expect("text")).expect("JSON");
    assert_eq!(
        answer["workspace_id"], token.workspace_id,
        "the token opens another workspace"
    );
    Shown::Typed {
        command: format!("curl -H \"Authorization: Bearer $token\" $api_url{PATH}"),
        output: answer.to_string(),
    }
}
