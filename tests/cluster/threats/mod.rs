//! What attackers try, on the real thing: the rows of `docs/security.md` that no other story tells.

mod flood;
mod lookalikes;
mod marks;
mod places;
mod recorder;
mod secrets;
