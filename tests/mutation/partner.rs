//! mutation/partner: what may stand in for a place: other statements that do the same, and what fills a column by itself.

use std::collections::BTreeSet;

use super::place::{Kind, Place};
use super::{MOST_PARTNERS, Trial, inside};

impl Trial<'_> {
    /// Places that may do the same.
    pub(super) fn partners(&self, place: &Place) -> Vec<&Place> {
        let called: BTreeSet<&str> = self
            .all
            .iter()
            .filter(|other| other.file == place.file && other.function == place.function)
            .filter(|other| matches!(other.kind, Kind::Setter | Kind::Helper))
            .map(|other| other.name.as_str())
            .collect();
        let own =
            |function: &'_ str| -> String { function.rsplit('.').next().unwrap_or_default().to_owned() };
        let here = own(&place.function);
        // Who calls the function the place stands in, as far as calls are places themselves.
        let callers: BTreeSet<(usize, &str)> = self
            .all
            .iter()
            .filter(|other| matches!(other.kind, Kind::Setter | Kind::Helper) && other.name == here)
            .map(|other| (other.file, other.function.as_str()))
            .collect();
        let is_concerned = |file: usize, function: &str| {
            file == place.file && inside(function, &place.function) || callers.contains(&(file, function))
        };
        let writes = self.before.writes.keys();
        let written: BTreeSet<&str> = writes
            .filter(|(file, function, ..)| is_concerned(*file, function))
            .map(|(.., entity)| entity.as_str())
            .collect();
        let may_do = |other: &&Place| {
            let is_near = other.file == place.file && other.function == place.function;
            let own_name = other.function.rsplit('.').next().unwrap_or_default();
            if (other.file, &other.span) == (place.file, &place.span) {
                return false;
            }
            if place.kind.imports() {
                let binds_it = other.kind.imports() && other.name == place.name;
                return other.file == place.file
                    && (binds_it || (other.kind == Kind::Standby && other.name == "*"));
            }
            if place.kind.stamps() {
                // A hook or the table itself may fill what the code leaves out, and a caller may do it again.
                let fills =
                    matches!(other.kind, Kind::Store | Kind::Standby) && written.contains(&*other.name);
                let calls = callers.contains(&(other.file, &*other.function)) && other.name != here;
                return (other.kind.stamps() || fills)
                    && !other.duties.is_disjoint(&place.duties)
                    && (is_near || called.contains(own_name) || fills || calls);
            }
            if place.kind.trails() {
                let tells = other.kind == Kind::Log && place.span.contains(&other.span.start);
                return is_near && (other.kind == place.kind || tells);
            }
            let is_cleanup = other.kind == Kind::Standby && other.name == "close";
            // A row of the trail tells of a failure as well as a log does.
            let tells = other.kind == Kind::Emission
                && is_near
                && place.handler.as_ref().is_some_and(|clause| clause.span.contains(&other.span.start));
            let goes_on = other.kind == Kind::Question && other.span.contains(&place.span.start);
            if tells || goes_on {
                return true;
            }
            // What the body calls may have rolled back before it failed.
            let is_before = matches!(other.kind, Kind::Rollback | Kind::Mending)
                && place.handler.as_ref().is_some_and(|clause| clause.calls.contains(own_name));
            is_before || is_near && (is_cleanup || (other.kind.mends() && other.handler == place.handler))
        };
        let mut partners: Vec<&Place> = self.all.iter().filter(may_do).collect();
        // The nearest first: where there are many, it is one of them.
        partners.sort_by_key(|other| {
            let is_apart = (other.file != place.file, other.kind == Kind::Standby);
            (is_apart, other.span.start.abs_diff(place.span.start))
        });
        partners.truncate(MOST_PARTNERS);
        partners
    }
}
