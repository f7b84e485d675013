//! `list`: the members of a resource template, for `resources/list`.

use rmcp::model as mcp;
use serde_json::{Map, Value};

use super::shape;
use crate::action::{Action, Arguments, Builder, Call, Scope};
use crate::outcome::shape::{Shape, ShapeLimits};
use crate::outcome::{ActionError, Content};
use crate::spec::model;
use crate::spec::{Code, Diagnostic};
use crate::uri::{Operator, UriTemplate};

/// A compiled `list`.
#[derive(Debug)]
pub struct Members {
    /// Tells whether the files that it lists are the same as those of another catalog's.
    pub edition: u64,
    action: Action,
    shape: Shape,
    template: UriTemplate,
}

impl Members {
    /// Compiles it.
    pub async fn compile(
        written: &model::Members,
        template: &UriTemplate,
        owner: &str,
        builder: &mut Builder<'_>,
    ) -> Option<Self> {
        if template.is_literal() {
            let words = "a resource without variables has no members";
            let found = Diagnostic::error(Code::BadValue, written.at, words);
            builder.sink.push(found.label("`list` is for URI templates, such as `shop://books/{id}`"));
            return None;
        }
        let shape = shape::compile(written.result.as_ref(), builder);
        let owner = format!("the list of {owner}");
        let action = match &written.action {
            Some(action) => {
                Action::compile(
                    action,
                    &Scope { owner: &owner, params: &[], remedy: "a `list` has no params" },
                    builder,
                )
                .await
            }
            None => None,
        };
        let shape = shape?;
        let action = action?.wanted(shape.wants());
        // A file that comes or goes is a change of the list: the watcher has to see it, and clients are told.
        let (folders, edition) = match &action {
            Action::Files(list) => list.survey().unwrap_or_default(),
            _ => Default::default(),
        };
        builder.inputs.extend(folders);
        Some(Members { edition, action, shape, template: template.clone() })
    }

    /// The members now.
    ///
    /// # Errors
    /// If the action fails or gives no rows.
    pub async fn list(
        &self,
        listed: &mcp::ResourceTemplate,
        limits: ShapeLimits,
        call: &Call,
    ) -> Result<Vec<mcp::Resource>, ActionError> {
        let outcome = self.action.run(&Arguments::new(), call).await?;
        let shaped = self.shape.apply(outcome, limits).await?;
        if let Some(words) = &shaped.outcome.truncated {
            tracing::warn!(resource = listed.uri_template, "the list was {words}");
        }
        let rows = match shaped.outcome.content {
            Content::Json(Value::Array(rows)) => rows,
            Content::Json(Value::Object(mut object)) => match object.remove("rows") {
                Some(Value::Array(rows)) => rows,
                _ => return Err(no_rows()),
            },
            _ => return Err(no_rows()),
        };
        Ok(rows.iter().filter_map(|row| self.member(row.as_object()?, listed)).collect())
    }

    /// The resource that a row means; `None`, with a word in the log, if the row lacks a variable.
    fn member(&self, row: &Map<String, Value>, listed: &mcp::ResourceTemplate) -> Option<mcp::Resource> {
        let lacks = |name: &str| row.get(name).is_none_or(Value::is_null);
        let may_lack = |o: Operator| matches!(o, Operator::Query | Operator::Continuation | Operator::Parameter);
        if let Some(missing) = self.template.variables().find(|v| !may_lack(v.operator) && lacks(v.name)) {
            tracing::warn!(resource = listed.uri_template, "a row of its list has no `{}`", missing.name);
            return None;
        }
        let text = |name: &str| match row.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Null => None,
            other => Some(other.to_string()),
        };
        let uri = self.template.expand_plain(row);
        let name = text("name").unwrap_or_else(|| uri.clone());
        let mut member = mcp::Resource::new(uri, name);
        member.title = text("title");
        member.description = text("description");
        member.mime_type = text("mimeType").or_else(|| listed.mime_type.clone());
        member.size = row.get("size").and_then(Value::as_u64);
        member.icons = listed.icons.clone();
        member.annotations = listed.annotations.clone();
        Some(member)
    }
}

fn no_rows() -> ActionError {
    ActionError::failed("the list is no list of rows")
}
