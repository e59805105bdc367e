//! project/schema/version: which folder of migrations a file belongs to, and when its turn is.

/// The version that a migration's name begins with; what has none comes first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Version {
    /// A name alone.
    None(String),
    /// `V1.10__`: numbers, each as its length and its digits.
    Count(Vec<(usize, String)>, String),
    /// `2019-11-15-182353_`: a time, as its digits.
    Time(String, String),
}

/// How many digits a time has at least.
const TIME: usize = 8;

/// The folder and the version of a file by its path. Diesel and Prisma give each migration a folder.
pub(super) fn of(path: &str) -> (String, Version) {
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    if matches!(file, "up.sql" | "migration.sql") {
        let (above, own) = folder.rsplit_once('/').unwrap_or(("", folder));
        return (above.to_owned(), version(own));
    }
    (folder.to_owned(), version(file))
}

fn version(name: &str) -> Version {
    let numbers = name.strip_prefix(['V', 'v']).unwrap_or(name);
    let is_part = |c: &char| c.is_ascii_digit() || matches!(c, '-' | '.');
    let prefix: String = numbers.chars().take_while(is_part).collect();
    let digits: String = prefix.chars().filter(char::is_ascii_digit).collect();
    let years = prefix.split('-').next().unwrap_or("");
    let is_date = prefix.contains('-') && years.len() == 4 && digits.len() >= TIME;
    if digits.is_empty() {
        Version::None(name.to_owned())
    } else if is_date {
        Version::Time(digits, name.to_owned())
    } else {
        // A dash only follows the number here.
        let parts = years.split('.').filter(|part| !part.is_empty());
        let numbers: Vec<(usize, String)> = parts
            .map(|part| part.trim_start_matches('0'))
            .map(|part| (part.len(), part.to_owned()))
            .collect();
        match years.len() {
            length if length >= TIME && numbers.len() == 1 => {
                Version::Time(years.to_owned(), name.to_owned())
            }
            _ => Version::Count(numbers, name.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn each_way_of_counting_is_in_order() {
        for names in [
            ["m/schema.sql", "m/V2__a.sql", "m/V10__b.sql"],
            ["m/1.sql", "m/1.2.sql", "m/1.10.sql"],
            ["m/0001-2fa.sql", "m/0002-a.sql", "m/0010_b.sql"],
            ["m/20220123_a.up.sql", "m/20220124_b.up.sql", "m/2023-01-01-000000_c/up.sql"],
            [
                "m/20250101000000_a/migration.sql",
                "m/2026-06-18-084149-0000_b/up.sql",
                "m/2026-07-01-000000_c/up.sql",
            ],
        ] {
            let versions = names.map(of);
            assert!(versions.is_sorted(), "{versions:?}");
        }
    }
}
