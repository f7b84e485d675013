//! What Markdown's lines stand in: lists, their items, quotes. Each line begins with what they ask for.

/// Containers that are shown; deeper ones stand where the last of these does.
const MAX_DEPTH: usize = 24;

#[derive(Debug)]
enum Container {
    /// A list, with the number of its next item where items are numbered.
    List(Option<u64>),
    /// An item: how wide its marker is.
    Item(usize),
    Quote,
}

/// What is open, from the outermost to the innermost.
#[derive(Debug, Default)]
pub struct Containers {
    open: Vec<Container>,
    /// The marker of an item that has nothing in it yet.
    marker: Option<String>,
}

impl Containers {
    pub fn is_in_list(&self) -> bool {
        self.open.iter().any(|container| matches!(container, Container::List(_)))
    }

    pub fn open_list(&mut self, number: Option<u64>) {
        self.push(Container::List(number));
    }

    pub fn close_list(&mut self) {
        self.close(|container| matches!(container, Container::List(_)));
    }

    pub fn open_quote(&mut self) {
        self.push(Container::Quote);
    }

    pub fn close_quote(&mut self) {
        self.close(|container| matches!(container, Container::Quote));
    }

    /// Begins an item; the one before it ends with that.
    pub fn open_item(&mut self) {
        self.close_item();
        let marker = match self.open.last_mut() {
            Some(Container::List(Some(number))) => {
                let marker = format!("{number}. ");
                *number = number.saturating_add(1);
                marker
            }
            _ => "- ".to_owned(),
        };
        if self.open.len() < MAX_DEPTH {
            self.open.push(Container::Item(marker.len()));
            self.marker = Some(marker);
        }
    }

    /// Ends an item of the innermost list.
    pub fn close_item(&mut self) {
        let innermost = self.open.iter().rposition(|c| !matches!(c, Container::Quote));
        if let Some(at) = innermost.filter(|at| matches!(self.open.get(*at), Some(Container::Item(_)))) {
            self.open.truncate(at);
            self.marker = None;
        }
    }

    /// What a line that has something on it begins with; `true` if it is the first of an item.
    pub fn prefix(&mut self) -> (String, bool) {
        let marker = self.marker.take();
        let last = self.open.len().saturating_sub(1);
        let mut prefix = String::new();
        for (at, container) in self.open.iter().enumerate() {
            match (container, &marker) {
                (Container::List(_), _) => {}
                (Container::Item(_), Some(marker)) if at == last => prefix.push_str(marker),
                (Container::Item(width), _) => prefix.push_str(&" ".repeat(*width)),
                (Container::Quote, _) => prefix.push_str("> "),
            }
        }
        (prefix, marker.is_some())
    }

    fn push(&mut self, container: Container) {
        if self.open.len() < MAX_DEPTH {
            self.open.push(container);
        }
    }

    /// Ends the innermost container of a kind and all in it.
    fn close(&mut self, of_kind: impl Fn(&Container) -> bool) {
        if let Some(at) = self.open.iter().rposition(of_kind) {
            self.open.truncate(at);
            self.marker = None;
        }
    }
}
