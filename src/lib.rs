//! stslint
