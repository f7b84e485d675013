//! A line of a shell as its words (POSIX.1-2024, Shell Command Language, section 2.2): quotes are undone, nothing is
//! expanded.

/// Splits a line.
///
/// # Errors
/// In words, for quotes without an end.
pub fn split(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = line.trim().chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\'' => until_quote(&mut rest, word.get_or_insert_default())?,
            '"' => until_double(&mut rest, word.get_or_insert_default())?,
            '$' if rest.peek() == Some(&'\'') => {
                rest.next();
                ansi(&mut rest, word.get_or_insert_default())?;
            }
            '\\' => match rest.next() {
                Some('\n') | None => {}
                Some('\r') => drop(rest.next_if_eq(&'\n')),
                Some(other) => word.get_or_insert_default().push(other),
            },
            '|' | ';' | '&' | '>' | '<' if word.is_none() => break,
            c if c.is_whitespace() => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

type Rest<'r> = std::iter::Peekable<std::str::Chars<'r>>;

fn open() -> String {
    "a quote has no end".to_owned()
}

fn until_quote(rest: &mut Rest<'_>, word: &mut String) -> Result<(), String> {
    loop {
        match rest.next().ok_or_else(open)? {
            '\'' => return Ok(()),
            c => word.push(c),
        }
    }
}

fn until_double(rest: &mut Rest<'_>, word: &mut String) -> Result<(), String> {
    loop {
        match rest.next().ok_or_else(open)? {
            '"' => return Ok(()),
            '\\' => match rest.next().ok_or_else(open)? {
                '\n' => {}
                c @ ('"' | '\\' | '$' | '`') => word.push(c),
                c => word.extend(['\\', c]),
            },
            c => word.push(c),
        }
    }
}

/// `$'…'`, which browsers write.
fn ansi(rest: &mut Rest<'_>, word: &mut String) -> Result<(), String> {
    loop {
        match rest.next().ok_or_else(open)? {
            '\'' => return Ok(()),
            '\\' => match rest.next().ok_or_else(open)? {
                'n' => word.push('\n'),
                'r' => word.push('\r'),
                't' => word.push('\t'),
                'u' => {
                    let digits: String = rest.by_ref().take(4).collect();
                    let c = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32);
                    word.push(c.ok_or("`\\u` needs four hex digits of a character")?);
                }
                c => word.push(c),
            },
            c => word.push(c),
        }
    }
}
