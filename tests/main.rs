//! Integration tests of the whole.

mod allocations;
mod book;
mod configuration;
mod conformance;
mod crash;
mod datagen;
mod demo;
mod dependencies;
mod dev;
mod docs;
mod examples;
mod front_ends;
mod functions;
mod fuzz;
mod http_server;
mod java;
mod kafka;
mod large;
mod layers;
mod migrations;
mod monitoring;
mod oracle;
mod packaging;
mod plugins;
mod questions;
mod readme;
mod reference;
mod registry;
mod server;
mod shell;
mod specs;
mod stories;
mod tutorial;

#[global_allocator]
static ALLOCATOR: allocations::Counting = allocations::Counting;
