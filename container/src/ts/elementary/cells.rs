//! Metadata access units in cells (ISO/IEC 13818-1 §2.12.4.2), as synchronous KLV has them.

/// Bytes of a cell's header.
const HEADER: usize = 5;

/// What the cells of a PES packet carry, one after another; a cell that claims more than there is ends the walk.
pub fn cells(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (&[_, _, _, high, low], rest) = bytes.split_first_chunk::<HEADER>()?;
        let (cell, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([high, low])))?;
        bytes = rest;
        Some(cell)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_follow_each_other_until_one_breaks_off() {
        let bytes = [0, 1, 0xdf, 0, 2, 7, 8, 0, 2, 0xdf, 0, 1, 9, 0, 3, 0xdf, 0, 4, 1];
        assert_eq!(cells(&bytes).collect::<Vec<_>>(), [&[7, 8][..], &[9]]);
    }
}
