//! The tests that go through the real door. One binary, one file a feature.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr)]

mod arrows;
mod bad_input;
mod bookshop;
mod bookshop_http;
mod commands;
mod completion;
mod conformance;
mod content;
mod diagnostics;
mod doors;
mod eras;
mod examples;
mod harness;
mod hostile;
mod lifecycle;
mod lists;
mod prompts;
mod readme;
mod reload;
mod resources;
mod spec_files;
mod stdio;
mod steps;
mod subscriptions;
mod tools;
