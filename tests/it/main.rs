//! The integration tests, one binary.

mod facts;
