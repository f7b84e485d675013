//! Markdown, written from beginning to end.

use super::containers::Containers;

/// Marks that are open at a time.
const MAX_MARKS: usize = 64;

/// A mark that goes around words.
#[derive(Debug)]
struct Mark {
    /// What opens it: `**`, `[`.
    opens: &'static str,
    /// What closes it: `**`, `](target)`.
    closes: String,
    /// Whether it is written already; it waits for its first word.
    written: bool,
}

/// A table that is being written.
#[derive(Debug, Default)]
struct Table {
    /// Rows that are done or begun.
    rows: usize,
    /// Cells of this row; `None` between rows.
    cells: Option<usize>,
}

/// A block of code: its language and text.
#[derive(Debug, Default)]
struct CodeBlock {
    language: String,
    text: String,
}

/// The text so far, and what has to come before the next word.
#[derive(Debug, Default)]
pub struct Writer {
    out: String,
    /// Line breaks that are due.
    breaks: usize,
    /// A space is due.
    space: bool,
    containers: Containers,
    marks: Vec<Mark>,
    code_block: Option<CodeBlock>,
    /// How often inline code is open; its text is taken as it is.
    code: usize,
    table: Option<Table>,
}

impl Writer {
    /// Bytes so far.
    pub fn len(&self) -> usize {
        self.out.len() + self.code_block.as_ref().map_or(0, |block| block.text.len())
    }

    /// All of it.
    pub fn finish(mut self) -> String {
        self.close_code_block();
        while let Some(mark) = self.marks.pop() {
            self.out.push_str(if mark.written { &mark.closes } else { "" });
        }
        self.close_table();
        self.out
    }

    /// What comes now begins `breaks` lines below, with 2 a paragraph of its own.
    pub fn block(&mut self, breaks: usize) {
        match self.table {
            Some(_) => self.space = true,
            None => self.breaks = self.breaks.max(breaks),
        }
    }

    /// Words; spaces and line breaks among them are one space.
    pub fn text(&mut self, text: &str) {
        if let Some(block) = &mut self.code_block {
            block.text.push_str(text);
            return;
        }
        if text.starts_with(char::is_whitespace) {
            self.space = true;
        }
        let in_table_row = self.table.as_ref().is_none_or(|table| table.cells.is_some());
        for word in text.split_whitespace().filter(|_| in_table_row) {
            self.begin();
            let at_start = self.out.is_empty() || self.out.ends_with('\n');
            self.word(word, at_start);
            self.space = true;
        }
        self.space &= text.is_empty() || text.ends_with(char::is_whitespace);
    }

    fn word(&mut self, word: &str, at_start: bool) {
        if self.code > 0 {
            self.out.push_str(&word.replace('`', "'"));
            return;
        }
        for (at, c) in word.char_indices() {
            let special = match c {
                '\\' | '`' | '*' | '[' | ']' | '<' => true,
                '|' => self.table.is_some(),
                '#' | '>' | '+' | '-' => at == 0 && at_start,
                _ => false,
            };
            if special {
                self.out.push('\\');
            }
            self.out.push(c);
        }
    }

    /// Writes what is due before a word.
    fn begin(&mut self) {
        if self.out.is_empty() || self.breaks > 0 {
            let breaks = if self.out.is_empty() { 0 } else { self.breaks };
            let (prefix, first_of_item) = self.containers.prefix();
            for at in 0..breaks {
                self.out.push('\n');
                let blank = at + 1 < breaks;
                if blank && !first_of_item {
                    self.out.push_str(prefix.trim_end());
                }
            }
            self.out.push_str(&prefix);
        } else if self.space && !self.out.ends_with([' ', '\n']) {
            self.out.push(' ');
        }
        (self.breaks, self.space) = (0, false);
        for mark in self.marks.iter_mut().filter(|mark| !mark.written) {
            self.out.push_str(mark.opens);
            mark.written = true;
        }
    }

    pub fn heading(&mut self, level: usize) {
        if self.table.is_none() {
            self.begin();
            self.out.extend([&"#".repeat(level), " "]);
        }
    }

    pub fn open_list(&mut self, number: Option<u64>) {
        self.block(if self.containers.is_in_list() { 1 } else { 2 });
        self.containers.open_list(number);
    }

    pub fn close_list(&mut self) {
        self.containers.close_list();
        self.block(if self.containers.is_in_list() { 1 } else { 2 });
    }

    pub fn open_item(&mut self) {
        self.block(1);
        self.containers.open_item();
    }

    pub fn close_item(&mut self) {
        self.containers.close_item();
        self.block(1);
    }

    pub fn open_quote(&mut self) {
        self.block(2);
        self.containers.open_quote();
    }

    pub fn close_quote(&mut self) {
        self.containers.close_quote();
        self.block(2);
    }

    pub fn open_code_block(&mut self) {
        self.code_block.get_or_insert_default();
    }

    /// Writes the block, between fences that do not occur in it.
    pub fn close_code_block(&mut self) {
        let Some(CodeBlock { language, text }) = self.code_block.take() else { return };
        let text = text.strip_prefix('\n').unwrap_or(&text).trim_end();
        if text.is_empty() {
            return;
        }
        if self.table.is_some() {
            self.text(text);
            return;
        }
        let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
        let fence = "`".repeat(longest.max(2) + 1);
        self.block(2);
        self.begin();
        let (prefix, _) = self.containers.prefix();
        self.out.extend([fence.as_str(), &language]);
        for line in text.lines() {
            self.out.extend(["\n", &prefix, line]);
        }
        self.out.extend(["\n", &prefix, &fence]);
        self.block(2);
    }

    pub fn open_code(&mut self, language: Option<String>) {
        match &mut self.code_block {
            Some(block) => block.language = language.unwrap_or_default(),
            None => {
                self.open_mark("`");
                self.code += 1;
            }
        }
    }

    pub fn close_code(&mut self) {
        if self.code_block.is_none() && self.code > 0 {
            self.code -= 1;
            self.close_mark("`");
        }
    }

    pub fn open_mark(&mut self, mark: &'static str) {
        self.open(mark, mark.to_owned());
    }

    pub fn close_mark(&mut self, mark: &'static str) {
        self.close(|open| open.closes == mark);
    }

    /// A link without a target is plain words.
    pub fn open_link(&mut self, target: Option<String>) {
        if let Some(target) = target {
            let target = target.trim().replace(char::is_whitespace, "%20").replace('(', "%28").replace(')', "%29");
            self.open("[", format!("]({target})"));
        }
    }

    pub fn close_link(&mut self) {
        self.close(|open| open.opens == "[");
    }

    fn open(&mut self, opens: &'static str, closes: String) {
        if self.code_block.is_none() && self.marks.len() < MAX_MARKS {
            self.marks.push(Mark { opens, closes, written: false });
        }
    }

    /// Closes the innermost mark of a kind and those in it. One without words leaves no trace.
    fn close(&mut self, of_kind: impl Fn(&Mark) -> bool) {
        let Some(at) = self.marks.iter().rposition(of_kind) else { return };
        for mark in self.marks.drain(at..).rev() {
            self.out.push_str(if mark.written { &mark.closes } else { "" });
        }
    }

    pub fn image(&mut self, alt: &str, source: &str) {
        let alt = alt.split_whitespace().collect::<Vec<_>>().join(" ").replace(['[', ']'], "");
        if self.code_block.is_some() || alt.is_empty() {
            return;
        }
        self.begin();
        let source = source.trim().replace(char::is_whitespace, "%20").replace('(', "%28").replace(')', "%29");
        match source.is_empty() {
            true => self.out.push_str(&alt),
            false => self.out.extend(["![", &alt, "](", &source, ")"]),
        }
    }

    pub fn line_break(&mut self) {
        match &mut self.code_block {
            Some(block) => block.text.push('\n'),
            None if self.table.is_some() => self.space = true,
            None if self.breaks == 0 && !self.out.is_empty() => {
                self.out.push_str("  ");
                self.breaks = 1;
            }
            None => {}
        }
    }

    pub fn rule(&mut self) {
        if self.table.is_none() {
            self.block(2);
            self.begin();
            self.out.push_str("---");
            self.block(2);
        }
    }

    /// A table in a table is words of its cell.
    pub fn open_table(&mut self) {
        if self.table.is_none() {
            self.block(2);
            self.table = Some(Table::default());
        }
    }

    pub fn close_table(&mut self) {
        self.close_row();
        if self.table.take().is_some() {
            self.block(2);
        }
    }

    pub fn open_row(&mut self) {
        self.close_row();
        if let Some(table) = &mut self.table {
            table.rows += 1;
            self.breaks = if table.rows == 1 { 2 } else { 1 };
        }
    }

    pub fn open_cell(&mut self) {
        let Some(table) = &mut self.table else { return };
        let cells = table.cells.get_or_insert(0);
        *cells += 1;
        let first = *cells == 1;
        if first {
            self.breaks = self.breaks.max(1);
            self.begin();
            self.out.push('|');
        } else {
            self.out.push_str(" |");
        }
        self.space = true;
    }

    /// Ends a row; below the first one stands the line that makes it a header.
    pub fn close_row(&mut self) {
        let Some(table) = &mut self.table else { return };
        let Some(cells) = table.cells.take() else { return };
        let first = table.rows <= 1;
        table.rows = table.rows.max(1);
        self.out.push_str(" |");
        if first {
            let (prefix, _) = self.containers.prefix();
            self.out.extend(["\n", &prefix, "|", &" --- |".repeat(cells)]);
        }
    }
}
