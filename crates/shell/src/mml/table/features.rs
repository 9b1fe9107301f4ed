//! What users do by service codes, and who rings together.

use super::Form;

pub(super) const FORMS: &[Form] = &[];
