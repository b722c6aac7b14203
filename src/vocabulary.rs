//! Closed vocabularies: enums whose words are spelt in one place.
//!
//! Used by every part whose words reach a file, a fact or a rule. Files, JSON Schemas, the static check of rules and
//! comparisons in code all follow from the one declaration, so that a misspelt word does not compile or is refused when
//! a rule is loaded.

/// Declares a closed vocabulary, each variant with its word: `Enforce = "enforce"`.
macro_rules! vocabulary {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[doc = $about:literal])* $variant:ident = $word:tt,)* }) => {
        $(#[$meta])*
        #[derive(
            Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd,
            schemars::JsonSchema, serde::Deserialize, serde::Serialize,
        )]
        #[non_exhaustive]
        pub enum $name {
            $($(#[doc = $about])* #[serde(rename = $word)] $variant,)*
        }

        impl $name {
            /// Every value, as declared.
            #[allow(dead_code, reason = "only some vocabularies are listed")]
            pub const ALL: &'static [$name] = &[$($name::$variant),*];

            /// Every word, in the same order.
            #[allow(dead_code)]
            pub const WORDS: &'static [&'static str] = &[$($word),*];

            /// What it means, in a sentence: the comment at its declaration.
            #[allow(dead_code)]
            pub fn about(self) -> &'static str {
                match self {
                    $($name::$variant => concat!($($about),*).trim(),)*
                }
            }

            /// The word for it in files, facts and rules.
            pub const fn word(self) -> &'static str {
                match self {
                    $($name::$variant => $word,)*
                }
            }

            /// The value that a word is exactly, if any.
            #[allow(dead_code, reason = "only some vocabularies are read")]
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.word() == word)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.word())
            }
        }
    };
}

pub(crate) use vocabulary;
