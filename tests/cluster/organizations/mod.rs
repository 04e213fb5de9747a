//! Organizations: where they are read from, what becomes of broken credentials and a broken API, and that waiting is quiet.

mod credentials;
mod life;
mod outages;
