//! The emulator, seen as its users see it: over HTTP, each answer held against the shapes that the API documents.

mod access;
mod beside;
mod binary;
mod calls;
mod control;
mod faults;
mod fidelity;
mod holds;
mod knobs;
mod paths;
mod printed;
mod rig;
mod shapes;
mod validation;
