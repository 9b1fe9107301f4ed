//! REST interface and browser pages.
