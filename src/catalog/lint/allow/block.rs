//! How far reaches what begins in a line: in YAML to the next line that is indented no further, in TOML a table to the
//! next one that is not below it.

/// The lines that belong to the first one of a text, that one among them.
pub fn lines(text: &str, toml: bool) -> usize {
    let mut rest = text.lines();
    let Some(first) = rest.next() else { return 1 };
    let mut count = 1;
    for (line, number) in rest.zip(2..) {
        let said = line.trim();
        if said.is_empty() || said.starts_with('#') {
            continue;
        }
        let inside = if toml { is_below_table(first, said) } else { is_below_key(first, line) };
        if !inside {
            break;
        }
        count = number;
    }
    count
}

/// Whether a line of TOML is of the table whose header, or of the value whose line is `first`.
fn is_below_table(first: &str, line: &str) -> bool {
    let Some(name) = table(first) else { return false };
    table(line).is_none_or(|other| other.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')))
}

/// The name in the header of a table.
fn table(line: &str) -> Option<&str> {
    let line = line.split(" #").next().unwrap_or(line).trim();
    let name = line.trim_start_matches('[');
    // What else begins so is an element of a list on lines of its own, with a comma inside or behind it.
    let header = name.len() < line.len() && line.ends_with(']') && !name.contains(',');
    header.then(|| name.split(']').next().unwrap_or(name).trim())
}

fn is_below_key(first: &str, line: &str) -> bool {
    let indentation = |line: &str| line.len() - line.trim_start_matches(' ').len();
    // The items of a list may stand right below its key.
    let item = line.trim_start().starts_with("- ") && !first.trim_start().starts_with("- ");
    indentation(line) > indentation(first) || item && indentation(line) == indentation(first)
}

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn a_block_of_yaml_is_what_is_indented() {
        assert_eq!(lines("a:\n  b: 1\n\n  # c\n  d: |\n    x\ne: 2\n", false), 6);
        assert_eq!(lines("a: 1\nb: 2\n", false), 1);
        assert_eq!(lines("a:\n- b\n- c\nd:\n", false), 3);
        assert_eq!(lines("- a: 1\n  b: 2\n- c\n", false), 2);
        assert_eq!(lines("", false), 1);
    }

    #[test]
    fn a_block_of_toml_is_a_table_and_those_below_it() {
        assert_eq!(lines("[tools.a]\nx = 1\n[tools.a.params.b]\ny = 2\n\n[tools.ab]\n", true), 4);
        assert_eq!(lines("[tools.a]\nx = [\n  [\"y\"],\n  [1, 2]\n]\ny = 2\n[tools.b] # z\n", true), 6);
        assert_eq!(lines("x = 1\ny = 2\n", true), 1);
        assert_eq!(lines("[[import]]\nmcp = 'a'\n[[import]]\nmcp = 'b'\n", true), 2);
    }
}
