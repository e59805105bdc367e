//! embed: the build script that reads the rule pages into the program.
fn main() {}
