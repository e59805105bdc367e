//! report/markdown: x
