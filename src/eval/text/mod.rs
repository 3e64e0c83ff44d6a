//! Pure functions on bytes that builtins need.
