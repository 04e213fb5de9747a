//! What can be judged without a cluster: the command line, what is generated, pages, examples and the image.

#[path = "../support/readme.rs"]
mod page;
#[path = "../support/program.rs"]
mod program;

mod chart_values;
mod cli;
mod control_plane_tools;
mod crds;
mod examples;
mod image;
mod promises;
mod readme;
mod reference;
