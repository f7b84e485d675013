//! Dates and times of the binary protocol, as text. Nothing is lost: zero dates, months without a day, times below
//! zero and above 24 hours stay what they are.
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_binary_resultset.html>

/// A date, `YYYY-MM-DD`. `raw` begins with the byte that tells its length.
pub fn date(raw: &[u8]) -> Option<String> {
    let (year, month, day) = match raw.split_first()? {
        (0, _) => (0, 0, 0),
        (_, [y0, y1, month, day, ..]) => (u16::from_le_bytes([*y0, *y1]), *month, *day),
        _ => return None,
    };
    Some(format!("{year:04}-{month:02}-{day:02}"))
}

/// A date and time, `YYYY-MM-DDTHH:MM:SS` with as much of a fraction as there is: RFC 3339 without an offset.
pub fn date_time(raw: &[u8]) -> Option<String> {
    let date = date(raw)?;
    let time = match raw.get(1..)? {
        [] | [_, _, _, _] => clock(0, 0, 0, 0),
        [_, _, _, _, hour, minute, second] => clock((*hour).into(), *minute, *second, 0),
        [_, _, _, _, hour, minute, second, a, b, c, d] => {
            clock((*hour).into(), *minute, *second, u32::from_le_bytes([*a, *b, *c, *d]))
        }
        _ => return None,
    };
    Some(format!("{date}T{time}"))
}

/// A time, `HH:MM:SS` with as much of a fraction as there is; hours go to 838, and may be below zero.
pub fn time(raw: &[u8]) -> Option<String> {
    let (negative, days, clock_part) = match raw.get(1..)? {
        [] => (0, 0, &[][..]),
        [negative, a, b, c, d, rest @ ..] => (*negative, u32::from_le_bytes([*a, *b, *c, *d]), rest),
        _ => return None,
    };
    let hours = |hour: u8| u64::from(days) * 24 + u64::from(hour);
    let text = match clock_part {
        [] => clock(0, 0, 0, 0),
        [hour, minute, second] => clock(hours(*hour), *minute, *second, 0),
        [hour, minute, second, a, b, c, d] => {
            clock(hours(*hour), *minute, *second, u32::from_le_bytes([*a, *b, *c, *d]))
        }
        _ => return None,
    };
    Some(if negative == 1 { format!("-{text}") } else { text })
}

fn clock(hours: u64, minute: u8, second: u8, micros: u32) -> String {
    let whole = format!("{hours:02}:{minute:02}:{second:02}");
    if micros == 0 {
        return whole;
    }
    let fraction = format!("{micros:06}");
    format!("{whole}.{}", fraction.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        assert_eq!(date(&[4, 0xEA, 7, 1, 2]).unwrap(), "2026-01-02");
        assert_eq!(date(&[0]).unwrap(), "0000-00-00");
        assert_eq!(date(&[4, 0xEA, 7, 0, 0]).unwrap(), "2026-00-00");
        assert_eq!(date(&[]), None);
        assert_eq!(date(&[4, 1]), None);
    }

    #[test]
    fn dates_with_times() {
        assert_eq!(date_time(&[4, 0xEA, 7, 1, 2]).unwrap(), "2026-01-02T00:00:00");
        assert_eq!(date_time(&[7, 0xEA, 7, 1, 2, 3, 4, 5]).unwrap(), "2026-01-02T03:04:05");
        assert_eq!(date_time(&[11, 0xEA, 7, 1, 2, 3, 4, 5, 0x20, 0xA1, 7, 0]).unwrap(), "2026-01-02T03:04:05.5");
        assert_eq!(date_time(&[0]).unwrap(), "0000-00-00T00:00:00");
        assert_eq!(date_time(&[5, 0xEA, 7, 1, 2, 3]), None);
    }

    #[test]
    fn times() {
        assert_eq!(time(&[0]).unwrap(), "00:00:00");
        assert_eq!(time(&[8, 0, 0, 0, 0, 0, 1, 2, 3]).unwrap(), "01:02:03");
        assert_eq!(time(&[12, 1, 34, 0, 0, 0, 22, 59, 59, 1, 0, 0, 0]).unwrap(), "-838:59:59.000001");
        assert_eq!(time(&[3, 0, 0, 0]), None);
        assert_eq!(time(&[]), None);
    }
}
