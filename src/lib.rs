//! mcp-declare turns a YAML or TOML file into an MCP server.
//!
//! ```text
//! bookshop.yaml ──spec──▶ Document + places ──catalog──▶ Arc<Catalog> ──watch──▶ serve ──▶ client
//!    (text)      parse,     as written,      check,      immutable,     swap     MCP,
//!                ${env}     every error at   compile,    ready to run            2 transports
//!                           its place        connect
//! ```
//!
//! `check`, start-up and reload are one call, [`catalog::Catalog::load`]: it gives a catalog or all
//! the diagnostics. A request clones the `Arc` once and finishes on that catalog.
//!
//! Arrows go one way: `main → cli → {reload, serve} → catalog → action → {template, uri, schema,
//! outcome, sandbox} → spec`. An action knows neither the catalog nor the server nor a sibling. rmcp's service and
//! transport types stay in [`serve`], and in [`action::mcp`], where we are the client; its `model` types are plain data
//! in [`catalog`].
//! `tests/arrows.rs` holds the code to this.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod action;
pub mod catalog;
pub mod cli;
pub mod openapi;
pub mod outcome;
pub mod reload;
pub mod sandbox;
pub mod schema;
pub mod serve;
pub mod spec;
pub mod template;
pub mod uri;
