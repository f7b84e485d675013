//! Named values in one text, as it is and as it may be seen.

use crate::action::mask::MASK;
use crate::spec::Text;
use crate::uri::encode_segment;

/// A query or a `Cookie` header that is being put together.
#[derive(Default)]
pub struct Pairs {
    real: String,
    shown: String,
}

impl Pairs {
    /// Adds a parameter of a query, encoded.
    pub fn query(&mut self, name: &str, value: &Text) {
        self.push("&", &encode_segment(name), &encode_segment(value.expose()), value.is_secret());
    }

    /// Adds a cookie (RFC 6265 section 4.2.1); the value has been checked.
    pub fn cookie(&mut self, name: &str, value: &Text) {
        self.push("; ", name, value.expose(), value.is_secret());
    }

    fn push(&mut self, separator: &str, name: &str, value: &str, secret: bool) {
        let shown = if secret { MASK } else { value };
        for (pairs, value) in [(&mut self.real, value), (&mut self.shown, shown)] {
            if !pairs.is_empty() {
                pairs.push_str(separator);
            }
            pairs.extend([name, "=", value]);
        }
    }

    /// All of them; written with secrets masked. `None` if there are none.
    pub fn finish(self) -> Option<Text> {
        (!self.real.is_empty()).then(|| Text::new(self.shown).with_value(self.real))
    }
}
