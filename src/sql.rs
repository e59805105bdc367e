//! sql: SQL text as words, whichever database it is for; what a statement does is for others to tell.

use sqlparser::dialect::{Dialect, GenericDialect, MySqlDialect, PostgreSqlDialect, SQLiteDialect};
use sqlparser::tokenizer::{Token, Tokenizer};

/// The tokens of a text without white space and comments; `None` when no dialect takes it.
pub fn tokens(text: &str) -> Option<Vec<Token>> {
    let dialects: [&dyn Dialect; 4] = if is_mysql(text) {
        [&MySqlDialect {}, &SQLiteDialect {}, &GenericDialect {}, &PostgreSqlDialect {}]
    } else if brackets_names(text) {
        [&SQLiteDialect {}, &GenericDialect {}, &PostgreSqlDialect {}, &MySqlDialect {}]
    } else {
        [&PostgreSqlDialect {}, &GenericDialect {}, &SQLiteDialect {}, &MySqlDialect {}]
    };
    let all = dialects.into_iter().find_map(|dialect| Tokenizer::new(dialect, text).tokenize().ok())?;
    Some(all.into_iter().filter(|token| !matches!(token, Token::Whitespace(_))).collect())
}

/// Whether a text quotes names or hides code in comments as MySQL does. Elsewhere such quotes stand in comments, and in
/// commands of PostgreSQL's client.
pub fn is_mysql(text: &str) -> bool {
    let quotes = |line: &str| {
        let code = line.split("--").next().unwrap_or(line);
        code.contains('`') && !code.trim_start().starts_with('\\')
    };
    text.contains("/*!") || text.lines().any(quotes)
}

/// Whether a text quotes names as SQLite lets it: `CREATE TABLE [order lines]`. Behind a word brackets count elements.
fn brackets_names(text: &str) -> bool {
    let begins = |two: &[u8]| matches!(two[0], b' ' | b'\n' | b'(' | b',' | b'.') && two[1] == b'[';
    !text.contains('$') && text.as_bytes().windows(2).any(begins)
}

/// Whether a token is this word of the language, in capital letters or not; what is quoted is a name.
pub fn is_word(token: &Token, wanted: &str) -> bool {
    matches!(token, Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(wanted))
}

/// Whether the words of a text begin with these.
pub fn begin_with(tokens: &[Token], wanted: &[&str]) -> bool {
    tokens.len() >= wanted.len() && tokens.iter().zip(wanted).all(|(token, word)| is_word(token, word))
}

/// What follows words that may stand here, in this order, each of them or none.
pub fn behind<'t>(tokens: &'t [Token], words: &[&str]) -> &'t [Token] {
    let skip = |rest: &'t [Token], word: &&str| match rest {
        [first, behind @ ..] if is_word(first, word) => behind,
        _ => rest,
    };
    words.iter().fold(tokens, skip)
}

/// A name: a word as databases compare it, which fold the ones that are not quoted.
pub fn name(token: &Token) -> Option<String> {
    match token {
        Token::Word(word) if word.quote_style.is_none() => Some(word.value.to_ascii_lowercase()),
        Token::Word(word) => Some(word.value.clone()),
        // MySQL reads it as a text, and takes it for a name when told to.
        Token::DoubleQuotedString(text) => Some(text.clone()),
        _ => None,
    }
}

/// The last part of a dotted name, in lower case, behind `IF NOT EXISTS` and `ONLY`, and what follows it.
pub fn dotted(tokens: &[Token]) -> Option<(String, &[Token])> {
    let (_, name, rest) = qualified(tokens)?;
    Some((name, rest))
}

/// The same with the part before the last one, which is a schema.
pub fn qualified(tokens: &[Token]) -> Option<(Option<String>, String, &[Token])> {
    let mut rest = behind(tokens, &["IF", "NOT", "EXISTS", "ONLY"]);
    let mut above = None;
    loop {
        let (first, after) = rest.split_first()?;
        let name = name(first)?.to_ascii_lowercase();
        match after {
            [Token::Period, behind @ ..] => (above, rest) = (Some(name), behind),
            _ => return Some((above, name, after)),
        }
    }
}

/// The parts of a list between brackets, cut at the commas that stand in no deeper bracket, and what follows the
/// closing one.
pub fn listed(tokens: &[Token]) -> Option<(Vec<&[Token]>, &[Token])> {
    let [Token::LParen, inner @ ..] = tokens else { return None };
    let mut depth = 0_usize;
    let closing = inner.iter().position(|token| match token {
        Token::LParen => {
            depth += 1;
            false
        }
        Token::RParen if depth == 0 => true,
        Token::RParen => {
            depth -= 1;
            false
        }
        _ => false,
    });
    let closing = closing?;
    Some((parts(&inner[..closing]), &inner[closing + 1..]))
}

/// The parts between the commas that stand in no bracket.
pub fn parts(tokens: &[Token]) -> Vec<&[Token]> {
    let mut depth = 0_usize;
    tokens
        .split(|token| {
            match token {
                Token::LParen => depth += 1,
                Token::RParen => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0 && matches!(token, Token::Comma)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{behind, dotted, listed, tokens};

    #[test]
    fn names_are_read_whatever_quotes_them() {
        for text in ["Jobs (", "public.jobs (", "\"Jobs\" (", "`shop`.`jobs` (", "IF NOT EXISTS ONLY jobs ("]
        {
            let tokens = tokens(text).expect("it is SQL");
            let (name, rest) = dotted(&tokens).expect("it is a name");
            assert_eq!((name.as_str(), rest.len()), ("jobs", 1), "{text}");
        }
    }

    #[test]
    fn lists_are_cut_at_their_own_commas() {
        let tokens =
            tokens("(a numeric(10, 2), b text DEFAULT f(1, (2)), c int) ENGINE = x").expect("it is SQL");
        let (parts, rest) = listed(&tokens).expect("it is a list");
        assert_eq!(parts.len(), 3);
        assert_eq!(behind(rest, &["ENGINE"]).len(), 2);
        assert!(listed(&super::tokens("(a, (b)").expect("it is SQL")).is_none());
    }
}
