//! What can be judged without a cluster: the command line, what is generated, pages, examples and the image.

#[path = "../support/readme.rs"]
mod page;

mod chart_values;
mod cli;
mod crds;
mod examples;
mod image;
mod promises;
mod readme;
mod reference;
mod rooms;
mod tools_build;
mod words;
