//! The workload that all patterns share: how many words there are of each
//! length.
//!
//! A word is a run of ASCII letters. The totals are sums, so parts can be
//! joined in any order.

/// Words of this length and longer are counted together.
pub const LONGEST: usize = 16;

/// How many words there are of each length; the first is of those with one
/// letter.
pub type Totals = [u64; LONGEST];

/// The work on one text. It touches nothing that is shared.
pub fn lengths(text: &str) -> Totals {
    let mut totals = Totals::default();
    for word in text.split(|letter: char| !letter.is_ascii_alphabetic()) {
        if !word.is_empty() {
            totals[word.len().min(LONGEST) - 1] += 1;
        }
    }
    totals
}

/// Join a part to a total.
pub fn add(total: &mut Totals, part: &Totals) {
    for (sum, amount) in total.iter_mut().zip(part) {
        *sum += amount;
    }
}

/// A number that differs where totals differ (FNV-1a over their bytes), so
/// that programs can be compared.
pub fn digest(totals: &Totals) -> u64 {
    let bytes = totals.iter().flat_map(|sum| sum.to_le_bytes());
    let (start, prime) = (0xcbf2_9ce4_8422_2325, 0x0100_0000_01b3);
    bytes.fold(start, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(prime))
}
