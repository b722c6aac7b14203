//! The modes of a policy (RFC 8461 §3.2).

crate::vocabulary::vocabulary! {
    /// What a policy asks of senders (RFC 8461 §5).
    pub enum Mode {
        /// Mail goes only to hosts that pass validation.
        Enforce = "enforce",
        /// Mail is delivered, and failures are reported.
        Testing = "testing",
        /// The domain has no active policy.
        None = "none",
    }
}
