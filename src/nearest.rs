//! nearest: the known name that a mistyped one was probably meant to be.

/// The known name that is most like the given one, if any is like it at all.
pub fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let given = given.to_lowercase().replace('_', "-");
    known
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&given, &name.to_lowercase().replace('_', "-")), name))
        .filter(|&(likeness, _)| likeness >= 0.75)
        // The first of equals, so that the answer does not depend on how a maximum is looked for.
        .fold(None, |best: Option<(f64, &str)>, next| match best {
            Some(best) if best.0 >= next.0 => Some(best),
            _ => Some(next),
        })
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_word_and_nonsense_finds_none() {
        let known = ["exclude", "extend", "include", "covered-by-default"];
        assert_eq!(nearest("exlude", known), Some("exclude"));
        assert_eq!(nearest("covered_by_default", known), Some("covered-by-default"));
        assert_eq!(nearest("zzz", known), None);
    }
}
