//! The alerts of TLS (RFC 8446 §6, RFC 5246 §7.2) by name, and what they say to whoever has to fix the server. Used by
//! `failure` and `second_look`.

/// What a server that knows neither TLS 1.2 nor 1.3 has to be told.
pub const TOO_OLD: &str = "the server speaks neither TLS 1.2 nor TLS 1.3, which is all that is offered";

/// The name of an alert, as the RFCs write it.
pub fn name(alert: u8) -> String {
    let name = match alert {
        0 => "close_notify",
        10 => "unexpected_message",
        20 => "bad_record_mac",
        21 => "decryption_failed",
        22 => "record_overflow",
        30 => "decompression_failure",
        40 => "handshake_failure",
        41 => "no_certificate",
        42 => "bad_certificate",
        43 => "unsupported_certificate",
        44 => "certificate_revoked",
        45 => "certificate_expired",
        46 => "certificate_unknown",
        47 => "illegal_parameter",
        48 => "unknown_ca",
        49 => "access_denied",
        50 => "decode_error",
        51 => "decrypt_error",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        86 => "inappropriate_fallback",
        90 => "user_canceled",
        100 => "no_renegotiation",
        109 => "missing_extension",
        110 => "unsupported_extension",
        112 => "unrecognized_name",
        113 => "bad_certificate_status_response",
        115 => "unknown_psk_identity",
        116 => "certificate_required",
        120 => "no_application_protocol",
        number => return format!("number {number}"),
    };
    name.to_owned()
}

/// What an alert says, where that is more than its name.
pub fn meaning(alert: u8) -> Option<&'static str> {
    match alert {
        40 | 71 => Some("it accepts nothing that is offered (cipher suites, key exchange, signatures)"),
        70 => Some(TOO_OLD),
        80 => Some("something is wrong on its side: check its log"),
        112 => Some("it does not know the name that it was asked for"),
        116 => Some("it demands a client certificate, but senders have none"),
        120 => Some("it does not speak HTTP/1.1, which all clients and senders use"),
        _ => None,
    }
}
