//! cli/terminal: what the terminal at the other end can show.

use std::env;
use std::io::{self, IsTerminal as _};

use clap::ValueEnum;

use crate::report::human::{Charset, Colour, Look};

/// When colours are used, as a user may wish it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ColorWish {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Where a text goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    Stdout,
    Stderr,
}

/// How drawings look on a stream.
pub(super) fn look(stream: Stream, wish: ColorWish) -> Look {
    let at_terminal = match stream {
        Stream::Stdout => io::stdout().is_terminal(),
        Stream::Stderr => io::stderr().is_terminal(),
    };
    let shown = if at_terminal { Shown::AtTerminal } else { Shown::Elsewhere };
    Look { colour: colour(wish, shown, &variable), charset: charset(&variable), width: width(shown) }
}

/// How drawings look in a file.
pub(super) fn look_in_file() -> Look {
    Look { colour: Colour::Off, charset: Charset::Unicode, width: WIDTH }
}

/// The width where no terminal tells one.
const WIDTH: usize = 100;

/// What is at the other end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    AtTerminal,
    Elsewhere,
}

type Variables<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// The option is the closest word, then NO_COLOR, which means what it says, then CLICOLOR_FORCE.
fn colour(wish: ColorWish, shown: Shown, variables: &Variables<'_>) -> Colour {
    let set = |name: &str| variables(name).is_some_and(|value| !value.is_empty());
    let nought = |name: &str| variables(name).as_deref() == Some("0");
    let on = match wish {
        ColorWish::Always => true,
        ColorWish::Never => false,
        ColorWish::Auto if set("NO_COLOR") => false,
        ColorWish::Auto if set("CLICOLOR_FORCE") && !nought("CLICOLOR_FORCE") => true,
        ColorWish::Auto => {
            let dumb = variables("TERM").as_deref() == Some("dumb");
            shown == Shown::AtTerminal && !dumb && !nought("CLICOLOR")
        }
    };
    if on { Colour::On } else { Colour::Off }
}

/// The locale says whether box-drawing characters arrive; systems without locales show them.
fn charset(variables: &Variables<'_>) -> Charset {
    let locale =
        ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| variables(name).filter(|v| !v.is_empty()));
    let named = locale.map(|locale| locale.to_ascii_lowercase().replace('-', ""));
    match named {
        Some(locale) if locale.contains("utf8") => Charset::Unicode,
        None if cfg!(windows) => Charset::Unicode,
        _ => Charset::Ascii,
    }
}

fn width(shown: Shown) -> usize {
    let told = (shown == Shown::AtTerminal).then(terminal_size::terminal_size).flatten();
    // Narrower drawings are not legible any more, wider ones are tiring.
    told.map_or(WIDTH, |(width, _)| usize::from(width.0).clamp(60, 140))
}

fn variable(name: &str) -> Option<String> {
    env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with<'a>(set: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
        move |name| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    }

    #[test]
    fn colours_follow_the_option_and_then_the_environment() {
        let auto = |shown, set: &[(&str, &str)]| colour(ColorWish::Auto, shown, &with(set));
        assert_eq!(auto(Shown::AtTerminal, &[]), Colour::On);
        assert_eq!(auto(Shown::Elsewhere, &[]), Colour::Off);
        assert_eq!(auto(Shown::AtTerminal, &[("NO_COLOR", "1")]), Colour::Off);
        assert_eq!(auto(Shown::AtTerminal, &[("NO_COLOR", "")]), Colour::On);
        assert_eq!(auto(Shown::Elsewhere, &[("CLICOLOR_FORCE", "1")]), Colour::On);
        assert_eq!(auto(Shown::Elsewhere, &[("CLICOLOR_FORCE", "0")]), Colour::Off);
        assert_eq!(auto(Shown::AtTerminal, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]), Colour::Off);
        assert_eq!(auto(Shown::AtTerminal, &[("TERM", "dumb")]), Colour::Off);
        assert_eq!(colour(ColorWish::Always, Shown::Elsewhere, &with(&[("NO_COLOR", "1")])), Colour::On);
        assert_eq!(colour(ColorWish::Never, Shown::AtTerminal, &with(&[])), Colour::Off);
    }

    #[test]
    fn the_first_locale_that_is_set_decides_the_characters() {
        assert_eq!(charset(&with(&[("LANG", "de_DE.UTF-8")])), Charset::Unicode);
        assert_eq!(charset(&with(&[("LC_ALL", "C"), ("LANG", "de_DE.utf8")])), Charset::Ascii);
        assert_eq!(charset(&with(&[("LC_ALL", ""), ("LANG", "C.UTF-8")])), Charset::Unicode);
    }
}
