//! The tests that go through the real door. One binary, one file a feature.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr)]

mod answers;
mod around;
mod arrows;
mod bad_input;
mod bookshop;
mod bookshop_http;
mod bundle;
mod commands;
mod commands_attacks;
#[cfg(target_os = "linux")]
mod commands_end;
mod commands_keys;
mod commands_specs;
mod completion;
mod completions;
mod conformance;
mod content;
mod cookbook;
mod devops;
mod diagnostics;
mod diff;
mod doors;
mod eras;
mod examples;
mod explorers;
mod expose;
mod files;
mod files_attacks;
mod fixtures;
mod formats;
#[cfg(target_os = "linux")]
mod gateway;
mod graphql;
mod harness;
mod hostile;
mod http_auth;
mod http_defences;
mod http_hostile;
mod http_limits;
mod http_requests;
mod init_db;
mod init_templates;
mod install;
mod language;
mod lifecycle;
mod lists;
mod lock;
mod mysql;
mod openapi;
mod own_tests;
mod pages;
mod postgres;
mod programs;
mod prompt_files;
mod prompts;
mod published;
mod readme;
mod ready_files;
mod ready_made;
mod reload;
mod research;
mod resources;
#[cfg(target_os = "linux")]
mod sandbox;
#[cfg(target_os = "linux")]
mod sandbox_attacks;
mod soak;
mod spec_files;
mod spec_tests;
mod sql;
mod sql_changes;
mod sql_types;
mod stdio;
mod steps;
mod subscribed_files;
mod subscriptions;
mod tasks;
mod terminal;
mod tool_search;
mod tools;
mod worked_examples;
mod workflows;
