//! project/by_function: something for each function of a program, at its place: no hash is asked for it, and all of it is
//! gone over in path order and source order.

use std::ops::Index;

use rayon::prelude::*;

use super::{FileId, FunctionId, Project};

/// Something for functions, where there is something.
#[derive(Debug)]
pub struct ByFunction<T> {
    /// See [`Project::function_starts`].
    starts: Vec<u32>,
    all: Vec<Option<T>>,
}

impl<T> ByFunction<T> {
    /// Nothing for any function of a program yet.
    pub fn new(project: &Project) -> ByFunction<T> {
        let all = project.function_ids().iter().map(|_| None).collect();
        ByFunction { starts: project.function_starts(), all }
    }

    /// Something for every function of a program, made by all threads at once.
    pub fn filled(project: &Project, make: impl Fn(FunctionId) -> T + Sync) -> ByFunction<T>
    where
        T: Send,
    {
        let all = project.function_ids().into_par_iter().map(|id| Some(make(id))).collect();
        ByFunction { starts: project.function_starts(), all }
    }

    /// What is there for a function.
    pub fn get(&self, id: FunctionId) -> Option<&T> {
        self.all[self.place(id)].as_ref()
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, id: FunctionId) -> Option<&mut T> {
        let place = self.place(id);
        self.all[place].as_mut()
    }

    /// Puts something there for a function; answers what was there.
    pub fn insert(&mut self, id: FunctionId, of_function: T) -> Option<T> {
        let place = self.place(id);
        self.all[place].replace(of_function)
    }

    /// All that is there, in order.
    pub fn iter(&self) -> impl Iterator<Item = (FunctionId, &T)> {
        self.ids().zip(&self.all).filter_map(|(id, of_function)| Some((id, of_function.as_ref()?)))
    }

    /// All that is there, in order, handed over.
    pub fn into_all(mut self) -> impl Iterator<Item = (FunctionId, T)> {
        let all = std::mem::take(&mut self.all);
        let ids: Vec<FunctionId> = self.ids().collect();
        ids.into_iter().zip(all).filter_map(|(id, of_function)| Some((id, of_function?)))
    }

    /// All that is there, in order, without the functions.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.all.iter().flatten()
    }

    fn ids(&self) -> impl Iterator<Item = FunctionId> + use<'_, T> {
        let of_file = |(file, bounds): (u32, &[u32])| {
            (0..bounds[1] - bounds[0]).map(move |index| FunctionId { file: FileId(file), index })
        };
        (0..).zip(self.starts.windows(2)).flat_map(of_file)
    }

    fn place(&self, id: FunctionId) -> usize {
        (self.starts[id.file.0 as usize] + id.index) as usize
    }
}

impl<T> Index<FunctionId> for ByFunction<T> {
    type Output = T;

    fn index(&self, id: FunctionId) -> &T {
        self.get(id).expect("internal error: there is nothing for a function that was asked for")
    }
}
