//! Geometry as the server stores it, told as Well-Known Text (OGC 06-103r4, section 7).
//!
//! <https://dev.mysql.com/doc/refman/8.4/en/gis-data-formats.html#gis-internal-format>

use std::fmt::Write as _;

/// Collections may hold collections, up to this depth.
const MAX_DEPTH: usize = 32;

/// WKT of 4 bytes of SRID and the geometry's WKB; an SRID that is not 0 stands in front, `SRID=4326;POINT(1 2)`.
/// `None` if that is not what the bytes are.
pub fn to_wkt(bytes: &[u8]) -> Option<String> {
    let (srid, wkb) = bytes.split_first_chunk::<4>()?;
    let mut text = String::new();
    match u32::from_le_bytes(*srid) {
        0 => {}
        srid => write!(text, "SRID={srid};").ok()?,
    }
    let mut reader = Reader { rest: wkb, text };
    reader.geometry(0)?;
    reader.rest.is_empty().then_some(reader.text)
}

struct Reader<'a> {
    rest: &'a [u8],
    text: String,
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*head)
    }

    fn count(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    /// The byte order, which is always the little-endian one, and the kind.
    fn kind(&mut self) -> Option<u32> {
        (self.take::<1>()? == [1]).then_some(())?;
        self.count()
    }

    fn geometry(&mut self, depth: usize) -> Option<()> {
        let kind = self.kind()?;
        self.text.push_str(match kind {
            1 => "POINT",
            2 => "LINESTRING",
            3 => "POLYGON",
            4 => "MULTIPOINT",
            5 => "MULTILINESTRING",
            6 => "MULTIPOLYGON",
            7 => "GEOMETRYCOLLECTION",
            _ => return None,
        });
        self.body(kind, depth)
    }

    fn body(&mut self, kind: u32, depth: usize) -> Option<()> {
        (depth < MAX_DEPTH).then_some(())?;
        match kind {
            1 => self.list(Some(1), Self::position),
            2 => self.list(None, Self::position),
            3 => self.list(None, |reader| reader.list(None, Self::position)),
            7 => self.list(None, |reader| reader.geometry(depth + 1)),
            _ => self.list(None, |reader| {
                let part = reader.kind()?;
                (part + 3 == kind).then_some(())?;
                reader.body(part, depth + 1)
            }),
        }
    }

    /// Parts in parentheses; how many there are stands before them, if it is not known.
    fn list(&mut self, count: Option<u32>, mut part: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        let count = match count {
            Some(count) => count,
            None => self.count()?,
        };
        if count == 0 {
            self.text.push_str(" EMPTY");
            return Some(());
        }
        for index in 0..count {
            self.text.push(if index == 0 { '(' } else { ',' });
            part(self)?;
        }
        self.text.push(')');
        Some(())
    }

    fn position(&mut self) -> Option<()> {
        let (x, y) = (f64::from_le_bytes(self.take()?), f64::from_le_bytes(self.take()?));
        write!(self.text, "{x} {y}").ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(x: f64, y: f64) -> Vec<u8> {
        [&[1, 1, 0, 0, 0][..], &x.to_le_bytes(), &y.to_le_bytes()].concat()
    }

    #[test]
    fn points_have_their_reference_system_in_front() {
        assert_eq!(to_wkt(&[&[0; 4][..], &point(1.5, -2.0)].concat()).unwrap(), "POINT(1.5 -2)");
        assert_eq!(to_wkt(&[&[0xE6, 0x10, 0, 0][..], &point(1.0, 2.0)].concat()).unwrap(), "SRID=4326;POINT(1 2)");
    }

    #[test]
    fn what_is_no_geometry_is_none() {
        let whole = [&[0; 4][..], &point(1.0, 2.0)].concat();
        for cut in 0..whole.len() {
            assert_eq!(to_wkt(&whole[..cut]), None, "{cut}");
        }
        assert_eq!(to_wkt(&[&whole[..], &[0]].concat()), None);
        assert_eq!(to_wkt(&[0, 0, 0, 0, 1, 9, 0, 0, 0]), None);
        // a list that claims to be endless
        assert_eq!(to_wkt(&[0, 0, 0, 0, 1, 2, 0, 0, 0, 255, 255, 255, 255]), None);
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth: usize| {
            let mut bytes = vec![0; 4];
            (0..depth).for_each(|_| bytes.extend([1, 7, 0, 0, 0, 1, 0, 0, 0]));
            bytes.extend([1, 7, 0, 0, 0, 0, 0, 0, 0]);
            to_wkt(&bytes)
        };
        assert_eq!(nested(1).unwrap(), "GEOMETRYCOLLECTION(GEOMETRYCOLLECTION EMPTY)");
        assert!(nested(31).is_some());
        assert!(nested(32).is_none());
    }
}
