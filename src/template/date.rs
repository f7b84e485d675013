//! The `date` helper: a moment as RFC 3339 text or seconds since 1970, written by a small pattern.

use std::fmt::Write;

use serde_json::Value;

/// A day and a time of day, as written: an offset is read and left alone.
#[derive(Debug, PartialEq, Eq)]
struct Moment {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
}

/// Writes `value` by `pattern`, in which `%Y %m %d %H %M %S %%` stand for their parts. Seconds since 1970 are told in
/// UTC; a text keeps the offset it was written with. The error says in plain words what can't be read.
pub(super) fn format(value: &Value, pattern: &str) -> Result<String, String> {
    let moment = match value {
        Value::String(text) => {
            parse(text).ok_or("`date` can't read this text as a time such as 2026-11-21T04:12:33Z")?
        }
        Value::Number(number) => number
            .as_i64()
            .or_else(|| number.as_f64().filter(|s| s.abs() < 1e12).map(|s| s.floor() as i64))
            .and_then(from_seconds)
            .ok_or("`date` can't read this number as seconds since 1970: the year would not be in 0 to 9999")?,
        other => {
            let kind = super::helper::kind(other);
            return Err(format!("`date` needs a time as RFC 3339 text or seconds since 1970, not {kind}"));
        }
    };
    write(&moment, pattern)
}

/// Whether `pattern` holds only what [`format`] knows; the error says what it doesn't.
pub(super) fn check(pattern: &str) -> Result<(), String> {
    write(&Moment { year: 0, month: 1, day: 1, hour: 0, minute: 0, second: 0 }, pattern).map(drop)
}

fn write(moment: &Moment, pattern: &str) -> Result<String, String> {
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let (number, width) = match chars.next() {
            Some('Y') => (moment.year, 4),
            Some('m') => (moment.month, 2),
            Some('d') => (moment.day, 2),
            Some('H') => (moment.hour, 2),
            Some('M') => (moment.minute, 2),
            Some('S') => (moment.second, 2),
            Some('%') => {
                out.push('%');
                continue;
            }
            other => {
                let sign = other.map(String::from).unwrap_or_default();
                return Err(format!("`date` doesn't know `%{sign}`: there are %Y %m %d %H %M %S and %%"));
            }
        };
        write!(out, "{number:0width$}").map_err(|_| "`date` could not be written".to_owned())?;
    }
    Ok(out)
}

/// An RFC 3339 `date-time` or `full-date`; databases leave the offset out or put a space for the `T`, so may this.
fn parse(text: &str) -> Option<Moment> {
    let mut rest = text;
    let year = digits(&mut rest, 4)?;
    let month = digits(sign(&mut rest, '-')?, 2)?;
    let day = digits(sign(&mut rest, '-')?, 2)?;
    let mut moment = Moment { year, month, day, hour: 0, minute: 0, second: 0 };
    if !(1..=12).contains(&month) || !(1..=days_in(year, month)).contains(&day) {
        return None;
    }
    if rest.is_empty() {
        return Some(moment);
    }
    rest = rest.strip_prefix(['T', 't', ' '])?;
    moment.hour = digits(&mut rest, 2).filter(|h| *h < 24)?;
    moment.minute = digits(sign(&mut rest, ':')?, 2).filter(|m| *m < 60)?;
    moment.second = digits(sign(&mut rest, ':')?, 2).filter(|s| *s <= 60)?;
    if let Some(fraction) = rest.strip_prefix('.') {
        rest = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
        if rest.len() == fraction.len() {
            return None;
        }
    }
    is_offset(rest).then_some(moment)
}

fn is_offset(text: &str) -> bool {
    let Some(mut rest) = text.strip_prefix(['+', '-']) else { return matches!(text, "" | "Z" | "z") };
    let hour = digits(&mut rest, 2).filter(|h| *h < 24);
    let minute = sign(&mut rest, ':').and_then(|rest| digits(rest, 2)).filter(|m| *m < 60);
    hour.is_some() && minute.is_some() && rest.is_empty()
}

/// Takes exactly `n` digits.
fn digits(rest: &mut &str, n: usize) -> Option<i64> {
    let (head, tail) = rest.split_at_checked(n)?;
    let number = head.bytes().all(|b| b.is_ascii_digit()).then(|| head.parse().ok())??;
    *rest = tail;
    Some(number)
}

fn sign<'r, 't>(rest: &'r mut &'t str, sign: char) -> Option<&'r mut &'t str> {
    *rest = rest.strip_prefix(sign)?;
    Some(rest)
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 0000-01-01 to 1970-01-01 in the proleptic Gregorian calendar.
const DAYS_TO_1970: i64 = 719_528;

fn from_seconds(seconds: i64) -> Option<Moment> {
    let days = seconds.div_euclid(86_400) + DAYS_TO_1970;
    let of_day = seconds.rem_euclid(86_400);
    let (year, mut day) = year_of(days)?;
    let mut month = 1;
    while day >= days_in(year, month) {
        day -= days_in(year, month);
        month += 1;
    }
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    Some(Moment { year, month, day: day + 1, hour, minute, second })
}

/// The year that day number `days` (0 is 0000-01-01) falls in, and the day's number in it.
fn year_of(days: i64) -> Option<(i64, i64)> {
    let first_day = |year: i64| {
        let before = year - 1;
        year * 365 + before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400) + 1
    };
    // 366 days a year never overshoots, so the guess is only some years early.
    let mut year = days.div_euclid(366);
    if !(0..=9999).contains(&year) {
        return None;
    }
    while first_day(year + 1) <= days {
        year += 1;
    }
    (year <= 9999).then(|| (year, days - first_day(year)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ALL: &str = "%Y-%m-%dT%H:%M:%S";

    #[test]
    fn seconds_since_1970() {
        for (seconds, text) in [
            (0_i64, "1970-01-01T00:00:00"),
            (-1, "1969-12-31T23:59:59"),
            (951_782_400, "2000-02-29T00:00:00"),
            (1_000_000_000, "2001-09-09T01:46:40"),
            (4_107_542_400, "2100-03-01T00:00:00"),
            (253_402_300_799, "9999-12-31T23:59:59"),
            (-62_167_219_200, "0000-01-01T00:00:00"),
        ] {
            assert_eq!(format(&json!(seconds), ALL).unwrap(), text);
        }
        assert_eq!(format(&json!(1.75), ALL).unwrap(), "1970-01-01T00:00:01");
        for far in [
            json!(253_402_300_800_i64),
            json!(-62_167_219_201_i64),
            json!(i64::MAX),
            json!(i64::MIN),
            json!(1e300),
            json!(u64::MAX),
        ] {
            assert!(format(&far, ALL).unwrap_err().contains("number"), "{far}");
        }
    }

    #[test]
    fn every_day_of_eight_centuries_follows_the_one_before() {
        let mut last = from_seconds(-12_219_292_800 - 86_400).unwrap();
        for day in 0..292_194_i64 {
            let now = from_seconds(-12_219_292_800 + day * 86_400).unwrap();
            let next = if last.day < days_in(last.year, last.month) {
                (last.year, last.month, last.day + 1)
            } else if last.month < 12 {
                (last.year, last.month + 1, 1)
            } else {
                (last.year + 1, 1, 1)
            };
            assert_eq!((now.year, now.month, now.day), next);
            last = now;
        }
    }

    #[test]
    fn text_keeps_its_offset() {
        for text in [
            "2026-11-21T04:12:33Z",
            "2026-11-21t04:12:33.123456+02:00",
            "2026-11-21 04:12:33",
            "2026-11-21T04:12:33.1-11:30",
        ] {
            assert_eq!(format(&json!(text), "%d.%m.%Y %H:%M:%S 100%%").unwrap(), "21.11.2026 04:12:33 100%");
        }
        assert_eq!(format(&json!("2024-02-29"), ALL).unwrap(), "2024-02-29T00:00:00");
    }

    #[test]
    fn bad_times_and_patterns_are_told() {
        for text in [
            "",
            "x",
            "2026",
            "2026-13-01",
            "2026-00-01",
            "2023-02-29",
            "2026-11-31",
            "2026-11-21T",
            "2026-11-21T24:00:00Z",
            "2026-11-21T04:60:00Z",
            "2026-11-21T04:12:61Z",
            "2026-11-21T04:12:33.Z",
            "2026-11-21T04:12:33+0200",
            "+026-11-21",
            "2026-11-21T04:12:33Zx",
            "２０26-11-21",
            "2026-1é-21",
            "2026-11-21T04:12:33+24:00",
        ] {
            assert!(format(&json!(text), ALL).unwrap_err().contains("text"), "{text}");
        }
        assert!(format(&json!([1]), ALL).unwrap_err().ends_with("not a list"));
        assert!(format(&json!(true), ALL).unwrap_err().ends_with("not a boolean"));
        assert!(check("%d.%m").is_ok());
        assert!(check("%Q").unwrap_err().contains("`%Q`"));
        assert!(check("%").is_err());
    }
}
