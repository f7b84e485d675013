//! `resources`, as written.

use std::time::Duration;

use super::{CacheScope, Complete, ContentAnnotations, Icon, Property, Shape, Str};
use crate::spec::node::Node;
use crate::spec::read::{Named, record};
use crate::spec::source::Spanned;

record! {
    /// An MCP resource or resource template.
    pub struct Resource as "resource" {
        /// Its name.
        /// Example: `book`
        "name" => name: Option<Str>,
        /// A name for people to read.
        /// Example: `Find books`
        "title" => title: Option<Str>,
        /// What it is for, in the words that the model or the user reads.
        /// Example: `Find books whose title contains the given words.`
        "description" => description: Option<Str>,
        /// The media type (RFC 6838) of the contents.
        /// Example: `application/json`
        "mimeType" => mime_type: Option<Str>,
        /// The variables of the URI template: name → JSON Schema, or a type's name.
        /// Example: `{ id: integer }`
        "params" => params: Named<Property>,
        /// Completions of the URI's variables, by name.
        /// Example: `{ author: { values: [Herbert, Le Guin] } }`
        "complete" => complete: Named<Complete>,
        /// The members of a template that `resources/list` has.
        /// Example: `{ sql: { source: shop, query: 'SELECT id, title AS name FROM books' } }`
        "list" => list: Option<Members>,
        /// How changes are noticed while a client is subscribed.
        /// Example: `{ poll: 30s }`
        "subscribe" => subscribe: Option<Subscribe>,
        /// How long a client may keep the contents, in milliseconds.
        /// Example: `60000`
        "ttlMs" => ttl_ms: Option<Spanned<u64>>,
        /// Who may be given an answer that was kept: anybody, or only who asked.
        /// Example: `public`
        "cacheScope" => cache_scope: Option<Spanned<CacheScope>>,
        /// For whom it is, and how much it matters.
        /// Example: `{ audience: [assistant], priority: 0.5 }`
        "annotations" => annotations: Option<ContentAnnotations>,
        /// MCP's icons.
        /// Example: `[{ src: 'https://example.com/book.png', mimeType: image/png, sizes: [48x48] }]`
        "icons" => icons: Option<Vec<Icon>>,
        /// MCP's `_meta`, passed on as it is.
        /// Example: `{ 'example.com/team': shop }`
        "_meta" => meta: Option<Node>,
        /// How the outcome becomes the answer.
        /// Example: `{ jq: '.items' }`
        "result" => result: Option<Shape>,
    }
    action => action
}

record! {
    /// An action whose rows are the members of a resource template: the URI's variables, and MCP's `name`, `title`,
    /// `description`, `mimeType`, `size`.
    pub struct Members as "list" {
        /// How the outcome becomes the answer.
        /// Example: `{ jq: '.items' }`
        "result" => result: Option<Shape>,
    }
    action => action
}

record! {
    /// How changes of a resource are noticed.
    pub struct Subscribe as "subscribe" {
        /// How often it is read while somebody is subscribed.
        /// Example: `30s`
        "poll" => poll: Option<Spanned<Duration>>,
        /// A file whose change is one of the resource.
        /// Example: `./shop.db`
        "file" => file: Option<Str>,
    }
}
