//! What stands in a secret's place wherever it could be seen.

use serde_json::Value;

use super::Arguments;
use crate::spec::Text;

/// What is shown instead.
pub const MASK: &str = "***";

/// Secrets shorter than this, in bytes, are not looked for in texts: they are too likely to be ordinary words.
const SHORTEST: usize = 4;

/// The arguments to be shown: without the values of the params called `secrets`, where one was given.
pub fn arguments(given: &Arguments, secrets: &[String]) -> Arguments {
    let mut shown = given.clone();
    for (_, value) in shown.iter_mut().filter(|(name, value)| secrets.contains(name) && !value.is_null()) {
        *value = Value::from(MASK);
    }
    shown
}

/// A text from outside, with the secrets among `values` blotted out.
pub fn text<'v>(text: String, values: impl IntoIterator<Item = &'v Text>) -> String {
    let secrets = values.into_iter().filter(|value| value.is_secret()).map(Text::expose);
    secrets
        .filter(|secret| secret.len() >= SHORTEST)
        .fold(text, |text, secret| if text.contains(secret) { text.replace(secret, MASK) } else { text })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn arguments_are_masked_where_they_were_given() {
        let given = json!({ "token": "abc", "count": 3, "other": null, "open": "x" });
        let secrets = ["token", "count", "other", "absent"].map(str::to_owned);
        let shown = arguments(given.as_object().unwrap(), &secrets);
        assert_eq!(Value::Object(shown), json!({ "token": "***", "count": "***", "other": null, "open": "x" }));
    }

    #[test]
    fn texts_are_masked_wherever_a_secret_stands() {
        let secret = |value: &str| Text::new("${X}").with_value(value.to_owned());
        let values = [secret("hunter2"), secret("abc"), Text::new("plain")];
        let shown = text("hunter2, abc, plain, xhunter2x".to_owned(), &values);
        assert_eq!(shown, "***, abc, plain, x***x");
    }
}
