//! The story, in order.

mod change;
mod crash;
mod create;
mod delete;
mod token;

use crate::{
    screen::{Failed, Screen},
    stage::Stage,
};

pub async fn all(stage: &mut Stage, screen: &mut Screen) -> Result<(), Failed> {
    screen
        .step(
            "A credential Secret and an Organization are applied: the credential is verified",
            create::organization(stage),
        )
        .await?;
    screen
        .step(
            "Workspaces are applied: they exist at Agent Engine, once",
            create::workspaces(stage),
        )
        .await?;
    let first = stage.token("globex").await;
    screen
        .step(
            "The token in its Secret opens the workspace, and no other",
            token::used(stage),
        )
        .await?;
    screen
        .step("A rename: same workspace, new name", change::rename(stage))
        .await?;
    screen
        .step(
            "Inactive: no token for anybody. Active again: a new one",
            change::inactive_and_active(stage),
        )
        .await?;
    screen
        .step(
            "Somebody renames it behind the operator's back: corrected",
            change::behind_the_back(stage),
        )
        .await?;
    screen
        .step(
            "A token is renewed well before it ends",
            token::renewed(stage, &first),
        )
        .await?;
    screen
        .step(
            "The operator is killed in the middle of a creation: no twin, no orphan",
            crash::killed_while_creating(stage),
        )
        .await?;
    screen
        .step(
            "A Workspace is deleted: gone at Agent Engine, and its Secret with it",
            delete::deleted(stage),
        )
        .await
}
