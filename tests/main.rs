//! The tests that go through the real door. One binary, one file a feature.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr)]

mod answers;
mod arrows;
mod bad_input;
mod bookshop;
mod bookshop_http;
mod commands;
#[cfg(target_os = "linux")]
mod commands_end;
mod commands_keys;
mod commands_specs;
mod completion;
mod conformance;
mod content;
mod cookbook;
mod diagnostics;
mod diff;
mod doors;
mod eras;
mod examples;
mod explorers;
mod expose;
mod files;
mod formats;
mod harness;
mod hostile;
mod http_auth;
mod http_defences;
mod http_limits;
mod http_requests;
mod init_db;
mod lifecycle;
mod lists;
mod mysql;
mod openapi;
mod pages;
mod postgres;
mod prompts;
mod readme;
mod ready_files;
mod ready_made;
mod reload;
mod resources;
#[cfg(target_os = "linux")]
mod sandbox;
mod soak;
mod spec_files;
mod sql;
mod sql_types;
mod stdio;
mod steps;
mod subscriptions;
mod tasks;
mod tools;
