//! Which operator holds the Organization, where several share its namespace. Each of them uses it; one writes to it.

use crate::crd::holder::{Hold, Holder};
use crate::organization::view::View;
use crate::tenancy::holding;

/// Whether another operator holds it: nothing is written to it then.
pub fn is_left_to_another(view: &View) -> bool {
    holding::is_left_to_another(view.stored.operator.as_ref(), Hold::Firm, &view.operators)
}

/// What a status of ours says of its holder.
pub fn ours(view: &View) -> Holder {
    Holder {
        lease: view.operators.ours.clone(),
        hold: Hold::Firm,
    }
}
