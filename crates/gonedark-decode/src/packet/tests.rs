//! One claim a test.
