//! Which operator holds the object, where several watch it.

use crate::crd::holder::{Hold, Holder};
use crate::lifecycle::facts::OrganizationFacts;
use crate::lifecycle::judge::organization;
use crate::lifecycle::view::View;
use crate::tenancy::holding;

/// Whether another operator holds the object. Nothing is done for it then, its deletion included.
pub fn is_left_to_another(view: &View) -> bool {
    holding::is_left_to_another(view.stored.operator.as_ref(), hold(view), &view.operators)
}

/// What a status of ours says of its holder.
pub fn ours(view: &View) -> Holder {
    Holder {
        lease: view.operators.ours.clone(),
        hold: hold(view),
    }
}

/// Whether the stored status names us.
pub fn is_ours(view: &View) -> bool {
    let stored = view.stored.operator.as_ref();
    stored.is_some_and(|holder| holder.lease == view.operators.ours)
}

/// Whether the stored status names us, and says as firmly as we hold it.
pub fn is_told(view: &View) -> bool {
    view.stored.operator.as_ref() == Some(&ours(view))
}

/// Whether the stored status names an operator other than us, alive or not.
pub fn is_of_another(view: &View) -> bool {
    view.stored.operator.is_some() && !is_ours(view)
}

/// The Organization is there, and is that of the workspace that is recorded, or being created.
fn hold(view: &View) -> Hold {
    let OrganizationFacts::Readable(_) = &view.organization else {
        return Hold::Provisional;
    };
    let recorded = view.record().map(|record| record.organization_id);
    let bound = recorded.or_else(|| view.intent().map(|intent| intent.organization_id.clone()));
    match bound.and_then(|bound| organization::mismatch(view, &bound)) {
        Some(_) => Hold::Provisional,
        None => Hold::Firm,
    }
}
