//! `paginate`: one answer out of many pages, an array of all their items.
//!
//! Every next page is asked for as the first one was, with another query or at a URL that the API named. That URL has
//! to lie where every request of the source does. Whatever ends the run early is said in the answer: a bound, time
//! that is up, pages that come again. What fails after the first page fails the call: items that are missing without a
//! word would be taken for all.

mod next;

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use reqwest::Request;
use serde_json::Value;
use tokio::time::Instant;

use super::Sender;
use super::answer::Reader;
use crate::action::{Builder, Call};
use crate::outcome::formats::shorten::size;
use crate::outcome::jq::{Jq, JqLimits};
use crate::outcome::{ActionError, Outcome};
use crate::spec::model::Paginate;
use crate::spec::{Code, Diagnostic, Spanned};
use next::Next;

/// Pages where the spec says nothing, and at most.
const PAGES: u64 = 20;
const MOST_PAGES: u64 = 1000;
/// Items where the spec says nothing, and at most.
const ITEMS: u64 = 1000;
const MOST_ITEMS: u64 = 100_000;

/// A compiled `paginate`.
#[derive(Debug)]
pub struct Pages {
    next: Next,
    items: Option<Jq>,
    max_pages: u64,
    max_items: u64,
}

/// A run through the pages.
struct Run<'r> {
    pages: &'r Pages,
    reader: &'r Reader<'r>,
    deadline: Instant,
    items: Vec<Value>,
    /// Bytes of the items as JSON.
    bytes: usize,
    done: u64,
    /// Digests of the URLs that were asked for.
    asked: HashSet<u64>,
    last_page: Option<u64>,
}

/// What is known after a page.
enum Turn {
    /// There is another.
    On(Box<Request>),
    /// There is none.
    Done,
    /// The run ends early, for this reason.
    Cut(String),
}

impl Pages {
    /// Compiles it; mistakes are reported.
    pub fn compile(written: &Paginate, builder: &mut Builder<'_>) -> Option<Pages> {
        let errors = builder.sink.errors();
        let next = Next::compile(written, builder);
        let items = written.items.as_ref().map(|program| jq(program, builder));
        let max_pages = bound(written.max_pages.as_ref(), PAGES, MOST_PAGES, builder);
        let max_items = bound(written.max_items.as_ref(), ITEMS, MOST_ITEMS, builder);
        let items = match items {
            Some(items) => Some(items?),
            None => None,
        };
        let pages = Pages { next: next?, items, max_pages, max_items };
        (builder.sink.errors() == errors).then_some(pages)
    }

    /// Fetches page after page, in `time` in all.
    ///
    /// # Errors
    /// If a page can't be had or read, or the next one lies outside of the source.
    pub async fn collect(
        &self,
        mut first: Request,
        reader: &Reader<'_>,
        time: Duration,
        call: &Call,
        sender: &Sender<'_>,
    ) -> Result<Outcome, ActionError> {
        self.next.begin(first.url_mut());
        let mut run = Run {
            pages: self,
            reader,
            // a little time is left to hand out what is there by then
            deadline: Instant::now() + time - time / 20,
            items: Vec::new(),
            bytes: 2,
            done: 0,
            asked: HashSet::new(),
            last_page: None,
        };
        let mut request = first;
        let cut = loop {
            run.asked.insert(digest(request.url()));
            let template = request.try_clone();
            let turn = match tokio::time::timeout_at(run.deadline, run.page(request, template, sender)).await {
                Ok(turn) => turn?,
                Err(_) if run.done == 0 => return Err(super::took_longer(reader.what, time)),
                Err(_) => Turn::Cut(format!("after {} the time was up (timeout)", pages(run.done))),
            };
            call.go_on()?;
            run.tell(call);
            match turn {
                Turn::On(next) => request = *next,
                Turn::Done => break None,
                Turn::Cut(words) => break Some(words),
            }
        };
        let truncated = cut.map(|words| format!("{} items, and then cut: {words}", run.items.len()));
        Ok(Outcome { truncated, ..Outcome::json(Value::Array(run.items)) })
    }
}

impl Run<'_> {
    /// Fetches a page, takes its items, and finds out how it goes on. `again` is the same request.
    async fn page(
        &mut self,
        request: Request,
        again: Option<Request>,
        sender: &Sender<'_>,
    ) -> Result<Turn, ActionError> {
        let response = sender.send(request).await?;
        let link = next::link(response.headers());
        let page = self.reader.read(response).await?;
        let page_cut = page.truncated.clone();
        let page = page.into_value();
        let items = self.items(&page).await?;
        let count = u64::try_from(items.len()).unwrap_or(u64::MAX);
        if self.repeats(&items) {
            let words = format!("page {} is the one before it again", self.done + 1);
            return Ok(Turn::Cut(words));
        }
        self.done += 1;
        if let Some(words) = self.take(items) {
            return Ok(Turn::Cut(words));
        }
        if let Some(words) = page_cut {
            return Ok(Turn::Cut(format!("page {} was {words}", self.done)));
        }
        let found = self.pages.next.after(&page, link, count, self.limits()).await?;
        let Some(step) = found else { return Ok(Turn::Done) };
        let Some(mut next) = again else {
            return Ok(Turn::Cut("a body that is a stream is not sent twice".to_owned()));
        };
        step.apply(&mut next, self.reader.source)?;
        if self.asked.contains(&digest(next.url())) {
            return Ok(Turn::Cut(format!("page {} leads back to one that was there already", self.done)));
        }
        if self.done >= self.pages.max_pages {
            return Ok(Turn::Cut(format!("after {} (maxPages)", pages(self.done))));
        }
        Ok(Turn::On(Box::new(next)))
    }

    /// The items of a page.
    async fn items(&self, page: &Value) -> Result<Vec<Value>, ActionError> {
        let found = match &self.pages.items {
            None => page.clone(),
            Some(items) => items.run(page.clone(), Vec::new(), self.limits()).await.map_err(|fault| {
                ActionError::failed(format!("{}: a page is not of the expected shape: {fault}", self.reader.what))
            })?,
        };
        match found {
            Value::Array(items) => Ok(items),
            Value::Null => Ok(Vec::new()),
            item if self.pages.items.is_some() => Ok(vec![item]),
            _ => Err(ActionError::failed(format!(
                "{}: a page is no list, and `paginate` does not say where its items are (`items`)",
                self.reader.what
            ))),
        }
    }

    /// Whether a numbered page is the one before it: an API that does not know the parameter answers with the same
    /// page for ever.
    fn repeats(&mut self, items: &[Value]) -> bool {
        let mut hasher = DefaultHasher::new();
        items.iter().for_each(|item| item.to_string().hash(&mut hasher));
        let this = (!items.is_empty()).then(|| hasher.finish());
        let before = std::mem::replace(&mut self.last_page, this);
        self.pages.next.is_counted() && this.is_some() && this == before
    }

    /// Takes items as far as the bounds allow; says which one did not.
    fn take(&mut self, items: Vec<Value>) -> Option<String> {
        for item in items {
            if u64::try_from(self.items.len()).unwrap_or(u64::MAX) >= self.pages.max_items {
                return Some(format!("after {} items (maxItems)", self.pages.max_items));
            }
            self.bytes += size(&item) + 1;
            if self.bytes > self.reader.max_bytes {
                return Some(format!("after {} bytes (maxBytes)", self.reader.max_bytes));
            }
            self.items.push(item);
        }
        None
    }

    fn limits(&self) -> JqLimits {
        let time = self.deadline.saturating_duration_since(Instant::now());
        JqLimits { time, max_bytes: self.reader.max_bytes }
    }

    fn tell(&self, call: &Call) {
        #[expect(clippy::cast_precision_loss, reason = "pages are few")]
        let done = self.done as f64;
        call.client.progress(done, None, Some(format!("{} items from {}", self.items.len(), pages(self.done))));
    }
}

fn pages(count: u64) -> String {
    match count {
        1 => "1 page".to_owned(),
        count => format!("{count} pages"),
    }
}

fn digest(url: &url::Url) -> u64 {
    let mut hasher = DefaultHasher::new();
    url.hash(&mut hasher);
    hasher.finish()
}

/// A jq program of the spec.
fn jq(program: &Spanned<String>, builder: &mut Builder<'_>) -> Option<Jq> {
    let compiled = Jq::compile(program, &[]);
    let report = |faults: Vec<_>| {
        faults.into_iter().for_each(|fault| builder.sink.push(Diagnostic::fault(Code::BadJq, program, fault)));
    };
    compiled.map_err(report).ok()
}

/// A number from 1 to `most`.
fn bound(written: Option<&Spanned<u64>>, otherwise: u64, most: u64, builder: &mut Builder<'_>) -> u64 {
    let Some(written) = written else { return otherwise };
    if !(1..=most).contains(&written.value) {
        let words = format!("expected a number from 1 to {most}");
        builder.sink.error(Code::BadValue, written.span, words);
    }
    written.value
}
