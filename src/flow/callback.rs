//! flow/callback: functions that are handed to other functions, which call them.

use crate::project::{FunctionId, Symbol};

use super::summary::{DatabaseUse, Summary};
use super::trace::Trace;
use super::value::Value;

impl Trace<'_> {
    /// A callee calls what it is handed: when, how often and under which handlers is its own business, so only what may
    /// happen is known.
    pub(super) fn invoke_for(&mut self, summary: &Summary, binding: &[Value]) {
        for &number in &summary.invokes {
            for one in binding.get(number as usize).cloned().unwrap_or(Value::Unknown).alternatives() {
                match one {
                    Value::Symbol(Symbol::Function(function)) | Value::Method(_, function) => {
                        self.may_run(function);
                    }
                    Value::Param(number) => drop(self.outcome.summary.invokes.insert(number)),
                    _ => {}
                }
            }
        }
    }

    fn may_run(&mut self, function: FunctionId) {
        self.outcome.calls.insert(function);
        if let Some(summary) = self.summary(function) {
            self.used.merge(DatabaseUse { outer: false, ..summary.database });
        }
    }
}
