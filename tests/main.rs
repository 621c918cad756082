//! Integration tests of the whole.

mod configuration;
mod conformance;
mod crash;
mod datagen;
mod demo;
mod dev;
mod docs;
mod examples;
mod front_ends;
mod functions;
mod fuzz;
mod java;
mod kafka;
mod large;
mod layers;
mod monitoring;
mod oracle;
mod plugins;
mod questions;
mod readme;
mod reference;
mod registry;
mod server;
mod specs;
mod stories;
