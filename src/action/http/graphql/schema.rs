//! A GraphQL schema, read from its definition language.

use std::sync::Arc;
use std::time::Duration;

use apollo_compiler::Schema;
use apollo_compiler::parser::Parser;
use apollo_compiler::validation::Valid;

use super::faults::{Names, faults};
use crate::spec::Fault;

/// Bytes that the text of a schema may have.
pub const MAX_BYTES: usize = 16 << 20;
/// Words and signs that it may have.
const MAX_TOKENS: usize = 4_000_000;
/// How deep its texts may be nested.
const MAX_DEPTH: usize = 64;
/// How long reading one may take.
const TIME: Duration = Duration::from_secs(30);

/// Reads a schema and checks that it is a whole and sound one.
///
/// # Errors
/// What is wrong with it, and where.
pub async fn read(text: Arc<str>) -> Result<Arc<Valid<Schema>>, Vec<Fault>> {
    let reading = tokio::task::spawn_blocking(move || parse(&text));
    match tokio::time::timeout(TIME, reading).await {
        Ok(Ok(read)) => read,
        Ok(Err(_)) => Err(vec![Fault::new(0..0, "the schema can't be read")]),
        Err(_) => Err(vec![Fault::new(0..0, format!("reading the schema takes longer than {} s", TIME.as_secs()))]),
    }
}

fn parse(text: &str) -> Result<Arc<Valid<Schema>>, Vec<Fault>> {
    let mut parser = Parser::new().token_limit(MAX_TOKENS).recursion_limit(MAX_DEPTH);
    let schema = parser.parse_schema(text, "").and_then(Schema::validate);
    schema.map(Arc::new).map_err(|found| {
        let names = Names { schema: Some(&found.partial), ..Names::default() };
        faults(text, &found.errors, names)
    })
}
