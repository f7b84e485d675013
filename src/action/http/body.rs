//! A JSON body: typed values in the places where the spec names them.

use crate::action::{Builder, Scope};
use crate::spec::{Kind, Node, Spanned};
use crate::template::ValueTemplate;

/// Compiles what stands under `json:`; mistakes are reported, all of them.
pub fn compile(node: &Node, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<ValueTemplate> {
    match &node.kind {
        Kind::String(text) => {
            let text = Spanned::new(text.written().to_owned(), node.span);
            builder.template(&text, scope).map(ValueTemplate::from)
        }
        Kind::List(items) => {
            let items: Vec<_> = items.iter().map(|item| compile(item, scope, builder)).collect();
            items.into_iter().collect::<Option<_>>().map(ValueTemplate::List)
        }
        Kind::Map(entries) => {
            let entries = entries.iter();
            let fields: Vec<_> =
                entries.map(|e| Some((e.key.value.clone(), compile(&e.value, scope, builder)?))).collect();
            fields.into_iter().collect::<Option<_>>().map(ValueTemplate::Object)
        }
        Kind::Null | Kind::Bool(_) | Kind::Number(_) => Some(ValueTemplate::Literal(node.to_json())),
        Kind::Fault => None,
    }
}
