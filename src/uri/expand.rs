//! Expansion of an expression (RFC 6570 section 3.2).

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::operator::Operator;
use super::percent::{self, Keep};
use super::{Expression, Modifier, Name};

/// Appends the expression's expansion.
pub(super) fn expression<'v>(expression: &Expression, lookup: &impl Fn(&str) -> Option<&'v Value>, out: &mut String) {
    let operator = expression.operator;
    let mut any = false;
    for name in &expression.names {
        let Some(value) = lookup(&name.text).and_then(|value| Defined::of(value, name.modifier)) else { continue };
        if any {
            out.push(operator.separator());
        } else {
            out.push_str(operator.first());
        }
        any = true;
        Writer { operator, name, out }.variable(value);
    }
}

/// A value that is not undefined; the members of a list or object are, if not null.
enum Defined<'v> {
    Text(Cow<'v, str>),
    List(&'v [Value]),
    Pairs(&'v Map<String, Value>),
}

impl<'v> Defined<'v> {
    fn of(value: &'v Value, modifier: Modifier) -> Option<Self> {
        // section 2.4.1: a prefix is not applicable to composite values
        let whole = !matches!(modifier, Modifier::Prefix(_));
        match value {
            Value::Null => None,
            Value::Array(list) => (whole && !list.iter().all(Value::is_null)).then_some(Defined::List(list)),
            Value::Object(pairs) => (whole && !pairs.values().all(Value::is_null)).then_some(Defined::Pairs(pairs)),
            Value::String(_) | Value::Number(_) | Value::Bool(_) => Some(Defined::Text(text_of(value))),
        }
    }
}

/// A string as it is, anything else as compact JSON.
fn text_of(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

/// Writes one variable.
struct Writer<'w> {
    operator: Operator,
    name: &'w Name,
    out: &'w mut String,
}

impl Writer<'_> {
    fn variable(&mut self, value: Defined<'_>) {
        let explode = self.name.modifier == Modifier::Explode;
        match value {
            Defined::Text(text) => self.text(&text),
            Defined::List(list) if explode => {
                self.joined(self.operator.separator(), defined(list), |w, member| w.text(&text_of(member)));
            }
            Defined::List(list) => {
                self.after_name(|w| w.joined(',', defined(list), |w, member| w.encode(&text_of(member))))
            }
            Defined::Pairs(pairs) if explode => {
                self.joined(self.operator.separator(), defined_pairs(pairs), |w, (key, member)| {
                    w.encode(key);
                    w.assigned(&text_of(member));
                });
            }
            Defined::Pairs(pairs) => self.after_name(|w| {
                w.joined(',', defined_pairs(pairs), |w, (key, member)| {
                    w.encode(key);
                    w.out.push(',');
                    w.encode(&text_of(member));
                });
            }),
        }
    }

    /// A text or a member of an exploded list: the value, after the name if the operator names values.
    fn text(&mut self, text: &str) {
        let text = match self.name.modifier {
            Modifier::Prefix(length) => prefix(text, length, self.operator.keep()),
            Modifier::None | Modifier::Explode => text,
        };
        if self.operator.named() {
            self.out.push_str(&self.name.text);
            self.assigned(text);
        } else {
            self.encode(text);
        }
    }

    /// What follows a name or key.
    fn assigned(&mut self, text: &str) {
        if text.is_empty() && self.operator.named() {
            self.out.push_str(self.operator.if_empty());
        } else {
            self.out.push('=');
            self.encode(text);
        }
    }

    /// What `write` writes, after the name if the operator names values.
    fn after_name(&mut self, write: impl FnOnce(&mut Self)) {
        if !self.operator.named() {
            return write(self);
        }
        self.out.push_str(&self.name.text);
        let end_of_name = self.out.len();
        self.out.push('=');
        write(self);
        if self.out.len() == end_of_name + 1 {
            self.out.truncate(end_of_name);
            self.out.push_str(self.operator.if_empty());
        }
    }

    fn joined<T>(&mut self, separator: char, items: impl Iterator<Item = T>, write: impl Fn(&mut Self, T)) {
        for (n, item) in items.enumerate() {
            if n > 0 {
                self.out.push(separator);
            }
            write(self, item);
        }
    }

    /// Keys too are encoded as the operator says. The RFC would keep reserved characters in the keys of
    /// exploded objects, which lets a key such as `a=1&admin` add a parameter of its own.
    fn encode(&mut self, text: &str) {
        percent::encode(text, self.operator.keep(), self.out);
    }
}

fn defined(list: &[Value]) -> impl Iterator<Item = &Value> {
    list.iter().filter(|member| !member.is_null())
}

fn defined_pairs(pairs: &Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
    pairs.iter().filter(|(_, member)| !member.is_null())
}

/// The first `length` characters of `text`. Where triplets are kept, the triplets of one character count
/// as one: those of UTF-8 continuation bytes belong to the character before.
fn prefix(text: &str, length: usize, keep: Keep) -> &str {
    let mut count = 0;
    let mut rest = text.char_indices();
    while let Some((at, _)) = rest.next() {
        let triplet = if keep == Keep::Reserved { percent::triplet(text, at) } else { None };
        if triplet.is_none_or(|byte| byte & 0xC0 != 0x80) {
            if count == length {
                return text.get(..at).unwrap_or(text);
            }
            count += 1;
        }
        if triplet.is_some() {
            rest.nth(1);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::UriTemplate;
    use serde_json::{Value, json};

    fn expand(template: &str, values: &Value) -> String {
        UriTemplate::parse(template).unwrap().expand(values.as_object().unwrap())
    }

    #[test]
    fn json_values() {
        let values = json!({
            "n": 10, "f": 1.5, "t": true, "null": null, "nulls": [null], "holes": ["a", null, "b"],
            "no": {"a": null}, "deep": [[1, {"k": "v"}], "x"], "tree": {"k": [1, null]}, "some": {"a": null, "b": 1},
        });
        for (template, uri) in [
            ("{n}{/f}{?t}", "10/1.5?t=true"),
            ("a{/null}{?null,missing}{#nulls*}{;no*,no}", "a"),
            ("{holes}{?holes*}", "a,b?holes=a&holes=b"),
            ("{deep}", "%5B1%2C%7B%22k%22%3A%22v%22%7D%5D,x"),
            ("{?tree*}{&some}", "?k=%5B1%2Cnull%5D&some=b,1"),
            ("{n:1}{t:2}", "1tr"),
        ] {
            assert_eq!(expand(template, &values), uri, "{template}");
        }
    }

    #[test]
    fn empty_values_beside_names() {
        let values = json!({"e": "", "l": [""], "ll": ["", ""], "m": {"k": ""}});
        for (template, uri) in [
            ("{?e}{;e}", "?e=;e"),
            ("{?l}{;l}", "?l=;l"),
            ("{?ll}{;ll}", "?ll=,;ll=,"),
            ("{?ll*}{;ll*}", "?ll=&ll=;ll;ll"),
            ("{?m*}{;m*}{m*}", "?k=;kk="),
            ("{/e,e}{.l*}{#e}", "//.#"),
        ] {
            assert_eq!(expand(template, &values), uri, "{template}");
        }
    }

    #[test]
    fn a_prefix_counts_characters() {
        let values = json!({"u": "é𝄞x", "p": "a%C3%A9%2Fb", "stray": "%A9%A9x", "list": ["ab"], "map": {"a": "b"}});
        for (template, uri) in [
            ("{u:1}", "%C3%A9"),
            ("{+u:2}", "%C3%A9%F0%9D%84%9E"),
            ("{+p:2}", "a%C3%A9"),
            ("{+p:3}", "a%C3%A9%2F"),
            ("{p:3}", "a%25C"),
            ("{+stray:1}", "%A9%A9x"),
            ("{u:9999}", "%C3%A9%F0%9D%84%9Ex"),
            ("{list:1}{+list:1}{?map:1}{&map:2}", ""),
        ] {
            assert_eq!(expand(template, &values), uri, "{template}");
        }
    }

    #[test]
    fn values_and_keys_can_not_add_structure() {
        let values = json!({"v": "../x?a=1#f&b;c,d", "m": {"a=1&admin": "true&x"}});
        for (template, uri) in [
            ("/{v}", "/..%2Fx%3Fa%3D1%23f%26b%3Bc%2Cd"),
            ("{?m*}", "?a%3D1%26admin=true%26x"),
            ("{?m}", "?m=a%3D1%26admin,true%26x"),
            ("{;m*}", ";a%3D1%26admin=true%26x"),
        ] {
            assert_eq!(expand(template, &values), uri, "{template}");
        }
    }
}
