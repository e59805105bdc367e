//! name: interned identifiers and dotted paths, compared by address and ordered by spelling.

mod list;

use std::cell::RefCell;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::{LazyLock, Mutex};

use rustc_hash::FxHashMap;

pub use list::{listed, listing};

/// An identifier or dotted path. Copies are free; equality is one comparison of addresses.
///
/// Names live as long as the process: a program has few distinct ones, and they are shared by all its files.
#[derive(Clone, Copy)]
pub struct Name(&'static &'static str);

static TABLE: LazyLock<Mutex<FxHashMap<&'static str, Name>>> = LazyLock::new(Mutex::default);

thread_local! {
    // Most names are met again at once, so that a thread seldom asks the shared table.
    static SEEN: RefCell<FxHashMap<&'static str, Name>> = RefCell::default();
}

impl Name {
    /// The name with this spelling.
    pub fn new(text: &str) -> Name {
        SEEN.with_borrow_mut(|seen| {
            if let Some(&known) = seen.get(text) {
                return known;
            }
            let mut table = TABLE.lock().expect("internal error: a thread died while it interned a name");
            let known = match table.get(text) {
                Some(&known) => known,
                None => {
                    let spelling: &'static str = Box::leak(text.to_owned().into_boxed_str());
                    let name = Name(Box::leak(Box::new(spelling)));
                    table.insert(spelling, name);
                    name
                }
            };
            seen.insert(known.0, known);
            known
        })
    }

    /// A name that no code can spell, for what lowering keeps between two steps.
    pub fn temporary(number: usize) -> Name {
        Name::new(&format!("<{number}>"))
    }

    /// Whether lowering made it up.
    pub fn is_temporary(self) -> bool {
        self.0.starts_with('<')
    }

    /// Where the spelling lies, which tells names apart.
    pub fn address(self) -> usize {
        std::ptr::from_ref(self.0) as usize
    }

    /// The spelling.
    pub fn as_str(self) -> &'static str {
        self.0
    }

    /// This path with one more part.
    pub fn join(self, part: &str) -> Name {
        if self.0.is_empty() { Name::new(part) } else { Name::new(&format!("{}.{part}", self.0)) }
    }

    /// The part behind the last dot.
    pub fn last(self) -> &'static str {
        self.0.rsplit('.').next().unwrap_or(self.0)
    }

    /// `OrderLine` is `order_line`, `HTTPCall` is `http_call`: how libraries name tables and columns after types.
    pub fn snake_case(self) -> Name {
        let all: Vec<char> = self.0.chars().collect();
        let mut found = String::new();
        for (at, char) in all.iter().enumerate() {
            let begins = char.is_uppercase()
                && at > 0
                && (!all[at - 1].is_uppercase() || all.get(at + 1).is_some_and(|next| next.is_lowercase()));
            if begins && !found.ends_with('_') {
                found.push('_');
            }
            found.extend(char.to_lowercase());
        }
        Name::new(&found)
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        self.0
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Name) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Eq for Name {}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // No two names lie at one address.
        self.address().hash(state);
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Name) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Name) -> std::cmp::Ordering {
        if self == other { std::cmp::Ordering::Equal } else { self.0.cmp(other.0) }
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.0, out)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Name;

    #[test]
    fn equal_spellings_are_one_name_in_every_thread() {
        let here = Name::new("created_at");
        let there = std::thread::spawn(|| Name::new("created_at")).join().expect("the thread ends");
        assert!(here == there);
        assert!(Name::new("a") < Name::new("b"));
        assert_eq!(Name::new("a.b").join("c").last(), "c");
    }

    #[test]
    fn types_are_spelled_as_columns_are() {
        for (class, table) in
            [("OrderLine", "order_line"), ("HTTPCall", "http_call"), ("User", "user"), ("A_B", "a_b")]
        {
            assert_eq!(&*Name::new(class).snake_case(), table);
        }
    }
}
