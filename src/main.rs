//! stslint
fn main() {}
