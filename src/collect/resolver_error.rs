//! Why there is not a resolver to ask. Used by the resolver and by the trust anchors.

use miette::Diagnostic;
use thiserror::Error;

use crate::files::FileError;

/// Why there is not a resolver to ask.
#[derive(Debug, Diagnostic, Error)]
pub enum ResolverError {
    /// The file of trust anchors cannot be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    AnchorFile(#[from] FileError),
    /// The file of trust anchors is none.
    #[error("{path} is not a file of trust anchors: {reason}")]
    #[diagnostic(code(stslint::trust_anchor), help("each line is a record such as `. IN DNSKEY 257 3 8 AwEAA…`"))]
    Anchors {
        /// The file's name.
        path: String,
        /// Why not.
        reason: String,
    },
    /// The operating system does not say which resolver to ask.
    #[error("this system has no usable resolver configuration: {0}")]
    #[diagnostic(
        code(stslint::resolver),
        help("name a resolver, for example 9.9.9.9 (the command's `--resolver 9.9.9.9`)")
    )]
    System(String),
    /// The resolver's connection cannot be prepared.
    #[error("the connection to the resolver cannot be prepared: {0}")]
    #[diagnostic(code(stslint::resolver))]
    Tls(String),
}
