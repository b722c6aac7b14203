//! The texts of the page frame, in one place: another language is another value of this type.

/// The texts of the frame in one language.
#[derive(Clone, Copy, Debug)]
pub struct FrameTexts {
    /// The language (BCP 47).
    pub lang: &'static str,
    /// The link past the head of the page.
    pub skip: &'static str,
    /// What the site is.
    pub subtitle: &'static str,
    /// What the links to its pages are called together.
    pub site: &'static str,
    /// The first page.
    pub validate: &'static str,
    /// The page for texts without a domain.
    pub paste: &'static str,
    /// The pages of the rules.
    pub rules: &'static str,
    /// The page about the service.
    pub about: &'static str,
    /// The last line of each page.
    pub footer: &'static str,
    /// The heading of the first page.
    pub heading: &'static str,
    /// Its first paragraph.
    pub lead: &'static str,
    /// The label of its field.
    pub domain: &'static str,
    /// What can be typed there.
    pub domain_about: &'static str,
    /// The option to speak to MX hosts.
    pub smtp: &'static str,
    /// The option to ask the zone's own name servers.
    pub authoritative: &'static str,
    /// Domains to try.
    pub examples: &'static str,
    /// The heading while a check waits.
    pub waiting: &'static str,
    /// The heading while a check runs.
    pub running: &'static str,
}

/// British English.
pub const ENGLISH: FrameTexts = FrameTexts {
    lang: "en-GB",
    skip: "Skip to the content",
    subtitle: "MTA-STS and TLSRPT validator",
    site: "Site",
    validate: "Validate",
    paste: "Paste texts",
    rules: "Rules",
    about: "About",
    footer: "No cookies, no third parties, and no record of who asks.",
    heading: "Does your domain protect the mail sent to it?",
    lead: "Checks how a domain publishes MTA-STS (RFC 8461) and TLSRPT (RFC 8460): the records, the policy, the certificates of \
           policy host and MX hosts, DANE beside them, and what senders make of it all.",
    domain: "Domain",
    domain_about: "A mail domain, such as `example.com`; an address or a URL will do.",
    smtp: "Connect to the MX hosts (STARTTLS and certificates; no mail is sent)",
    authoritative: "Ask the zone's own name servers too, past every cache",
    examples: "Try one:",
    waiting: "Waiting for other checks",
    running: "Looking at the domain",
};
