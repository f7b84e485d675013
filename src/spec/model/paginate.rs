//! `paginate`: how the pages of an API follow each other.

use super::Str;
use crate::spec::read::{Required, record};
use crate::spec::source::Spanned;

record! {
    /// How the pages of an answer follow each other: exactly one of the first five keys, and bounds.
    pub struct Paginate as "paginate" {
        /// By `rel="next"` in the header `Link` (RFC 8288).
        /// Example: `true`
        "link" => link: Option<Spanned<bool>>,
        /// A jq program that gives the next page's URL.
        /// Example: `.next`
        "next" => next: Option<Str>,
        /// By a value in the page that the next request sends back.
        /// Example: `{ from: .next_cursor, param: cursor }`
        "cursor" => cursor: Option<CursorPages>,
        /// By number, until a page is empty.
        /// Example: `{ param: page, start: 1 }`
        "page" => page: Option<NumberedPages>,
        /// By how many items came before.
        /// Example: `{ param: offset, step: 100 }`
        "offset" => offset: Option<OffsetPages>,
        /// A jq program that gives a page's items; without it the page is the list of them.
        /// Example: `.items`
        "items" => items: Option<Str>,
        /// Pages that are fetched at most.
        /// Example: `5`
        "maxPages" => max_pages: Option<Spanned<u64>>,
        /// Items that an answer has at most.
        /// Example: `500`
        "maxItems" => max_items: Option<Spanned<u64>>,
    }
}

record! {
    /// By a value in the page that the next request sends back.
    pub struct CursorPages as "cursor" {
        /// A jq program that gives it; null or an empty text at the end.
        /// Example: `.next_cursor`
        "from" => from: Required<Str>,
        /// The query parameter that it goes into.
        /// Example: `cursor`
        "param" => param: Required<Str>,
    }
}

record! {
    /// By number, until one is empty.
    pub struct NumberedPages as "page" {
        /// The query parameter that the number goes into.
        /// Example: `page`
        "param" => param: Required<Str>,
        /// The number of the first page.
        /// Example: `1`
        "start" => start: Option<Spanned<u64>>,
    }
}

record! {
    /// By how many items came before, until a page is empty or shorter than a step.
    pub struct OffsetPages as "offset" {
        /// The query parameter that the number of items goes into.
        /// Example: `offset`
        "param" => param: Required<Str>,
        /// Items of a page; without it, as many as each page has.
        /// Example: `100`
        "step" => step: Option<Spanned<u64>>,
    }
}
