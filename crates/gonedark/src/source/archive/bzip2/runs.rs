use super::block::BlockFault;

/// So many equal bytes are followed by one that says how many more there are (bzip2 1.0.8, `unRLE_obuf_to_output_FAST`).
const EQUAL: usize = 4;

/// Bytes that are searched for equal ones at once; the compiler makes one comparison of sixteen of them. A guess.
const WINDOW: usize = 32;

/// Writes out the runs of `text`; `TooLong` beyond `limit` bytes.
pub(super) fn expand(text: &[u8], out: &mut Vec<u8>, limit: usize) -> Result<(), BlockFault> {
    out.reserve(text.len().min(limit));
    let mut rest = text;
    while let Some(run) = find_run(rest) {
        let (before, behind) = rest.split_at(run + EQUAL);
        // A text that ends without the number is refused by the library too.
        let (&more, behind) = behind.split_first().ok_or(BlockFault::Corrupt)?;
        out.extend_from_slice(before);
        out.resize(out.len() + usize::from(more), before[run]);
        if out.len() > limit {
            return Err(BlockFault::TooLong);
        }
        rest = behind;
    }
    out.extend_from_slice(rest);
    if out.len() > limit { Err(BlockFault::TooLong) } else { Ok(()) }
}

/// Where the first four equal bytes are.
fn find_run(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(window) = text.get(at..).and_then(<[u8]>::first_chunk::<{ WINDOW + EQUAL - 1 }>) {
        let begins = |index: usize| {
            (window[index] == window[index + 1])
                & (window[index] == window[index + 2])
                & (window[index] == window[index + 3])
        };
        if (0..WINDOW).fold(false, |any, index| any | begins(index)) {
            break;
        }
        at += WINDOW;
    }
    let found = text[at..].windows(EQUAL).position(|four| four.iter().all(|byte| *byte == four[0]))?;
    Some(at + found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_found_wherever_it_begins() {
        for length in 0..90 {
            let mut text: Vec<u8> = (0..length).collect();
            assert_eq!(find_run(&text), None);
            for at in 0..length as usize {
                text[at..].iter_mut().take(EQUAL).for_each(|byte| *byte = 200);
                assert_eq!(find_run(&text), (at + EQUAL <= text.len()).then_some(at));
                text = (0..length).collect();
            }
        }
    }

    #[test]
    fn a_run_without_its_number_is_no_text() {
        let mut out = Vec::new();
        assert_eq!(expand(b"abbbb", &mut out, 100), Err(BlockFault::Corrupt));
    }

    #[test]
    fn what_is_longer_than_the_limit_is_not_written_out() {
        for (limit, wanted) in [(9, Err(BlockFault::TooLong)), (10, Ok(()))] {
            let mut out = Vec::new();
            assert_eq!(expand(b"aaaa\x05b", &mut out, limit), wanted);
        }
    }
}
