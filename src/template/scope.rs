//! What a path means where it stands: the scopes around it, which are the frames that will be there when it is
//! rendered.

use handlebars::{Path, PathSeg};

use super::node::{Expr, From, Local};

/// What `this` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum This {
    /// The data as a whole: a name is a param.
    Root,
    /// Something inside it: a name is one of its fields.
    Item,
}

/// One frame, as far as it is known before rendering.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    pub this: This,
    /// Whether `@index` and its like mean something.
    pub looped: bool,
    /// The names of block parameters or partial arguments.
    pub params: Vec<String>,
}

/// The scopes at a place, innermost last.
#[derive(Debug)]
pub(super) struct Scopes {
    stack: Vec<Scope>,
    /// Index of the outermost scope that can be reached by `../` or a block parameter: a partial doesn't look out of
    /// itself.
    floor: usize,
}

/// A path that has been given a meaning.
pub(super) struct Resolved {
    pub expr: Expr,
    /// The root name that it reads, if it reads one.
    pub name: Option<String>,
}

impl Scopes {
    /// A template's own scope.
    pub(super) fn root() -> Self {
        Scopes { stack: vec![Scope { this: This::Root, looped: false, params: Vec::new() }], floor: 0 }
    }

    /// A place that is not known: any name may be a field of what is there.
    pub(super) fn anywhere() -> Self {
        Scopes { stack: vec![Scope { this: This::Item, looped: true, params: Vec::new() }], floor: 0 }
    }

    fn at(&self, up: usize) -> Option<&Scope> {
        let index = self.stack.len().checked_sub(1 + up).filter(|i| *i >= self.floor)?;
        self.stack.get(index)
    }

    pub(super) fn this(&self) -> This {
        self.stack.last().map_or(This::Root, |s| s.this)
    }

    pub(super) fn looped(&self) -> bool {
        self.stack.last().is_some_and(|s| s.looped)
    }

    pub(super) fn push(&mut self, scope: Scope) {
        self.stack.push(scope);
    }

    pub(super) fn pop(&mut self) {
        self.stack.pop();
    }

    /// Makes the current scope the outermost that can be reached; gives what [`Scopes::reopen`] takes.
    pub(super) fn close(&mut self) -> usize {
        std::mem::replace(&mut self.floor, self.stack.len().saturating_sub(1))
    }

    pub(super) fn reopen(&mut self, floor: usize) {
        self.floor = floor;
    }

    /// What `this` is for a block whose subject is `expr`.
    pub(super) fn inside(&self, expr: &Expr) -> This {
        match expr {
            Expr::Path { from: From::Root, steps, .. } if steps.is_empty() => This::Root,
            _ => This::Item,
        }
    }

    /// The meaning of `path`; the error says why it has none.
    pub(super) fn resolve(&self, path: &Path) -> Result<Resolved, String> {
        match path {
            Path::Local((up, name, raw)) => self.local(*up, name, raw).map(|expr| Resolved { expr, name: None }),
            Path::Relative((segments, raw)) => self.relative(segments, raw),
        }
    }

    fn local(&self, up: usize, name: &str, raw: &str) -> Result<Expr, String> {
        let local = match name {
            "index" => Local::Index,
            "key" => Local::Key,
            "first" => Local::First,
            "last" => Local::Last,
            "root" => return Err("`@root` needs a name behind it: `@root.title`".to_owned()),
            _ => {
                return Err(format!(
                    "unknown variable `@{name}`: there are @index, @key, @first, @last and @root.name"
                ));
            }
        };
        // In a partial, the loop around it is seen, as in its caller's place.
        let looped = if up == 0 { self.looped() } else { self.at(up).is_some_and(|s| s.looped) };
        if looped { Ok(Expr::Local { up, local }) } else { Err(format!("`{raw}` stands in no such `{{{{#each}}}}`")) }
    }

    fn relative(&self, segments: &[PathSeg], raw: &str) -> Result<Resolved, String> {
        let (explicit, rest) = match strip_this(raw) {
            Some(rest) => (true, rest),
            None => (false, raw),
        };
        let from_root = rest.starts_with("@root.") || rest.starts_with("@root/");
        let up = match segments.iter().take_while(|s| !matches!(s, PathSeg::Named(_))).count() {
            _ if from_root => 0,
            up => up,
        };
        let mut steps: Vec<String> = segments.iter().filter_map(named).collect();
        let written = raw.to_owned();
        if !explicit
            && !from_root
            && up == 0
            && let Some((up, slot)) = steps.first().and_then(|name| self.param(name))
        {
            steps.remove(0);
            let expr = Expr::Path { from: From::Param { up, slot }, steps, written };
            return Ok(Resolved { expr, name: None });
        }
        let this = match self.at(up) {
            _ if from_root => This::Root,
            Some(scope) => scope.this,
            None if self.floor > 0 => return Err(format!("`{raw}` leads out of the partial")),
            None => return Err(format!("`{raw}` leads out of more blocks than there are")),
        };
        let (from, name) = match this {
            This::Root => (From::Root, steps.first().cloned()),
            This::Item => (From::Item { up }, None),
        };
        Ok(Resolved { expr: Expr::Path { from, steps, written }, name })
    }

    fn param(&self, name: &str) -> Option<(usize, usize)> {
        let reachable = self.stack.len() - self.floor;
        (0..reachable).find_map(|up| {
            let slot = self.at(up)?.params.iter().position(|p| p == name)?;
            Some((up, slot))
        })
    }
}

/// What follows `this.` or `./`, which handlebars leaves out of a path's segments.
pub(super) fn strip_this(raw: &str) -> Option<&str> {
    ["this.", "this/", "./"].iter().find_map(|prefix| raw.strip_prefix(prefix))
}

fn named(segment: &PathSeg) -> Option<String> {
    match segment {
        PathSeg::Named(name) => Some(name.clone()),
        _ => None,
    }
}
