//! Finding tools by words: BM25 (Robertson and Zaragoza, 2009) over texts of different weight.

use std::collections::BTreeMap;

/// How soon a word that stands often in one text counts for no more.
const SATURATION: f64 = 1.2;
/// How much a long text is held against what stands in it.
const LENGTH: f64 = 0.75;
/// Words that are kept of one text.
const MAX_WORDS: usize = 400;
/// Words of a query that count.
const MAX_QUERY: usize = 32;
/// Letters that the beginning of a word needs to stand for it.
const LEAST_PREFIX: usize = 3;
/// Words that one beginning may stand for.
const MAX_PREFIXED: usize = 64;

/// A text, and how much its words weigh.
pub struct Field<'t> {
    /// The text.
    pub text: &'t str,
    /// 1 for a text that is no more than that.
    pub weight: f64,
}

/// Entries by the words of their texts.
#[derive(Debug, Default)]
pub struct Index {
    words: BTreeMap<String, Vec<Posting>>,
    /// The length of each entry: the weights of all its words.
    lengths: Vec<f64>,
    /// The length that they have on the whole.
    average: f64,
}

/// That a word stands in an entry.
#[derive(Debug, Clone, Copy)]
struct Posting {
    entry: usize,
    /// The weights of the places where it stands.
    weight: f64,
}

impl Index {
    /// Adds an entry; the first one has the number 0.
    pub fn add(&mut self, fields: &[Field<'_>]) {
        let entry = self.lengths.len();
        let mut length = 0.0;
        for field in fields {
            for word in words(field.text).take(MAX_WORDS) {
                length += field.weight;
                let postings = self.words.entry(word).or_default();
                match postings.last_mut().filter(|last| last.entry == entry) {
                    Some(last) => last.weight += field.weight,
                    None => postings.push(Posting { entry, weight: field.weight }),
                }
            }
        }
        let count = f64::from(u32::try_from(entry).unwrap_or(u32::MAX));
        self.average = (self.average * count + length) / (count + 1.0);
        self.lengths.push(length);
    }

    /// The numbers of the entries that have any of the words, the best first; of equals, the earlier first.
    pub fn find(&self, query: &str) -> Vec<usize> {
        let mut scores: BTreeMap<usize, f64> = BTreeMap::new();
        for word in words(query).take(MAX_QUERY) {
            for postings in self.meant(&word) {
                let rarity = self.rarity(postings.len());
                for posting in postings {
                    *scores.entry(posting.entry).or_default() += rarity * self.relevance(posting);
                }
            }
        }
        let mut found: Vec<(usize, f64)> = scores.into_iter().collect();
        found.sort_by(|a, b| b.1.total_cmp(&a.1));
        found.into_iter().map(|(entry, _)| entry).collect()
    }

    /// Where a word stands, or else the words that begin with it.
    fn meant(&self, word: &str) -> Vec<&[Posting]> {
        match self.words.get(word) {
            Some(postings) => vec![postings],
            None if word.len() < LEAST_PREFIX => Vec::new(),
            None => {
                let from = self.words.range(word.to_owned()..);
                let beginning = from.take_while(|(known, _)| known.starts_with(word));
                beginning.take(MAX_PREFIXED).map(|(_, postings)| postings.as_slice()).collect()
            }
        }
    }

    fn rarity(&self, entries: usize) -> f64 {
        let number = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
        let (all, having) = (number(self.lengths.len()), number(entries));
        (1.0 + (all - having + 0.5) / (having + 0.5)).ln()
    }

    fn relevance(&self, posting: &Posting) -> f64 {
        let length = self.lengths.get(posting.entry).copied().unwrap_or(0.0) / self.average.max(f64::MIN_POSITIVE);
        let damped = posting.weight + SATURATION * (1.0 - LENGTH + LENGTH * length);
        posting.weight * (SATURATION + 1.0) / damped
    }
}

/// The words of a text in small letters: `getUserByID`, `get_user-by.id` and "gets users by id" have the same.
fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    let parts = text.split(|c: char| !c.is_alphanumeric());
    parts.flat_map(humps).filter(|word| !word.is_empty()).map(|word| singular(word.to_lowercase()))
}

/// The parts of `camelCase`, `HTTPServer` and `page2`.
fn humps(word: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let letters: Vec<(usize, char)> = word.char_indices().collect();
    for (at, window) in letters.windows(2).enumerate() {
        let [(_, one), (next, two)] = window else { continue };
        let lower_follows = letters.get(at + 2).is_some_and(|(_, c)| c.is_lowercase());
        let begins = (!one.is_uppercase() && two.is_uppercase())
            || (one.is_uppercase() && two.is_uppercase() && lower_follows)
            || (one.is_numeric() != two.is_numeric());
        if begins {
            parts.extend(word.get(start..*next));
            start = *next;
        }
    }
    parts.extend(word.get(start..));
    parts
}

/// One and many are the same word, as far as their letters tell.
fn singular(mut word: String) -> String {
    if word.len() > 4 && word.ends_with("ies") {
        word.truncate(word.len() - 3);
        word.push('y');
    } else if word.len() > 3 && word.ends_with('s') && !word.ends_with("ss") {
        word.pop();
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<String> {
        words(text).collect()
    }

    fn index(texts: &[(&str, &str)]) -> Index {
        let mut index = Index::default();
        for (name, description) in texts {
            index.add(&[Field { text: name, weight: 4.0 }, Field { text: description, weight: 1.0 }]);
        }
        index
    }

    #[test]
    fn names_are_split_where_people_see_words() {
        for text in ["getUserByID", "get_user-by.id", "Gets users, by id!", "GETUser_by ID"] {
            assert_eq!(split(text), ["get", "user", "by", "id"], "{text}");
        }
        assert_eq!(split("HTTPServer2xx"), ["http", "server", "2", "xx"]);
        assert_eq!(split("queries class bus is"), ["query", "class", "bus", "is"]);
        assert_eq!(split("Größe_ändern"), ["größe", "ändern"]);
        assert_eq!(split(" _-. "), Vec::<String>::new());
    }

    #[test]
    fn what_has_the_words_is_found_the_best_first() {
        let index = index(&[
            ("create_invoice", "Writes an invoice for an order"),
            ("list_orders", "All orders of a customer"),
            ("get_weather", "What the weather is like in a city"),
            ("cancel_order", "Takes an order back"),
        ]);
        assert_eq!(index.find("weather"), [2]);
        assert_eq!(index.find("cancel an order").first(), Some(&3));
        assert_eq!(index.find("order").len(), 3, "the word stands in three");
        assert_eq!(index.find("invoice order").first(), Some(&0));
        assert_eq!(index.find("the moon"), [2], "only `the` is known");
        assert_eq!(index.find(""), Vec::<usize>::new());
        assert_eq!(index.find("zzz"), Vec::<usize>::new());
    }

    #[test]
    fn a_rare_word_counts_more_than_a_common_one() {
        let mut texts = vec![("get_page", "gets a page"); 50];
        texts.push(("get_rainbow", "gets a rainbow"));
        assert_eq!(index(&texts).find("get rainbow").first(), Some(&50));
    }

    #[test]
    fn the_beginning_of_a_word_stands_for_it_where_no_word_is_like_it() {
        let index = index(&[("calculate_metrics", ""), ("calendar", ""), ("forecast", "")]);
        assert_eq!(index.find("calc"), [0]);
        assert_eq!(index.find("cal").len(), 2);
        assert_eq!(index.find("ca"), Vec::<usize>::new());
    }

    #[test]
    fn a_long_query_costs_no_more_than_a_short_one() {
        let index = index(&[("find_books", "finds books")]);
        let long = "unknown ".repeat(100_000);
        assert_eq!(index.find(&long), Vec::<usize>::new());
    }
}
