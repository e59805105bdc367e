//! flow/schedule: in which order functions are followed: what is called before who calls it.
//!
//! Whoever is followed after all that it calls is followed once, but for recursion. Who calls whom is known for certain
//! only afterwards; here it is guessed from names, which is good enough for an order. What depends on what comes from the
//! calls that were seen.

use std::collections::BTreeSet;

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::facts::StepKind;
use crate::name::Name;
use crate::project::{ClassId, FunctionId, Project, Symbol};

use super::summary::Sought;

/// How many functions of one name a call may be thought to mean.
const MOST_MEANT: usize = 4;

/// The functions of a program, in the order in which they are followed, and which of them are due.
#[derive(Debug)]
pub(super) struct Schedule {
    /// All functions, in path order and source order: their numbers are places in it.
    all: Vec<FunctionId>,
    /// See [`Project::function_starts`]: numbers count like that.
    starts: Vec<u32>,
    /// Numbers of functions, level by level: who calls another stands above it, unless they call each other.
    levels: Vec<Vec<u32>>,
    /// By number: whether it must be followed.
    due: Vec<bool>,
    /// By number: who has asked for what it does.
    dependants: Vec<Vec<u32>>,
    /// By attribute of objects: who has asked for it.
    readers: FxHashMap<(ClassId, Name), Vec<u32>>,
}

impl Schedule {
    /// The functions of a program, all of them due.
    pub(super) fn of(project: &Project) -> Schedule {
        let all = project.function_ids();
        let mut schedule = Schedule {
            due: vec![true; all.len()],
            dependants: vec![Vec::new(); all.len()],
            readers: FxHashMap::default(),
            levels: Vec::new(),
            all,
            starts: project.function_starts(),
        };
        schedule.levels = levels(&schedule.guessed(project));
        schedule
    }

    /// How many levels there are.
    pub(super) fn levels(&self) -> usize {
        self.levels.len()
    }

    /// The functions of a level that are due, in order; they are due no longer.
    pub(super) fn take(&mut self, level: usize) -> Vec<FunctionId> {
        let due = &mut self.due;
        let taken = self.levels[level].iter().filter(|&&number| std::mem::take(&mut due[number as usize]));
        taken.map(|&number| self.all[number as usize]).collect()
    }

    /// All functions that are due, in order.
    pub(super) fn left(&self) -> Vec<FunctionId> {
        self.all.iter().zip(&self.due).filter(|(_, due)| **due).map(|(id, _)| *id).collect()
    }

    /// A function must be followed again.
    pub(super) fn call_up(&mut self, id: FunctionId) {
        let number = self.number(id);
        self.due[number as usize] = true;
    }

    /// Following a function has asked for this: where that changes, it is due again.
    pub(super) fn note(&mut self, dependant: FunctionId, sought: Sought) {
        let dependant = self.number(dependant);
        for function in sought.functions {
            let on = self.number(function) as usize;
            enter(&mut self.dependants[on], dependant);
        }
        for attribute in sought.attributes {
            enter(self.readers.entry(attribute).or_default(), dependant);
        }
    }

    /// What a function does is news to those that have asked for it.
    pub(super) fn tell_dependants(&mut self, id: FunctionId) {
        for dependant in &self.dependants[self.number(id) as usize] {
            self.due[*dependant as usize] = true;
        }
    }

    /// What objects of a class have in an attribute is news to those that have asked for it.
    pub(super) fn tell_readers(&mut self, attribute: (ClassId, Name)) {
        for number in self.readers.get(&attribute).into_iter().flatten() {
            self.due[*number as usize] = true;
        }
    }

    fn number(&self, id: FunctionId) -> u32 {
        self.starts[id.file.0 as usize] + id.index
    }

    /// By number: the numbers of the functions that it may call, by the names it writes.
    fn guessed(&self, project: &Project) -> Vec<Vec<u32>> {
        let mut by_name: FxHashMap<Name, Vec<u32>> = FxHashMap::default();
        for (number, &id) in (0..).zip(&self.all) {
            by_name.entry(project.function(id).name).or_default().push(number);
        }
        let guess = |&id: &FunctionId| {
            let function = project.function(id);
            let mut meant = BTreeSet::new();
            for step in &function.steps {
                match step.kind {
                    StepKind::Function(index) => {
                        meant.insert(self.starts[id.file.0 as usize] + index as u32);
                    }
                    StepKind::Call { callee, .. } => match function.steps[callee as usize].kind {
                        StepKind::Attribute { name, .. } => {
                            meant.extend(self.of_name(&by_name, id, name));
                        }
                        StepKind::Name(name) => match project.symbol_of(id, callee) {
                            Some(Symbol::Function(function)) => {
                                meant.insert(self.number(function));
                            }
                            Some(Symbol::Class(class)) => {
                                let maker = project.method(class, Name::new("__init__"));
                                meant.extend(maker.map(|maker| self.number(maker)));
                            }
                            _ => meant.extend(self.of_name(&by_name, id, name)),
                        },
                        _ => {}
                    },
                    _ => {}
                }
            }
            meant.into_iter().collect()
        };

        self.all.par_iter().map(guess).collect()
    }

    /// The functions of a name that a function may mean: those of its own file, or else all, where they are few.
    fn of_name<'m>(
        &self,
        by_name: &'m FxHashMap<Name, Vec<u32>>,
        from: FunctionId,
        name: Name,
    ) -> impl Iterator<Item = u32> + 'm {
        let all = by_name.get(&name).map_or(&[][..], Vec::as_slice);
        let file = from.file.0 as usize;
        let first = self.starts[file];
        let end = self.starts[file + 1];
        let own = &all[all.partition_point(|&number| number < first)..];
        let own = &own[..own.partition_point(|&number| number < end)];
        let meant = if own.is_empty() { all } else { own };
        meant.iter().copied().filter(move |_| meant.len() <= MOST_MEANT)
    }
}

/// Adds a number to others that stand in order.
fn enter(known: &mut Vec<u32>, number: u32) {
    if let Err(at) = known.binary_search(&number) {
        known.insert(at, number);
    }
}

/// The nodes of a graph level by level, each above all that it leads to; those on a cycle share a level.
fn levels(edges: &[Vec<u32>]) -> Vec<Vec<u32>> {
    let mut found: Vec<Vec<u32>> = Vec::new();
    let mut level_of = vec![0usize; edges.len()];
    for group in groups(edges) {
        let below = group.iter().flat_map(|&node| &edges[node as usize]);
        let level = below.map(|&node| level_of[node as usize]).max().unwrap_or(0);
        for &node in &group {
            level_of[node as usize] = level + 1;
        }
        if found.len() <= level {
            found.resize(level + 1, Vec::new());
        }
        found[level].extend(group);
    }
    found.iter_mut().for_each(|level| level.sort_unstable());
    found
}

/// The strongly connected groups of a graph, each behind all that it leads to (Tarjan's algorithm, without recursion).
fn groups(edges: &[Vec<u32>]) -> Vec<Vec<u32>> {
    const UNSEEN: u32 = u32::MAX;
    let count = edges.len();
    let (mut number, mut lowest) = (vec![UNSEEN; count], vec![0u32; count]);
    let mut is_open = vec![false; count];
    let (mut open, mut found) = (Vec::new(), Vec::new());
    let mut next = 0;
    for root in 0..count as u32 {
        if number[root as usize] != UNSEEN {
            continue;
        }
        // Each node on the way with the number of its edges that were followed.
        let mut way = vec![(root, 0usize)];
        while let Some((node, followed)) = way.last_mut() {
            let at = *node as usize;
            if *followed == 0 {
                number[at] = next;
                lowest[at] = next;
                next += 1;
                open.push(*node);
                is_open[at] = true;
            }
            match edges[at].get(*followed) {
                Some(&target) => {
                    *followed += 1;
                    let to = target as usize;
                    if number[to] == UNSEEN {
                        way.push((target, 0));
                    } else if is_open[to] {
                        lowest[at] = lowest[at].min(number[to]);
                    }
                }
                None => {
                    way.pop();
                    if let Some(&(above, _)) = way.last() {
                        lowest[above as usize] = lowest[above as usize].min(lowest[at]);
                    }
                    if lowest[at] == number[at] {
                        let from = open.iter().rposition(|&node| node as usize == at).unwrap_or(0);
                        let group = open.split_off(from);
                        group.iter().for_each(|&node| is_open[node as usize] = false);
                        found.push(group);
                    }
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::levels;

    #[test]
    fn what_is_called_comes_before_who_calls_it() {
        // 0 calls 1 and 2, 1 calls 2; 3 and 4 call each other and 0; 5 is alone.
        let edges = [vec![1, 2], vec![2], vec![], vec![4, 0], vec![3], vec![]];
        assert_eq!(levels(&edges), [vec![2, 5], vec![1], vec![0], vec![3, 4]]);
    }

    #[test]
    fn a_long_chain_takes_no_stack() {
        let edges: Vec<Vec<u32>> = (1..=200_000).map(|next| vec![next]).chain([vec![]]).collect();
        assert_eq!(levels(&edges).len(), 200_001);
    }
}
