//! flow/handing: which parameter of a callee an argument reaches, as the outlines say it.

use crate::facts::{Argument, ArgumentKind, Function, ParamKind};

use super::object::decorated;

/// The parameters that are handed something, each with its argument. A method's receiver is no argument.
pub(super) fn handed<'a>(function: &Function, arguments: &'a [Argument]) -> Vec<(usize, &'a Argument)> {
    let is_method = function.class.is_some() && !decorated(&function.decorators, "staticmethod");
    let mut next = usize::from(is_method);
    let mut found = Vec::new();
    for argument in arguments {
        match argument.kind {
            ArgumentKind::Plain => {
                if function.params.get(next).is_some_and(|param| param.kind == ParamKind::Plain) {
                    found.push((next, argument));
                }
                next += 1;
            }
            ArgumentKind::Keyword(name) => {
                let at = function.params.iter().position(|param| param.name == name);
                found.extend(at.map(|at| (at, argument)));
            }
            // Behind it nobody can count.
            ArgumentKind::Spread => next = usize::MAX / 2,
            ArgumentKind::SpreadKeywords => {}
        }
    }
    found
}
