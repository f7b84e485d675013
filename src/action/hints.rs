//! What is known of what runs, for MCP's `ToolAnnotations`. What is not known is not promised.

use super::Action;

/// MCP's hints, `None` where nothing is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hints {
    /// Whether it changes nothing.
    pub read_only: Option<bool>,
    /// Whether it may destroy something.
    pub destructive: Option<bool>,
    /// Whether doing it again changes nothing more.
    pub idempotent: Option<bool>,
    /// Whether it reaches what is outside of the spec's own world.
    pub open_world: Option<bool>,
}

impl Hints {
    /// Those of what changes nothing and stays at home.
    pub const HARMLESS: Hints =
        Hints { read_only: Some(true), destructive: Some(false), idempotent: Some(true), open_world: Some(false) };

    /// Those of an action.
    pub fn of(action: &Action) -> Self {
        let (destructive, idempotent) = action.effects();
        Hints { read_only: action.read_only(), destructive, idempotent, open_world: action.open_world() }
    }

    /// Those of several things that are done.
    pub fn of_all(all: Vec<Hints>) -> Self {
        if let [only] = all.as_slice() {
            return *only;
        }
        let each = |hint: fn(&Hints) -> Option<bool>| all.iter().map(hint).collect::<Vec<_>>();
        let writers = || all.iter().filter(|hints| hints.read_only != Some(true));
        Hints {
            read_only: every(&each(|hints| hints.read_only)),
            destructive: some(&writers().map(|hints| hints.destructive).collect::<Vec<_>>()),
            // What one gives may go into the next: again is not the same.
            idempotent: writers().any(|hints| hints.idempotent == Some(false)).then_some(false),
            open_world: some(&each(|hints| hints.open_world)),
        }
    }

    /// Those of the same with other values.
    pub fn repeated(self) -> Self {
        Hints { idempotent: self.idempotent.filter(|idempotent| !idempotent || self.read_only == Some(true)), ..self }
    }
}

/// True if all are, false if one is not.
fn every(hints: &[Option<bool>]) -> Option<bool> {
    some(&hints.iter().map(|hint| hint.map(|yes| !yes)).collect::<Vec<_>>()).map(|no| !no)
}

/// True if one is, false if none is.
fn some(hints: &[Option<bool>]) -> Option<bool> {
    if hints.contains(&Some(true)) {
        return Some(true);
    }
    hints.iter().all(Option::is_some).then_some(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_not_promised() {
        let unknown = Hints::default();
        let insert = Hints {
            read_only: Some(false),
            destructive: Some(false),
            idempotent: Some(false),
            open_world: Some(false),
        };
        let update = Hints { destructive: Some(true), idempotent: Some(true), ..insert };
        assert_eq!(Hints::of_all(vec![update]), update);
        assert_eq!(Hints::of_all(vec![Hints::HARMLESS, unknown]), unknown);
        assert_eq!(Hints::of_all(vec![]).read_only, Some(true));
        let read_then_insert = Hints::of_all(vec![Hints::HARMLESS, insert]);
        assert_eq!(read_then_insert, insert);
        let read_then_update = Hints::of_all(vec![Hints::HARMLESS, update]);
        assert_eq!(read_then_update, Hints { idempotent: None, ..update });
        let shell_or_insert = Hints::of_all(vec![unknown, insert]);
        assert_eq!(shell_or_insert, Hints { read_only: Some(false), idempotent: Some(false), ..unknown });
        assert_eq!(update.repeated().idempotent, None);
        let web = Hints { open_world: Some(true), ..Hints::HARMLESS };
        assert_eq!(Hints::of_all(vec![web, unknown]).open_world, Some(true));
    }
}
