//! config: what a user may set, and how the nearest settings to a file are found.
