//! The tests that go through the real door. One binary, one file a feature.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr)]

mod arrows;
mod bookshop;
mod eras;
mod harness;
mod lifecycle;
mod prompts;
mod reload;
mod resources;
mod tools;
