//! What of a source must not be seen, in every spelling in which it may come back.

use crate::action::mask::MASK;
use crate::spec::Text;
use crate::spec::model::api::Requests;
use crate::uri::encode_segment;

/// Every value from outside, and what stands after its last space: `Token ${KEY}`.
pub fn secrets(written: &Requests) -> Vec<Text> {
    let named = written.headers.iter().chain(written.query.iter()).chain(written.cookies.iter());
    let values = named.map(|(_, value)| &value.value);
    let secret = values.filter(|value| value.is_secret()).map(Text::expose);
    let parts = secret.flat_map(|s| [Some(s), s.rsplit_once(' ').map(|(_, last)| last)]).flatten();
    parts.map(|s| Text::new(MASK).with_value(s.to_owned())).collect()
}

/// A secret as it may come back in an answer: as it is, percent-encoded as in a URL, or inside of JSON.
pub fn spellings(secret: &str) -> Vec<Text> {
    let encoded = encode_segment(secret);
    let small = encoded.split('%').enumerate().map(|(i, part)| match part.split_at_checked(2) {
        Some((digits, rest)) if i > 0 => format!("%{}{rest}", digits.to_ascii_lowercase()),
        _ => part.to_owned(),
    });
    let small = small.collect::<String>();
    let form = encoded.replace("%20", "+");
    let quoted = serde_json::Value::from(secret).to_string();
    let quoted = quoted.trim_start_matches('"').strip_suffix('"').unwrap_or(&quoted).to_owned();
    let mut all = vec![secret.to_owned()];
    for other in [encoded, small, form, quoted] {
        if !all.contains(&other) {
            all.push(other);
        }
    }
    all.into_iter().map(|s| Text::new("***").with_value(s)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_known_in_every_spelling() {
        let all: Vec<String> = spellings("a+b/c =\"\\").iter().map(|s| s.expose().to_owned()).collect();
        for spelling in
            ["a+b/c =\"\\", "a%2Bb%2Fc%20%3D%22%5C", "a%2bb%2fc%20%3d%22%5c", "a%2Bb%2Fc+%3D%22%5C", "a+b/c =\\\"\\\\"]
        {
            assert!(all.iter().any(|s| s == spelling), "{spelling} is not in {all:?}");
        }
        assert_eq!(spellings("plain-token").len(), 1);
    }
}
