//! report/json: x
