//! One `Report`, many formats: each file here is a thin function from the report to text.
//!
//! `cli` chooses the format and prints; nothing here reads a clock, an environment or a socket.
